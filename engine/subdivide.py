"""One cut: all faces of a planar map by the rows of one kink."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import edge_cut, face_cut, face_loop, map_kernels, plans, predicates
from engine.planar_map import Ties
from engine.steps import Float, Int
from engine.table import Table
from engine.workers import Workers, grain

Words = NDArray[np.uint64]
Admit = Callable[[int, int, int], None]
Bound = tuple[Float, Float, Float, Float, Float, Int, Int, Int, Float]

_NANOSECONDS_OF_A_HALF_EDGE = 50.0  # in the loops of the faces that a cut makes
_LONG_WORK = 1 << 18  # half-edges that a face may give beyond which it must be possible to stop in the middle


@dataclass(frozen=True, eq=False, slots=True)
class PlanarMap:
    """A planar map in the making.  positions and uncertainty may have room for more vertices than the map has.

    edges (E, 2) int32; edge_layer, edge_row (E,) int32; offsets (F + 1,) int32; half_edges (H,) int32.
    """

    positions: Table
    uncertainty: Table
    edges: Int
    edge_layer: Int
    edge_row: Int
    offsets: Int
    half_edges: Int

    @property
    def faces(self) -> int:
        return len(self.offsets) - 1

    def edge_faces(self) -> Int:
        """(E, 2) int32: faces left and right of each edge, -1 outside."""
        result = np.full((len(self.edges), 2), -1, np.int32)
        map_kernels.faces_of_edges(self.offsets, self.half_edges, result)
        return result


@dataclass(frozen=True, eq=False, slots=True)
class NewVertices:
    """Vertices made on edges or chords: parents (N, 2) int32, weights (N, 2) float64 (t, dt), carried (N, W) uint64."""

    parents: Int
    weights: Float
    carried: Words

    @classmethod
    def empty(cls, count: int, words: int) -> NewVertices:
        return cls(np.empty((count, 2), np.int32), np.empty((count, 2)), np.zeros((count, words), np.uint64))

    def __len__(self) -> int:
        return len(self.parents)


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """The rows of one kink at the vertices, and what their rounding bound is made of; all grow with the vertices.

    values (V, R): pre-activation minus breakpoint, zeros made exact; norms, loose (V, r) (see predicates); scale (r,
    R); constant (R,).
    """

    values: Table
    norms: Table
    loose: Table
    scale: Float
    constant: Float


@dataclass(frozen=True, eq=False, slots=True)
class Cut:
    """What one cut made of a map.

    batches: the new vertices, on edges and on chords, in the order of their numbers.  plus, minus (V, W): signs of the
    rows at the vertices; mask (W,): the words' bits in use.  face_parent (F,) int32: the face of the map before;
    face_plus, face_minus (F, W): signs of the rows in the faces.  edge_origin (E,) int32: the edge of the map before
    that this one is a piece of, -1 for chords.
    """

    map: PlanarMap
    batches: tuple[NewVertices, NewVertices]
    plus: Words
    minus: Words
    mask: Words
    face_parent: Int
    face_plus: Words
    face_minus: Words
    edge_origin: Int
    ties: Ties

    def zero_edges(self) -> NDArray[np.bool_]:
        """(E,) bool: some row is zero at both ends of the edge, so all along it."""
        zero = np.empty(len(self.map.edges), np.bool_)
        map_kernels.find_zero_edges(self.map.edges, self.plus, self.minus, self.mask, zero)
        return zero


@dataclass(frozen=True, eq=False, slots=True)
class _EdgeCut:
    """The crossings of the edges, and the edges after the cut (chords not yet among them)."""

    new: NewVertices
    edges: Int
    edge_layer: Int
    edge_row: Int
    origin: Int
    lookup: tuple[Any, ...]
    snapped: int
    merges: int


def cut(before: PlanarMap, layer: int, rows: Rows, diameter: float, admit: Admit, workers: Workers) -> Cut:
    """Cut all faces by the lines on which a row is zero.

    diameter: of the domain; admit(vertices, edges, half_edges): asked before that many are added, may refuse.
    """
    old_vertices = len(rows.values)
    words = max(1, -(-rows.values.view.shape[1] // 64))
    bound = _bound(before, rows, diameter, workers)
    plus = Table.empty(old_vertices, (words,), np.uint64, old_vertices + 64)
    minus = Table.empty(old_vertices, (words,), np.uint64, old_vertices + 64)
    snapped = _find_signs(rows, bound, plus.view, minus.view, workers)

    on_edges = _cut_edges(before, rows, bound, plus.view, minus.view, workers)
    admit(len(on_edges.new), len(on_edges.edges) - len(before.edges), 2 * len(on_edges.new))
    bound, zeros = _add_vertices(before, on_edges.new, on_edges.new, old_vertices, rows, bound, plus, minus, workers)
    snapped += on_edges.snapped + zeros

    faces = before.faces
    active = np.empty(faces, np.int32)
    parent_plus, parent_minus = np.empty((2, faces, words), np.uint64)
    workers.run(
        face_loop.find_active, faces, grain(40 * words), before.offsets, before.half_edges, before.edges,
        plus.view, minus.view, active, parent_plus, parent_minus,
    )  # fmt: skip
    after, on_chords, face_parent, ties = _cut_faces(
        before, layer, rows, bound, plus.view, minus.view, active, parent_plus, parent_minus, on_edges, admit, workers
    )
    _, zeros = _add_vertices(before, on_chords, on_edges.new, old_vertices, rows, bound, plus, minus, workers)
    snapped += zeros
    face_plus, face_minus = np.empty((2, after.faces, words), np.uint64)
    workers.run(
        map_kernels.sign_faces, after.faces, grain(40 * words), face_parent, active, parent_plus, parent_minus,
        after.offsets,
        after.half_edges, after.edges, rows.values.view, plus.view, minus.view, face_plus, face_minus,
    )  # fmt: skip
    origin = np.concatenate([on_edges.origin, np.full(len(after.edges) - len(on_edges.edges), -1, np.int32)])
    return Cut(
        after, (on_edges.new, on_chords), plus.view, minus.view, _mask(rows.values.view.shape[1]), face_parent,
        face_plus, face_minus, origin,
        ties + Ties(snapped=snapped, edge_merges=on_edges.merges),
    )  # fmt: skip


def _bound(before: PlanarMap, rows: Rows, diameter: float, workers: Workers) -> Bound:
    """The tolerance as the kernels take it."""
    uncertainty = before.uncertainty.view
    negligible = uncertainty <= predicates.NEGLIGIBLE_UNCERTAINTY * diameter
    first = np.zeros(len(uncertainty) + 1, np.int32)
    incident = np.empty(0, np.int32)
    loose = rows.loose.view
    loose[:] = rows.norms.view
    uncertainty = np.where(negligible, 0.0, uncertainty)
    if not negligible.all():
        incident = np.empty(2 * len(before.edges), np.int32)
        predicates.list_incident(before.edges, uncertainty, first, incident)
    bound = (
        rows.norms.view, loose, rows.scale, rows.constant, uncertainty, first, incident, before.edges,
        before.positions.view,
    )  # fmt: skip
    if len(incident):
        workers.run(predicates.loosen, len(uncertainty), grain(60), bound)
    return bound


def _find_signs(rows: Rows, bound: Bound, plus: Words, minus: Words, workers: Workers) -> int:
    """Signs of the rows at the vertices, zeros made exact; returns how many zeros the bound decided."""
    values = rows.values.view
    undecided = np.empty(len(values), np.bool_)
    workers.run(predicates.classify, len(values), grain(10 + values.shape[1]), values, bound, plus, minus, undecided)
    vertices = np.flatnonzero(undecided).astype(np.int32)
    snapped = workers.run(
        predicates.settle, len(vertices), grain(10 + 2 * values.shape[1]), vertices, values, bound, plus, minus
    )
    if len(vertices):
        predicates.flatten_zeros(vertices, values, plus, minus)
    return sum(snapped)


def _cut_edges(before: PlanarMap, rows: Rows, bound: Bound, plus: Words, minus: Words, workers: Workers) -> _EdgeCut:
    edges = before.edges
    counts = np.empty(len(edges), np.int32)
    snapped = 0
    while True:
        workers.run(edge_cut.count_crossings, len(edges), grain(20 * plus.shape[1]), edges, plus, minus, counts)
        cut_edges, offsets = plans.list_cut(counts)
        crossings = int(offsets[-1])
        row, vertex = np.empty((2, crossings), np.int32)
        weights = np.empty((crossings, 2))
        made = np.empty(len(cut_edges), np.int32)
        at_end = np.empty(len(cut_edges), np.bool_)
        merges = sum(
            workers.run(
                edge_cut.find_crossings, len(cut_edges), grain(200), cut_edges, offsets, edges, rows.values.view, bound,
                plus, minus, row, vertex, weights, made, at_end,
            )
        )  # fmt: skip
        if not at_end.any():
            break
        snapped += edge_cut.snap_to_ends(cut_edges, offsets, edges, rows.values.view, plus, minus, row, weights, at_end)

    first_vertex, first_edge, new_edges, edge_layer, edge_row, origin, cut_index = plans.plan_edges(
        cut_edges, made, edges, before.edge_layer, before.edge_row
    )
    new = NewVertices.empty(int(first_vertex[-1]), plus.shape[1])
    workers.run(
        edge_cut.split_edges, len(cut_edges), grain(40), cut_edges, offsets, new_edges, edge_layer, edge_row, row,
        vertex,
        weights, made, first_vertex, first_edge, len(plus), new.parents, new.weights, new.carried,
    )  # fmt: skip
    lookup = (
        before.offsets, before.half_edges, edges, cut_index, offsets, row, vertex, made, first_vertex, first_edge,
        len(plus),
    )  # fmt: skip
    return _EdgeCut(new, new_edges, edge_layer, edge_row, origin, lookup, snapped, merges)


def _add_vertices(
    before: PlanarMap, new: NewVertices, on_edges: NewVertices, old_vertices: int, rows: Rows, bound: Bound,
    plus: Table, minus: Table, workers: Workers,
) -> tuple[Bound, int]:  # fmt: skip
    """Append vertices: positions, rows and signs.  Returns the bound over all vertices and the zeros found."""
    first, count = len(rows.values), len(new)
    positions, uncertainty = before.positions.grow(count), before.uncertainty.grow(count)
    workers.run(map_kernels.place_vertices, count, grain(30), positions, uncertainty, first, new.parents, new.weights)
    bound = (rows.norms.grow(count), rows.loose.grow(count), *bound[2:])
    zeros = workers.run(
        predicates.classify_new, count, grain(20 + 2 * rows.values.view.shape[1]), rows.values.grow(count), bound,
        plus.grow(count), minus.grow(count),
        first, new.parents, new.weights, new.carried, old_vertices, on_edges.parents, on_edges.weights,
    )  # fmt: skip
    return bound, sum(zeros)


def _cut_faces(
    before: PlanarMap, layer: int, rows: Rows, bound: Bound, plus: Words, minus: Words, active: Int,
    parent_plus: Words, parent_minus: Words, on_edges: _EdgeCut, admit: Admit, workers: Workers,
) -> tuple[PlanarMap, NewVertices, Int, Ties]:  # fmt: skip
    """Cut the active faces; returns the map after, its vertices on chords, the faces' parents and the ties by kind."""
    faces, _ = plans.list_cut(active)
    lookup, words = on_edges.lookup, plus.shape[1]
    loop_lengths = np.empty(len(faces), np.int32)
    workers.run(face_loop.loop_lengths, len(faces), grain(20), faces, lookup, loop_lengths)
    longest = int(loop_lengths.max(initial=0))
    need = np.empty((len(faces), 6), np.int64)
    arguments = (faces, lookup, rows.values.view)
    workers.run(
        face_cut.measure_faces, len(faces), grain(150), *arguments, plus, minus, parent_plus, parent_minus, active,
        loop_lengths, need,
    )  # fmt: skip

    old_edges = len(on_edges.edges)
    starts, first_face, first_half_edge, totals, most = plans.plan_faces(faces, need, before.offsets, old_edges)
    new_faces, chord_vertices, chord_edges, size = totals.tolist()
    admit(chord_vertices, chord_edges, size)

    new = NewVertices.empty(chord_vertices, words)
    edges, edge_layer, edge_row = plans.extend_edges(
        on_edges.edges, on_edges.edge_layer, on_edges.edge_row, chord_edges, layer
    )
    lengths = np.empty(new_faces, np.int32)
    half_edges = np.empty(size, np.int32)
    used = np.empty((len(faces), 7), np.int32)
    what = (
        *arguments, bound, plus, minus, parent_plus, parent_minus, on_edges.new.parents, on_edges.new.weights, starts,
        longest, (int(most[0]), int(most[1]) + 1), edges, edge_row, lengths, half_edges,
        new.parents, new.weights, new.carried, used,
    )  # fmt: skip
    if most[0] > _LONG_WORK:
        workers.run_watched(face_cut.cut_faces, 0, len(faces), *what)
    else:
        ends = plans.pieces(need[:, face_cut.HALF_EDGES], grain(_NANOSECONDS_OF_A_HALF_EDGE))
        workers.run_pieces(face_cut.cut_faces, ends.tolist(), *what, np.zeros(1, np.uint8))
    workers.run(
        map_kernels.copy_loops, before.faces, grain(20), active, before.offsets, before.half_edges, first_face,
        first_half_edge, lengths, half_edges,
    )  # fmt: skip
    offsets, parents = plans.close_faces(lengths, first_face)
    after = PlanarMap(before.positions, before.uncertainty, edges, edge_layer, edge_row, offsets, half_edges)
    irregular, merges, forced, complete = plans.tally(used, need)
    if not complete:
        kept = [
            _kept(len(array), starts[:, c] - base, need[:, c], used[:, c])
            for c, (array, base) in enumerate(
                ((lengths, 0), (new.parents, 0), (edges[old_edges:], old_edges), (half_edges, 0))
            )
        ]
        after, new = _compact(after, new, lengths, len(plus), kept)
        parents = parents[kept[0]]
    return after, new, parents, Ties(chord_merges=merges, irregular=irregular, forced=forced)


def _kept(count: int, starts: Int, need: NDArray[np.int64], used: Int) -> NDArray[np.bool_]:
    """(count,) bool: False for what was set aside from starts on but not used."""
    spare = need - used
    first = np.repeat(starts + used, spare)
    ramp = np.arange(len(first)) - np.repeat(np.cumsum(spare) - spare, spare)
    kept = np.ones(count, np.bool_)
    kept[first + ramp] = False
    return kept


def _compact(
    after: PlanarMap, new: NewVertices, lengths: Int, first_vertex: int, kept: list[NDArray[np.bool_]]
) -> tuple[PlanarMap, NewVertices]:
    """Close the gaps that merged crossings left in the numbers of faces, vertices, chord edges and half-edges."""
    kept_faces, kept_vertices, kept_chords, kept_half_edges = kept
    old_edges = len(after.edges) - len(kept_chords)
    vertex = np.concatenate([np.arange(first_vertex), first_vertex + np.cumsum(kept_vertices) - 1]).astype(np.int32)
    edge = np.concatenate([np.arange(old_edges), old_edges + np.cumsum(kept_chords) - 1]).astype(np.int32)
    kept_edges = np.concatenate([np.ones(old_edges, np.bool_), kept_chords])
    half_edges = after.half_edges[kept_half_edges]
    return PlanarMap(
        after.positions,
        after.uncertainty,
        vertex[after.edges[kept_edges]],
        after.edge_layer[kept_edges],
        after.edge_row[kept_edges],
        _offsets(lengths[kept_faces]),
        2 * edge[half_edges >> 1] + (half_edges & 1),
    ), NewVertices(new.parents[kept_vertices], new.weights[kept_vertices], new.carried[kept_vertices])


def _mask(rows: int) -> Words:
    """The bits in use when `rows` rows are packed into words."""
    words = max(1, -(-rows // 64))
    return np.array([(1 << min(64, rows - 64 * w)) - 1 for w in range(words)], np.uint64)


def _offsets(counts: Int) -> Int:
    """(N + 1,) int32: 0 and the running sums of counts."""
    result = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=result[1:])
    return result
