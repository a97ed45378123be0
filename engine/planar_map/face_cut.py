"""Kernels that cut the faces of a planar map along chords, after their edges were cut.

An active row cuts a face along a chord between the two places of its loop where the row is zero.  From there on
everything is combinatorics on places; the parameter of a crossing of two chords comes from the rows' values at the ends
of the whole chord, never from coordinates.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Int
from engine.exactness.chord_order import order_crossings
from engine.exactness.predicates import crossing, tolerance_after_edges
from engine.machine.jit import index, inline, inner, kernel
from engine.planar_map.chord_split import (
    best_chord,
    chords_of_first_half,
    chords_of_second_half,
    find_crossers,
    identical_chords,
    join_first_half,
    join_second_half,
    set_side,
    turn_chords,
    turn_loop,
)
from engine.planar_map.face_count import EDGES, FACES, HALF_EDGES, VERTICES
from engine.planar_map.face_loop import read_loop, regular_chords
from engine.planar_map.new_vertices import count_from_nearer, place

MERGES, FORCED, IRREGULAR, IDENTICAL, DOUBTFUL = 4, 5, 6, 7, 8  # beside what a piece of the faces used of what it needs


class Ranks(NamedTuple):
    """The exact order of the crossings along the chords of some faces.

    start (F,) int64: for each face before the cut where its table starts, -1 where there is none; table (T,) int32: of
    a face with A chords, at [i * A + j] the rank of the crossing with chord j among all on chord i.  Both are empty
    where no face has a table.
    """

    start: NDArray[np.int64]
    table: Int

    @classmethod
    def none(cls) -> Ranks:
        return cls(np.empty(0, np.int64), np.empty(0, np.int32))


class Faces(NamedTuple):
    """The faces after a cut, each made by the face `parent`.

    offsets (F + 1,), half_edges (H,): the loops; parent (F,) int32; plus, minus (F, W) uint64: signs of the cut's rows;
    edges (E, 2), edge_row (E,): all edges, of which the chords are to be filled in.
    """

    offsets: Int
    half_edges: Int
    parent: Int
    plus: NDArray[np.uint64]
    minus: NDArray[np.uint64]
    edges: Int
    edge_row: Int


@inline
def _write_as_they_are(
    first, stop, face, slot, offsets, half_edges, plus, minus, new_offsets, parent, new_half_edges, new_plus, new_minus
):
    """The faces first..stop, from face number `face` and slot `slot` on; returns the next free slot."""
    start, end = offsets[first], offsets[stop]
    for f in range(first, stop):
        new = index(face + f - first)
        new_offsets[new] = offsets[f] - start + slot
        parent[new] = f
        for w in range(plus.shape[1]):
            new_plus[new, w] = plus[f, w]
            new_minus[new, w] = minus[f, w]
    for j in range(start, end):
        new_half_edges[index(slot + j - start)] = half_edges[index(j)]
    return slot + end - start


@inline
def _write_face(
    face, slot, parent_face, leave, start, stop, plus, minus, signs_at, new_offsets, parent, new_half_edges, new_plus,
    new_minus,
):  # fmt: skip
    """A face with the half-edges leave[start:stop] and the signs plus, minus[signs_at]; returns the next free slot."""
    f = index(face)
    new_offsets[f] = slot
    parent[f] = parent_face
    for w in range(plus.shape[1]):
        new_plus[f, w] = plus[signs_at, w]
        new_minus[f, w] = minus[signs_at, w]
    for j in range(start, stop):
        new_half_edges[index(slot)] = leave[index(j)]
        slot += 1
    return slot


@kernel
def cut_faces(
    lo, hi, base, stop, most, loops, bound, active, face_plus, face_minus, on_edges, ranks, doubtful, new, positions,
    uncertainty, after,
):  # fmt: skip
    """Cut each face lo..hi along the chords of its active rows, and copy the others.

    base (4,): the first face, vertex, edge and half-edge of this piece; most: room for places and chords of one face;
    on_edges, new: the NewVertices on edges and on chords, numbered after those before the cut; doubtful (F,) bool: set
    for faces in which the order of crossings is in doubt.
    Returns (9,) int64: the faces, vertices, edges and half-edges made, merges, forced orders, irregular rows, identical
    chords, doubtful faces.  All is of no use once stop[0] is set.
    """
    capacity, words = loops[6].shape[1], face_plus.shape[1]
    loop_room, chord_room = most[0], most[1] + 1
    # A polygon has a chord less than the one that it is a half of, at least.
    depths = min(chord_room, capacity) + 2
    scratch = (
        (np.empty(loop_room, np.int32), np.empty(loop_room, np.int32)),
        (np.empty(capacity, np.int32), np.empty((capacity, 2), np.int32), np.empty(capacity, np.int32)),
        (np.empty(capacity, np.int32), np.empty(capacity, np.int32)),
        (np.empty(loop_room, np.int32), np.empty(loop_room, np.int32), np.empty((chord_room, 3), np.int32)),
        (np.empty(loop_room, np.int32), np.empty(loop_room, np.int32), np.empty((chord_room, 3), np.int32)),
        (np.empty((depths, 4), np.int32), np.empty((depths, words), np.uint64), np.empty((depths, words), np.uint64)),
        (np.empty((capacity, 2), np.int32), np.empty(capacity, np.int32)),
        (np.empty(capacity, np.int32), np.empty(capacity, np.int32), np.empty(capacity, np.int32)),
        (
            np.empty((2, capacity)),
            np.empty((2, capacity)),
            np.empty(capacity, np.int32),
            np.empty(3 * capacity, np.int32),
        ),
    )
    used = np.zeros(9, np.int64)
    _cut(
        lo, hi, base, stop, loops, bound, active, face_plus, face_minus, on_edges, ranks, doubtful, new, positions,
        uncertainty, after, scratch, used,
    )  # fmt: skip
    return used


@kernel
def list_chords(faces, loops, face_plus, face_minus, room):
    """Return the chords of some faces: first (N + 1,), row (C,), ends (C, 2): the vertices where each starts and ends.

    room: for the places of a loop.
    """
    offsets, half_edges, starts, cut, plus, minus, rows = loops
    cut_index, cut_crossing, cut_vertex, cut_row, cut_place = cut
    capacity, words = rows.shape[1], plus.shape[1]
    nodes, leave = np.empty((2, room), np.int32)
    row, places, side = np.empty(capacity, np.int32), np.empty((capacity, 2), np.int32), np.empty(capacity, np.int32)
    found, local_of_row = np.empty((2, capacity), np.int32)
    p, m = np.empty((2, words), np.uint64)
    first = np.zeros(len(faces) + 1, np.int32)
    some = 4 * len(faces) + capacity
    all_rows, all_ends = np.empty(some, np.int32), np.empty((some, 2), np.int32)
    for n in range(len(faces)):
        f = faces[n]
        length, active = read_loop(
            f, offsets, half_edges, starts, cut_index, cut_crossing, cut_vertex, cut_row, cut_place, plus, minus,
            face_plus, face_minus, nodes, leave, row, places, found, local_of_row,
        )  # fmt: skip
        for w in range(words):
            p[w] = face_plus[f, w]
            m[w] = face_minus[f, w]
        number, _ = regular_chords(length, active, plus, minus, rows, nodes, row, places, side, found, p, m)
        start = first[n]
        first[n + 1] = start + number
        if first[n + 1] > len(all_rows):
            all_rows = np.concatenate((all_rows, np.empty(first[n + 1], np.int32)))
            all_ends = np.concatenate((all_ends, np.empty((first[n + 1], 2), np.int32)))
        for j in range(number):
            all_rows[start + j] = row[j]
            all_ends[start + j, 0] = nodes[places[j, 0]]
            all_ends[start + j, 1] = nodes[places[j, 1]]
    return first, all_rows[: first[-1]], all_ends[: first[-1]]


@inner
def _cut(
    lo, hi, base, stop, loops, bound, active, face_plus, face_minus, on_edges, ranks, doubtful, new, positions,
    uncertainty, after, scratch, used,
):  # fmt: skip
    """What cut_faces does, in scratch memory: here nothing is allocated, so that references need not be counted."""
    offsets, half_edges, starts, cut, old_plus, old_minus, rows = loops
    cut_index, cut_crossing, cut_vertex, cut_row, cut_place = cut
    norms, _, scale, constant, old_uncertainty, negligible, old_positions, old_edges, first, incident = bound
    edge_parents, edge_weights, _ = on_edges
    rank_start, rank_table = ranks
    parents, weights, carried = new
    new_offsets, new_half_edges, parent, new_plus, new_minus, edges, edge_row = after
    words, old_vertices = old_plus.shape[1], len(old_plus)
    first_new = old_vertices + len(edge_parents)
    loop_scratch, row_scratch, found_scratch, stack, now, polygon_scratch, chord_scratch, order_scratch, at = scratch
    nodes, leave = loop_scratch
    row, places, side = row_scratch
    found, local_of_row = found_scratch
    # A stack of polygons, each with the chords that are still to cut it; a chord: its number in the loop's chords, its
    # place on the side of its first end, its other place; a polygon: first node, length, first chord, number of chords.
    stack_nodes, stack_leave, chords = stack
    now_nodes, now_leave, now_chords = now
    polygons, plus, minus = polygon_scratch
    ends, crossers = chord_scratch
    order, first_side, second_side = order_scratch
    shares, errors, vertex, spare = at
    ts, dts, rounded_ts, rounded_dts = shares[0], errors[0], shares[1], errors[1]
    face, new_vertex, new_edge, slot = base[0], base[1], base[2], base[3]
    written = lo
    for f in range(lo, hi):
        if active[f] == 0:
            if f < written:
                continue
            while written < hi and (written < f or active[written] == 0):
                written += 1
            slot = _write_as_they_are(
                f, written, face, slot, offsets, half_edges, face_plus, face_minus, new_offsets, parent,
                new_half_edges, new_plus, new_minus,
            )  # fmt: skip
            face += written - f
            continue
        length, rows_found = read_loop(
            f, offsets, half_edges, starts, cut_index, cut_crossing, cut_vertex, cut_row, cut_place, old_plus,
            old_minus, face_plus, face_minus, nodes, leave, row, places, found, local_of_row,
        )  # fmt: skip
        for w in range(words):
            plus[0, w] = face_plus[f, w]
            minus[0, w] = face_minus[f, w]
        number, irregular = regular_chords(
            length, rows_found, old_plus, old_minus, rows, nodes, row, places, side, found, plus[0], minus[0]
        )
        used[IRREGULAR] += irregular
        if number == 1:
            # By far the most frequent case: two faces, each a stretch of the loop closed by the chord.
            a, b = min(places[0, 0], places[0, 1]), max(places[0, 0], places[0, 1])
            positive = (side[0] > 0) == (places[0, 0] < places[0, 1])
            edges[new_edge, 0] = nodes[a]
            edges[new_edge, 1] = nodes[b]
            edge_row[new_edge] = row[0]
            for half in range(2):
                slot = _write_face(
                    face, slot, f, leave, a if half == 0 else b, b if half == 0 else length, plus, minus, 0,
                    new_offsets, parent, new_half_edges, new_plus, new_minus,
                )  # fmt: skip
                set_side(row[0], positive == (half == 0), face, new_plus, new_minus)
                for j in range(0 if half == 0 else a):
                    new_half_edges[index(slot)] = leave[j]
                    slot += 1
                new_half_edges[index(slot)] = 2 * new_edge + 1 - half
                slot += 1
                face += 1
            new_edge += 1
            continue
        exact, chords_of_face, in_doubt = rank_start[f] if len(rank_start) else -1, number, False
        for j in range(length):
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
        depth = 1
        while depth > 0 and stop[0] == 0:
            depth -= 1
            first_node, length = polygons[depth, 0], polygons[depth, 1]
            first_chord, number = polygons[depth, 2], polygons[depth, 3]
            if number == 0:
                slot = _write_face(
                    face, slot, f, stack_leave, first_node, first_node + length, plus, minus, depth,
                    new_offsets, parent, new_half_edges, new_plus, new_minus,
                )  # fmt: skip
                face += 1
                continue
            if number == 1:
                # About half of all: two faces, which need not go through the stack.
                own, start, other = chords[first_chord, 0], chords[first_chord, 1], chords[first_chord, 2]
                edges[new_edge, 0] = stack_nodes[first_node + start]
                edges[new_edge, 1] = stack_nodes[first_node + other]
                edge_row[new_edge] = row[own]
                for half in range(2):
                    slot = _write_face(
                        face, slot, f, stack_leave, 0, 0, plus, minus, depth,
                        new_offsets, parent, new_half_edges, new_plus, new_minus,
                    )  # fmt: skip
                    set_side(row[own], (side[own] > 0) == (half == 1), face, new_plus, new_minus)
                    p, last = (other, start) if half == 0 else (start, other)
                    while p != last:
                        new_half_edges[index(slot)] = stack_leave[index(first_node + p)]
                        slot += 1
                        p = p + 1 if p + 1 < length else 0
                    new_half_edges[slot] = 2 * new_edge + half
                    slot += 1
                    face += 1
                new_edge += 1
                continue
            best = best_chord(chords, first_chord, number, length)
            own, start = chords[best, 0], chords[best, 1]
            own_row = row[own]
            far = (chords[best, 2] - start + length) % length
            turn_loop(first_node, length, start, stack_nodes, stack_leave, now_nodes, now_leave)
            turn_chords(first_chord, number, length, start, chords, now_chords)

            # Where the other chords cross this one, and which of these crossings are one vertex.
            crossings = find_crossers(number, length, far, now_chords, crossers, first_side, second_side)
            for x in range(crossings):
                k = row[now_chords[crossers[x], 0]]
                v0, v1 = ends[own, 0], ends[own, 1]
                at_0 = tolerance_after_edges(
                    v0, k, rows, old_vertices, edge_parents, edge_weights, norms, scale, constant, old_uncertainty,
                    negligible, old_positions, old_edges, first, incident,
                )  # fmt: skip
                at_1 = tolerance_after_edges(
                    v1, k, rows, old_vertices, edge_parents, edge_weights, norms, scale, constant, old_uncertainty,
                    negligible, old_positions, old_edges, first, incident,
                )  # fmt: skip
                ts[x], dts[x] = crossing(rows[v0, k], rows[v1, k], at_0, at_1)
            if exact >= 0:
                for x in range(crossings):
                    rank = rank_table[exact + own * chords_of_face + now_chords[crossers[x], 0]]
                    rounded_ts[x], rounded_dts[x] = ts[x], dts[x]
                    ts[x], dts[x] = (rank + 1.0) / (2.0 * chords_of_face + 2.0), 0.0
            made, merges, forced, doubt = order_crossings(
                crossings, order, first_side, second_side, ts, dts, vertex, spare, stop
            )
            if exact >= 0:
                for x in range(crossings):
                    ts[x], dts[x] = rounded_ts[x], rounded_dts[x]
            in_doubt |= doubt and exact < 0
            used[MERGES] += merges
            used[FORCED] += forced

            # The new vertices on the chord, and its pieces.
            for n in range(new_vertex, new_vertex + made):
                parents[n, 0] = ends[own, 0]
                parents[n, 1] = ends[own, 1]
                weights[n, 0] = 0.5
                weights[n, 1] = np.inf
                carried[n, own_row // 64] |= np.uint64(1) << np.uint64(own_row % 64)
            for x in range(crossings):
                n = new_vertex + vertex[x]
                k = row[now_chords[crossers[x], 0]]
                carried[n, k // 64] |= np.uint64(1) << np.uint64(k % 64)
                if dts[x] < weights[n, 1]:
                    weights[n, 0] = ts[x]
                    weights[n, 1] = dts[x]
            for p in range(made + 1):
                edges[new_edge + p, 0] = now_nodes[0] if p == 0 else first_new + new_vertex + p - 1
                edges[new_edge + p, 1] = now_nodes[far] if p == made else first_new + new_vertex + p
                edge_row[new_edge + p] = own_row

            # The halves: `depth` along places 0..far and back along the chord, depth + 1 along far..length and forth.
            for w in range(words):
                plus[depth + 1, w] = plus[depth, w]
                minus[depth + 1, w] = minus[depth, w]
            set_side(own_row, side[own] > 0, depth, plus, minus)
            set_side(own_row, side[own] <= 0, depth + 1, plus, minus)
            used[IDENTICAL] += identical_chords(
                number, own, far, now_chords, row, side, depth, plus, minus, new_vertex, made, carried
            )
            for n in range(new_vertex, new_vertex + made):
                count_from_nearer(n, parents, weights)
                place(
                    first_new + n, parents[n, 0], parents[n, 1], weights[n, 0], weights[n, 1],
                    positions, uncertainty,
                )  # fmt: skip
            size1, size2 = far + 1 + made, length - far + 1 + made
            low, high = first_node, first_node + size1
            join_first_half(
                low, far, made, first_new + new_vertex, new_edge, now_nodes, now_leave, stack_nodes, stack_leave
            )
            join_second_half(
                high, far, length, made, first_new + new_vertex, new_edge, now_nodes, now_leave, stack_nodes,
                stack_leave,
            )  # fmt: skip
            number1 = chords_of_first_half(
                number, own, far, length, made, vertex, crossers, crossings, now_chords, row, side, depth, plus, minus,
                first_chord, chords,
            )  # fmt: skip
            number2 = chords_of_second_half(
                number, own, far, length, vertex, crossers, crossings, now_chords, row, side, depth + 1, plus, minus,
                first_chord + number1, chords,
            )  # fmt: skip
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
        if in_doubt:
            doubtful[f] = True
            used[DOUBTFUL] += 1
    used[FACES] = face - base[0]
    used[VERTICES] = new_vertex - base[1]
    used[EDGES] = new_edge - base[2]
    used[HALF_EDGES] = slot - base[3]
