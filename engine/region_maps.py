"""Kernels: the affine maps of all neurons in one region, from its signature or from a point and directions.

A map has C numbers: its derivatives along the C - 1 directions of a frame, and its value at a reference point, so that
values near that point keep their digits.  The maps of all N neurons are an array (C, N).  A region's signature has a
bit for each row: whether the pre-activation is greater than the breakpoint.
"""

from __future__ import annotations

import numpy as np

from engine.jit import inline, kernel, lowest_bit, summing_kernel
from engine.predicates import map_tolerance


@kernel
def workspace(layers, columns):
    """Room for maps: maps (C, N), then of the layers' outputs that are not zero throughout: their maps outputs (C, N),
    their neurons active (N,) and their number counts (K + 1,), each layer's from its first neuron on; squares
    (2, K + 1) of the outputs' values and derivatives, summed by layer; sizes (2, K + 1), the norms of the values and
    derivatives that each layer reads.
    """
    neurons, kinks = len(layers.bias), len(layers.first_neuron) - 1
    return (
        np.empty((columns, neurons)),
        np.empty((columns, neurons)),
        np.empty(neurons, np.int64),
        np.zeros(kinks, np.int64),
        np.zeros((2, kinks)),
        np.zeros((2, kinks)),
    )


@summing_kernel
def _accumulate(target, source, first, block, active, count):
    """target += source[:, first + active] @ block[active], for `count` active neurons; a block is (inputs, outputs)."""
    columns, width = target.shape
    n = 0
    while n + 3 < count:
        i0, i1, i2, i3 = active[first + n], active[first + n + 1], active[first + n + 2], active[first + n + 3]
        for c in range(columns):
            a0, a1 = source[c, first + i0], source[c, first + i1]
            a2, a3 = source[c, first + i2], source[c, first + i3]
            for k in range(width):
                target[c, k] += a0 * block[i0, k] + a1 * block[i1, k] + a2 * block[i2, k] + a3 * block[i3, k]
        n += 4
    while n < count:
        i0 = active[first + n]
        for c in range(columns):
            a0 = source[c, first + i0]
            for k in range(width):
                target[c, k] += a0 * block[i0, k]
        n += 1


@inline
def _pre_activations(m, layers, frame, point, room):
    """Maps of the pre-activations of layer m, from the outputs of earlier layers."""
    maps, outputs, active, counts, squares, sizes = room
    lo, hi = layers.first_neuron[m], layers.first_neuron[m + 1]
    columns, width = len(maps), hi - lo
    target, bias = maps[:, lo:hi], layers.bias[lo:hi]
    for c in range(columns - 1):
        for k in range(width):
            target[c, k] = 0.0
    for k in range(width):
        target[columns - 1, k] = bias[k]
    value, slope = 0.0, 0.0
    if layers.reads_input[m]:
        for d in range(len(point)):
            weight = layers.input_weights[d, lo:hi]
            value += point[d] * point[d]
            slope += 1.0
            for c in range(columns):
                along = point[d] if c == columns - 1 else frame[c, d]
                if along != 0.0:
                    for k in range(width):
                        target[c, k] += along * weight[k]
    for b in range(layers.first_block[m], layers.first_block[m + 1]):
        source, start = layers.block_source[b], layers.block_start[b]
        first = layers.first_neuron[source]
        inputs = layers.first_neuron[source + 1] - first
        block = layers.weights[start : start + inputs * width].reshape(inputs, width)
        _accumulate(target, outputs, first, block, active, counts[source])
        value += squares[0, source]
        slope += squares[1, source]
    sizes[0, m], sizes[1, m] = np.sqrt(value), np.sqrt(slope)


@inline
def _put_out(m, layers, bits, room):
    """Maps of what layer m puts out, on the pieces that the signature tells."""
    maps, outputs, active, counts, squares, _ = room
    first_row, row_piece, slopes, intercepts = layers.first_row, layers.row_piece, layers.slopes, layers.intercepts
    lo, hi = layers.first_neuron[m], layers.first_neuron[m + 1]
    columns = len(maps)
    n, value, slope = lo, 0.0, 0.0
    if layers.rectified[m]:
        row = first_row[lo]
        while row < first_row[hi]:
            stop = min((row | 63) + 1, first_row[hi])
            word = bits[row >> 6] >> np.uint64(row & 63)
            if stop - row < 64:
                word &= (np.uint64(1) << np.uint64(stop - row)) - np.uint64(1)
            while word != 0:
                i = row - first_row[lo] + np.int64(lowest_bit(word))
                word &= word - np.uint64(1)
                active[n] = i
                n += 1
                k = lo + i
                for c in range(columns - 1):
                    x = maps[c, k]
                    outputs[c, k] = x
                    slope += x * x
                x = maps[columns - 1, k]
                outputs[columns - 1, k] = x
                value += x * x
            row = stop
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
                x = factor * maps[c, k]
                outputs[c, k] = x
                slope += x * x
            x = factor * maps[columns - 1, k] + shift
            outputs[columns - 1, k] = x
            value += x * x
    counts[m] = n - lo
    squares[0, m], squares[1, m] = value, slope


@inline
def _snap(m, layers, room):
    """A value that rounding cannot tell from a breakpoint becomes it: exact zeros pass a ReLU exactly, while
    a residue of them would be all that the next layer reads.
    """
    maps, sizes = room[0], room[5]
    lo, hi = layers.first_neuron[m], layers.first_neuron[m + 1]
    size, values, norms, bias = sizes[0, m], maps[len(maps) - 1, lo:hi], layers.norms[lo:hi], layers.bias[lo:hi]
    if layers.rectified[m]:
        for k in range(hi - lo):
            z = values[k]
            values[k] = 0.0 if abs(z) <= map_tolerance(norms[k], size, 0.0, 0.0, abs(bias[k])) else z
    else:
        for k in range(hi - lo):
            tolerance = map_tolerance(norms[k], size, 0.0, 0.0, abs(bias[k]))
            for r in range(layers.first_row[lo + k], layers.first_row[lo + k + 1]):
                at = layers.row_breakpoint[r]
                if abs(values[k] - at) <= tolerance:
                    values[k] = at


@kernel
def maps_of_region(layers, bits, frame, point, room):
    """The maps of all neurons in the region of a signature, around a point (D,), along a frame (C - 1, D)."""
    last = len(layers.first_neuron) - 2
    for m in range(last):
        _pre_activations(m, layers, frame, point, room)
        _snap(m, layers, room)
        _put_out(m, layers, bits, room)
    _pre_activations(last, layers, frame, point, room)


@inline
def tolerance_of(k, m, reach, layers, sizes):
    return map_tolerance(layers.norms[k], sizes[0, m], sizes[1, m], reach, abs(layers.bias[k]))


@kernel
def maps_beside(layers, frame, point, uncertainty, room, bits):
    """The maps in the region that a point reaches by an infinitesimal step along the frame's first direction, then a
    yet smaller one along the second, and so on; also its signature, into `bits`.

    A row that vanishes all the way is not greater than its breakpoint.  uncertainty: of the point's position.
    """
    maps, _, _, _, _, sizes = room
    columns, last = len(maps), len(layers.first_neuron) - 2
    first_row, row_breakpoint, norms, bias = layers.first_row, layers.row_breakpoint, layers.norms, layers.bias
    for w in range(len(bits)):
        bits[w] = 0
    for m in range(last):
        _pre_activations(m, layers, frame, point, room)
        value, slope = sizes[0, m], sizes[1, m]
        for k in range(layers.first_neuron[m], layers.first_neuron[m + 1]):
            if first_row[k] == first_row[k + 1]:
                continue
            tolerance = map_tolerance(norms[k], value, 0.0, 0.0, abs(bias[k]))
            if uncertainty > 0.0:
                steepest = 0.0
                for c in range(columns - 1):
                    steepest += maps[c, k] * maps[c, k]
                tolerance += uncertainty * np.sqrt(steepest)
            tilt = map_tolerance(norms[k], slope, 0.0, 0.0, 0.0)
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
