"""Cutting one cell by its local network: row after row, in a small planar map.

A row is affine along every edge of what the rows before it have cut, so its signs at the vertices say all: it crosses
an edge whose ends differ in sign, and a face along the chord between two such edges.  Where a sign is in doubt nothing
is decided here: the cell is given back, to be cut with exact numbers.
"""

from __future__ import annotations

import numpy as np

from engine.local.fold import PLACE
from engine.machine.jit import inline, inner_sum, kernel
from engine.tolerances import DOUBT, UNIT_ROUNDOFF

MOST_ROWS = 63
"""Rows of a cell: a face's signs are one word, of which one bit is the level's."""
MOST_VERTICES = 4096
FIRST_SIDE = 4
"""Edges of a cell's border: 0 to 3 are the cell's left, right, lower and upper side; from here on the polygon's."""
CUT, IN_DOUBT, TOO_LARGE = 0, 1, 2


def room_to_cut():
    """Return the scratch memory of cut_cell: vertices, edges, half-edges, faces, rows."""
    vertices, edges = MOST_VERTICES, 2 * MOST_VERTICES
    return (
        (np.empty((2, vertices)), np.empty(vertices), np.empty(vertices), np.empty((MOST_ROWS + 1, vertices))),
        (np.empty(vertices, np.int32), np.empty(vertices, np.int8)),
        (np.empty((edges, 2), np.int32), np.empty(edges, np.int32), np.empty(edges)),
        np.empty((3, 2 * edges), np.int32),
        (np.empty(vertices, np.uint64), np.empty((3, vertices), np.int32)),
        (np.empty((3, MOST_ROWS + 1)), np.empty(MOST_ROWS + 1, np.int64)),
    )  # fmt: skip


@inner_sum
def _values(count, form, width, kept, rows, places, values, out):
    """The row `form` at the vertices; values (., V): those of the rows `rows[:kept]` of the local network."""
    a, b, c = form[0], form[1], form[2]
    for v in range(count):
        out[v] = a + b * places[0, v] + c * places[1, v]
    whole = kept - kept % 2
    for k in range(0, whole, 2):
        p = form[PLACE + rows[k]] if PLACE + rows[k] < width else 0.0
        q = form[PLACE + rows[k + 1]] if PLACE + rows[k + 1] < width else 0.0
        if p != 0.0 or q != 0.0:
            for v in range(count):
                out[v] += p * values[k, v] + q * values[k + 1, v]
    if whole < kept and PLACE + rows[whole] < width:
        p = form[PLACE + rows[whole]]
        for v in range(count):
            out[v] += p * values[whole, v]


@inner_sum
def _sizes(m, forms, first, doubt, sizes):
    """Fill in sizes (3, m + 1): of each row the largest value in the cell, the steepest slope, and its doubt."""
    for i in range(m + 1):
        size = abs(forms[i, 0]) + abs(forms[i, 1]) + abs(forms[i, 2])
        steep = abs(forms[i, 1]) + abs(forms[i, 2])
        for j in range(first[i]):
            q = abs(forms[i, PLACE + j])
            size += q * sizes[0, j]
            steep += q * sizes[1, j]
        sizes[0, i] = size
        sizes[1, i] = steep
        sizes[2, i] = doubt[i] + DOUBT * UNIT_ROUNDOFF * size


@inline
def _start(corners, codes, count, room):
    """The map of one face, a polygon."""
    (places, uncertainty, _, _), (border, _), (ends, edge_row, offset), links, (bits, marks), _ = room
    following, preceding, face = links[0], links[1], links[2]
    for k in range(count):
        n = k + 1 if k + 1 < count else 0
        p = k - 1 if k > 0 else count - 1
        places[0, k], places[1, k] = corners[k, 0], corners[k, 1]
        uncertainty[k] = 8.0 * UNIT_ROUNDOFF
        border[k] = -1
        ends[k, 0], ends[k, 1] = k, n
        edge_row[k], offset[k] = -1 - codes[k], 8.0 * UNIT_ROUNDOFF
        following[2 * k], preceding[2 * k], face[2 * k] = 2 * n, 2 * p, 0
        following[2 * k + 1], preceding[2 * k + 1], face[2 * k + 1] = 2 * p + 1, 2 * n + 1, -1
    bits[0] = 0
    marks[0, 0], marks[1, 0], marks[2, 0] = 0, -1, -1


@inline
def _split_edge(e, v, edges, ends, edge_row, offset, following, preceding, face):
    """Put vertex v on edge e; its second part is edge number `edges`."""
    b = ends[e, 1]
    ends[edges, 0], ends[edges, 1], edge_row[edges], offset[edges] = v, b, edge_row[e], offset[e]
    ends[e, 1] = v
    there, back = 2 * e, 2 * e + 1
    far_there, far_back = 2 * edges, 2 * edges + 1
    after, before = following[there], preceding[back]
    face[far_there], face[far_back] = face[there], face[back]
    following[there], preceding[far_there] = far_there, there
    following[far_back], preceding[back] = back, far_back
    # A polygon's corner is never between an edge and its own way back, so these are other half-edges.
    following[far_there] = after
    preceding[after] = far_there
    preceding[far_back] = before
    following[before] = far_back


@inline
def _offset(first, following, ends, places, z, error, vertex):
    """How far the zero of a row, which a vertex lies on, may be from where it is computed, in the face of half-edge
    `first`: the row's error over its slope, of which any value over the distance to that vertex is a lower bound.
    """
    found, h = 1.0, first
    while True:
        v = ends[h >> 1, h & 1]
        if v != vertex and z[v] != 0.0:
            away = max(abs(places[0, v] - places[0, vertex]), abs(places[1, v] - places[1, vertex]))
            found = min(found, error * away / abs(z[v]))
        h = following[h]
        if h == first:
            return found + UNIT_ROUNDOFF


@kernel
def cut_cell(m, local, corners, codes, count, level, room):
    """Cut the polygon corners[:count] of a cell by its m rows, and by the output where `level` is true.

    codes: of the sides, see FIRST_SIDE.  Returns CUT, IN_DOUBT or TOO_LARGE, and the numbers of vertices, edges, faces
    in `room`.  The output stands in room[0][2] at each vertex.
    """
    forms, _, first, doubt = local
    (places, uncertainty, output, values), (border, sign), (ends, edge_row, offset), links, (bits, marks), own = room
    following, preceding, face = links[0], links[1], links[2]
    sizes, rows = own
    _start(corners, codes, count, room)
    _sizes(m, forms, first, doubt, sizes)
    vertices, edges, faces, kept = count, count, 1, 0
    for i in range(m + 1):
        last = i == m
        z = output if last else values[kept]
        _values(vertices, forms[i], PLACE + first[i], kept, rows, places, values, z)
        if last and not level:
            break
        limit, steep = sizes[2, i], sizes[1, i]
        positive, doubts = 0, 0
        for v in range(vertices):
            value = z[v]
            doubts += not abs(value) > limit + DOUBT * steep * uncertainty[v]
            sign[v] = value > 0.0
            positive += value > 0.0
        if doubts:
            return IN_DOUBT, vertices, edges, faces
        bit = np.uint64(1) << np.uint64(i)
        if positive == vertices:
            for f in range(faces):
                bits[f] |= bit
            rows[kept] = i
            kept += not last
            continue
        if positive == 0:
            continue
        old_edges, old_vertices, old_faces = edges, vertices, faces
        for e in range(old_edges):
            a, b = ends[e, 0], ends[e, 1]
            if sign[a] == sign[b]:
                continue
            if vertices == MOST_VERTICES or edges + 2 >= 2 * MOST_VERTICES:
                return TOO_LARGE, vertices, edges, faces
            za, zb = z[a], z[b]
            v = vertices
            # Counted from the nearer end, so that the place is as accurate near either.
            t = za / (za - zb)
            s = -zb / (za - zb)
            for axis in range(2):
                pa, pb = places[axis, a], places[axis, b]
                places[axis, v] = pa + t * (pb - pa) if t <= 0.5 else pb + s * (pa - pb)
            for k in range(kept):
                values[k, v] = s * values[k, a] + t * values[k, b]
            length = max(abs(places[0, a] - places[0, b]), abs(places[1, a] - places[1, b]))
            # The edge's own line is known to within its offset; along it the row's error counts.
            error = limit / DOUBT + steep * offset[e]
            uncertainty[v] = offset[e] + length * min(1.0, error / abs(za - zb)) + UNIT_ROUNDOFF
            border[v] = -1 - edge_row[e] if edge_row[e] < 0 else -1
            _split_edge(e, v, edges, ends, edge_row, offset, following, preceding, face)
            # The half-edge that begins the part of each side's face with the sign beyond v.
            up = 1 if sign[b] else 2
            if face[2 * e] >= 0:
                if marks[up, face[2 * e]] >= 0:
                    return IN_DOUBT, vertices, edges, faces
                marks[up, face[2 * e]] = 2 * edges
            if face[2 * e + 1] >= 0:
                if marks[3 - up, face[2 * e + 1]] >= 0:
                    return IN_DOUBT, vertices, edges, faces
                marks[3 - up, face[2 * e + 1]] = 2 * e + 1
            z[v] = 0.0
            vertices += 1
            edges += 1
        for f in range(old_faces):
            above, below = marks[1, f], marks[2, f]
            if above < 0 and below < 0:
                if sign[ends[marks[0, f] >> 1, marks[0, f] & 1]]:
                    bits[f] |= bit
                continue
            if above < 0 or below < 0 or edges == 2 * MOST_VERTICES or faces == MOST_VERTICES:
                return IN_DOUBT if above < 0 or below < 0 else TOO_LARGE, vertices, edges, faces
            marks[1, f], marks[2, f] = -1, -1
            # The chord runs from where the part above begins to where that below begins; the part above is left of its
            # way back.
            from_ = ends[above >> 1, above & 1]
            to = ends[below >> 1, below & 1]
            ends[edges, 0], ends[edges, 1], edge_row[edges] = from_, to, i
            offset[edges] = _offset(above, following, ends, places, z, limit / DOUBT, from_)
            there, back = 2 * edges, 2 * edges + 1
            end_above, end_below = preceding[below], preceding[above]
            following[end_above], preceding[back] = back, end_above
            following[back], preceding[above] = above, back
            following[end_below], preceding[there] = there, end_below
            following[there], preceding[below] = below, there
            face[there] = f
            h = back
            while True:
                face[h] = faces
                h = following[h]
                if h == back:
                    break
            bits[faces] = bits[f] | bit
            marks[0, f], marks[0, faces] = there, back
            marks[1, faces], marks[2, faces] = -1, -1
            edges += 1
            faces += 1
        if not last:
            for v in range(old_vertices):
                z[v] = max(z[v], 0.0)
            rows[kept] = i
            kept += 1
    return CUT, vertices, edges, faces
