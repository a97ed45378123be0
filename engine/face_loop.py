"""The loops of faces after their edges were cut: which rows are active in a face, and where they meet its loop.

A row is active in a face when both its signs occur among the face's vertices; by convexity its line meets the face's
loop in two places: zero vertices, or new vertices on edges.

Loops are lists of half-edges, counter-clockwise: 2 e runs edge e from its first to its second vertex, 2 e + 1 back.
"""

from __future__ import annotations

import numpy as np

from engine.jit import inline, kernel, lowest_bit, popcount


@inline
def signs_of_loop(f, w, offsets, half_edges, edges, plus, minus):
    """Word w of the signs that occur among the vertices of face f."""
    p = np.uint64(0)
    m = np.uint64(0)
    for i in range(offsets[f], offsets[f + 1]):
        h = half_edges[i]
        v = edges[h >> 1, h & 1]
        p |= plus[v, w]
        m |= minus[v, w]
    return p, m


@kernel
def find_active(lo, hi, offsets, half_edges, edges, plus, minus, active, face_plus, face_minus):
    """active[f] = number of rows with both signs among the vertices of face f; face_plus, face_minus: its signs."""
    words = plus.shape[1]
    for f in range(lo, hi):
        count = np.uint64(0)
        for w in range(words):
            p, m = signs_of_loop(f, w, offsets, half_edges, edges, plus, minus)
            face_plus[f, w] = p
            face_minus[f, w] = m
            count += popcount(p & m)
        active[f] = count


@inline
def _add_place(local, place, count, places):
    if count[local] < 2:
        places[local, count[local]] = place
    count[local] += 1


@inline
def read_loop(
    f, offsets, half_edges, old_edges, cut_index, cross_offsets, cross_row, cross_vertex, edge_made, first_vertex,
    first_edge, old_vertices,
    plus, minus, face_plus, face_minus, local_of_row, nodes, leave, chord_row, count, places
):  # fmt: skip
    """The loop of face f with its new vertices, and the places of its active rows.

    Fills nodes, leave (vertex and leaving half-edge of each position), chord_row, count and places by local row number.
    Returns the loop's length and the number of active rows.
    """
    words = plus.shape[1]
    active = 0
    for w in range(words):
        bits = face_plus[f, w] & face_minus[f, w]
        while bits != 0:
            k = w * 64 + np.int64(lowest_bit(bits))
            bits &= bits - np.uint64(1)
            chord_row[active] = k
            count[active] = 0
            local_of_row[k] = active
            active += 1
    length = 0
    for i in range(offsets[f], offsets[f + 1]):
        h = half_edges[i]
        e = h >> 1
        back = h & 1
        v = old_edges[e, back]
        for w in range(words):
            bits = face_plus[f, w] & face_minus[f, w] & ~(plus[v, w] | minus[v, w])
            while bits != 0:
                _add_place(local_of_row[w * 64 + np.int64(lowest_bit(bits))], length, count, places)
                bits &= bits - np.uint64(1)
        c = cut_index[e]
        nodes[length] = v
        if c < 0:
            leave[length] = h
            length += 1
            continue
        news = edge_made[c]
        for x in range(cross_offsets[c], cross_offsets[c + 1]):
            along = news - 1 - cross_vertex[x] if back else cross_vertex[x]
            _add_place(local_of_row[cross_row[x]], length + 1 + along, count, places)
        for p in range(news + 1):
            piece = news - p if back else p
            if p > 0:
                nodes[length] = old_vertices + first_vertex[c] + (news - p if back else p - 1)
            leave[length] = 2 * (e if piece == 0 else first_edge[c] + piece - 1) + back
            length += 1
    return length, active


@inline
def _places_of_irregular_row(k, nodes, length, old_vertices, rows, plus, minus, local, places):
    """From the strongest + to the strongest -, both ways: the first zero before an old vertex is -."""
    w, bit = k // 64, np.uint64(1) << np.uint64(k % 64)
    top, bottom = -1, -1
    for i in range(length):
        v = nodes[i]
        if v < old_vertices:
            if plus[v, w] & bit and (top < 0 or rows[v, k] > rows[nodes[top], k]):
                top = i
            if minus[v, w] & bit and (bottom < 0 or rows[v, k] < rows[nodes[bottom], k]):
                bottom = i
    for way in range(2):
        i = top
        while (plus[nodes[i], w] | minus[nodes[i], w]) & bit and (plus[nodes[i], w] & bit or nodes[i] >= old_vertices):
            i = (i + 1) % length if way == 0 else (i - 1 + length) % length
        places[local, way] = i


@inline
def regular_chords(nodes, length, active, old_vertices, rows, plus, minus, chord_row, count, places):
    """Settle irregular rows and drop rows whose places are equal or adjacent; returns chords kept and irregular
    rows.
    """
    kept = 0
    irregular = 0
    for local in range(active):
        if count[local] != 2:
            irregular += 1
            _places_of_irregular_row(chord_row[local], nodes, length, old_vertices, rows, plus, minus, local, places)
        gap = abs(places[local, 0] - places[local, 1])
        if gap > 1 and gap < length - 1:
            chord_row[kept] = chord_row[local]
            places[kept, 0] = places[local, 0]
            places[kept, 1] = places[local, 1]
            kept += 1
    return kept, irregular


@kernel
def loop_lengths(lo, hi, cut, split, lengths):
    """lengths[i]: length of the loop of face cut[i], with the new vertices on its edges."""
    offsets, half_edges, cut_index, made = split[0], split[1], split[3], split[7]
    for i in range(lo, hi):
        first, last = offsets[cut[i]], offsets[cut[i] + 1]
        length = last - first
        for j in range(first, last):
            c = cut_index[half_edges[j] >> 1]
            if c >= 0:
                length += made[c]
        lengths[i] = length
