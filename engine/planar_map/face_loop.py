"""The loops of faces after their edges were cut: which rows are active in a face, and where they meet its loop.

A row is active in a face when both its signs occur among the face's vertices; by convexity its line meets the face's
loop in two places: zero vertices, or new vertices on edges.

Loops are lists of half-edges, counter-clockwise: 2 e runs edge e from its first to its second vertex, 2 e + 1 back.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int
from engine.machine.jit import index, inline, lowest_bit
from engine.planar_map.edge_cut import CutEdges


class Loops(NamedTuple):
    """The faces of a map before a cut, where their edges are cut, and the rows that cut them.

    offsets (F + 1,), half_edges (H,) int32: before the cut; starts (2 E,) int32: the vertex that each half-edge leaves;
    cut: see CutEdges; plus, minus (V, W) uint64: the rows' signs at the vertices before; rows (V', R) float64: at these
    and the vertices on edges, zeros exact.
    """

    offsets: Int
    half_edges: Int
    starts: Int
    cut: CutEdges
    plus: NDArray[np.uint64]
    minus: NDArray[np.uint64]
    rows: Float

    @property
    def arguments(self) -> tuple[Any, ...]:
        """For kernels: numba finds the type of plain tuples in compiled code, of named ones in Python at every call."""
        return self.offsets, self.half_edges, self.starts, tuple(self.cut), self.plus, self.minus, self.rows


@inline
def signs_of_loop(f, w, offsets, half_edges, starts, plus, minus):
    """Word w of the signs that occur among the vertices of face f."""
    p = np.uint64(0)
    m = np.uint64(0)
    for i in range(offsets[f], offsets[f + 1]):
        v = index(starts[index(half_edges[index(i)])])
        p |= plus[v, w]
        m |= minus[v, w]
    return p, m


@inline
def loop_length(f, offsets, half_edges, cut_index, cut_vertex):
    """Length of the loop of face f with the new vertices on its edges."""
    length = offsets[f + 1] - offsets[f]
    for i in range(offsets[f], offsets[f + 1]):
        c = cut_index[index(half_edges[index(i)]) >> 1]
        if c >= 0:
            length += cut_vertex[c + 1] - cut_vertex[c]
    return length


@inline
def _add_place(local, place, count, places):
    row = index(local)
    if count[row] < 2:
        places[row, index(count[row])] = place
    count[row] += 1


@inline
def read_loop(
    f, offsets, half_edges, starts, cut_index, cut_crossing, cut_vertex, cut_row, cut_place, plus, minus, face_plus,
    face_minus, nodes, leave, row, places, count, local_of_row,
):  # fmt: skip
    """The loop of face f with its new vertices, and the places of its active rows.

    face_plus, face_minus (F, W): the signs that occur in each face.  Fills nodes, leave (the vertex and the leaving
    half-edge of each place of the loop), and for every active row: row, places (its two) and count (places found);
    local_of_row is scratch.  Returns the loop's length and the number of active rows.
    """
    words = face_plus.shape[1]
    old_vertices, old_edges = len(plus), len(starts) // 2
    active = 0
    for w in range(words):
        bits = face_plus[f, w] & face_minus[f, w]
        while bits != 0:
            k = w * 64 + np.int64(lowest_bit(bits))
            bits &= bits - np.uint64(1)
            row[active] = k
            count[active] = 0
            local_of_row[k] = active
            active += 1
    length = 0
    for i in range(offsets[f], offsets[f + 1]):
        h = index(half_edges[index(i)])
        e = h >> 1
        back = h & 1
        v = index(starts[h])
        for w in range(words):
            bits = face_plus[f, w] & face_minus[f, w] & ~(plus[v, w] | minus[v, w])
            while bits != 0:
                _add_place(local_of_row[w * 64 + np.int64(lowest_bit(bits))], length, count, places)
                bits &= bits - np.uint64(1)
        c = cut_index[e]
        nodes[index(length)] = v
        if c < 0:
            leave[index(length)] = h
            length += 1
            continue
        first = cut_vertex[c]
        news = cut_vertex[c + 1] - first
        for x in range(cut_crossing[c], cut_crossing[c + 1]):
            place = cut_place[index(x)]
            along = news - 1 - place if back else place
            _add_place(local_of_row[index(cut_row[index(x)])], length + 1 + along, count, places)
        for p in range(news + 1):
            piece = news - p if back else p
            if p > 0:
                nodes[index(length)] = old_vertices + first + (news - p if back else p - 1)
            leave[index(length)] = 2 * (e if piece == 0 else old_edges + first + piece - 1) + back
            length += 1
    return length, active


@inline
def _places_of_irregular_row(k, length, old_vertices, rows, nodes, places, local):
    """From the strongest + to the strongest -, both ways: the first zero before an old vertex is -."""
    top, bottom = -1, -1
    for i in range(length):
        v = nodes[i]
        if v < old_vertices:
            z = rows[v, k]
            if z > 0.0 and (top < 0 or z > rows[nodes[top], k]):
                top = i
            if z < 0.0 and (bottom < 0 or z < rows[nodes[bottom], k]):
                bottom = i
    for way in range(2):
        i = top
        while rows[nodes[i], k] != 0.0 and (rows[nodes[i], k] > 0.0 or nodes[i] >= old_vertices):
            i = (i + 1) % length if way == 0 else (i - 1 + length) % length
        places[local, way] = i


@inline
def _side_between(first, second, k, length, old_plus, old_minus, rows, nodes):
    """The sign of row k between its two places; elsewhere it is the opposite one."""
    w, bit = k // 64, np.uint64(1) << np.uint64(k % 64)
    for i in range(1, length):
        p = first + i
        if p == second:
            continue
        v = index(nodes[index(p if p < length else p - length)])
        if v < len(old_plus):
            # The words of its signs have just been read; its row is far away in memory.
            positive, negative = old_plus[v, w] & bit != 0, old_minus[v, w] & bit != 0
        else:
            positive, negative = rows[v, k] > 0.0, rows[v, k] < 0.0
        if positive or negative:
            return 1 if positive == (p < second) else -1
    return -1


@inline
def _strongest_side(k, length, rows, nodes):
    """The sign of the largest |row k| on the loop, + of two that are equal."""
    top, bottom = 0.0, 0.0
    for i in range(length):
        z = rows[nodes[i], k]
        top = max(top, z)
        bottom = min(bottom, z)
    return 1 if top >= -bottom else -1


@inline
def regular_chords(length, active, old_plus, old_minus, rows, nodes, row, places, side, count, plus, minus):
    """Settle irregular rows, and leave out rows whose places are equal or adjacent: they are no cut.

    row, places, count: see read_loop; side (R,): the row's sign between its first place and its second, of the chords
    kept. plus, minus (W,): the signs that occur in the face; of the active rows' bits those remain that are settled for
    the whole face.  Returns the chords kept and the number of irregular rows.
    """
    kept = 0
    irregular = 0
    for w in range(len(plus)):
        both = plus[w] & minus[w]
        plus[w] &= ~both
        minus[w] &= ~both
    for local in range(active):
        k = row[local]
        sign = 0
        if count[local] != 2:
            irregular += 1
            sign = -1
            _places_of_irregular_row(k, length, len(old_plus), rows, nodes, places, local)
        first, second = places[local, 0], places[local, 1]
        gap = abs(first - second)
        if gap > 1 and gap < length - 1:
            if sign == 0:
                sign = _side_between(first, second, k, length, old_plus, old_minus, rows, nodes)
            row[kept] = k
            places[kept, 0] = first
            places[kept, 1] = second
            side[kept] = sign
            kept += 1
        elif _strongest_side(k, length, rows, nodes) > 0:
            plus[k // 64] |= np.uint64(1) << np.uint64(k % 64)
        else:
            minus[k // 64] |= np.uint64(1) << np.uint64(k % 64)
    return kept, irregular
