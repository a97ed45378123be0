"""Decisions that rounding leaves in doubt, made with exact numbers.

A vertex is where two lines meet, each the zero of a row in a face around it.  The maps of that face are known in
integers, so the value of any other row there is a known fraction, and so is where rows cross an edge or a chord.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from engine.coincident_lines import Lines
from engine.edge_cut import Crossings, doubtful_gaps
from engine.exact_lines import Line, crossing, minus, ranks_along, through
from engine.exact_maps import FaceMaps, FaceSide
from engine.new_vertices import NewVertices
from engine.planar_map import BORDER
from engine.plane import SlicePlane
from engine.schedule import Segment
from engine.steps import Float, Int
from engine.tolerances import NEAREST, QUOTIENT
from engine.unfinished_map import PlanarMap

FaceSignWords = tuple[Int, NDArray[np.uint64], NDArray[np.uint64], int]
"""Parent, plus, minus and rows of a FaceSigns."""

_CHECKED = 64  # decisions between two questions whether to stop
_LEAST = math.ulp(0.0)
_NO_LINES = np.empty(0, np.int32)
_LINE_BITS = 31  # of the number of a line, beside that of a vertex


class _UndecidableError(Exception):
    """No two lines that cross are known at a vertex: a sign that was never in doubt was wrong."""


class Examination:
    """Makes the decisions of one cut after the other that rounding leaves in doubt, at most `most` of them.

    polygon (M, 2): the corners of the slice; face_signs: of the layers that are cut, a list that grows; check raises
    Cancelled to stop.  unexamined: decisions that were left to rounding, and not treated as a coincidence.
    """

    def __init__(
        self, plane: SlicePlane, polygon: Float, segments: Sequence[Segment], lines: Lines,
        face_signs: Sequence[FaceSignWords], most: int | None, check: Callable[[], None],
    ) -> None:  # fmt: skip
        self._maps = FaceMaps(plane, segments, self._side)
        self._polygon, self._segments, self._face_signs = polygon, segments, face_signs
        self._lines = tuple(line if (line >= 0).any() else _NO_LINES for line in lines)
        self._left, self._check = most, check
        self.unexamined = 0

    def start(self, layer: int, before: PlanarMap) -> None:
        """Begin with the cut of a map by a layer."""
        self._layer, self._before, self._vertices = layer, before, len(before.positions)
        self._edges = before.edges
        self.lines = self._lines[layer] if layer < len(self._lines) else _NO_LINES
        self._on_own_line: NDArray[np.int64] | None = None
        self._starts: Int | None = None  # the vertex that each half-edge of a loop leaves
        self._beside: Int | None = None  # a face of each edge
        self.know(*[NewVertices.empty(0, 1)] * 2)
        self._around: dict[int, list[tuple[int, int, int]]] = {}
        self._places: dict[int, tuple[int, int, int, int]] = {}
        self._values: dict[tuple[int, int], Fraction] = {}
        self._shares: dict[int, Fraction] = {}
        self._parents_of: dict[int, tuple[list[int], list[int]]] = {}
        self._asked: set[tuple[int, int]] = set()

    def know(self, on_edges: NewVertices, on_chords: NewVertices) -> None:
        """Take the vertices that the cut made, numbered after the old ones."""
        self._on_edges, self._on_chords = on_edges, on_chords

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
                self._check()
            if self._may():
                with suppress(_UndecidableError):
                    found[n] = _rounded(self._value(vertex, row))
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
            self._check()
            start, stop = piece.first_crossing[i : i + 2].tolist()
            if not self._may(stop - start - 1):
                self.unexamined += int(doubtful_gaps(start, stop, piece.weights, piece.vertex))
                continue
            edge, crossed = int(piece.edges[i]), piece.row[start:stop].copy()
            face, (a, b) = self._face_beside(edge), self._edges[edge]
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
        self._check()
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
        if self._left is None:
            return True
        self._left -= decisions
        return self._left >= 0

    def _face_beside(self, edge: int) -> int:
        if self._beside is None:
            offsets, half_edges = self._before.offsets, self._before.half_edges
            self._beside = np.empty(len(self._edges), np.int32)
            self._beside[half_edges >> 1] = np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))
        return int(self._beside[edge])

    def _value(self, vertex: int, row: int) -> Fraction:
        """Return the exact value of a row of this cut at any vertex, also at one that the cut made."""
        found = self._values.get((vertex, row))
        if found is None:
            if vertex < self._vertices:
                x, y, w, face = self._place_of(vertex)
                line = self._row(self._layer, face, row)
                found = Fraction(line.a * x + line.b * y + line.c * w, w << line.exponent)
            else:
                a, b = (self._value(parent, row) for parent in self._parents(vertex)[0])
                found = a + self._share(vertex) * (b - a) if a != b else a
            self._values[vertex, row] = found
        return found

    def _share(self, vertex: int) -> Fraction:
        """Return how far a vertex that the cut made is on the way between its parents: where its rows are zero."""
        found = self._shares.get(vertex)
        if found is None:
            parents, rows = self._parents(vertex)
            for row in rows:
                a, b = (self._value(parent, row) for parent in parents)
                if a != b:
                    found = self._shares[vertex] = a / (a - b)
                    break
            else:
                raise _UndecidableError
        return found

    def _parents(self, vertex: int) -> tuple[list[int], list[int]]:
        """Return the parents of a vertex that the cut made, and the rows that are zero at it."""
        found = self._parents_of.get(vertex)
        if found is None:
            number, new = vertex - self._vertices, self._on_edges
            if number >= len(new.parents):
                number, new = number - len(new.parents), self._on_chords
            bits = np.unpackbits(new.carried[number].astype("<u8").view(np.uint8), bitorder="little")
            found = self._parents_of[vertex] = new.parents[number].tolist(), np.flatnonzero(bits).tolist()
        return found

    def _place_of(self, vertex: int) -> tuple[int, int, int, int]:
        """Return integers x, y, w > 0 and a face: an old vertex is at (x / w, y / w), a corner of that face."""
        found = self._places.get(vertex)
        if found is None:
            for face, *edges in self._around[vertex]:
                place = crossing(*(self._line(face, edge) for edge in edges))
                if place is not None:
                    found = self._places[vertex] = *place, face
                    break
            else:
                raise _UndecidableError
        return found

    def _look_around(self, vertices: Int) -> None:
        """Find the faces at old vertices, and at those between which new ones are, each with its two edges there."""
        first = self._vertices
        for new, start in (self._on_chords, first + len(self._on_edges.parents)), (self._on_edges, first):
            made = vertices >= start
            vertices = np.concatenate([vertices[~made], new.parents[vertices[made] - start].ravel()])
        unknown = [v for v in np.unique(vertices).tolist() if v not in self._around]
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


def _rounded(number: Fraction) -> float:
    """Return the nearest float64, but for numbers too small or too large for one, which keep their sign."""
    try:
        return float(number) or (math.copysign(_LEAST, number) if number else 0.0)
    except OverflowError:
        return math.copysign(sys.float_info.max, number)


def _weights(at_a: Float, at_b: Float) -> Float:
    """Return (N, 2): the places where rows cross an edge, as engine/predicates.py counts them, and their uncertainty.

    at_a, at_b (N,): rows at its ends, as good as rounding allows.
    """
    share = at_a / (at_a - at_b)
    place = np.where(np.abs(at_a) <= np.abs(at_b), share, np.minimum(at_b / (at_a - at_b), -NEAREST))
    return np.column_stack([place, QUOTIENT * np.abs(place)])
