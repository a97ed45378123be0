"""Gluing cells of a slice into one planar map: nothing of the cells' own borders is left.

Two cells that share a border see the same lines cross it, in the same order: signs there are proven or exact.  So the
ports of both sides are paired one by one, edges are joined through them, and faces on both sides between two ports are
one.  That is combinatorics alone; where the two sides do not agree, the cells are not glued.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Float, Int
from engine.errors import EngineError
from engine.local.tiles import NOTHING, Pieces
from engine.machine.jit import inline, kernel

END = -1


class SeamError(EngineError):
    """Two cells do not see the same lines cross their common border."""


@dataclass(frozen=True, eq=False, slots=True)
class Glued:
    """A planar map without names, see Partition; edge_row as in Pieces.

    face (F,) int32: one of the pieces' faces that each face consists of; edge (pieces,) int32: the edge that each of
    the pieces' edges is a part of.
    """

    vertices: Float
    output: Float
    edges: Int
    edge_row: Int
    edge_faces: Int
    face_offsets: Int
    face_vertices: Int
    face_edges: Int
    face: Int
    edge: Int


def joined(parts: Sequence[Pieces]) -> Pieces:
    """Return all pieces as one, numbered one after the other."""
    starts = {name: np.cumsum([0, *(len(getattr(part, name)) for part in parts)]) for name in Pieces._fields}
    whole = {
        name: np.empty((starts[name][-1], *getattr(parts[0], name).shape[1:]), getattr(parts[0], name).dtype)
        for name in Pieces._fields
    }
    for n, part in enumerate(parts):
        first = {name: int(start[n]) for name, start in starts.items()}
        for name, array in part._asdict().items():
            whole[name][first[name] : first[name] + len(array)] = array
        here = {name: whole[name][start : start + len(getattr(part, name))] for name, start in first.items()}
        _shift(here["edges"], first["vertices"], first["port_edge"])
        _shift(here["following"], 2 * first["edges"], 0)
        _shift(here["edge_faces"], first["bits"], 0)
        _shift(here["port_edge"], first["edges"], 0)
        _shift(here["tokens"], first["bits"], first["port_edge"])
        here["face_cell"] += first["cells"]
        here["sides"][:, 4:6] += first["tokens"]
        here["cells"][:, 3] += first["rows"]
        here["zeros"][:, 0] += first["cells"]
        here["also"][:, 0] += first["edges"]
        here["level_edges"] += first["edges"]
    return Pieces(**whole)


def _shift(numbers: Int, shift: int, shift_negative: int) -> None:
    """Add to numbers, in place; negative ones move away from zero, by another number."""
    flat = numbers.reshape(-1)
    _shift_all(flat, shift, shift_negative)


@kernel
def _shift_all(numbers, shift, shift_negative):
    for k in range(len(numbers)):
        numbers[k] += shift if numbers[k] >= 0 else -shift_negative


def glued(pieces: Pieces) -> Glued:
    """Return the planar map that the cells are parts of.  Raises SeamError where they do not fit."""
    sides = pieces.sides
    order = np.lexsort((sides[:, 2], sides[:, 3], sides[:, 1], sides[:, 0]))
    mate = np.full(len(pieces.port_edge), NOTHING, np.int32)
    root = np.arange(len(pieces.bits), dtype=np.int32)
    if not _pair(sides[order], pieces.tokens, pieces.port_edge, pieces.edge_row, mate, root):
        raise SeamError("two cells of the slice do not fit together")
    faces = _number_roots(root)
    ends = np.count_nonzero(pieces.edges >= 0)
    count = ends // 2
    edges, edge_faces = np.empty((count, 2), np.int32), np.empty((count, 2), np.int32)
    edge_piece, last = np.empty(count, np.int32), np.empty(2 * count, np.int32)
    number = np.full(len(pieces.edges), NOTHING, np.int32)
    made = _join_edges(
        pieces.edges, pieces.edge_faces, pieces.port_edge, mate, root, edges, edge_faces, edge_piece, last, number
    )
    offsets, loop_starts = np.zeros(faces + 1, np.int32), np.full(faces, NOTHING, np.int32)
    following = np.empty(2 * count, np.int32)
    loops = np.empty((2, np.count_nonzero(edge_faces >= 0)), np.int32)
    if made != count or not _walk_loops(
        pieces.following, last, number, edges, edge_faces, following, offsets, loop_starts, *loops
    ):
        raise SeamError("the regions of the slice do not close")
    face = np.empty(faces, np.int32)
    face[root[::-1]] = np.arange(len(root) - 1, -1, -1, dtype=np.int32)
    return Glued(
        np.ascontiguousarray(pieces.vertices[:, :2]), np.ascontiguousarray(pieces.vertices[:, 2]), edges,
        pieces.edge_row[edge_piece], edge_faces, offsets, loops[0], loops[1], face, number >> 1,
    )  # fmt: skip


@inline
def _root(root, f):
    while root[f] != f:
        root[f] = root[root[f]]
        f = root[f]
    return f


@inline
def _to_next_port(sides, tokens, side, stop, at, face, root):
    """Unite the faces from token `at` of a side with `face`, if that is one, up to the next port.

    Returns the face, the port, or END where the cells along the line do, and the side and the token to go on at.
    """
    while side < stop:
        while at < sides[side, 5]:
            token = tokens[at]
            at += 1
            if token < 0:
                return face, -1 - token, side, at
            found = _root(root, token)
            if face >= 0:
                face = _root(root, face)
                root[max(found, face)] = min(found, face)
                found = min(found, face)
            face = found
        end = sides[side, 6]
        side += 1
        if side < stop:
            at = sides[side, 4]
            if sides[side, 2] != end:
                break
    return face, END, side, at


@kernel
def _pair(sides, tokens, port_edge, edge_row, mate, root):
    """Pair the ports of both sides of every line, and unite the faces between them; returns whether they fit.

    sides: in order of axis, line, which side of it, and place.
    """
    start = 0
    while start < len(sides):
        axis, line = sides[start, 0], sides[start, 1]
        middle = start
        while middle < len(sides) and sides[middle, 0] == axis and sides[middle, 1] == line and sides[middle, 3] == 0:
            middle += 1
        stop = middle
        while stop < len(sides) and sides[stop, 0] == axis and sides[stop, 1] == line:
            stop += 1
        one, other = start, middle
        at_one = sides[one, 4] if one < middle else 0
        at_other = sides[other, 4] if other < stop else 0
        while one < middle or other < stop:
            face, p, one, at_one = _to_next_port(sides, tokens, one, middle, at_one, -1, root)
            face, q, other, at_other = _to_next_port(sides, tokens, other, stop, at_other, face, root)
            if p == END and q == END:
                continue
            if END in (p, q) or edge_row[port_edge[p]] != edge_row[port_edge[q]]:
                return False
            mate[p], mate[q] = q, p
        start = stop
    return True


@kernel
def _number_roots(root):
    """root[f]: from the face that f is united with to the number of that; returns how many there are."""
    count = 0
    for f in range(len(root)):
        # A face is never united with one of a higher number.
        if root[f] == f:
            root[f] = -1 - count
            count += 1
        else:
            g = root[f]
            while g >= 0 and root[g] >= 0:
                g = root[g]
            root[f] = root[g]
    for f in range(len(root)):
        root[f] = -1 - root[f]
    return count


@kernel
def _join_edges(ends, sides_of, port_edge, mate, root, edges, edge_faces, edge_piece, last, number):
    """The edges from vertex to vertex, through ports; returns how many there are.

    number (pieces,): of each piece twice the edge, and one more if it runs the other way; last (2 E,): the piece's
    half-edge in which each half-edge ends.
    """
    count = 0
    for e in range(len(ends)):
        for way in range(2):
            if ends[e, way] < 0:
                continue
            at, out, steps = e, 1 - way, 0
            while ends[at, out] < 0:
                p = mate[-1 - ends[at, out]]
                steps += 1
                if p < 0 or steps > len(ends):
                    return -1
                at = port_edge[p]
                out = 1 if ends[at, 0] == -1 - p else 0
            if at < e or (at == e and way == 1):
                continue
            if count == len(edges):
                return -1
            # The edge runs as piece e does: the border's, with the domain to their left.
            edges[count, way], edges[count, 1 - way], edge_piece[count] = ends[e, way], ends[at, out], e
            for side in range(2):
                f = sides_of[e, side]
                edge_faces[count, side] = root[f] if f >= 0 else -1
            last[2 * count + way] = 2 * at + 1 - out
            last[2 * count + 1 - way] = 2 * e + 1 - way
            at, out = e, 1 - way
            number[at] = 2 * count
            while ends[at, out] < 0:
                p = mate[-1 - ends[at, out]]
                at = port_edge[p]
                out = 1 if ends[at, 0] == -1 - p else 0
                number[at] = 2 * count + (1 - out ^ way)
            count += 1
    return count


@kernel
def _walk_loops(
    piece_following, last, number, edges, edge_faces, following, offsets, starts, loop_vertices, loop_edges
):
    """The loops of all faces; returns whether each closes with all its half-edges."""
    for h in range(len(last)):
        if edge_faces[h >> 1, h & 1] >= 0:
            g = piece_following[last[h]]
            if g < 0 or number[g >> 1] < 0:
                return False
            following[h] = number[g >> 1] ^ (g & 1)
            offsets[edge_faces[h >> 1, h & 1] + 1] += 1
    for f in range(len(starts)):
        offsets[f + 1] += offsets[f]
    for h in range(len(last)):
        f = edge_faces[h >> 1, h & 1]
        if f < 0 or starts[f] >= 0:
            continue
        starts[f] = h
        at = h
        for i in range(offsets[f], offsets[f + 1]):
            if i > offsets[f] and at == h:
                return False
            loop_vertices[i], loop_edges[i] = edges[at >> 1, at & 1], at >> 1
            at = following[at]
            if edge_faces[at >> 1, at & 1] != f:
                return False
        if at != h:
            return False
    return starts.min() >= 0
