"""One cut: all faces of a planar map by the rows of one kink."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from engine.arrays import Bool, Counts, Float, Int, Words
from engine.exactness import predicates
from engine.exactness.predicates import WORD, Tolerance
from engine.machine.table import Table
from engine.machine.workers import NEVER_STOP, PIECE_NANOSECONDS, Stop, Workers, equal_ends, equal_pieces, grain
from engine.planar_map import edge_cut, face_count, face_cut, map_kernels
from engine.planar_map.compaction import without_gaps
from engine.planar_map.edge_cut import Crossings, CutEdges
from engine.planar_map.face_count import EDGES
from engine.planar_map.face_cut import DOUBTFUL, FORCED, IDENTICAL, IRREGULAR, MERGES, Faces, Ranks
from engine.planar_map.face_loop import Loops
from engine.planar_map.new_vertices import NewVertices, interpolate_rows
from engine.planar_map.planar_map import Ties
from engine.planar_map.unfinished_map import PlanarMap
from engine.slices.examination import Examination
from engine.slices.memory_plan import Admission, Growth
from engine.tolerances import DOUBT

_NO_PAIRS = np.empty((0, 2), np.int32)
_LONG_WORK = 1 << 18  # half-edges that a face may give beyond which it must be possible to stop in the middle
_NANOSECONDS_OF_FACE = 150  # and 50 for each word of signs
_NANOSECONDS_OF_PAIR = 90  # of rows that are active in the same face; some cross each other in it


@dataclass(frozen=True, eq=False, slots=True)
class Signs:
    """Signs of a cut's rows at the vertices that are beyond doubt: plus, minus (V, W) uint64; undecided (V,) bool:
    where some are not.
    """

    plus: Words
    minus: Words
    undecided: Bool

    @property
    def arguments(self) -> tuple[Words, Words, Bool]:
        return self.plus, self.minus, self.undecided


@dataclass(frozen=True, eq=False, slots=True)
class Cut:
    """What one cut made of a map.

    bound: the tolerance, which now knows the vertices on edges too.  on_edges, on_chords: the new vertices, in the
    order of their numbers.  face_parent (F,) int32: the face of the map before; face_plus, face_minus (F, W): signs of
    the rows in the faces.  edges: where the map's edges were cut; coincident: (edge, row) pairs of further rows along
    edges, in arrays (K, 2) for pieces of the edges.
    """

    map: PlanarMap
    bound: Tolerance
    on_edges: NewVertices
    on_chords: NewVertices
    face_parent: Int
    face_plus: Words
    face_minus: Words
    edges: CutEdges
    coincident: Sequence[Int]
    ties: Ties

    def edge_origin(self) -> Int:
        """(E,) int32: the edge of the map before that each edge is a piece of, -1 for chords."""
        number, old = self.edges.number, len(self.edges.number)
        cut = np.flatnonzero(number >= 0)
        by_place = cut[np.argsort(number[cut])]
        origin = np.full(len(self.map.edges), -1, np.int32)
        origin[:old] = np.arange(old)
        pieces = np.repeat(by_place, np.diff(self.edges.first_vertex))
        origin[old : old + len(pieces)] = pieces
        return origin


def tolerance(before: PlanarMap, uncertain: bool, norms: Table, scale: Float, constant: Float) -> Tolerance:
    """The tolerance of a cut's rows on a map; uncertain: whether the position of any vertex is.

    The norms (V, r) need not be known yet.
    """
    uncertainty = before.uncertainty.view
    first, incident = np.empty(0, np.int32), np.empty(0, np.int32)
    if uncertain:
        first, incident = predicates.list_incident(before.edges, uncertainty, before.negligible)
    return Tolerance(
        norms.view, norms.view, scale, constant, uncertainty, before.negligible, before.positions.view, before.edges,
        first, incident,
    )  # fmt: skip


def cut(
    before: PlanarMap, layer: int, rows: Table, signs: Signs, bound: Tolerance, noise: Float,
    examination: Examination, admission: Admission, workers: Workers,
) -> Cut:  # fmt: skip
    """Cut all faces by the lines on which a row is zero.

    rows (V, R): pre-activation minus breakpoint; zeros are made exact, and the vertices on edges are added.  noise
    (R,): see engine/exactness/inherited_error.py.  examination: makes the decisions that rounding leaves in doubt;
    started for this cut.
    """
    loose = Table(bound.norms, 2 * len(bound.norms) + 1024)
    bound = bound._replace(loose=loose.view)
    snapped, zeros = _settle(rows.view, signs, bound, noise, examination, workers)
    # From here on bounds are widened by DOUBT at most: what noise leaves in doubt is in doubt there too.
    bound = bound._replace(constant=bound.constant + noise / DOUBT)
    edges, cut_edges, on_edges, bound, made_zero, edge_merges = _cut_edges(
        before, rows, signs, bound, loose, examination, admission, workers
    )
    loops = Loops(
        before.offsets, before.half_edges, before.edges.reshape(-1), cut_edges, signs.plus, signs.minus, rows.view
    )  # fmt: skip
    snapped, zeros = snapped + made_zero, zeros or made_zero > 0
    plan = _measure_faces(loops, zeros, workers)
    most = plan.growth(len(on_edges.parents))
    admission.admit_faces(most, lambda: _growth_of_points(most, loops, plan, on_edges, workers))
    examination.know(on_edges, cut_edges)
    snapped += _add_rows(rows, on_edges, bound, examination, workers)
    after, on_chords, faces, made = _cut_faces(
        before, layer, loops._replace(rows=rows.view), plan, bound, on_edges, edges, examination, workers
    )
    examination.know(on_edges, cut_edges, on_chords)
    ties = Ties(snapped, edge_merges, made[MERGES], made[IRREGULAR], made[FORCED])
    # A row can run along an edge of another one only where it is zero at vertices, or where crossings coincide.
    coincident: list[Int] = []
    if zeros or made[IDENTICAL] or ties.total:
        coincident = workers.run(
            map_kernels.find_coincident, len(after.edges), grain(20 + 5 * signs.plus.shape[1]), after.edge_layer.view,
            after.edge_row.view, layer, after.edge_faces(workers), faces.plus, faces.minus,
        )  # fmt: skip
    return Cut(
        after, bound, on_edges, on_chords, faces.parent, faces.plus, faces.minus, cut_edges, coincident, ties
    )  # fmt: skip


def _settle(
    rows: Float,
    signs: Signs,
    bound: Tolerance,
    noise: Float,
    examination: Examination,
    workers: Workers,
) -> tuple[int, bool]:
    """Decide the signs that rounding alone does not, and make zeros exact.

    Returns how many coincidences that makes, and whether there is any zero.
    """
    undecided = signs.undecided
    if len(bound.first):
        undecided |= bound.uncertainty > bound.negligible
    vertices = np.flatnonzero(undecided).astype(np.int32)
    if len(vertices) == 0:
        return 0, False
    zero = np.empty(len(vertices), np.bool_)
    found = workers.run(
        predicates.settle, len(vertices), grain(20 + 3 * rows.shape[1]), vertices, rows, tuple(bound), noise,
        examination.zeros_are_exact(), signs.plus, signs.minus, zero,
    )  # fmt: skip
    doubtful, coincidences = np.concatenate(found), 0
    if len(doubtful):
        values = _examine(doubtful, rows, signs, examination)
        left = np.isnan(values)
        within = left & ~_has_sign(doubtful, signs)
        coincidences = int(np.count_nonzero((values == 0.0) | within))
        examination.unexamined += int(np.count_nonzero(left & ~within))
    if zero.any():
        at = vertices[zero]
        workers.run(predicates.flatten_zeros, len(at), grain(10 + rows.shape[1]), at, rows, signs.plus, signs.minus)
    return coincidences, bool(zero.any()) or coincidences > 0


def _has_sign(pairs: Int, signs: Signs) -> Bool:
    """Return whether the (vertex, row) pairs (N, 2) are known to be positive or negative."""
    vertex, row = pairs.T
    words = signs.plus[vertex, row // WORD] | signs.minus[vertex, row // WORD]
    return np.asarray(words >> (row % WORD).astype(np.uint64) & np.uint64(1), np.bool_)


def _examine(pairs: Int, rows: Float, signs: Signs, examination: Examination) -> Float:
    """Give (vertex, row) pairs (N, 2) their exact values and signs; returns the values, NaN where they are left."""
    values = examination.values(pairs)
    known = ~np.isnan(values)
    predicates.set_values(pairs[known], values[known], rows, signs.plus, signs.minus)
    return values


def _cut_edges(
    before: PlanarMap, rows: Table, signs: Signs, bound: Tolerance, loose: Table, examination: Examination,
    admission: Admission, workers: Workers,
) -> tuple[Table, CutEdges, NewVertices, Tolerance, int, int]:  # fmt: skip
    """Cut every edge where rows cross it: the edges and where they are cut, the new vertices, the tolerance there, how
    many signs at ends turned out to be zero, and how many crossings are one with another.
    """
    old_vertices, old_edges, words = len(rows), len(before.edges), signs.plus.shape[1]
    number = np.empty(old_edges, np.int32)
    snapped = 0
    while True:
        found = [
            Crossings(*piece)
            for piece in workers.run(
                edge_cut.find_crossings, old_edges, grain(40 + 20 * words), before.edges, rows.view,
                examination.lines, tuple(bound), signs.plus, signs.minus, number,
            )
        ]  # fmt: skip
        doubtful = _doubtful_ends(found, before.edges)
        if len(doubtful) == 0:
            break
        doubtful = examination.not_asked(doubtful)
        if len(doubtful) == 0:
            found = [examination.order_edges(piece, rows.view) if len(piece.close) else piece for piece in found]
            break
        values = _examine(doubtful, rows.view, signs, examination)
        snapped += int(np.count_nonzero(values == 0.0))
        examination.unexamined += int(np.count_nonzero(np.isnan(values)))
    first_cut, cuts = _starts(len(piece.edges) for piece in found)
    first_crossing, crossings = _starts(len(piece.row) for piece in found)
    first_vertex, vertices = _starts(int(piece.first_vertex[-1]) for piece in found)
    admission.admit_edges(vertices, words)
    edges = Table(before.edges, 2 * (old_edges + vertices) + 4096)
    bound = bound._replace(loose=loose.grow(vertices))
    cut_edges, new = CutEdges.empty(number, cuts, crossings), NewVertices.empty(vertices, words)
    arguments: tuple[Any, ...] = (
        old_vertices, tuple(cut_edges), edges.grow(vertices), before.edge_layer.grow(vertices),
        before.edge_row.grow(vertices), tuple(new), bound.loose, before.positions.grow(vertices),
        before.uncertainty.grow(vertices),
    )  # fmt: skip

    def split(lo: int, hi: int) -> None:
        for p in range(lo, hi):
            edge_cut.split_edges(tuple(found[p]), first_cut[p], first_crossing[p], first_vertex[p], *arguments)

    workers.run(split, len(found), 1)
    return edges, cut_edges, new, bound, snapped, sum(piece.merges for piece in found)


def _doubtful_ends(found: list[Crossings], edges: Int) -> Int:
    """(N, 2) int32: vertex and row at the ends of edges where the order of crossings, also with an end, is in doubt."""
    if not any(len(piece.at_end) or len(piece.close) for piece in found):
        return _NO_PAIRS
    pairs = []
    for piece in found:
        pairs.append(piece.at_end)
        for i in piece.close.tolist():
            own = slice(piece.first_crossing[i], piece.first_crossing[i + 1])
            pairs += [np.column_stack([np.full(len(piece.row[own]), v), piece.row[own]]) for v in edges[piece.edges[i]]]
    return np.concatenate(pairs).astype(np.int32)


@dataclass(frozen=True, eq=False, slots=True)
class _Plan:
    """How the faces are cut into pieces of work, and what those make at most.

    ends: where the pieces end; base (P + 1, 4) int64: how many faces, vertices, edges and half-edges the pieces before
    each need; most: places and chords of one face; active (F,) int32, plus, minus (F, W): the number of rows with both
    signs among the vertices of each face, and its signs.
    """

    ends: list[int]
    base: Counts
    most: tuple[int, int]
    active: Int
    plus: Words
    minus: Words

    @property
    def totals(self) -> list[int]:
        totals: list[int] = self.base[-1].tolist()
        return totals

    def growth(self, on_edges: int) -> Growth:
        faces, vertices, chords, half_edges = self.totals
        return Growth(on_edges, vertices, chords, faces, half_edges, self.plus.shape[1])


def _measure_faces(loops: Loops, zeros: bool, workers: Workers) -> _Plan:
    """Count what the faces will become, without a value at a new vertex; zeros: some row is zero at an old one."""
    count, words = len(loops.offsets) - 1, loops.plus.shape[1]
    active = np.empty(count, np.int32)
    plus, minus = np.empty((2, count, words), np.uint64)
    arguments = loops.arguments
    if words == 1:
        # All faces take about the same time: pieces of them need not wait for each other.
        ends = equal_ends(count, grain(_NANOSECONDS_OF_FACE + 50))
        need = workers.run_pieces(face_count.find_and_measure, ends, arguments, zeros, active, plus, minus)
    else:
        workers.run(face_count.find_active, count, grain(30 + 20 * words), arguments, zeros, active, plus, minus)
        ends = _ends_of_equal_work(active, words)
        need = workers.run_pieces(face_count.measure_faces, ends, arguments, active, plus, minus)
    base, most = np.zeros((len(need) + 1, 4), np.int64), np.zeros(2, np.int64)
    face_count.add_up(np.array(need), base, most)
    return _Plan(ends, base, (int(most[0]), int(most[1])), active, plus, minus)


def _growth_of_points(most: Growth, loops: Loops, plan: _Plan, on_edges: NewVertices, workers: Workers) -> Growth:
    """The growth where crossings in the same points make fewer vertices."""
    arguments = (loops.arguments, plan.active, plan.plus, plan.minus, tuple(on_edges))
    made = np.sum(workers.run_pieces(face_count.count_points, plan.ends, *arguments), axis=0)
    faces, vertices, chords, half_edges = np.rint(made).astype(np.int64).tolist()
    idle = most.on_chords - vertices
    return most._replace(on_chords=vertices, chords=chords, faces=faces, half_edges=half_edges, idle=idle)


def _add_rows(rows: Table, on_edges: NewVertices, bound: Tolerance, examination: Examination, workers: Workers) -> int:
    """Add the rows at the new vertices on edges; returns how many coincidences that makes."""
    old_vertices, vertices = len(rows), len(on_edges.parents)
    view = rows.grow(vertices)
    snapped: int = sum(
        workers.run(
            interpolate_rows, vertices, grain(60 + 4 * view.shape[1]), view, view, old_vertices, tuple(on_edges),
            tuple(on_edges), tuple(bound), old_vertices,
        )
    )  # fmt: skip
    return examine_zeros(view, old_vertices, on_edges, examination) if snapped else 0


def examine_zeros(rows: Float, first: int, new: NewVertices, examination: Examination) -> int:
    """Give rows that rounding made zero at the vertices `new`, which start at `first`, their exact values.

    Returns how many stay zero.  Rows that a vertex carries are zero there by construction, and those that are zero at
    both of its parents are exactly so.
    """
    vertex, row = np.nonzero(rows[first : first + len(new.parents)] == 0.0)
    carried = new.carried[vertex, row // WORD] >> (row % WORD).astype(np.uint64) & np.uint64(1)
    a, b = new.parents[vertex].T
    doubtful = (carried == 0) & ((rows[a, row] != 0.0) | (rows[b, row] != 0.0))
    pairs = np.column_stack([first + vertex, row])[doubtful].astype(np.int32)
    values = examination.values(pairs)
    known = ~np.isnan(values)
    rows[pairs[known, 0], pairs[known, 1]] = values[known]
    return int(np.count_nonzero(values[known] == 0.0)) + int(np.count_nonzero(~known))


def _cut_faces(
    before: PlanarMap, layer: int, loops: Loops, plan: _Plan, bound: Tolerance, on_edges: NewVertices, edges: Table,
    examination: Examination, workers: Workers,
) -> tuple[PlanarMap, NewVertices, Faces, list[int]]:  # fmt: skip
    """Cut the active faces; returns the map after, its vertices on chords, its faces, and the sums of what `cut_faces`
    counts.
    """
    ends, words, pieces = plan.ends, loops.plus.shape[1], len(plan.ends) - 1
    faces, vertices, chords, half_edges = plan.totals
    first_edge = len(edges)
    base = plan.base.copy()
    base[:, EDGES] += first_edge
    new = NewVertices.empty(vertices, words)
    positions, uncertainty = before.positions.grow(vertices), before.uncertainty.grow(vertices)
    before.edge_layer.grow(chords)[first_edge:] = layer
    after = Faces(
        np.empty(faces + 1, np.int32), np.empty(half_edges, np.int32), np.empty(faces, np.int32),
        np.empty((faces, words), np.uint64), np.empty((faces, words), np.uint64), edges.grow(chords),
        before.edge_row.grow(chords),
    )  # fmt: skip
    doubtful = np.zeros(len(plan.active), np.bool_)

    def cut_with(ranks: Ranks) -> Counts:
        arguments: tuple[Any, ...] = (
            plan.most, loops.arguments, tuple(bound), plan.active, plan.plus, plan.minus, tuple(on_edges), tuple(ranks),
            doubtful, tuple(new), positions, uncertainty, tuple(after),
        )  # fmt: skip

        def run(lo: int, hi: int, stop: Stop) -> list[Counts]:
            return [face_cut.cut_faces(ends[p], ends[p + 1], base[p], stop, *arguments) for p in range(lo, hi)]

        if plan.most[0] > _LONG_WORK:
            return np.concatenate(workers.run_watched(run, range(pieces + 1)))
        return np.concatenate(workers.run(run, pieces, 1, NEVER_STOP))

    used = cut_with(Ranks.none())
    made = used.sum(axis=0).tolist()
    if made[DOUBTFUL]:
        ranks = _ranks(np.flatnonzero(doubtful), loops, plan, examination)
        new.carried[:] = 0
        used = cut_with(ranks)
        made = used.sum(axis=0).tolist()
    after.offsets[faces] = half_edges
    if made[:4] != plan.totals:
        after, new = without_gaps(before, after, new, edges, base[:-1], np.diff(base, axis=0), used)
    planar_map = PlanarMap(
        before.positions, before.uncertainty, edges.view, before.edge_layer, before.edge_row, after.offsets,
        after.half_edges, before.negligible,
    )  # fmt: skip
    return planar_map, new, after, made


def _ranks(faces: Counts, loops: Loops, plan: _Plan, examination: Examination) -> Ranks:
    """The exact order of the crossings in `faces`; those that are left have none, and count as unexamined."""
    first, row, ends = face_cut.list_chords(faces, loops.arguments, plan.plus, plan.minus, plan.most[0])
    start, tables, length = np.full(len(plan.active), -1), [], 0
    for n, face in enumerate(faces.tolist()):
        own = slice(first[n], first[n + 1])
        table = examination.ranks(face, row[own], ends[own], loops.rows)
        if table is None:
            examination.unexamined += 1
            continue
        start[face] = length
        tables.append(table.ravel())
        length += table.size
    return Ranks(start, np.concatenate(tables) if tables else np.empty(0, np.int32))


def _ends_of_equal_work(active: Int, words: int) -> list[int]:
    """Where pieces of the faces end that take about the same time: with many rows, some faces take far longer."""
    count = len(active)
    done = np.cumsum(_NANOSECONDS_OF_FACE + 50 * words + _NANOSECONDS_OF_PAIR * np.square(active, dtype=np.int64))
    pieces = equal_pieces(done[-1], PIECE_NANOSECONDS)
    ends = np.searchsorted(done, done[-1] * np.arange(1, pieces) / pieces) + 1
    return [0, *np.unique(ends[ends < count]).tolist(), count]


def _starts(counts: Iterable[int]) -> tuple[list[int], int]:
    """Where each of several ranges starts when they follow each other, and where the last one ends."""
    ends = list(accumulate(counts, initial=0))
    return ends[:-1], ends[-1]
