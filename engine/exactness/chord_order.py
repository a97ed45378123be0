"""The order of the crossings along a chord, and which of them are one vertex."""

from __future__ import annotations

from engine.exactness.predicates import is_behind, way_between
from engine.machine.jit import inline, inner
from engine.tolerances import DOUBT

_FEW = 12  # crossings that are sorted and compared by insertion as soon as by anything else


@inline
def order_crossings(number, order, inner, outer, t, dt, vertex, spare, stop):
    """Sort the crossings of a chord by parameter and merge those that rounding cannot order.

    inner, outer: places of each crossing chord on the two sides, both counted from the chord's start; t, dt: where the
    crossing is.  Two chords that do not cross each other have a forced order.  Fills order and vertex, the number of
    the new vertex that each becomes; spare: int32 room for three numbers a crossing.  Returns new vertices, merges,
    forced orders, and whether rounding leaves any of that in doubt.  All is of no use once stop[0] is set.
    """
    if number > _FEW and _in_clear_order(number, order, inner, outer, t, dt, vertex, spare):
        return number, 0, 0, False
    for i in range(number):
        slot = i
        while slot > 0:
            p = order[slot - 1]
            if inner[p] < inner[i] or (inner[p] == inner[i] and outer[p] <= outer[i]):
                break
            order[slot] = p
            slot -= 1
        order[slot] = i
    forced = 0
    for i in range(1, number):
        if stop[0] != 0:
            break
        c = order[i]
        for j in range(i):
            p = order[j]
            if outer[p] <= outer[c] and is_behind(t[p], t[c]):
                t[c] = t[p]
                forced += inner[p] != inner[c] or outer[p] != outer[c]
    for i in range(1, number):
        c = order[i]
        slot = i
        while slot > 0 and is_behind(t[order[slot - 1]], t[c]):
            order[slot] = order[slot - 1]
            slot -= 1
        order[slot] = c
    made, merges, start, doubtful = 0, 0, 0, forced > 0
    for i in range(number):
        c = order[i]
        together = i > 0
        if i > 0:
            p = order[i - 1]
            gap, same = way_between(t[p], t[c]), inner[p] == inner[c] and outer[p] == outer[c]
            doubtful = doubtful or (gap <= DOUBT * (dt[p] + dt[c]) and not same)
        for j in range(start, i):
            p = order[j]
            same = inner[p] == inner[c] and outer[p] == outer[c]
            strict = (inner[p] < inner[c]) != (outer[p] < outer[c]) and inner[p] != inner[c] and outer[p] != outer[c]
            overlap = way_between(t[p], t[c]) <= dt[p] + dt[c]
            if not (same or (strict and overlap)):
                together = False
        if together:
            merges += 1
        else:
            made += 1
            start = i
        vertex[c] = made - 1
    return made, merges, forced, doubtful


@inner
def _in_clear_order(number, order, inner, outer, t, dt, vertex, spare):
    """Sort by parameter; return whether no order is in doubt, nor contradicted by chords that do not cross."""
    order, merged = order[:number], spare[:number]
    inner_sorted, outer_sorted = spare[number : 2 * number], spare[2 * number : 3 * number]
    for i in range(number):
        order[i] = i
    width = 1
    while width < number:
        for lo in range(0, number, 2 * width):
            middle, hi = min(lo + width, number), min(lo + 2 * width, number)
            i, j = lo, middle
            for slot in range(lo, hi):
                if i < middle and (j == hi or not is_behind(t[order[i]], t[order[j]])):
                    merged[slot] = order[i]
                    i += 1
                else:
                    merged[slot] = order[j]
                    j += 1
        for slot in range(number):
            order[slot] = merged[slot]
        width *= 2
    reach = -1.0
    for i in range(number):
        c = order[i]
        if i > 0 and t[c] < 0.0 <= t[order[i - 1]]:
            reach -= 1.0  # from here on counted from the other end
        if i > 0 and t[c] - DOUBT * dt[c] <= reach:
            return False
        reach = max(reach, t[c] + DOUBT * dt[c])
        inner_sorted[i] = inner[c]
        outer_sorted[i] = outer[c]
    for i in range(1, number):
        a, b = inner_sorted[i], outer_sorted[i]
        behind = 0
        for j in range(i):
            behind += (inner_sorted[j] >= a) & (outer_sorted[j] >= b)
        if behind > 0:
            return False
    for i in range(number):
        vertex[order[i]] = i
    return True
