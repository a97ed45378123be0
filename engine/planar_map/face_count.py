"""Kernels that count what a cut will make of the faces, before any value at its vertices is known.

The places of the active rows on a face's loop say which chords there are and which of them cross each other.  The
crossings are as many as the new vertices, unless several are one: that is seen only in their parameters, of which
`count_points` looks at some.
"""

from __future__ import annotations

import numpy as np

from engine.machine.jit import index, inline, inner, kernel, popcount
from engine.planar_map.face_loop import loop_length, read_loop, signs_of_loop
from engine.tolerances import ONE_POINT

FACES, VERTICES, EDGES, HALF_EDGES, LOOP, CHORDS = range(6)  # what a piece of the faces needs
_FEW = 64  # chords whose pairs are looked at one by one as fast as they are counted by places
_SAMPLE = 16  # chords of a face on which the crossings' parameters are looked at


@kernel
def find_active(lo, hi, loops, zeros, active, face_plus, face_minus):
    """active[f]: number of rows with both signs among the vertices of face lo..hi; face_plus, face_minus: its signs.

    zeros: whether any row is zero at any vertex.
    """
    offsets, half_edges, starts, cut, plus, minus, _ = loops
    cut_index, _, _, _, _ = cut
    for face in range(lo, hi):
        f = index(face)
        whole = not zeros
        for i in range(offsets[f], offsets[f + 1]):
            whole &= cut_index[index(half_edges[index(i)]) >> 1] < 0
        if whole:
            # Signs that no edge crosses and that are zero nowhere are the same at all vertices: most faces are read so.
            v = index(starts[index(half_edges[index(offsets[f])])])
            for w in range(plus.shape[1]):
                face_plus[f, w] = plus[v, w]
                face_minus[f, w] = minus[v, w]
            active[f] = 0
            continue
        count = np.uint64(0)
        for w in range(plus.shape[1]):
            p, m = signs_of_loop(f, w, offsets, half_edges, starts, plus, minus)
            face_plus[f, w] = p
            face_minus[f, w] = m
            count += popcount(p & m)
        active[f] = count


@kernel
def measure_faces(lo, hi, loops, active, face_plus, face_minus):
    """What the cut makes at most of the faces lo..hi: (6,) int64 faces, new vertices, new edges and half-edges, and the
    most places and chords of one face.  Of the rows nothing is read but how many there are.
    """
    capacity = loops[6].shape[1]
    need = np.zeros(6, np.int64)
    row, places = np.empty(capacity, np.int32), np.empty((capacity, 2), np.int32)
    found, local_of_row, follower = np.empty((3, capacity), np.int32)
    f, room = lo, 64
    while f < hi:
        nodes, leave, begun, tree = np.empty((4, room + 1), np.int32)
        scratch = (nodes, leave, row, places, found, local_of_row, begun, follower, tree)
        f, room = _measure(f, hi, loops, active, face_plus, face_minus, scratch, need)
    return need


@inner
def _measure(lo, hi, loops, active, face_plus, face_minus, scratch, need):
    """Add what is needed for the faces from lo on; returns the face before which it stopped, for more room than there
    is in `scratch`, and how much.
    """
    offsets, half_edges, starts, cut, plus, minus, _ = loops
    cut_index, cut_crossing, cut_vertex, cut_row, cut_place = cut
    nodes, leave, row, places, found, local_of_row, begun, follower, tree = scratch
    for f in range(lo, hi):
        if active[f] == 0:
            need[FACES] += 1
            need[HALF_EDGES] += offsets[f + 1] - offsets[f]
            continue
        length = loop_length(f, offsets, half_edges, cut_index, cut_vertex)
        number, pairs = np.int64(1), np.int64(0)
        if active[f] > 1:
            if length >= len(nodes):
                return f, 2 * length
            length, rows_found = read_loop(
                f, offsets, half_edges, starts, cut_index, cut_crossing, cut_vertex, cut_row, cut_place, plus, minus,
                face_plus, face_minus, nodes, leave, row, places, found, local_of_row,
            )  # fmt: skip
            number, irregular = _chords(length, rows_found, row, places, found)
            pairs = interleaving(number, length, places, begun, follower, tree)
            # Where irregular rows meet the loop is seen in their values: each may cross all others.
            pairs += irregular * number + irregular * (irregular - 1) // 2
            number += irregular
        total = length + 2 * number + 4 * pairs
        need[FACES] += 1 + number + pairs
        need[VERTICES] += pairs
        need[EDGES] += number + 2 * pairs
        need[HALF_EDGES] += total
        need[LOOP] = max(need[LOOP], total)
        need[CHORDS] = max(need[CHORDS], number + pairs)
    return hi, 0


@kernel
def find_and_measure(lo, hi, loops, zeros, active, face_plus, face_minus):
    """find_active, then measure_faces."""
    find_active(lo, hi, loops, zeros, active, face_plus, face_minus)
    return measure_faces(lo, hi, loops, active, face_plus, face_minus)


@kernel
def add_up(needed, base, most):
    """Of what the pieces need (P, 6): base[p + 1] becomes what the pieces up to p make, `most` (2,) the most places and
    chords of a face.  numpy takes longer for so few.
    """
    for p in range(len(needed)):
        for i in range(4):
            base[p + 1, i] = base[p, i] + needed[p, i]
        most[0] = max(most[0], needed[p, LOOP])
        most[1] = max(most[1], needed[p, CHORDS])


@inline
def _chords(length, active, row, places, count):
    """Keep the rows with two places that are neither equal nor adjacent; returns how many, and the irregular rows."""
    kept, irregular = np.int64(0), np.int64(0)
    for local in range(active):
        if count[local] != 2:
            irregular += 1
            continue
        first, second = places[local, 0], places[local, 1]
        if 1 < abs(first - second) < length - 1:
            row[kept] = row[local]
            places[kept, 0] = first
            places[kept, 1] = second
            kept += 1
    return kept, irregular


@inline
def _interleave(a, b, c, d):
    """Whether just one of the places c and d lies strictly between a and b, a < b, and the other strictly outside."""
    return (a < c and c < b and (d < a or d > b)) or (a < d and d < b and (c < a or c > b))


@kernel
def interleaving(number, length, places, begun, follower, tree):
    """Pairs of the chords places[:number] (int32, two that differ in 0..length) whose ends alternate strictly: as many
    as cross.

    begun, follower, tree: int32 scratch for `length`, `number` and length + 1 numbers.
    """
    pairs = np.int64(0)
    if number <= _FEW:
        for j in range(number):
            a, b = min(places[j, 0], places[j, 1]), max(places[j, 0], places[j, 1])
            for k in range(j):
                pairs += _interleave(a, b, places[k, 0], places[k, 1])
        return pairs
    # Once around the loop: the chords that have begun before a place are held by where they end, in a Fenwick tree.
    for a in range(length):
        begun[a] = -1
        tree[a + 1] = 0
    for j in range(number):
        a = min(places[j, 0], places[j, 1])
        follower[j] = begun[a]
        begun[a] = j
    for a in range(length):
        if begun[a] < 0:
            continue
        over = _ends_before(a + 1, tree)
        j = begun[a]
        while j >= 0:
            pairs += _ends_before(max(places[j, 0], places[j, 1]), tree) - over
            j = follower[j]
        j = begun[a]
        while j >= 0:
            node = max(places[j, 0], places[j, 1]) + 1
            while node <= length:
                tree[node] += 1
                node += node & -node
            j = follower[j]
    return pairs


@inline
def _ends_before(place, tree):
    count = np.int64(0)
    node = place
    while node > 0:
        count += tree[node]
        node &= node - 1
    return count


@kernel
def count_points(lo, hi, loops, active, face_plus, face_minus, on_edges):
    """What the cut makes of the faces lo..hi where crossings that are close together are one vertex: (4,) float64
    faces, new vertices, new edges and half-edges.

    Crossings are looked at on some chords of each face: exact where no two are close, or with few chords.  Irregular
    rows are left out.  on_edges: the NewVertices on edges, at which `rows` are not yet known.
    """
    offsets, half_edges, starts, cut, plus, minus, rows = loops
    cut_index, cut_crossing, cut_vertex, cut_row, cut_place = cut
    parents, weights, _ = on_edges
    capacity = rows.shape[1]
    made = np.zeros(4)
    nodes, leave, begun, tree = np.empty((4, 64), np.int32)
    row, places = np.empty(capacity, np.int32), np.empty((capacity, 2), np.int32)
    found, local_of_row, follower = np.empty((3, capacity), np.int32)
    where = np.empty(capacity)
    for f in range(lo, hi):
        length = loop_length(f, offsets, half_edges, cut_index, cut_vertex)
        chords, points, vertices = 0.0, 0.0, 0.0
        if active[f] == 1:
            chords = 1.0
        elif active[f] > 1:
            if length >= len(nodes):
                nodes, leave, begun, tree = np.empty((4, 2 * length), np.int32)
            length, rows_found = read_loop(
                f, offsets, half_edges, starts, cut_index, cut_crossing, cut_vertex, cut_row, cut_place, plus, minus,
                face_plus, face_minus, nodes, leave, row, places, found, local_of_row,
            )  # fmt: skip
            number, _ = _chords(length, rows_found, row, places, found)
            chords = float(number)
            sampled = min(number, _SAMPLE)
            seen, seen_points, seen_vertices = 0, 0, 0.0
            for i in range(sampled):
                j = i * number // sampled
                a, b = min(places[j, 0], places[j, 1]), max(places[j, 0], places[j, 1])
                crossings = 0
                for k in range(number):
                    if _interleave(a, b, places[k, 0], places[k, 1]):
                        at_a = _row_at(nodes[a], row[k], rows, parents, weights)
                        at_b = _row_at(nodes[b], row[k], rows, parents, weights)
                        where[crossings] = at_a / (at_a - at_b) if at_a != at_b else 0.5
                        crossings += 1
                _sort(where, crossings)
                seen += crossings
                start = 0
                for x in range(1, crossings + 1):
                    if x == crossings or where[x] - where[x - 1] > ONE_POINT:
                        # Of the lines through this point all but one cross the chord there: each will count the point.
                        seen_points += 1
                        seen_vertices += 1.0 / (x - start + 1)
                        start = x
            if seen > 0:
                pairs = float(interleaving(number, length, places, begun, follower, tree))
                points = 2.0 * pairs * (seen_points / seen)
                vertices = 2.0 * pairs * (seen_vertices / seen)
        made[FACES] += 1.0 + chords + points - vertices
        made[VERTICES] += vertices
        made[EDGES] += chords + points
        made[HALF_EDGES] += length + 2.0 * (chords + points)
    return made


@inline
def _sort(numbers, count):
    """Order the first `count` numbers, by Shell's method."""
    gap = 1
    while 9 * gap < count:
        gap = 3 * gap + 1
    while gap > 0:
        for x in range(gap, count):
            number, slot = numbers[x], x
            while slot >= gap and numbers[slot - gap] > number:
                numbers[slot] = numbers[slot - gap]
                slot -= gap
            numbers[slot] = number
        gap //= 3


@inline
def _row_at(v, k, rows, parents, weights):
    """Row k at a vertex from before the cut or on an edge."""
    n = v - len(rows)
    if n < 0:
        return rows[v, k]
    t = weights[n, 0]
    return (1.0 - t) * rows[parents[n, 0], k] + t * rows[parents[n, 1], k]
