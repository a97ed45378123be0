"""One matrix on the value of a kink, the usual layer, as a single kernel: block by block through all that it needs.

About half of the features of a ReLU are zero at a vertex, and most of these on a block of neighbouring ones: they are
left out of the product, that of a small matrix at each vertex by itself, a large one's throughout a block.  Where few
values are made of many features, each vertex takes one pass over the features, which are not stored.
"""

from __future__ import annotations

import numpy as np

from engine.exactness.predicates import WORD, classify, classify_vertex, doubt_by_norm
from engine.machine.jit import comparing_kernel, inline, inner, inner_sum, kernel, lowest_bit, summing_kernel
from engine.machine.vertex_simd import rectify, signs_beyond, sum_live
from engine.network.nonlinearity import phi
from engine.planar_map.new_vertices import interpolate_rows, loose_between

_DENSE = 0.85  # share of features that are not zero in a block above which leaving the others out does not pay
_SMALL = 1 << 12  # numbers in a matrix that stays in the fastest cache while the vertices pass
_STRIP = 8
_NARROW = 8  # values made of a vertex's features, up to which one pass over these for each vertex is the fastest


@kernel
def run_linear(
    lo, hi, block_rows, stored, chords, on_edges, chord_bound, old_vertices, kink, inverse_unit, weight, bias, twins,
    target, rounding, signs,
):  # fmt: skip
    """target = kink(source) @ weight + bias at the vertices lo..hi, the norms of kink(source), and the signs of target.

    stored (S, n): the source, at the first S vertices; those of `chords` follow, see interpolate_rows.  kink:
    (breakpoints, slopes, intercepts); weight (n, m), bias (m,); twins (K, 2): see make_twins_equal; rounding: (norms,
    scale, constant, noise); signs: (plus, minus, undecided).  inverse_unit (n,): the norms' units, empty when no norm
    is needed.  Returns how many zeros rounding made on chords, and the target's feature_range.
    """
    breakpoints, slopes, intercepts = kink
    norms, scale, constant, noise = rounding
    plus, minus, undecided = signs
    width, outputs, first = stored.shape[1], weight.shape[1], len(stored)
    room = min(block_rows, hi - lo)
    source, hidden = np.empty((room, width)), np.empty(room * width)
    columns, part = np.empty(width, np.int64), np.empty(width * outputs)
    narrow = outputs <= _NARROW and norms.shape[1] == 1 and _is_relu(breakpoints, slopes, intercepts)
    transposed = np.empty((outputs, width))
    for j in range(outputs if narrow else 0):
        for k in range(width):
            transposed[j, k] = weight[k, j]
    small = weight.size <= _SMALL
    for j in range(width if small else 0):
        for k in range(outputs):
            part[j * outputs + k] = weight[j, k]
    units = inverse_unit if len(inverse_unit) else np.zeros(width)
    limits, doubt_slopes = np.empty(outputs), np.empty(outputs)
    simple = doubt_by_norm(norms, scale, constant, noise, limits, doubt_slopes)
    scratch = (
        np.empty(-(-width // WORD), np.uint64), np.empty(width), np.zeros(width), simple, limits, doubt_slopes
    )  # fmt: skip
    found = np.empty((2, outputs))
    found[0] = np.inf
    found[1] = -np.inf
    snapped = 0
    for start in range(lo, hi, block_rows):
        stop = min(start + block_rows, hi)
        rows = stop - start
        if narrow and start >= first:
            snapped += _rectify_chords(
                start - first, stop - first, stored, source, chords, on_edges, chord_bound, old_vertices, inverse_unit,
                transposed, hidden, norms[start:stop], target[start:stop],
            )  # fmt: skip
            make_twins_equal(target[start:stop], twins)
            _add_bias(target[start:stop], bias, found)
            classify(start, stop, target, norms, scale, constant, noise, plus, minus, undecided)
            continue
        if stop <= first:
            block = stored[start:stop]
        else:
            for v in range(start, min(stop, first)):
                source[v - start] = stored[v]
            from_chord = max(start, first) - first
            snapped += interpolate_rows(
                from_chord, stop - first, stored, source, first - start, chords, on_edges, chord_bound, old_vertices
            )
            block = source[:rows]
        if small:
            _multiply_each(block, start, kink, units, part, bias, twins, target, found, rounding, signs, scratch)
            continue
        live = _apply_live(block, hidden, columns, breakpoints, slopes, intercepts, inverse_unit, norms[start:stop])
        value = hidden[: rows * live].reshape(rows, live)
        if live == width:
            np.dot(value, weight, target[start:stop])
        else:
            for j in range(live):
                for k in range(outputs):
                    part[j * outputs + k] = weight[columns[j], k]
            np.dot(value, part[: live * outputs].reshape(live, outputs), target[start:stop])
        make_twins_equal(target[start:stop], twins)
        _add_bias(target[start:stop], bias, found)
        classify(start, stop, target, norms, scale, constant, noise, plus, minus, undecided)
    for n in range(len(twins)):
        found[:, twins[n, 0]] = found[:, twins[n, 1]]
    found[0] = -found[0]
    return snapped, found


@inline
def _is_relu(breakpoints, slopes, intercepts):
    relu = breakpoints.shape[1] == 1
    for k in range(len(breakpoints)):
        relu = relu and breakpoints[k, 0] == 0.0 and slopes[k, 0] == 0.0 and slopes[k, 1] == 1.0
        relu = relu and intercepts[k, 0] == 0.0 and intercepts[k, 1] == 0.0
    return relu


@kernel
def _rectify_chords(
    lo, hi, stored, source, chords, on_edges, bound, old_vertices, inverse_unit, weight, hidden, norms, target
):
    """target = relu(source) @ weight.T at the vertices lo..hi of `chords`, and the norms; see run_linear.

    source (1 or more, n) and hidden (n or more,) are scratch.  Returns how many zeros rounding made.
    """
    parents, weights, carried = chords
    _, loose, scale, constant, _, _, _, _, _, _ = bound
    width, words = stored.shape[1], carried.shape[1]
    snapped = 0
    for n in range(lo, hi):
        a, b, t = parents[n, 0], parents[n, 1], weights[n, 0]
        norm = loose_between(a, b, t, weights[n, 1], 0, loose)
        near = _rectify_between(stored, a, b, t, norm, scale, constant, hidden)
        clear = True
        for w in range(words):
            bits = carried[n, w]
            while bits != 0:
                row = w * 64 + np.int64(lowest_bit(bits))
                bits &= bits - np.uint64(1)
                near -= 1
                z = (1.0 - t) * stored[a, row] + t * stored[b, row]
                clear = clear and abs(z) <= constant[row] + norm * scale[0, row]
        if near != 0 or not clear:
            snapped += interpolate_rows(n, n + 1, stored, source, -n, chords, on_edges, bound, old_vertices)
            for k in range(width):
                hidden[k] = max(source[0, k], 0.0)
        if len(inverse_unit):
            norms[n - lo, 0] = np.sqrt(_weighted_square(hidden, inverse_unit))
        for j in range(len(weight)):
            target[n - lo, j] = _dot(hidden, weight, j)
    return snapped


@inner_sum
def _rectify_between(stored, a, b, t, norm, scale, constant, hidden):
    """hidden = relu((1 - t) stored[a] + t stored[b]), 0 where within its bound; returns how often that is."""
    s, near = 1.0 - t, 0
    for k in range(stored.shape[1]):
        z = s * stored[a, k] + t * stored[b, k]
        limit = constant[k] + norm * scale[0, k]
        near += abs(z) <= limit
        hidden[k] = z if z > limit else 0.0
    return near


@inner_sum
def _weighted_square(values, weights):
    total = 0.0
    for k in range(len(weights)):
        z = values[k] * weights[k]
        total += z * z
    return total


@inner_sum
def _dot(values, weights, row):
    total = 0.0
    for k in range(weights.shape[1]):
        total += values[k] * weights[row, k]
    return total


@inner
def _multiply_each(block, start, kink, units, weight, bias, twins, target, found, rounding, signs, scratch):
    """All of run_linear at the vertices from `start` on with the source `block` (N, n), of each without the features
    that are zero there; weight (n * m,), units: of the norms, or zeros.

    scratch: words, numbers and zeros for the features; simple, limits and slopes of doubt_by_norm.
    """
    breakpoints, slopes, intercepts = kink
    norms, scale, constant, noise = rounding
    plus, minus, undecided = signs
    live, hidden, none, simple, limits, doubt_slopes = scratch
    width, outputs, normed = block.shape[1], target.shape[1], norms.shape[1] > 0
    relu = _is_relu(breakpoints, slopes, intercepts)
    for n in range(len(block)):
        v, square = start + n, 0.0
        if not relu:
            for k in range(width):
                hidden[k] = phi(block[n, k], k, breakpoints, slopes, intercepts)
            square = _weighted_square(hidden, units)
        for w in range(len(live)):
            first = w * WORD
            count = min(WORD, width - first)
            if relu:
                live[w], part = rectify(block, n * width + first, hidden, units, first, count)
                square += part
            else:
                above, below = signs_beyond(hidden, first, none, none, 0.0, first, count)
                live[w] = above | below
        if normed:
            norms[v, 0] = np.sqrt(square)
        sum_live(target, v * outputs, hidden, live, weight, bias, found)
        for i in range(len(twins)):
            target[v, twins[i, 0]] = target[v, twins[i, 1]]
        undecided[v] = not classify_vertex(
            v, target, norms, scale, constant, noise, simple, limits, doubt_slopes, plus, minus
        )


@summing_kernel
def _apply_live(source, target, columns, breakpoints, slopes, intercepts, inverse_unit, norms):
    """The kink on a block (N, n) without the features that are zero throughout it, into target (N * n,), and the norm
    of
    each row divided by the units into norms (N, 1), unless there is none.

    columns: the features that are left, or all when these are most.  Returns how many are left.
    """
    rows, width = source.shape
    relu = _is_relu(breakpoints, slopes, intercepts)
    live = np.zeros(width, np.bool_)
    if relu:
        for v in range(rows):
            for k in range(width):
                live[k] |= source[v, k] > 0.0
    else:
        for v in range(rows):
            for k in range(width):
                live[k] |= phi(source[v, k], k, breakpoints, slopes, intercepts) != 0.0
    count = 0
    for k in range(width):
        if live[k]:
            columns[count] = k
            count += 1
    if count > _DENSE * width:
        count = width
        for k in range(width):
            columns[k] = k
    weights = np.empty(count)
    for j in range(count if len(inverse_unit) else 0):
        weights[j] = inverse_unit[columns[j]]
    for v in range(rows):
        start = v * count
        if relu and count == width:
            for k in range(width):
                z = source[v, k]
                target[start + k] = z if z > 0.0 else 0.0
        elif relu:
            for j in range(count):
                z = source[v, columns[j]]
                target[start + j] = z if z > 0.0 else 0.0
        else:
            for j in range(count):
                k = columns[j]
                target[start + j] = phi(source[v, k], k, breakpoints, slopes, intercepts)
        if len(inverse_unit):
            total = 0.0
            for j in range(count):
                h = target[start + j] * weights[j]
                total += h * h
            norms[v, 0] = np.sqrt(total)
    return count


@kernel
def make_twins_equal(values, twins):
    """Give features that are computed alike one value in values (N, m); twins (K, 2): each of them and the first.

    A product of matrices sums equal rows up in different orders.
    """
    for n in range(len(twins)):
        later, first = twins[n, 0], twins[n, 1]
        for v in range(len(values)):
            values[v, later] = values[v, first]


@comparing_kernel
def _add_bias(values, bias, found):
    """Add the bias (n,) to a block (N, n); found (2, n): the smallest and the largest value of each feature so far."""
    rows, width = values.shape
    # In strips of rows: the compiler makes vectors of this loop over k, and none of the plain one.
    whole = rows - rows % _STRIP
    for v in range(0, whole, _STRIP):
        for k in range(width):
            least, most, shift = found[0, k], found[1, k], bias[k]
            for i in range(_STRIP):
                z = values[v + i, k] + shift
                values[v + i, k] = z
                least = z if z < least else least
                most = z if z > most else most
            found[0, k] = least
            found[1, k] = most
    for v in range(whole, rows):
        for k in range(width):
            z = values[v, k] + bias[k]
            values[v, k] = z
            found[0, k] = min(z, found[0, k])
            found[1, k] = max(z, found[1, k])
