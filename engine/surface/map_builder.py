"""Kernels: the affine maps of all neurons in one region, from its signature or from a point and directions.

A map has C numbers: its derivatives along the C - 1 directions of a frame, and its value at a reference point, so that
values near that point keep their digits.  The maps of all N neurons are an array (C, N).  A region's signature has a
bit for each row: whether the pre-activation is greater than the breakpoint.
"""

from __future__ import annotations

import numpy as np

from engine.exactness.predicates import map_tolerance
from engine.machine.jit import inline, inner, inner_sum, kernel, lowest_bit
from engine.machine.simd import accumulate_2, accumulate_4


@kernel
def workspace(layers, columns):
    """Room for maps: maps (C, N), then of the layers' outputs that are not zero throughout: their maps outputs (C, N),
    their neurons active (N,) and their number counts (K + 1,), each layer's from its first neuron on; squares
    (2, K + 1) of the outputs' values and derivatives, summed by layer; sizes (2, N), how large what each neuron sums
    may be, of values and of derivatives: the norm of its weights times that of what its layer reads, and in uneven
    layers the sums of absolute values themselves.
    """
    neurons, kinks = len(layers.bias), len(layers.first_neuron) - 1
    return (
        np.empty((columns, neurons)),
        np.empty((columns, neurons)),
        np.empty(neurons, np.int64),
        np.zeros(kinks, np.int64),
        np.zeros((2, kinks)),
        np.empty((2, neurons)),
    )


@inline
def accumulate_block(m, source, layers, b, maps, values, active, count):
    """Add to the maps of layer m what it reads of an earlier layer, by block b."""
    lo, first, start = layers.first_neuron[m], layers.first_neuron[source], layers.block_start[b]
    width = layers.first_neuron[m + 1] - lo
    if len(maps) == 4:
        accumulate_4(maps, lo, values, first, layers.weights, start, width, active, count)
    else:
        accumulate_2(maps, lo, values, first, layers.weights, start, width, active, count)


@inline
def _pre_activations(m, layers, frame, point, room):
    """Maps of the pre-activations of layer m, from the outputs of earlier layers."""
    maps, outputs, active, counts, squares, sizes = room
    lo, hi = layers.first_neuron[m], layers.first_neuron[m + 1]
    columns, input_weights, bias = len(maps), layers.input_weights, layers.bias
    value, slope = 0.0, 0.0
    if layers.reads_input[m]:
        for d in range(len(point)):
            value += point[d] * point[d]
            slope += 1.0
    for c in range(columns):
        last = c == columns - 1
        for k in range(np.uint64(lo), np.uint64(hi)):
            maps[c, k] = bias[k] if last else 0.0
        if layers.reads_input[m]:
            for d in range(len(point)):
                along = point[d] if last else frame[c, d]
                if along != 0.0:
                    for k in range(np.uint64(lo), np.uint64(hi)):
                        maps[c, k] += along * input_weights[d, k]
    for b in range(layers.first_block[m], layers.first_block[m + 1]):
        source = layers.block_source[b]
        if layers.rectified[source]:
            accumulate_block(m, source, layers, b, maps, maps, active, counts[source])
        else:
            accumulate_block(m, source, layers, b, maps, outputs, active, counts[source])
        value += squares[0, source]
        slope += squares[1, source]
    if layers.uneven[m]:
        _sum_sizes(m, layers, frame, point, room)
        return
    value, slope, norms = np.sqrt(value), np.sqrt(slope), layers.norms
    for k in range(np.uint64(lo), np.uint64(hi)):
        sizes[0, k] = norms[k] * value
        sizes[1, k] = norms[k] * slope


@inner
def _sum_sizes(m, layers, frame, point, room):
    """The sizes of an uneven layer: of each neuron the sum of the absolute values of what it sums."""
    maps, outputs, active, counts, _, sizes = room
    lo, hi, last = layers.first_neuron[m], layers.first_neuron[m + 1], len(maps) - 1
    for k in range(lo, hi):
        sizes[0, k], sizes[1, k] = 0.0, 0.0
    if layers.reads_input[m]:
        for d in range(len(point)):
            steepest = 0.0
            for c in range(last):
                steepest += frame[c, d] * frame[c, d]
            for k in range(lo, hi):
                weight = abs(layers.input_weights[d, k])
                sizes[0, k] += weight * abs(point[d])
                sizes[1, k] += weight * np.sqrt(steepest)
    for b in range(layers.first_block[m], layers.first_block[m + 1]):
        source, start = layers.block_source[b], layers.block_start[b]
        first = layers.first_neuron[source]
        read = maps if layers.rectified[source] else outputs
        for n in range(first, first + counts[source]):
            i = active[n]
            steepest = 0.0
            for c in range(last):
                steepest += read[c, first + i] * read[c, first + i]
            for k in range(lo, hi):
                weight = abs(layers.weights[start + i * (hi - lo) + k - lo])
                sizes[0, k] += weight * abs(read[last, first + i])
                sizes[1, k] += weight * np.sqrt(steepest)


@inline
def _put_out(m, layers, bits, room):
    """Maps of what layer m puts out, on the pieces that the signature tells."""
    maps, outputs, active, counts, squares, _ = room
    first_row, row_piece, slopes, intercepts = layers.first_row, layers.row_piece, layers.slopes, layers.intercepts
    lo, hi = layers.first_neuron[m], layers.first_neuron[m + 1]
    columns = len(maps)
    n = lo
    if layers.rectified[m]:
        row, last = first_row[lo], first_row[hi]
        while row < last:
            stop = min((row | 63) + 1, last)
            word = bits[row >> 6] >> np.uint64(row & 63)
            if stop - row < 64:
                word &= (np.uint64(1) << np.uint64(stop - row)) - np.uint64(1)
            first = row - first_row[lo]
            while word != 0:
                active[n] = first + np.int64(lowest_bit(word))
                word &= word - np.uint64(1)
                n += 1
            row = stop
        squares[0, m], squares[1, m] = _squares(maps, lo, active, n - lo)
    else:
        for k in range(lo, hi):
            piece = 0
            for r in range(first_row[k], first_row[k + 1]):
                if (bits[r >> 6] >> np.uint64(r & 63)) & np.uint64(1):
                    piece = row_piece[r]
            factor, shift = slopes[k, piece], intercepts[k, piece]
            if factor == 0.0 and shift == 0.0:
                continue
            active[n] = k - lo
            n += 1
            for c in range(columns - 1):
                outputs[c, k] = factor * maps[c, k]
            outputs[columns - 1, k] = factor * maps[columns - 1, k] + shift
        squares[0, m], squares[1, m] = _squares(outputs, lo, active, n - lo)
    counts[m] = n - lo


@inner_sum
def _squares(values, lo, active, count):
    """The sum of the squares of a layer's outputs at the reference point, and of their derivatives."""
    last = len(values) - 1
    value, slope, even, odd = 0.0, 0.0, 0.0, 0.0
    if last == 3:
        for n in range(lo, lo + count):
            k = lo + active[n]
            slope += values[0, k] * values[0, k]
            even += values[1, k] * values[1, k]
            odd += values[2, k] * values[2, k]
            value += values[3, k] * values[3, k]
        return value, slope + even + odd
    for n in range(lo, lo + count):
        k = lo + active[n]
        for c in range(last):
            slope += values[c, k] * values[c, k]
        value += values[last, k] * values[last, k]
    return value, slope


@inline
def _snap(m, layers, room):
    """A value that rounding cannot tell from a breakpoint becomes it: exact zeros pass a ReLU exactly, while
    a residue of them would be all that the next layer reads.
    """
    maps, sizes = room[0], room[5]
    lo, hi = layers.first_neuron[m], layers.first_neuron[m + 1]
    last, bias = len(maps) - 1, layers.bias
    if layers.rectified[m]:
        for k in range(np.uint64(lo), np.uint64(hi)):  # without a sign, so that no index counts from the end
            z = maps[last, k]
            maps[last, k] = 0.0 if abs(z) <= map_tolerance(sizes[0, k], 0.0, 0.0, abs(bias[k])) else z
    else:
        for k in range(lo, hi):
            tolerance = map_tolerance(sizes[0, k], 0.0, 0.0, abs(bias[k]))
            for r in range(layers.first_row[k], layers.first_row[k + 1]):
                at = layers.row_breakpoint[r]
                if abs(maps[last, k] - at) <= tolerance:
                    maps[last, k] = at


@inner
def maps_of_region(layers, bits, frame, point, room):
    """The maps of all neurons in the region of a signature, around a point (D,), along a frame (C - 1, D)."""
    last = len(layers.first_neuron) - 2
    for m in range(last):
        _pre_activations(m, layers, frame, point, room)
        _snap(m, layers, room)
        _put_out(m, layers, bits, room)
    _pre_activations(last, layers, frame, point, room)


@inline
def tolerance_of(k, reach, layers, sizes):
    return map_tolerance(sizes[0, k], sizes[1, k], reach, abs(layers.bias[k]))


@inner
def maps_beside(layers, frame, point, uncertainty, room, bits):
    """The maps in the region that a point reaches by an infinitesimal step along the frame's first direction, then a
    yet smaller one along the second, and so on; also its signature, into `bits`.

    A row that vanishes all the way is not greater than its breakpoint.  uncertainty: of the point's position.
    """
    maps, _, _, _, _, sizes = room
    columns, last = len(maps), len(layers.first_neuron) - 2
    first_row, row_breakpoint, bias = layers.first_row, layers.row_breakpoint, layers.bias
    for w in range(len(bits)):
        bits[w] = 0
    for m in range(last):
        _pre_activations(m, layers, frame, point, room)
        for k in range(layers.first_neuron[m], layers.first_neuron[m + 1]):
            if first_row[k] == first_row[k + 1]:
                continue
            tolerance = map_tolerance(sizes[0, k], 0.0, 0.0, abs(bias[k]))
            if uncertainty > 0.0:
                steepest = 0.0
                for c in range(columns - 1):
                    steepest += maps[c, k] * maps[c, k]
                tolerance += uncertainty * np.sqrt(steepest)
            tilt = map_tolerance(sizes[1, k], 0.0, 0.0, 0.0)
            for r in range(first_row[k], first_row[k + 1]):
                x = maps[columns - 1, k] - row_breakpoint[r]
                c = 0
                while c < columns and abs(x) <= (tolerance if c == 0 else tilt):
                    if c == 0:
                        maps[columns - 1, k] = row_breakpoint[r]
                    else:
                        maps[c - 1, k] = 0.0
                    x = maps[c, k] if c < columns - 1 else 0.0
                    c += 1
                if x > 0.0:
                    bits[r >> 6] |= np.uint64(1) << np.uint64(r & 63)
        _put_out(m, layers, bits, room)
    _pre_activations(last, layers, frame, point, room)
