"""Restricting a local network to a smaller cell: only its undecided rows are decided again."""

from __future__ import annotations

import numpy as np

from engine.local.fold import PLACE, _symbol
from engine.machine.jit import inner_sum, summing_kernel
from engine.tolerances import UNDERFLOW


@inner_sum
def _add_products(out, width, factors, count, rows):
    """out[:width] += factors[:count] @ rows[:count, :width]."""
    whole = count - count % 4
    for t in range(0, whole, 4):
        a, b, c, d = factors[t], factors[t + 1], factors[t + 2], factors[t + 3]
        for k in range(width):
            out[k] += a * rows[t, k] + b * rows[t + 1, k] + c * rows[t + 2, k] + d * rows[t + 3, k]
    for t in range(whole, count):
        a = factors[t]
        for k in range(width):
            out[k] += a * rows[t, k]


def room_to_restrict(most):
    """Return the scratch memory of restrict."""
    width = PLACE + most + 1
    return (
        np.empty((most, width)), np.empty((most, width)), np.empty((4, most + 1)), np.empty(most + 1, np.int64),
        np.empty(most + 1, np.int64), np.empty(most + 1), np.empty(width), np.empty(width),
    )  # fmt: skip


@summing_kernel
def restrict(m, local, at_s, at_t, size, smaller, on, room):
    """Restrict a local network of m rows to the part of its cell around (at_s, at_t) that is `size` as large.

    local, smaller: (forms, row, first, doubt), see fold_cell; on (words,): those of the larger cell, to which the rows
    that are on in the smaller one are added.  Returns the number of rows that are left undecided.
    """
    forms, row, first, doubt = local
    to_forms, to_row, to_first, to_doubt = smaller
    active, symbols, around, active_row, open_row, factors, form, full = room
    count, actives, open_before, active_before = 0, 0, 0, 0
    layer, width, old_width = -1, PLACE, PLACE
    for i in range(m + 1):
        if first[i] != layer:
            layer = first[i]
            old_width, width = width, PLACE + count
            for t in range(actives):
                for k in range(old_width, width):
                    active[t, k] = 0.0
            for t in range(count):
                for k in range(max(old_width, PLACE + 1 + t), width):
                    symbols[t, k] = 0.0
            active_before, open_before = actives, count
        form[0] = forms[i, 0] + forms[i, 1] * at_s + forms[i, 2] * at_t
        form[1] = size * forms[i, 1]
        form[2] = size * forms[i, 2]
        for t in range(open_before):
            form[PLACE + t] = forms[i, PLACE + open_row[t]]
        for t in range(active_before):
            factors[t] = forms[i, PLACE + active_row[t]]
        _add_products(form, width, factors, active_before, active)
        if i == m:
            to_forms[count, :width] = form[:width]
            to_first[count] = open_before
            to_doubt[count] = doubt[i]
            break
        a, b, c, r, limit = form[0], form[1], form[2], 0.0, doubt[i]
        for k in range(open_before):
            q = form[PLACE + k]
            a += q * around[0, k]
            b += q * around[1, k]
            c += q * around[2, k]
            r += abs(q) * around[3, k]
        reach = r + abs(b) + abs(c)
        if a + reach < -limit:
            continue
        if a - reach <= limit:
            for k in range(PLACE):
                full[k] = form[k]
            for k in range(PLACE, width):
                full[k] = 0.0
            _add_products(full, width, form[PLACE:], open_before, symbols)
            r = 0.0
            for k in range(PLACE, width):
                r += abs(full[k])
            a, b, c = full[0], full[1], full[2]
            reach = r + abs(b) + abs(c)
            if a + reach < -limit:
                continue
        if a - reach > limit:
            active_row[actives] = i
            for k in range(width):
                active[actives, k] = form[k]
            actives += 1
            on[row[i] // 64] |= np.uint64(1) << np.uint64(row[i] % 64)
            continue
        low, high = min(a - reach, 0.0), max(a + reach, 0.0)
        if high <= low:
            high = low + max(limit, UNDERFLOW)
        factor, shift, radius = _symbol(low, high)
        radius += 2.0 * limit
        open_row[count] = i
        around[0, count] = factor * a + shift
        around[1, count] = factor * b
        around[2, count] = factor * c
        around[3, count] = factor * r + radius
        for k in range(width):
            symbols[count, k] = factor * full[k]
        symbols[count, 0] += shift
        for k in range(width, PLACE + count):
            symbols[count, k] = 0.0
        symbols[count, PLACE + count] = radius
        for k in range(width):
            to_forms[count, k] = form[k]
        to_row[count], to_first[count], to_doubt[count] = row[i], open_before, limit
        count += 1
    return count
