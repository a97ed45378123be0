"""The order of the crossings along a chord, and which of them are one vertex."""

from __future__ import annotations

from engine.jit import inline


@inline
def order_crossings(number, order, inner, outer, t, dt, vertex, stop):
    """Sort the crossings of a chord by parameter and merge those that rounding cannot order.

    inner, outer: places of each crossing chord on the two sides, both counted from the chord's start; t, dt: where the
    crossing is.  Two chords that do not cross each other have a forced order.  Fills order and vertex, the number of
    the new vertex that each becomes; returns new vertices, merges, forced orders.  All is of no use once stop[0] is
    set.
    """
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
            if outer[p] <= outer[c] and t[p] > t[c]:
                t[c] = t[p]
                forced += 1
    for i in range(1, number):
        c = order[i]
        slot = i
        while slot > 0 and t[order[slot - 1]] > t[c]:
            order[slot] = order[slot - 1]
            slot -= 1
        order[slot] = c
    made, merges, start = 0, 0, 0
    for i in range(number):
        c = order[i]
        together = i > 0
        for j in range(start, i):
            p = order[j]
            same = inner[p] == inner[c] and outer[p] == outer[c]
            strict = (inner[p] < inner[c]) != (outer[p] < outer[c]) and inner[p] != inner[c] and outer[p] != outer[c]
            overlap = t[c] - dt[c] <= t[p] + dt[p]
            if not (same or (strict and overlap)):
                together = False
        if together:
            merges += 1
        else:
            made += 1
            start = i
        vertex[c] = made - 1
    return made, merges, forced
