"""Decisions that rounding leaves in doubt, made with exact numbers.

A vertex is where two lines meet, each the zero of a row in a face around it.  The maps of that face are known in
integers, so the value of any other row there is a known fraction, and so is where rows cross an edge or a chord.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int
from engine.exactness.exact_lines import Line, crossing, minus, quotient, ranks_along, through
from engine.network.coincident_lines import Lines
from engine.planar_map.edge_cut import Crossings, CutEdges, doubtful_gaps
from engine.planar_map.new_vertices import NewVertices
from engine.planar_map.planar_map import BORDER, OUTSIDE
from engine.planar_map.unfinished_map import PlanarMap
from engine.plane import SlicePlane
from engine.slices.exact_maps import FaceMaps, FaceSide
from engine.slices.schedule import Segment
from engine.tolerances import NEAREST, QUOTIENT, UNDERFLOW

FaceSignWords = tuple[Int, NDArray[np.uint64], NDArray[np.uint64], int]
"""Parent, plus, minus and rows of a FaceSigns."""

_CHECKED = 64  # decisions between two questions whether to stop
_NO_LINES = np.empty(0, np.int32)
_NO_VERTICES = NewVertices.empty(0, 1)
_NO_CUTS = CutEdges.empty(_NO_LINES, 0, 0)
_LINE_BITS = 31  # of the number of a line, beside that of a vertex


class _UndecidableError(Exception):
    """No two lines that cross are known at a vertex: a sign that was never in doubt was wrong."""


class Examination:
    """Makes the decisions of one cut after the other that rounding leaves in doubt, at most `most` of them.

    polygon (M, 2): the corners of the slice; face_signs: of the layers that are cut, a list that grows; examining is
    told every now and then how many decisions were made in this cut, and raises Cancelled to stop.  unexamined:
    decisions that were left to rounding, and not treated as a coincidence.
    """

    def __init__(
        self, plane: SlicePlane, polygon: Float, segments: Sequence[Segment], lines: Lines,
        face_signs: Sequence[FaceSignWords], most: int | None, examining: Callable[[int], None],
    ) -> None:  # fmt: skip
        self._maps = FaceMaps(plane, segments, self._side)
        self._polygon, self._segments, self._face_signs = polygon, segments, face_signs
        self._lines, self._left, self._examining = lines, most, examining
        self.unexamined = 0
        self._underflow = False  # a value was found whose product might be too small for float64

    def start(self, layer: int, before: PlanarMap) -> None:
        """Begin with the cut of a map by a layer."""
        self._layer, self._before, self._vertices = layer, before, len(before.positions)
        self._edges = before.edges
        self.lines = self._lines[layer] if layer < len(self._lines) else _NO_LINES
        self._on_own_line: NDArray[np.int64] | None = None
        self._starts: Int | None = None  # the vertex that each half-edge of a loop leaves
        self._faces: Int | None = None  # beside each half-edge
        self._cut: NDArray[np.int64] | None = None  # the edges that are cut, in the order of the vertices on them
        self.know(_NO_VERTICES, _NO_CUTS)
        self._around: dict[int, list[tuple[int, int, int]]] = {}
        self._places: dict[int, tuple[int, int, int, int]] = {}
        self._asked: set[tuple[int, int]] = set()
        self._made = 0  # decisions

    def know(self, on_edges: NewVertices, cut: CutEdges, on_chords: NewVertices = _NO_VERTICES) -> None:
        """Take the vertices that the cut made on its edges and chords, numbered after the old ones."""
        self._on_edges, self._cut_edges, self._on_chords = on_edges, cut, on_chords

    def zeros_are_exact(self) -> bool:
        """Return whether features that this cut's rows are sums of are exactly zero where they are so in float64.

        Places in the slice are rounded when they are made inputs.
        """
        return self._layer > 0 and self._segments[self._layer - 1].keeps_zeros and not self._underflow

    def not_asked(self, pairs: Int) -> Int:
        """Return those (vertex, row) pairs (N, 2), each once, whose values have not been asked for in this cut."""
        unique = np.unique(pairs, axis=0)
        return unique[[pair not in self._asked for pair in map(tuple, unique.tolist())]]

    def values(self, pairs: Int) -> Float:
        """Return the rows at vertices, (N, 2) pairs, rounded to float64: zero only where they are exactly zero.

        NaN where no more decisions may be made.
        """
        found = np.where(self._is_on_own_line(pairs), 0.0, np.nan)
        self._asked.update(map(tuple, pairs.tolist()))
        open_ = np.flatnonzero(np.isnan(found))
        self._look_around(pairs[open_, 0])
        for n, (vertex, row) in zip(open_.tolist(), pairs[open_].tolist(), strict=True):
            if n % _CHECKED == 0:
                self._examining(self._made)
            if self._may():
                with suppress(_UndecidableError):
                    x, y, w, face = self._place_of(vertex)
                    line = self._row(self._layer, face, row)
                    found[n] = quotient(line.a * x + line.b * y + line.c * w, w << line.exponent)
        # Smaller values are all in doubt, so each that there is has been seen here.
        self._underflow |= bool(((found != 0.0) & (np.abs(found) < UNDERFLOW)).any())
        return found

    def _is_on_own_line(self, pairs: Int) -> NDArray[np.bool_]:
        """Return whether (vertex, row) pairs are at the end of an edge that an earlier row with the same line made."""
        if len(self.lines) == 0:
            return np.zeros(len(pairs), np.bool_)
        if self._on_own_line is None:
            parts = [np.empty(0, np.int64)]
            layer, row = (table.view[: len(self._edges)] for table in (self._before.edge_layer, self._before.edge_row))
            for earlier in range(self._layer):
                edges = np.flatnonzero(layer == earlier)
                if len(self._lines[earlier]):
                    line = self._lines[earlier][row[edges]]
                    ends = self._edges[edges].astype(np.int64) << _LINE_BITS | line[:, None]
                    parts.append(ends[line >= 0].ravel())
            self._on_own_line = np.unique(np.concatenate(parts))
        line = self.lines[pairs[:, 1]]
        known = np.isin(pairs[:, 0].astype(np.int64) << _LINE_BITS | line, self._on_own_line)
        return np.asarray(known & (line >= 0))

    def order_edges(self, piece: Crossings, rows: Float) -> Crossings:
        """Put the crossings of the edges piece.close in order; those at the same place become one vertex.

        rows (V, R): at the vertices before the cut, where those that are in doubt have been asked for.
        """
        counts = np.diff(piece.first_vertex)
        for i in piece.close.tolist():
            self._examining(self._made)
            start, stop = piece.first_crossing[i : i + 2].tolist()
            if not self._may(stop - start - 1):
                self.unexamined += int(doubtful_gaps(start, stop, piece.weights, piece.vertex))
                continue
            edge, crossed = int(piece.edges[i]), piece.row[start:stop].copy()
            face, (a, b) = self._faces_beside(edge)[0], self._edges[edge]
            others = [self._row(self._layer, face, row) for row in crossed.tolist()]
            ranks = ranks_along(self._line(face, edge), others, rows[a, crossed].tolist())
            order = np.argsort(ranks, kind="stable")
            piece.row[start:stop] = crossed[order]
            piece.vertex[start:stop] = np.unique(ranks[order], return_inverse=True)[1]
            piece.weights[start:stop] = _weights(rows[a, crossed[order]], rows[b, crossed[order]])
            counts[i] = piece.vertex[stop - 1] + 1
        first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        return piece._replace(first_vertex=first, merges=len(piece.row) - int(first[-1]))

    def ranks(self, face: int, rows: Int, ends: Int, values: Float) -> Int | None:
        """Return (A, A) int32: the rank of the crossing with chord j among all on chord i, of a face's chords.

        rows (A,): theirs; ends (A, 2): the vertices where each starts and ends; values (V, R): all rows there.  None
        when no more decisions may be made.
        """
        self._examining(self._made)
        count = len(rows)
        if not self._may(count * (count - 1) // 2):
            return None
        lines = [self._row(self._layer, face, row) for row in rows.tolist()]
        starts, stops = (values[ends[:, end, None], rows] for end in range(2))
        crossed = np.sign(starts) * np.sign(stops) < 0.0
        ranks = np.zeros((count, count), np.int32)
        for i, line in enumerate(lines):
            others = np.flatnonzero(crossed[i])
            ranks[i, others] = ranks_along(line, [lines[j] for j in others.tolist()], starts[i, others].tolist())
        return ranks

    def _may(self, decisions: int = 1) -> bool:
        """Return whether so many more decisions may be made, and count them."""
        if self._left is not None:
            self._left -= decisions
            if self._left < 0:
                return False
        self._made += decisions
        return True

    def _faces_beside(self, edge: int) -> list[int]:
        if self._faces is None:
            offsets, half_edges = self._before.offsets, self._before.half_edges
            self._faces = np.full(2 * len(self._edges), OUTSIDE, np.int32)
            self._faces[half_edges] = np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))
        return [face for face in self._faces[2 * edge : 2 * edge + 2].tolist() if face != OUTSIDE]

    def _edge_under(self, number: int) -> int:
        """Return the edge that a new vertex on an edge is on."""
        if self._cut is None:
            of_edge = self._cut_edges.number
            cut = np.flatnonzero(of_edge >= 0)
            self._cut = cut[np.argsort(of_edge[cut])]
        return int(self._cut[np.searchsorted(self._cut_edges.first_vertex, number, side="right") - 1])

    def _faces_at(self, vertex: int) -> list[int]:
        """Return the faces before the cut around a vertex before it, or beside the edge that it is on."""
        if vertex < self._vertices:
            return [face for face, _, _ in self._around[vertex]]
        return self._faces_beside(self._edge_under(vertex - self._vertices))

    def _place_of(self, vertex: int) -> tuple[int, int, int, int]:
        """Return integers x, y, w > 0 and a face before the cut: the vertex is at (x / w, y / w), in or on that face.

        It is found as the place where two lines cross that are known to meet there.
        """
        found = self._places.get(vertex)
        if found is None:
            for face, one, others in self._lines_at(vertex):
                places = (crossing(one, other) for other in others)
                place = next((place for place in places if place is not None), None)
                if place is not None:
                    found = self._places[vertex] = *place, face
                    break
            else:
                raise _UndecidableError
        return found

    def _lines_at(self, vertex: int) -> Iterator[tuple[int, Line, list[Line]]]:
        """Yield faces around a vertex, each with a line through it there and others."""
        number = vertex - self._vertices
        if number < 0:
            for face, before, after in self._around[vertex]:
                yield face, self._line(face, before), [self._line(face, after)]
        elif number < len(self._on_edges.parents):
            edge = self._edge_under(number)
            face = self._faces_beside(edge)[0]
            yield face, self._line(face, edge), self._carried(face, self._on_edges, number)
        else:
            number -= len(self._on_edges.parents)
            a, b = self._on_chords.parents[number].tolist()
            for face in set(self._faces_at(a)).intersection(self._faces_at(b)):
                first, *others = self._carried(face, self._on_chords, number)
                yield face, first, others

    def _carried(self, face: int, new: NewVertices, number: int) -> list[Line]:
        """Return the lines in a face of the rows that are zero at a new vertex by construction."""
        bits = np.unpackbits(new.carried[number].astype("<u8").view(np.uint8), bitorder="little")
        return [self._row(self._layer, face, row) for row in np.flatnonzero(bits).tolist()]

    def _look_around(self, vertices: Int) -> None:
        """Find the faces at old vertices, and at those between which chords are, each with its two edges there."""
        first_on_chords = self._vertices + len(self._on_edges.parents)
        ends = self._on_chords.parents[vertices[vertices >= first_on_chords] - first_on_chords]
        every = np.unique(np.concatenate([vertices, ends.ravel()]))
        unknown = [v for v in every[every < self._vertices].tolist() if v not in self._around]
        if not unknown:
            return
        half_edges, offsets = self._before.half_edges, self._before.offsets
        if self._starts is None:
            self._starts = self._edges.reshape(-1)[half_edges]
        wanted = np.zeros(self._vertices, np.bool_)
        wanted[unknown] = True
        at = np.flatnonzero(wanted[self._starts])
        face = np.searchsorted(offsets, at, side="right") - 1
        before = np.where(at > offsets[face], at, offsets[face + 1]) - 1
        found = np.column_stack([self._starts[at], face, half_edges[before] >> 1, half_edges[at] >> 1])
        self._around.update((v, []) for v in unknown)
        for vertex, *corner in found.tolist():
            self._around[vertex].append(tuple(corner))

    def _line(self, face: int, edge: int) -> Line:
        """Return the line that an edge of a face is a piece of."""
        layer, row = int(self._before.edge_layer.view[edge]), int(self._before.edge_row.view[edge])
        if layer == BORDER:
            return through(*self._polygon[[row, (row + 1) % len(self._polygon)]].tolist())
        for later in range(self._layer - 1, layer - 1, -1):
            face = int(self._face_signs[later][0][face])
        return self._row(layer, face, row)

    def _row(self, layer: int, face: int, row: int) -> Line:
        segment = self._segments[layer]
        line = self._maps.line(layer, face, int(segment.neuron[row]))
        return minus(line, float(segment.breakpoint[row]))

    def _side(self, layer: int, face: int) -> FaceSide:
        parent, plus, _, rows = self._face_signs[layer - 1]
        bits = np.unpackbits(plus[face].astype("<u8").view(np.uint8), count=rows, bitorder="little")
        return FaceSide(face, int(parent[face]), bits.astype(np.bool_))


def _weights(at_a: Float, at_b: Float) -> Float:
    """Return (N, 2): the places where rows cross an edge, as engine/exactness/predicates.py counts them, and their
    uncertainty.

    at_a, at_b (N,): rows at its ends, as good as rounding allows.
    """
    share = at_a / (at_a - at_b)
    place = np.where(np.abs(at_a) <= np.abs(at_b), share, np.minimum(at_b / (at_a - at_b), -NEAREST))
    return np.column_stack([place, QUOTIENT * np.abs(place)])
