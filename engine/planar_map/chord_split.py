"""Halving a polygon along one of the chords that cut it: pure combinatorics on the places of its loop.

The loop is turned so that the chord runs from place 0 to place `far`.  The first half has the places 0..far, the second
those from far on; every other chord stays in one half, or crosses the chord and has a piece in both.  A chord is a
triple: its number, and the places of its two ends.
"""

from __future__ import annotations

import numpy as np

from engine.machine.jit import inline


@inline
def best_chord(chords, first, number, length):
    """The chord that halves the loop best."""
    best, best_score = first, 1 << 30
    for j in range(first, first + number):
        score = abs(2 * abs(chords[j, 1] - chords[j, 2]) - length)
        if score < best_score:
            best, best_score = j, score
    return best


@inline
def set_side(k, positive, depth, plus, minus):
    """Row k has this sign in polygon `depth`."""
    bit = np.uint64(1) << np.uint64(k % 64)
    if positive:
        plus[depth, k // 64] |= bit
    else:
        minus[depth, k // 64] |= bit


@inline
def turn_loop(first_node, length, start, stack_nodes, stack_leave, nodes, leave):
    """The loop that lies at first_node of the stack, from its place `start` on, into nodes and leave."""
    for j in range(length):
        p = start + j
        if p >= length:
            p -= length
        nodes[j] = stack_nodes[first_node + p]
        leave[j] = stack_leave[first_node + p]


@inline
def turn_chords(first_chord, number, length, start, chords, turned):
    """The chords from first_chord on with places counted from `start`."""
    for j in range(number):
        a = chords[first_chord + j, 1] - start
        b = chords[first_chord + j, 2] - start
        turned[j, 0] = chords[first_chord + j, 0]
        turned[j, 1] = a if a >= 0 else a + length
        turned[j, 2] = b if b >= 0 else b + length


@inline
def find_crossers(number, length, far, chords, crossers, inner, outer):
    """The chords with an end strictly inside either half: they cross the chord from place 0 to far.

    inner, outer: the places of their ends in the first and in the second half, both counted from the chord's start.
    Returns how many there are.
    """
    count = 0
    for j in range(number):
        a, b = chords[j, 1], chords[j, 2]
        if (0 < a < far and b > far) or (0 < b < far and a > far):
            crossers[count] = j
            inner[count] = min(a, b)
            outer[count] = length - max(a, b)
            count += 1
    return count


@inline
def identical_chords(number, own, far, chords, row, side, depth, plus, minus, first_vertex, made, carried):
    """Chords with the same ends coincide with `own`, as whose they count from here on: their rows are zero all along
    it.

    Sets their rows' signs in the halves `depth` and depth + 1; returns how many there are.
    """
    count = 0
    for j in range(number):
        c, a, b = chords[j, 0], chords[j, 1], chords[j, 2]
        if c != own and ((a == 0 and b == far) or (b == 0 and a == far)):
            k = row[c]
            positive = (side[c] > 0) == (a == 0)
            set_side(k, positive, depth, plus, minus)
            set_side(k, not positive, depth + 1, plus, minus)
            chords[j, 0] = own
            for n in range(first_vertex, first_vertex + made):
                carried[n, k // 64] |= np.uint64(1) << np.uint64(k % 64)
            count += 1
    return count


@inline
def join_first_half(low, far, made, first_vertex, first_edge, nodes, leave, stack_nodes, stack_leave):
    """Places 0..far of the loop and back along the chord, whose `made` vertices and made + 1 edges are consecutive."""
    for j in range(far + 1):
        stack_nodes[low + j] = nodes[j]
        stack_leave[low + j] = leave[j]
    stack_leave[low + far] = 2 * (first_edge + made) + 1
    for p in range(made):
        stack_nodes[low + far + 1 + p] = first_vertex + made - 1 - p
        stack_leave[low + far + 1 + p] = 2 * (first_edge + made - 1 - p) + 1


@inline
def join_second_half(high, far, length, made, first_vertex, first_edge, nodes, leave, stack_nodes, stack_leave):
    """The places from far on, place 0, and forth along the chord."""
    for j in range(far, length):
        stack_nodes[high + j - far] = nodes[j]
        stack_leave[high + j - far] = leave[j]
    back = high + length - far
    stack_nodes[back] = nodes[0]
    stack_leave[back] = 2 * first_edge
    for p in range(made):
        stack_nodes[back + 1 + p] = first_vertex + p
        stack_leave[back + 1 + p] = 2 * (first_edge + 1 + p)


@inline
def chords_of_first_half(
    number, own, far, length, made, vertex, crossers, crossings, chords, row, side, depth, plus, minus, write, out
):
    """Write the chords of the first half to out[write:]; the rows of the others have one sign in it, which is set.

    vertex: of each crossing, the place of its vertex on the chord.  Returns how many chords there are.
    """
    first, x = write, 0
    for j in range(number):
        c, a, b = chords[j, 0], chords[j, 1], chords[j, 2]
        if x < crossings and crossers[x] == j:
            p = far + made - vertex[x]
            x += 1
            if a < b:
                b = p
            else:
                a = p
        elif c == own:
            continue
        elif a > far or b > far:
            ahead = (a if a > 0 else length) < (b if b > 0 else length)
            set_side(row[c], (side[c] > 0) != ahead, depth, plus, minus)
            continue
        out[write, 0] = c
        out[write, 1] = a
        out[write, 2] = b
        write += 1
    return write - first


@inline
def chords_of_second_half(
    number, own, far, length, vertex, crossers, crossings, chords, row, side, depth, plus, minus, write, out
):
    """Like chords_of_first_half, of the second half, which starts at place far."""
    first, x = write, 0
    for j in range(number):
        c, a, b = chords[j, 0], chords[j, 1], chords[j, 2]
        a_after = a - far if a > 0 else length - far
        b_after = b - far if b > 0 else length - far
        if x < crossings and crossers[x] == j:
            p = length - far + 1 + vertex[x]
            x += 1
            if a < b:
                a_after = p
            else:
                b_after = p
        elif c == own:
            continue
        elif (0 < a < far) or (0 < b < far):
            set_side(row[c], (side[c] > 0) != (a < b), depth, plus, minus)
            continue
        out[write, 0] = c
        out[write, 1] = a_after
        out[write, 2] = b_after
        write += 1
    return write - first
