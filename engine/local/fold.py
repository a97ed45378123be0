"""Folding a network in a cell: rows that the cell decides are folded away, the others are left as a local network.

A local network of m rows is lower triangular: with s, t in [-1, 1] the place in the cell,

    y_i = c_i0 + c_i1 s + c_i2 t + sum over j < first_i of c_i,3+j u_j,    u_j = max(y_j, 0),

for the rows that are undecided, layer by layer, and the output last.  Bounds are affine forms of s, t and one symbol
for each undecided row, which is enclosed between two parallel lines (Singh, Gehr, Mirman, Pueschel and Vechev, "Fast
and Effective Robustness Certification", NeurIPS 2018).  A row counts as decided only beyond its doubt, in which
rounding is accounted for.
"""

from __future__ import annotations

import numpy as np

from engine.machine.jit import inline, inner_sum, summing_kernel
from engine.tolerances import DOUBT, SAFETY, UNDERFLOW, UNIT_ROUNDOFF

PLACE = 3
"""Columns of a form before those of the rows: 1, s, t."""


@inner_sum
def _add_parts(weight, start, count, part, sums):
    """Add what one feature puts into `count` neurons: part (6,) is its form 1, s, t, radius, its size and its noise;
    sums (7, n): the form of each neuron, its radius, size, squared size and squared noise.
    """
    a, b, c, r, size, noise = part[0], part[1], part[2], part[3], part[4], part[5]
    for i in range(count):
        w = weight[start + i]
        sums[0, i] += a * w
        sums[1, i] += b * w
        sums[2, i] += c * w
        sums[3, i] += r * abs(w)
        sums[4, i] += size * abs(w)
        sums[5, i] += (size * w) * (size * w)
        sums[6, i] += (noise * w) * (noise * w)


@inline
def doubt_of_sum(size, square, noise_square, terms):
    """Return how far from zero a row must be for its sign to be beyond doubt, and its noise."""
    rounding = SAFETY * UNIT_ROUNDOFF
    noise = np.sqrt(noise_square + rounding * rounding * square)
    return DOUBT * max(SAFETY, terms) * UNIT_ROUNDOFF * size + noise, noise


OFF, ON, OPEN, ZERO = 0, 1, 2, 3


@inline
def state_of(low, high, doubt, size):
    """The state of a row with values in [low, high]; of one whose summands are all zero it is ZERO, exactly."""
    if low > doubt:
        return ON
    if high < -doubt:
        return OFF
    return ZERO if size == 0.0 and low == 0.0 and high == 0.0 else OPEN


@inline
def _symbol(low, high):
    """Factor, shift and radius of the lines around max(y, 0) for y in [low, high], which contains 0."""
    factor = high / (high - low)
    return factor, -0.5 * factor * low, -0.5 * factor * low


def room_to_fold(program, most):
    """Return the scratch memory of fold_cell."""
    layers = program.layers
    features = np.diff(layers.first_neuron)
    width, widest, neurons = PLACE + most, int(features.max()), len(layers.bias)
    later = program.last_reader > np.arange(len(program.last_reader)) + 1
    kept = int(features[later].sum() + widest)
    return (
        np.empty(kept * width), np.empty(widest * widest), np.empty(widest * width), np.empty(width * width),
        np.empty(width * width), np.empty(widest * width), np.empty(widest * width), np.empty((7, widest)),
        np.empty((neurons, 6)), np.empty(6),
    )  # fmt: skip


@summing_kernel
def fold_cell(program, place, most, forms, row, first, doubt, on, zero, room):
    """Fold a program in a cell.  Returns the number m of undecided rows, or -1 when they are more than `most`.

    place (D, 3): the input as an affine form of 1, s, t.  Filled in: forms (most + 1, 3 + most), row (most,) the number
    of each undecided row, first (most + 1,): how many rows stand before its layer, doubt (most + 1,) beyond which signs
    are certain, on and zero (words,): bits of the rows that are on, and of those that are zero throughout the cell.
    room: see `room_to_fold`.
    """
    layers = program.layers
    active, weight, value, before, after, left, product, parts, feature, spare = room
    neurons = len(layers.bias)
    depth = len(layers.first_neuron) - 1
    alive = np.zeros(neurons, np.bool_)  # the feature is not zero in the cell
    held_start, held_count, held_width = np.zeros((3, depth), np.int64)
    held = np.empty(neurons, np.int64)  # neurons with an affine part, of each layer from its first neuron on
    first_symbol = np.zeros(depth + 1, np.int64)
    symbol_neuron, symbol_jump = np.empty(most, np.int64), np.empty(most)
    around = np.empty((4, most))  # each undecided row's own enclosure: 1, s, t, radius
    low, high = np.empty(layers.bias.size), np.empty(layers.bias.size)
    live, open_ = np.empty(neurons, np.int64), np.empty(neurons, np.int64)
    sums = parts
    on[:] = 0
    zero[:] = 0
    m, used = 0, 0
    for k in range(PLACE):
        for q in range(PLACE):
            before[k * PLACE + q] = 1.0 if k == q else 0.0
    for layer in range(depth):
        start, stop = layers.first_neuron[layer], layers.first_neuron[layer + 1]
        n, last, width = stop - start, layer == depth - 1, PLACE + m
        terms = 0
        for i in range(n):
            sums[:, i] = 0.0
            sums[0, i] = layers.bias[start + i]
            sums[4, i] = abs(layers.bias[start + i])
            sums[5, i] = sums[4, i] * sums[4, i]
        if layers.reads_input[layer]:
            terms += len(place)
            for d in range(len(place)):
                spare[0] = place[d, 0]
                spare[1] = place[d, 1]
                spare[2] = place[d, 2]
                spare[3] = 0.0
                spare[4] = abs(place[d, 0]) + abs(place[d, 1]) + abs(place[d, 2])
                spare[5] = SAFETY * UNIT_ROUNDOFF * spare[4]
                _add_parts(layers.input_weights[d], start, n, spare, sums)
        for block in range(layers.first_block[layer], layers.first_block[layer + 1]):
            source = layers.block_source[block]
            at, from_ = layers.first_neuron[source], layers.block_start[block]
            terms += layers.first_neuron[source + 1] - at
            for j in range(layers.first_neuron[source + 1] - at):
                if alive[at + j]:
                    _add_parts(layers.weights, from_ + j * n, n, feature[at + j], sums)
        # Most rows that are off end here.
        count = 0
        for i in range(n):
            k = start + i
            doubtful, noise = doubt_of_sum(sums[4, i], sums[5, i], sums[6, i], terms)
            sums[5, i], sums[6, i] = doubtful, noise
            reach = sums[0, i] + abs(sums[1, i]) + abs(sums[2, i]) + sums[3, i]
            least = sums[0, i] - (reach - sums[0, i])
            off = not last and layers.slopes[k, 0] == 0.0 and layers.intercepts[k, 0] == 0.0
            for p in range(layers.first_row[k] if off else 0, layers.first_row[k + 1] if off else 0):
                z = layers.row_breakpoint[p]
                state = state_of(least - z, reach - z, doubtful, sums[4, i])
                off = off and state in (OFF, ZERO)
                if off and state == ZERO:
                    zero[p // 64] |= np.uint64(1) << np.uint64(p % 64)
            if not off:
                live[count] = i
                count += 1
        forms_of = value[: count * width].reshape(count, width)
        forms_of[:] = 0.0
        for block in range(layers.first_block[layer], layers.first_block[layer + 1]):
            source = layers.block_source[block]
            at, from_ = layers.first_neuron[source], layers.block_start[block]
            h, w = held_count[source], held_width[source]
            if h:
                matrix = weight[: h * count].reshape(h, count)
                for a in range(h):
                    begin = from_ + held[at + a] * n
                    for v in range(count):
                        matrix[a, v] = layers.weights[begin + live[v]]
                features = active[held_start[source] : held_start[source] + h * w].reshape(h, w)
                made = product[: count * w].reshape(count, w)
                np.dot(matrix.T, features, made)
                for v in range(count):
                    for q in range(w):
                        forms_of[v, q] += made[v, q]
            for s in range(first_symbol[source], first_symbol[source + 1]):
                begin, jump = from_ + symbol_neuron[s] * n, symbol_jump[s]
                for v in range(count):
                    forms_of[v, PLACE + s] += jump * layers.weights[begin + live[v]]
        for v in range(count):
            k = start + live[v]
            forms_of[v, 0] += layers.bias[k]
            if layers.reads_input[layer]:
                for d in range(len(place)):
                    for q in range(PLACE):
                        forms_of[v, q] += layers.input_weights[d, k] * place[d, q]
        if last:
            for v in range(count):
                forms[m, :width] = forms_of[v]
                doubt[m] = sums[5, live[v]]
            first[m] = m
            return m

        # Bounds with one radius for each undecided row, then with all symbols where these leave a row open.
        opened = 0
        for v in range(count):
            i = live[v]
            k = start + i
            a, b, c, r = forms_of[v, 0], forms_of[v, 1], forms_of[v, 2], 0.0
            for s in range(m):
                q = forms_of[v, PLACE + s]
                a += q * around[0, s]
                b += q * around[1, s]
                c += q * around[2, s]
                r += abs(q) * around[3, s]
            reach = r + abs(b) + abs(c)
            feature[k, 0], feature[k, 1], feature[k, 2], feature[k, 3] = a, b, c, r
            low[k], high[k] = a - reach, a + reach
            is_open = False
            for p in range(layers.first_row[k], layers.first_row[k + 1]):
                z = layers.row_breakpoint[p]
                is_open = is_open or state_of(low[k] - z, high[k] - z, sums[5, i], sums[4, i]) == OPEN
            if is_open:
                open_[opened] = v
                opened += 1
        if opened:
            some = left[: opened * width].reshape(opened, width)
            for x in range(opened):
                some[x] = forms_of[open_[x]]
            found = product[: opened * width].reshape(opened, width)
            np.dot(some, before[: width * width].reshape(width, width), found)
        undecided = 0
        for x in range(opened):
            i = live[open_[x]]
            k = start + i
            r = 0.0
            for q in range(PLACE, width):
                r += abs(found[x, q])
            reach = r + abs(found[x, 1]) + abs(found[x, 2])
            if reach < high[k] - feature[k, 0]:
                low[k], high[k] = max(low[k], found[x, 0] - reach), min(high[k], found[x, 0] + reach)
                feature[k, 0], feature[k, 1], feature[k, 2], feature[k, 3] = found[x, 0], found[x, 1], found[x, 2], r
            for p in range(layers.first_row[k], layers.first_row[k + 1]):
                z = layers.row_breakpoint[p]
                undecided += state_of(low[k] - z, high[k] - z, sums[5, i], sums[4, i]) == OPEN
        after_m = m + undecided
        if after_m > most:
            return -1
        wide = PLACE + after_m
        if undecided:
            grown = after[: wide * wide].reshape(wide, wide)
            old = before[: width * width].reshape(width, width)
            for k in range(width):
                for q in range(width):
                    grown[k, q] = old[k, q]
                for q in range(width, wide):
                    grown[k, q] = 0.0
        # Layers that are read by the next one alone share their room.
        begin = used
        h, x, m_now = 0, 0, m
        first_symbol[layer] = m
        for v in range(count):
            i = live[v]
            k = start + i
            is_open = x < opened and open_[x] == v
            slope, intercept = layers.slopes[k, 0], layers.intercepts[k, 0]
            free = 0
            for p in range(layers.first_row[k], layers.first_row[k + 1]):
                z, jump = layers.row_breakpoint[p], program.jump[p]
                state = state_of(low[k] - z, high[k] - z, sums[5, i], sums[4, i])
                free += state == OPEN
                if state == ON:
                    slope += jump
                    intercept -= jump * z
                    on[p // 64] |= np.uint64(1) << np.uint64(p % 64)
                elif state == ZERO:
                    zero[p // 64] |= np.uint64(1) << np.uint64(p % 64)
            a, b, c, r = feature[k, 0], feature[k, 1], feature[k, 2], feature[k, 3]
            feature[k, 0] = slope * a + intercept
            feature[k, 1] = slope * b
            feature[k, 2] = slope * c
            feature[k, 3] = abs(slope) * r
            if free:
                for p in range(layers.first_row[k], layers.first_row[k + 1]):
                    z, jump = layers.row_breakpoint[p], program.jump[p]
                    if state_of(low[k] - z, high[k] - z, sums[5, i], sums[4, i]) != OPEN:
                        continue
                    lo, hi = min(low[k] - z, 0.0), max(high[k] - z, 0.0)
                    if hi <= lo:
                        hi = lo + max(sums[5, i], UNDERFLOW)
                    factor, shift, radius = _symbol(lo, hi)
                    radius += 2.0 * sums[5, i]
                    spread = 0.0
                    for q in range(width):
                        grown[PLACE + m_now, q] = factor * found[x, q]
                    for q in range(PLACE, width):
                        spread += abs(found[x, q])
                    for q in range(width, wide):
                        grown[PLACE + m_now, q] = 0.0
                    grown[PLACE + m_now, 0] += shift - factor * z
                    grown[PLACE + m_now, PLACE + m_now] = radius
                    around[0, m_now] = grown[PLACE + m_now, 0]
                    around[1, m_now] = grown[PLACE + m_now, 1]
                    around[2, m_now] = grown[PLACE + m_now, 2]
                    around[3, m_now] = factor * spread + radius
                    forms[m_now, :width] = forms_of[v]
                    forms[m_now, 0] -= z
                    row[m_now], first[m_now], doubt[m_now] = p, m, sums[5, i]
                    symbol_neuron[m_now], symbol_jump[m_now] = i, jump
                    feature[k, 0] += jump * around[0, m_now]
                    feature[k, 1] += jump * around[1, m_now]
                    feature[k, 2] += jump * around[2, m_now]
                    feature[k, 3] += abs(jump) * around[3, m_now]
                    m_now += 1
            x += is_open
            if slope != 0.0 or intercept != 0.0:
                base = begin + h * wide
                for q in range(width):
                    active[base + q] = slope * forms_of[v, q]
                active[base] += intercept
                for q in range(width, wide):
                    active[base + q] = 0.0
                held[start + h] = i
                h += 1
            alive[k] = slope != 0.0 or intercept != 0.0 or free > 0
            feature[k, 4] = abs(feature[k, 0]) + abs(feature[k, 1]) + abs(feature[k, 2]) + feature[k, 3]
            feature[k, 5] = program.steepest[k] * sums[6, i]
        first_symbol[layer + 1] = m_now
        held_start[layer], held_count[layer], held_width[layer] = begin, h, wide
        if program.last_reader[layer] > layer + 1:
            used = begin + h * wide
        if undecided:
            before, after = after, before
        m = after_m
    return -1
