"""Kernels that cut the faces of a planar map along chords, after their edges were cut.

An active row cuts a face along a chord between the two places of its loop where the row is zero.  From there on
everything is combinatorics on places; the parameter of a crossing of two chords comes from the rows' values at the ends
of the whole chord, never from coordinates.
"""

from __future__ import annotations

import numpy as np

from engine.face_loop import read_loop, regular_chords
from engine.jit import inline, kernel
from engine.predicates import crossing, tolerance_after_edges

FACES, VERTICES, EDGES, HALF_EDGES, LENGTH, CHORDS = range(6)  # columns of what a face needs
MERGES, FORCED, IRREGULAR = 4, 5, 6  # columns of what a face used, after the first four of the above


@kernel
def measure_faces(lo, hi, cut, split, rows, plus, minus, face_plus, face_minus, active, lengths, need):
    """need[i] = (faces, new vertices, new edges, half-edges, loop length, chords) at most, for each face cut[lo:hi].

    active: of all faces; lengths[i]: of the loop with its new vertices.
    """
    longest = np.int64(0)
    for i in range(lo, hi):
        longest = max(longest, np.int64(lengths[i]))
    capacity = rows.shape[1]
    local_of_row = np.empty(capacity, np.int32)
    nodes = np.empty(longest, np.int32)
    leave = np.empty(longest, np.int32)
    chord_row = np.empty(capacity, np.int32)
    count = np.empty(capacity, np.int32)
    places = np.empty((capacity, 2), np.int32)
    (
        offsets,
        half_edges,
        old_edges,
        cut_index,
        cross_offsets,
        cross_row,
        cross_vertex,
        edge_made,
        first_vertex,
        first_edge,
        old_vertices,
    ) = split
    for i in range(lo, hi):
        if active[cut[i]] == 1:
            need[i, 0] = 2
            need[i, 1] = 0
            need[i, 2] = 1
            need[i, 3] = lengths[i] + 2
            need[i, 4] = lengths[i]
            need[i, 5] = 1
            continue
        length, number = read_loop(
            cut[i],
            offsets,
            half_edges,
            old_edges,
            cut_index,
            cross_offsets,
            cross_row,
            cross_vertex,
            edge_made,
            first_vertex,
            first_edge,
            old_vertices,
            plus,
            minus,
            face_plus,
            face_minus,
            local_of_row,
            nodes,
            leave,
            chord_row,
            count,
            places,
        )
        chords, _ = regular_chords(nodes, length, number, old_vertices, rows, plus, minus, chord_row, count, places)
        pairs = 0
        for j in range(chords):
            a = min(places[j, 0], places[j, 1])
            b = max(places[j, 0], places[j, 1])
            for k in range(j):
                c, d = places[k, 0], places[k, 1]
                pairs += (a < c and c < b and (d < a or d > b)) or (a < d and d < b and (c < a or c > b))
        need[i, 0] = 1 + chords + pairs
        need[i, 1] = pairs
        need[i, 2] = chords + 2 * pairs
        need[i, 3] = length + 2 * chords + 4 * pairs
        need[i, 4] = length
        need[i, 5] = chords


@inline
def _best_chord(chords, first, number, length):
    """The chord that halves the loop best."""
    best, best_score = first, 1 << 30
    for j in range(first, first + number):
        score = abs(2 * abs(chords[j, 1] - chords[j, 2]) - length)
        if score < best_score:
            best, best_score = j, score
    return best


@inline
def _order_crossings(number, order, inner, outer, t, dt, vertex):
    """Sort the crossings of a chord by parameter and merge those that rounding cannot order.

    inner, outer: places of each crossing chord on the two sides, both counted from the chord's start.  Two chords that
    do not cross each other have a forced order.  Fills order and vertex; returns new vertices, merges, forced orders.
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


@kernel
def cut_faces(
    lo, hi, cut, split, rows, bound, plus, minus, face_plus, face_minus, edge_parents, edge_weights, starts,
    longest, most, edges, edge_row, lengths, out, parents, weights, carried, actual, stop,
):  # fmt: skip
    """Cut each face cut[lo:hi] along the chords of its active rows.

    starts[i] = (first face, first new vertex, first new edge, first half-edge) of its own ranges in lengths, parents
    (weights, carried), edges (edge_row) and out; actual[i]: how much of them it used,
    then its merges, forced orders and irregular rows.  The result is of no use once stop[0] is set.  New vertices are
    numbered from `base`, after those on edges.
    """
    capacity = rows.shape[1]
    (
        offsets,
        half_edges,
        old_edges,
        cut_index,
        cross_offsets,
        cross_row,
        cross_vertex,
        edge_made,
        first_vertex,
        first_edge,
        old_vertices,
    ) = split
    norms, _, scale, constant, uncertainty, first_incident, incident, before_edges, positions = bound
    base = old_vertices + len(edge_parents)
    local_of_row = np.empty(capacity, np.int32)
    nodes = np.empty(longest, np.int32)
    leave = np.empty(longest, np.int32)
    chord_row = np.empty(capacity, np.int32)
    count = np.empty(capacity, np.int32)
    places = np.empty((capacity, 2), np.int32)
    loop_room, chord_room = most[0], most[1]
    stack_nodes = np.empty(loop_room, np.int32)
    stack_leave = np.empty(loop_room, np.int32)
    now_nodes = np.empty(loop_room, np.int32)
    now_leave = np.empty(loop_room, np.int32)
    chords = np.empty((chord_room, 3), np.int32)  # local row, place on the side of the chord's first end, other place
    now_chords = np.empty((chord_room, 3), np.int32)
    polygons = np.empty((chord_room + 2, 4), np.int32)  # first node, length, first chord, number of chords
    ends = np.empty((capacity, 2), np.int32)
    crossers = np.empty(capacity, np.int32)
    order = np.empty(capacity, np.int32)
    inner = np.empty(capacity, np.int32)
    outer = np.empty(capacity, np.int32)
    vertex = np.empty(capacity, np.int32)
    ts = np.empty(capacity)
    dts = np.empty(capacity)
    for i in range(lo, hi):
        length, active = read_loop(
            cut[i],
            offsets,
            half_edges,
            old_edges,
            cut_index,
            cross_offsets,
            cross_row,
            cross_vertex,
            edge_made,
            first_vertex,
            first_edge,
            old_vertices,
            plus,
            minus,
            face_plus,
            face_minus,
            local_of_row,
            nodes,
            leave,
            chord_row,
            count,
            places,
        )
        number, irregular = regular_chords(
            nodes, length, active, old_vertices, rows, plus, minus, chord_row, count, places
        )
        face_merges, face_forced = 0, 0
        face, new_vertex, new_edge, slot = starts[i, 0], starts[i, 1], starts[i, 2], starts[i, 3]
        if number == 1:
            # By far the most frequent case: two faces, each a stretch of the loop closed by the chord.
            a, b = min(places[0, 0], places[0, 1]), max(places[0, 0], places[0, 1])
            edges[new_edge, 0] = nodes[a]
            edges[new_edge, 1] = nodes[b]
            edge_row[new_edge] = chord_row[0]
            for j in range(a, b):
                out[slot] = leave[j]
                slot += 1
            out[slot] = 2 * new_edge + 1
            slot += 1
            for j in range(b, length):
                out[slot] = leave[j]
                slot += 1
            for j in range(a):
                out[slot] = leave[j]
                slot += 1
            out[slot] = 2 * new_edge
            slot += 1
            lengths[face] = b - a + 1
            lengths[face + 1] = length - b + a + 1
            face += 2
            new_edge += 1
            number = -1
        for j in range(length if number >= 0 else 0):
            stack_nodes[j] = nodes[j]
            stack_leave[j] = leave[j]
        for j in range(number):
            chords[j, 0] = j
            chords[j, 1] = places[j, 0]
            chords[j, 2] = places[j, 1]
            ends[j, 0] = nodes[places[j, 0]]
            ends[j, 1] = nodes[places[j, 1]]
        polygons[0, 0] = 0
        polygons[0, 1] = length
        polygons[0, 2] = 0
        polygons[0, 3] = number
        depth = 1 if number >= 0 else 0
        while depth > 0 and stop[0] == 0:
            depth -= 1
            first_node, length = polygons[depth, 0], polygons[depth, 1]
            first_chord, number = polygons[depth, 2], polygons[depth, 3]
            if number == 0:
                for j in range(first_node, first_node + length):
                    out[slot] = stack_leave[j]
                    slot += 1
                lengths[face] = length
                face += 1
                continue

            # Turn the loop so that the chord starts at place 0, and ends at place `far`.
            best = _best_chord(chords, first_chord, number, length)
            own, start = chords[best, 0], chords[best, 1]
            far = (chords[best, 2] - start + length) % length
            for j in range(length):
                p = start + j
                if p >= length:
                    p -= length
                now_nodes[j] = stack_nodes[first_node + p]
                now_leave[j] = stack_leave[first_node + p]
            crossings = 0
            for j in range(number):
                c = first_chord + j
                a = chords[c, 1] - start
                b = chords[c, 2] - start
                if a < 0:
                    a += length
                if b < 0:
                    b += length
                now_chords[j, 0] = chords[c, 0]
                now_chords[j, 1] = a
                now_chords[j, 2] = b
                if (0 < a < far and b > far) or (0 < b < far and a > far):
                    k = chord_row[chords[c, 0]]
                    v0, v1 = ends[own, 0], ends[own, 1]
                    at_0 = tolerance_after_edges(
                        v0,
                        k,
                        rows,
                        edge_parents,
                        edge_weights,
                        old_vertices,
                        norms,
                        scale,
                        constant,
                        uncertainty,
                        first_incident,
                        incident,
                        before_edges,
                        positions,
                    )
                    at_1 = tolerance_after_edges(
                        v1,
                        k,
                        rows,
                        edge_parents,
                        edge_weights,
                        old_vertices,
                        norms,
                        scale,
                        constant,
                        uncertainty,
                        first_incident,
                        incident,
                        before_edges,
                        positions,
                    )
                    t, dt = crossing(rows[v0, k], rows[v1, k], at_0, at_1)
                    crossers[crossings] = j
                    inner[crossings] = min(a, b)
                    outer[crossings] = length - max(a, b)
                    ts[crossings] = t
                    dts[crossings] = dt
                    crossings += 1
            made, merges, forced = _order_crossings(crossings, order, inner, outer, ts, dts, vertex)
            face_merges += merges
            face_forced += forced

            # The new vertices on the chord, and its pieces.
            for n in range(new_vertex, new_vertex + made):
                parents[n, 0] = ends[own, 0]
                parents[n, 1] = ends[own, 1]
                weights[n, 1] = 2.0
                k = chord_row[own]
                carried[n, k // 64] |= np.uint64(1) << np.uint64(k % 64)
            for x in range(crossings):
                n = new_vertex + vertex[x]
                k = chord_row[now_chords[crossers[x], 0]]
                carried[n, k // 64] |= np.uint64(1) << np.uint64(k % 64)
                if dts[x] < weights[n, 1]:
                    weights[n, 0] = ts[x]
                    weights[n, 1] = dts[x]
            # Identical chords coincide with this one: their rows are zero all along it.
            for j in range(number):
                a, b = now_chords[j, 1], now_chords[j, 2]
                if now_chords[j, 0] != own and ((a == 0 and b == far) or (b == 0 and a == far)):
                    k = chord_row[now_chords[j, 0]]
                    now_chords[j, 0] = own
                    for n in range(new_vertex, new_vertex + made):
                        carried[n, k // 64] |= np.uint64(1) << np.uint64(k % 64)
            for p in range(made + 1):
                edges[new_edge + p, 0] = now_nodes[0] if p == 0 else base + new_vertex + p - 1
                edges[new_edge + p, 1] = now_nodes[far] if p == made else base + new_vertex + p
                edge_row[new_edge + p] = chord_row[own]

            # The two halves: places 0..far and back along the chord, places far..length and forth along it.
            size1 = far + 1 + made
            size2 = length - far + 1 + made
            low, high = first_node, first_node + size1
            for j in range(far + 1):
                stack_nodes[low + j] = now_nodes[j]
                stack_leave[low + j] = now_leave[j]
            stack_leave[low + far] = 2 * (new_edge + made) + 1
            for p in range(made):
                stack_nodes[low + far + 1 + p] = base + new_vertex + made - 1 - p
                stack_leave[low + far + 1 + p] = 2 * (new_edge + made - 1 - p) + 1
            for j in range(far, length):
                stack_nodes[high + j - far] = now_nodes[j]
                stack_leave[high + j - far] = now_leave[j]
            stack_nodes[high + length - far] = now_nodes[0]
            stack_leave[high + length - far] = 2 * new_edge
            for p in range(made):
                stack_nodes[high + length - far + 1 + p] = base + new_vertex + p
                stack_leave[high + length - far + 1 + p] = 2 * (new_edge + 1 + p)

            # Every other chord stays in one half, or goes into both.
            write = first_chord
            x = 0
            number1 = 0
            for j in range(number):
                a, b = now_chords[j, 1], now_chords[j, 2]
                if x < crossings and crossers[x] == j:
                    p = far + made - vertex[x]
                    x += 1
                    if a < b:
                        b = p
                    else:
                        a = p
                elif a > far or b > far or now_chords[j, 0] == own:
                    continue
                gap = abs(a - b)
                if gap > 1 and gap < size1 - 1:
                    chords[write, 0] = now_chords[j, 0]
                    chords[write, 1] = a
                    chords[write, 2] = b
                    write += 1
                    number1 += 1
            x = 0
            number2 = 0
            for j in range(number):
                a, b = now_chords[j, 1], now_chords[j, 2]
                a2 = a - far if a > 0 else length - far
                b2 = b - far if b > 0 else length - far
                if x < crossings and crossers[x] == j:
                    p = length - far + 1 + vertex[x]
                    x += 1
                    if a < b:
                        a2 = p
                    else:
                        b2 = p
                elif (0 < a < far) or (0 < b < far) or now_chords[j, 0] == own:
                    continue
                gap = abs(a2 - b2)
                if gap > 1 and gap < size2 - 1:
                    chords[write, 0] = now_chords[j, 0]
                    chords[write, 1] = a2
                    chords[write, 2] = b2
                    write += 1
                    number2 += 1
            # The second half lies above the first on the stacks of nodes and chords: it is taken first.
            polygons[depth, 0] = low
            polygons[depth, 1] = size1
            polygons[depth, 2] = first_chord
            polygons[depth, 3] = number1
            polygons[depth + 1, 0] = high
            polygons[depth + 1, 1] = size2
            polygons[depth + 1, 2] = first_chord + number1
            polygons[depth + 1, 3] = number2
            depth += 2
            new_vertex += made
            new_edge += made + 1
        actual[i, 0] = face - starts[i, 0]
        actual[i, 1] = new_vertex - starts[i, 1]
        actual[i, 2] = new_edge - starts[i, 2]
        actual[i, 3] = slot - starts[i, 3]
        actual[i, MERGES] = face_merges
        actual[i, FORCED] = face_forced
        actual[i, IRREGULAR] = irregular
