"""Kernels: what a box holds of the level set, and whether a surface has all of it.

Where bounds show that the output differs from the level, a box is empty.  Where few rows are undecided, the box is cut
by them, layer by layer, into the convex polyhedra that are its regions; in each the output is affine, and its values
at the corners say whether the level set crosses it.  A surface that has a facet for every such region has the whole
level set of the box.

A polyhedron is a list of corners with the set of planes through each, as bits.  Two corners that share two planes are
taken for the ends of an edge.  Where many planes meet they may be none: the points cut from them lie in the polyhedron
nevertheless.
"""

from __future__ import annotations

import numpy as np

from engine.machine.jit import inner, kernel, popcount
from engine.surface.enclosures import SYMBOLS, enclose_box
from engine.surface.region_table import is_known
from engine.tolerances import CERTIFIED_SLACK

EMPTY, VISITED, OPEN, MISSED = 0, 1, 2, 3

_ROWS = 28  # undecided in a box that is cut into its regions
_SIDES = 6
_CORNERS = 256  # of a polyhedron
_REGIONS = 4096  # of a box


@kernel
def examine_boxes(lo, hi, layers, boxes, signatures, table):
    """Of the boxes lo..hi of boxes (B, 2, 3): verdicts (n,) int8, the regions that they were cut into (n,) int64, and
    bounds of the output less the level (n, 2).

    EMPTY: without the level.  VISITED: every region that the level crosses is among the signatures (., W), whose hash
    table is `table`.  MISSED: one is not.  OPEN: neither was found out.
    """
    neurons, words = len(layers.bias), signatures.shape[1]
    values, rests = np.empty((4 + SYMBOLS, neurons)), np.empty(neurons)
    lows, highs = np.empty(neurons), np.empty(neurons)
    maps, put_out, rows = np.empty((4, neurons)), np.empty((4, neurons)), np.empty(_ROWS, np.int64)
    corners, planes = np.empty((_ROWS + 1, _CORNERS, 3)), np.empty((_ROWS + 1, _CORNERS), np.uint64)
    counts, nexts, heights = np.empty(_ROWS + 1, np.int64), np.empty(_ROWS + 1, np.int64), np.empty(_CORNERS)
    bits = np.empty((_ROWS + 1, words), np.uint64)
    verdicts, regions, bounds = np.empty(hi - lo, np.int8), np.zeros(hi - lo, np.int64), np.empty((hi - lo, 2))
    output = neurons - 1
    for i in range(lo, hi):
        enclose_box(layers, boxes[i], values, rests, lows, highs)
        bounds[i - lo, 0], bounds[i - lo, 1] = lows[output], highs[output]
        if lows[output] > 0.0 or highs[output] < 0.0:
            verdicts[i - lo] = EMPTY
            continue
        undecided = _undecided(layers, lows, highs, rows, bits[0])
        if undecided > _ROWS:
            verdicts[i - lo] = OPEN
            continue
        verdicts[i - lo], regions[i - lo] = _cut_box(
            layers, boxes[i], rows, undecided, maps, put_out, corners, planes, counts, nexts, heights, bits,
            signatures, table,
        )  # fmt: skip
    return verdicts, regions, bounds


@inner
def _undecided(layers, lows, highs, rows, bits):
    """List the rows that the box does not decide, if they fit; the bits of the others.  Returns their number."""
    count = 0
    for w in range(len(bits)):
        bits[w] = 0
    for r in range(len(layers.row_neuron)):
        k = layers.row_neuron[r]
        if lows[k] > layers.row_breakpoint[r]:
            bits[r >> 6] |= np.uint64(1) << np.uint64(r & 63)
        elif highs[k] > layers.row_breakpoint[r]:
            if count < len(rows):
                rows[count] = r
            count += 1
    return count


@inner
def _cut_box(
    layers, box, rows, undecided, maps, put_out, corners, planes, counts, nexts, heights, bits, signatures, table
):  # fmt: skip
    """Cut a box into its regions, depth first, and look each up.  Returns the verdict and the number of regions.

    Polyhedra that wait are on a stack: corners (., ., 3) in the box's own coordinates, from -1 to 1, planes (., .),
    counts of corners, the next of the rows to cut by, bits.  The maps of the layers up to that row's stay as they are
    until the polyhedron's turn comes.
    """
    kinks, top, regions = len(layers.first_neuron) - 2, 1, 0
    counts[0], nexts[0] = 8, 0
    for c in range(8):
        planes[0, c] = 0
        for d in range(3):
            upper = (c >> d) & 1
            corners[0, c, d] = 2.0 * upper - 1.0
            planes[0, c] |= np.uint64(1) << np.uint64(2 * d + upper)
    _pre_activations(0, layers, box, maps, put_out)
    while top > 0:
        now = top - 1
        j, m = nexts[now], 0
        while m < kinks and j > 0 and layers.first_neuron[m + 1] <= layers.row_neuron[rows[j - 1]]:
            m += 1
        while True:
            while m < kinks and j < undecided and layers.row_neuron[rows[j]] < layers.first_neuron[m + 1]:
                if not _cut(layers, rows, j, maps, corners, planes, counts, heights, bits, now, top):
                    return OPEN, regions
                if counts[top] > 0:
                    # the other half waits below this one
                    nexts[now] = j + 1
                    now, top = top, top + 1
                j += 1
            if m == kinks:
                break
            _put_out(m, layers, bits[now], maps, put_out)
            m += 1
            _pre_activations(m, layers, box, maps, put_out)
        top = now
        regions += 1
        if _meets_level(maps, corners[now], counts[now]) and not is_known(bits[now], signatures, table):
            return MISSED, regions
        if regions > _REGIONS:
            return OPEN, regions
    return VISITED, regions


@inner
def _cut(layers, rows, j, maps, corners, planes, counts, heights, bits, now, top):
    """Cut polyhedron `now` by row rows[j]: the part below stays there, the part above goes to `top`, whose count is 0
    when there is only one part.  Returns whether there was room.
    """
    r = rows[j]
    k, word, bit = layers.row_neuron[r], r >> 6, np.uint64(1) << np.uint64(r & 63)
    low, high, size = np.inf, -np.inf, abs(maps[0, k] - layers.row_breakpoint[r])
    for d in range(3):
        size += abs(maps[1 + d, k])
    for c in range(counts[now]):
        z = maps[0, k] - layers.row_breakpoint[r]
        for d in range(3):
            z += maps[1 + d, k] * corners[now, c, d]
        heights[c] = z
        low, high = min(low, z), max(high, z)
    slack = CERTIFIED_SLACK * size
    counts[top] = 0
    if low >= -slack or high <= slack:
        if high > -low:
            bits[now, word] |= bit
        return True
    plane = np.uint64(1) << np.uint64(_SIDES + j)
    count, above, below = counts[now], 0, 0
    for c in range(count):
        if heights[c] > -slack:
            for d in range(3):
                corners[top, above, d] = corners[now, c, d]
            planes[top, above] = planes[now, c] | (plane if heights[c] <= slack else np.uint64(0))
            above += 1
    first = above
    for a in range(count):
        if heights[a] <= slack:
            continue
        for b in range(count):
            shared = planes[now, a] & planes[now, b]
            if heights[b] >= -slack or popcount(shared) < 2:
                continue
            if above == _CORNERS:
                return False
            t = heights[a] / (heights[a] - heights[b])
            for d in range(3):
                corners[top, above, d] = corners[now, a, d] + t * (corners[now, b, d] - corners[now, a, d])
            planes[top, above] = shared | plane
            above += 1
    for c in range(count):
        if heights[c] < slack:
            for d in range(3):
                corners[now, below, d] = corners[now, c, d]
            planes[now, below] = planes[now, c] | (plane if heights[c] >= -slack else np.uint64(0))
            below += 1
    if below + above - first > _CORNERS:
        return False
    for c in range(first, above):
        for d in range(3):
            corners[now, below, d] = corners[top, c, d]
        planes[now, below] = planes[top, c]
        below += 1
    counts[now], counts[top] = below, above
    for w in range(bits.shape[1]):
        bits[top, w] = bits[now, w]
    bits[top, word] |= bit
    return True


@inner
def _pre_activations(m, layers, box, maps, put_out):
    """The maps (4, .) of layer m before its nonlinearity: value at the box's centre, changes along its half sides."""
    lo, hi = layers.first_neuron[m], layers.first_neuron[m + 1]
    for k in range(lo, hi):
        maps[0, k] = layers.bias[k]
        for d in range(3):
            maps[0, k] += 0.5 * (box[0, d] + box[1, d]) * layers.input_weights[d, k]
            maps[1 + d, k] = 0.5 * (box[1, d] - box[0, d]) * layers.input_weights[d, k]
    for b in range(layers.first_block[m], layers.first_block[m + 1]):
        source, start = layers.block_source[b], layers.block_start[b]
        first, width = layers.first_neuron[source], hi - lo
        for i in range(first, layers.first_neuron[source + 1]):
            row = start + (i - first) * width
            for c in range(4):
                value = put_out[c, i]
                if value != 0.0:
                    for k in range(width):
                        maps[c, lo + k] += value * layers.weights[row + k]


@inner
def _put_out(m, layers, bits, maps, put_out):
    """The maps of layer m after its nonlinearity, in the region of these bits."""
    for k in range(layers.first_neuron[m], layers.first_neuron[m + 1]):
        piece = 0
        for r in range(layers.first_row[k], layers.first_row[k + 1]):
            if (bits[r >> 6] >> np.uint64(r & 63)) & np.uint64(1):
                piece = layers.row_piece[r]
        for c in range(4):
            put_out[c, k] = layers.slopes[k, piece] * maps[c, k]
        put_out[0, k] += layers.intercepts[k, piece]


@inner
def _meets_level(maps, corners, count):
    """Whether the output changes sign in the polyhedron, or is positive there and vanishes on a side of it."""
    output = maps.shape[1] - 1
    slack = 0.0
    for c in range(4):
        slack += CERTIFIED_SLACK * abs(maps[c, output])
    above, below, zero = 0, 0, 0
    for c in range(count):
        z = maps[0, output]
        for d in range(3):
            z += maps[1 + d, output] * corners[c, d]
        if z > slack:
            above += 1
        elif z < -slack:
            below += 1
        else:
            zero += 1
    return above > 0 and (below > 0 or zero >= 3)
