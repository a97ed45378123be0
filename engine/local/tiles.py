"""The cells of a tile, cut one after the other, depth first: each is halved in both directions until few rows are left.

What is cut is written into flat arrays, the pieces, in which a cell's own border has no edges.  Where a line meets it
there is a port: the end of an edge, numbered -1 - port, which `engine/slices/gluing.py` joins to that of the neighbour.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int, Words
from engine.local.cell import CUT, FIRST_SIDE, MOST_ROWS, MOST_VERTICES, TOO_LARGE, cut_cell, room_to_cut
from engine.local.fold import PLACE, fold_cell, room_to_fold
from engine.local.restrict import restrict, room_to_restrict
from engine.machine.jit import inline, kernel, lowest_bit

NOTHING = -1


class Pieces(NamedTuple):
    """Cells of a slice, cut.

    vertices (V, 3) float64: x, y, output minus the level
    edges (E, 2) int32: vertices, or -1 - port; edge_row (E,) int32: the number of a row, that of all rows for the
    level, or -1 - side of the polygon; edge_faces (E, 2) int32: left and right, -1 outside
    following (2 E,) int32: the next half-edge of the face, where a half-edge ends in a vertex
    bits (F,) uint64: signs of the cell's rows, the level's after them; face_cell (F,) int32
    port_edge (P,) int32
    sides (S, 7) int64: of the cells' own sides: 0 for one along y, 1 along x; the grid line that it lies in; where it
    begins; 0 if the cell is before the line, 1 beyond it; where its tokens begin and end; where it ends itself.
    tokens: along the side, a face, or -1 - port
    cells (C, 4) int64: where each begins, its size, and where its rows begin; rows: those of all cells;
    on (C, words) uint64: bits of the rows that are on in the whole cell
    zeros (Z, 2) int32: a cell, and a row that is zero throughout it (that of all rows: the level)
    also (A, 2) int32: an edge, and a further row whose sign changes across it; level_edges (B,) int32: edges that are
    not the level's and on which the output equals it
    left (L, 3) int64: cells that are not cut, by x, y, size

    also and level_edges are empty for cells that were cut by their local networks.
    """

    vertices: Float
    edges: Int
    edge_row: Int
    following: Int
    edge_faces: Int
    bits: Words
    face_cell: Int
    port_edge: Int
    sides: NDArray[np.int64]
    tokens: Int
    cells: NDArray[np.int64]
    rows: Int
    on: Words
    zeros: Int
    also: Int
    level_edges: Int
    left: NDArray[np.int64]


class Grid(NamedTuple):
    """A square of 2 ** levels cells a side around a polygon: its lower corner and its side, in the plane."""

    x: float
    y: float
    side: float
    levels: int


@inline
def coordinate(start, side, levels, k):
    """The coordinate of grid line k, the same for all who ask."""
    return start + side * (k / (1 << levels))


@kernel
def bounds(grid, x, y, size):
    """x0, x1, y0, y1 of the cell of `size` grid cells a side whose lower corner is (x, y)."""
    start_x, start_y, side, levels = grid
    return (
        coordinate(start_x, side, levels, x), coordinate(start_x, side, levels, x + size),
        coordinate(start_y, side, levels, y), coordinate(start_y, side, levels, y + size),
    )  # fmt: skip


@kernel
def clip(polygon, x0, x1, y0, y1, corners, codes, spare, spare_codes):
    """The part of a convex polygon (M, 2) in a rectangle, into corners (., 2) with the codes of its sides; returns how
    many corners it has.

    A corner on a side of the polygon depends on that side and the rectangle's alone, so that it is the same for all
    rectangles that share it.
    """
    count = len(polygon)
    for k in range(count):
        corners[k, 0], corners[k, 1] = polygon[k, 0], polygon[k, 1]
        codes[k] = FIRST_SIDE + k
    for side in range(4):
        axis = 0 if side < 2 else 1
        line = x0 if side == 0 else x1 if side == 1 else y0 if side == 2 else y1
        sense = 1.0 if side % 2 == 0 else -1.0
        made = 0
        for k in range(count):
            n = k + 1 if k + 1 < count else 0
            here, there = sense * (corners[k, axis] - line) > 0.0, sense * (corners[n, axis] - line) > 0.0
            if here:
                spare[made, 0], spare[made, 1], spare_codes[made] = corners[k, 0], corners[k, 1], codes[k]
                made += 1
            if here != there:
                other = 1 - axis
                if codes[k] >= FIRST_SIDE:
                    p = codes[k] - FIRST_SIDE
                    q = p + 1 if p + 1 < len(polygon) else 0
                    if polygon[q, axis] < polygon[p, axis]:
                        p, q = q, p
                    share = (line - polygon[p, axis]) / (polygon[q, axis] - polygon[p, axis])
                    place = polygon[p, other] + share * (polygon[q, other] - polygon[p, other])
                else:
                    place = x0 if codes[k] == 0 else x1 if codes[k] == 1 else y0 if codes[k] == 2 else y1
                spare[made, axis], spare[made, other] = line, place
                spare_codes[made] = side if here else codes[k]
                made += 1
        count = made
        for k in range(count):
            corners[k, 0], corners[k, 1], codes[k] = spare[k, 0], spare[k, 1], spare_codes[k]
    return count


@kernel
def _grown_rows(array, used, more):
    if used + more <= len(array):
        return array
    larger = np.empty((max(2 * len(array), used + more), array.shape[1]), array.dtype)
    larger[:used] = array[:used]
    return larger


@kernel
def _grown(array, used, more):
    if used + more <= len(array):
        return array
    larger = np.empty(max(2 * len(array), used + more), array.dtype)
    larger[:used] = array[:used]
    return larger


def room_for_tiles(program, most, depth, sides):
    """Return the scratch memory of cut_tile, for `depth` halvings of a tile and a polygon of so many sides."""
    width, corners, words = PLACE + most, sides + 8, program.layers.words
    return (
        room_to_fold(program, most), room_to_restrict(most), room_to_cut(),
        (np.empty((depth + 1, most + 1, width)), np.empty((depth + 1, most + 1), np.int64),
         np.empty((depth + 1, most + 1), np.int64), np.empty((depth + 1, most + 1)),
         np.empty((depth + 1, words), np.uint64), np.empty((depth + 1, words), np.uint64)),
        (np.empty((corners, 2)), np.empty(corners, np.int64), np.empty((corners, 2)), np.empty(corners, np.int64)),
        (np.empty((len(program.layers.input_weights), PLACE)), np.empty((2, MOST_VERTICES), np.int32),
         np.empty(2 * MOST_VERTICES, np.int32), np.empty(4 * MOST_VERTICES, np.int32)),
    )  # fmt: skip


@inline
def _places_of(plane, x, y, half, place):
    """The input as a form of 1, s, t in the cell around (x, y)."""
    for d in range(len(plane)):
        place[d, 0] = plane[d, 0] + plane[d, 1] * x + plane[d, 2] * y
        place[d, 1] = half * plane[d, 1]
        place[d, 2] = half * plane[d, 2]


@kernel
def cut_tile(tile, grid, plane, polygon, program, level, most, most_rows, room):
    """Cut the cells of a tile, (x, y, level of the grid): the Pieces, as a tuple.

    grid: x, y, side, levels of the Grid; plane (D, 3): the input as a form of 1, x, y in the plane; most: undecided
    rows that a fold may leave before the tile is halved instead; most_rows: undecided rows up to which a cell is cut.
    """
    to_fold, to_restrict, to_cut, stack, clipping, own = room
    all_forms, all_rows, all_first, all_doubt, all_on, all_zero = stack
    corners, codes, spare, spare_codes = clipping
    place, vertex_number, edge_number, chain = own
    (places, _, output, _), (border, _), (ends, edge_row, _), links, (bits, _), _ = to_cut
    following, face = links[0], links[2]
    vertices, edges, of_row = np.empty((256, 3)), np.empty((512, 2), np.int32), np.empty(512, np.int32)
    after, sides_of = np.empty(1024, np.int32), np.empty((512, 2), np.int32)
    face_bits, face_cell = np.empty(256, np.uint64), np.empty(256, np.int32)
    port_edge, sides, tokens = np.empty(64, np.int32), np.empty((16, 7), np.int64), np.empty(256, np.int32)
    cells, rows, on = np.empty((4, 4), np.int64), np.empty(128, np.int32), np.empty((4, all_on.shape[1]), np.uint64)
    left, zeros = np.empty((4, 3), np.int64), np.empty((4, 2), np.int32)
    nv, ne, nf, np_, ns, nt, nc, nr, nl, nz = 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

    levels = grid[3]
    all_rows_count = len(program.jump)
    depths = levels - tile[2]
    number, child = np.empty(depths + 1, np.int64), np.zeros(depths + 1, np.int64)
    cell_x, cell_y = np.empty(depths + 1, np.int64), np.empty(depths + 1, np.int64)
    cell_x[0], cell_y[0] = tile[0], tile[1]
    child[0] = NOTHING
    depth = 0
    while depth >= 0:
        if child[depth] == 4:
            depth -= 1
            continue
        if child[depth] >= 0:
            q = child[depth]
            child[depth] += 1
            depth += 1
            cell_x[depth], cell_y[depth] = 2 * cell_x[depth - 1] + q % 2, 2 * cell_y[depth - 1] + q // 2
            child[depth] = NOTHING
            continue
        child[depth] = 0
        size = 1 << (depths - depth)
        x, y = cell_x[depth] * size, cell_y[depth] * size
        x0, x1, y0, y1 = bounds(grid, x, y, size)
        count = clip(polygon, x0, x1, y0, y1, corners, codes, spare, spare_codes)
        if count < 3:
            depth -= 1
            continue
        middle_x, middle_y, half = 0.5 * (x0 + x1), 0.5 * (y0 + y1), 0.5 * (x1 - x0)
        if depth > 0 and number[depth - 1] >= 0:
            all_on[depth], all_zero[depth] = all_on[depth - 1], all_zero[depth - 1]
            q = child[depth - 1] - 1
            m = restrict(
                number[depth - 1],
                (all_forms[depth - 1], all_rows[depth - 1], all_first[depth - 1], all_doubt[depth - 1]),
                -0.5 if q % 2 == 0 else 0.5, -0.5 if q < 2 else 0.5, 0.5,
                (all_forms[depth], all_rows[depth], all_first[depth], all_doubt[depth]), all_on[depth], to_restrict,
            )  # fmt: skip
        else:
            _places_of(plane, middle_x, middle_y, half, place)
            m = fold_cell(
                program, place, most, all_forms[depth], all_rows[depth], all_first[depth], all_doubt[depth],
                all_on[depth], all_zero[depth], to_fold,
            )  # fmt: skip
        number[depth] = m
        if m < 0 or m > most_rows:
            if depth < depths:
                continue
            if m < 0 or m > MOST_ROWS:
                left = _grown_rows(left, nl, 1)
                left[nl, 0], left[nl, 1], left[nl, 2] = x, y, size
                nl += 1
                depth -= 1
                continue
        for k in range(count):
            corners[k, 0] = (corners[k, 0] - middle_x) / half
            corners[k, 1] = (corners[k, 1] - middle_y) / half
        local = (all_forms[depth], all_rows[depth], all_first[depth], all_doubt[depth])
        state, v_count, e_count, f_count = cut_cell(m, local, corners, codes, count, level, to_cut)
        if state == TOO_LARGE and depth < depths:
            continue
        depth -= 1
        if state != CUT:
            left = _grown_rows(left, nl, 1)
            left[nl, 0], left[nl, 1], left[nl, 2] = x, y, size
            nl += 1
            continue

        # The cell's vertices and edges, without its own border; ports where lines meet that.
        here = depth + 1
        vertices, port_edge = _grown_rows(vertices, nv, v_count), _grown(port_edge, np_, v_count)
        for k in range(v_count):
            vertex_number[1, k] = 1 if 0 <= border[k] < FIRST_SIDE else 0
        for k in range(e_count):
            code = -1 - edge_row[k]
            if 0 <= code < FIRST_SIDE:
                vertex_number[1, ends[k, 0]], vertex_number[1, ends[k, 1]] = 1, 1
        first_port = np_
        for k in range(v_count):
            if vertex_number[1, k]:
                vertex_number[0, k] = -1 - np_
                np_ += 1
            else:
                vertices[nv, 0] = middle_x + half * places[0, k]
                vertices[nv, 1] = middle_y + half * places[1, k]
                vertices[nv, 2] = output[k]
                vertex_number[0, k] = nv
                nv += 1
        port_edge[first_port:np_] = NOTHING
        edges, of_row = _grown_rows(edges, ne, e_count), _grown(of_row, ne, e_count)
        after, sides_of = _grown(after, 2 * ne, 2 * e_count), _grown_rows(sides_of, ne, e_count)
        first_face = nf
        for k in range(e_count):
            code = -1 - edge_row[k]
            if 0 <= code < FIRST_SIDE:
                edge_number[k] = NOTHING
                continue
            edge_number[k] = ne
            for end in range(2):
                v = vertex_number[0, ends[k, end]]
                edges[ne, end] = v
                if v < 0:
                    port_edge[-1 - v] = ne
                f = face[2 * k + end]
                sides_of[ne, end] = f + first_face if f >= 0 else NOTHING
            if code >= FIRST_SIDE:
                of_row[ne] = -1 - (code - FIRST_SIDE)
            else:
                of_row[ne] = all_rows_count if edge_row[k] == m else all_rows[here, edge_row[k]]
            ne += 1
        for k in range(e_count):
            n = edge_number[k]
            if n >= 0:
                for way in range(2):
                    h = following[2 * k + way]
                    to = edge_number[h >> 1]
                    after[2 * n + way] = 2 * to + (h & 1) if to >= 0 else NOTHING
        face_bits, face_cell = _grown(face_bits, nf, f_count), _grown(face_cell, nf, f_count)
        for f in range(f_count):
            face_bits[nf], face_cell[nf] = bits[f], nc
            nf += 1
        cells, on = _grown_rows(cells, nc, 1), _grown_rows(on, nc, 1)
        rows = _grown(rows, nr, m + 1)
        cells[nc, 0], cells[nc, 1], cells[nc, 2], cells[nc, 3] = x, y, size, nr
        on[nc] = all_on[here]
        for w in range(all_zero.shape[1]):
            word = all_zero[here, w]
            while word != 0:
                zeros = _grown_rows(zeros, nz, 1)
                zeros[nz, 0], zeros[nz, 1] = nc, w * 64 + np.int64(lowest_bit(word))
                nz += 1
                word &= word - np.uint64(1)
        for k in range(m):
            rows[nr] = all_rows[here, k]
            nr += 1
        nc += 1

        # Along each side of the cell's own, from left to right and upwards: faces, and ports between them.
        length = 0
        h = 1  # the way back on the first edge, outside; the outside is gone round clockwise
        while True:
            chain[length] = h
            length += 1
            h = following[h]
            if h == 1:
                break
        turn = 0
        for k in range(length):
            if edge_row[chain[k] >> 1] != edge_row[chain[k - 1 if k else length - 1] >> 1]:
                turn = k
                break
        sides, tokens = _grown_rows(sides, ns, 4), _grown(tokens, nt, 2 * length + 8)
        k = 0
        while k < length:
            code = -1 - edge_row[chain[(turn + k) % length] >> 1]
            stop = k
            while stop < length and -1 - edge_row[chain[(turn + stop) % length] >> 1] == code:
                stop += 1
            if code < FIRST_SIDE:
                begin = nt
                for i in range(k, stop + 1):
                    # A port between two edges of the side, or where a side of the polygon meets it.
                    h = chain[(turn + i) % length]
                    v = vertex_number[0, ends[h >> 1, h & 1]]
                    if v < 0 and port_edge[-1 - v] >= 0:
                        tokens[nt] = v
                        nt += 1
                    if i < stop:
                        tokens[nt] = first_face + face[h ^ 1]
                        nt += 1
                if code in (1, 2):
                    for i in range((nt - begin) // 2):
                        tokens[begin + i], tokens[nt - 1 - i] = tokens[nt - 1 - i], tokens[begin + i]
                sides[ns, 0] = 0 if code < 2 else 1
                sides[ns, 1] = (x if code == 0 else x + size) if code < 2 else (y if code == 2 else y + size)
                sides[ns, 2] = y if code < 2 else x
                sides[ns, 3] = 1 if code in (0, 2) else 0
                sides[ns, 4], sides[ns, 5], sides[ns, 6] = begin, nt, sides[ns, 2] + size
                ns += 1
            k = stop
    return (
        vertices[:nv].copy(), edges[:ne].copy(), of_row[:ne].copy(), after[: 2 * ne].copy(), sides_of[:ne].copy(),
        face_bits[:nf].copy(), face_cell[:nf].copy(), port_edge[:np_].copy(), sides[:ns].copy(), tokens[:nt].copy(),
        cells[:nc].copy(), rows[:nr].copy(), on[:nc].copy(), zeros[:nz].copy(), np.empty((0, 2), np.int32),
        np.empty(0, np.int32), left[:nl].copy(),
    )  # fmt: skip
