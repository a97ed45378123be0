"""A second look at vertices where rounding left a decision of a cut open: rows there with twice the digits.

A tie may be one because rows and crossings really coincide, or because a bound adds up what could have happened: the
uncertainty of a position times the steepest gradient, norms instead of the numbers themselves.  Where ties are,
vertices are taken for the points where their lines meet (engine/meeting_points.py), with a bound of the error of every
row: a row beyond it has a sign beyond doubt, one within it is zero, and the cut is made again with these.  Generic
networks have no ties.  Where there are so many that it would take long, they stay as they are, and are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.double_double import of, plus
from engine.evaluation import ChordRows
from engine.meeting_points import meet
from engine.network import Network
from engine.new_vertices import NewVertices
from engine.planar_map import FaceSigns
from engine.plane import SlicePlane
from engine.predicates import UNIT_ROUNDOFF, Tolerance
from engine.rounding import Rounding
from engine.schedule import Segment
from engine.steps import Float, Int, Linear, Step
from engine.subdivide import Cut, tolerance
from engine.table import Table
from engine.unfinished_map import PlanarMap
from engine.workers import Workers, grain

_MOST_PRODUCTS = 1 << 19  # faces times weights: some fifty milliseconds for each layer
_SURE = 4.0  # a row that is no more than so many bounds of its error is zero
_LAST_DIGIT = 4.0 * UNIT_ROUNDOFF  # of a row that has been rounded to float64


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """What is known of N vertices, int32.

    positions (N, 2), and error (N,): how far they may be from the true ones; values: of the slots asked for, (N, size);
    rows (N, R): the segment's, which are off by no more than share (N,) of themselves; norms (N, r): of its bound.
    """

    vertices: Int
    positions: Float
    error: Float
    values: Mapping[int, Float]
    rows: Float
    share: Float
    norms: Float

    def on_map(self, before: PlanarMap) -> PlanarMap:
        """The map with these positions; its tables are changed in place."""
        before.positions.view[self.vertices] = self.positions
        before.uncertainty.view[self.vertices] = self.error
        return before.with_uncertain()

    def on_bound(self, known: PlanarMap, before: Tolerance) -> Tolerance:
        """The tolerance of the segment's rows on the map that on_map gave."""
        norms = before.norms
        norms[self.vertices] = self.norms
        uncertainty = known.uncertainty.view.copy()
        uncertainty[self.vertices] = -self.share
        loose = norms.copy()
        # Loose bounds are no less than the share of any row, by its largest coefficient alone.
        scale = before.scale.max(axis=0, initial=0.0)
        sizes = np.abs(self.rows) / np.where(scale > 0.0, scale, np.inf)
        loose[self.vertices] += (self.share * sizes.max(axis=1, initial=0.0))[:, None]
        bound = tolerance(known, Table(norms), before.scale, before.constant)
        return bound._replace(loose=loose, uncertainty=uncertainty)


def doubtful_vertices(
    before: PlanarMap, result: Cut, rows: Float, vertices: int, steps: Sequence[Step], workers: Workers
) -> Int:
    """The vertices before a cut that deserve a second look: none when rounding left nothing open.

    All of them when `steps` and faces are that few, else those that a tie is known to be at and those of uncertain
    position.
    """
    every = np.arange(vertices, dtype=np.int32)
    uncertain = before.uncertainty.view[:vertices] > before.negligible
    weights = sum(step.weight.size * step.groups for step in steps if isinstance(step, Linear))
    if weights * before.faces <= _MOST_PRODUCTS:
        open_on_chords = uncertain.any() and _snaps_on_chords(uncertain, result, rows, workers) > 0
        return every if result.ties.total or open_on_chords else every[:0]
    if not result.ties.total:
        return every[:0]
    doubtful = uncertain | (rows[:vertices] == 0.0).any(axis=1)
    cuts = result.edges
    merged = np.diff(cuts.first_crossing) > np.diff(cuts.first_vertex)
    cut_edges = np.flatnonzero(cuts.number >= 0)
    doubtful[before.edges[cut_edges[merged[cuts.number[cut_edges]]]]] = True
    chosen = every[doubtful]
    faces = len(np.unique(before.faces_at(chosen)[:, 1]))
    return chosen if weights * faces <= _MOST_PRODUCTS else every[:0]


def _snaps_on_chords(uncertain: NDArray[np.bool_], result: Cut, rows: Float, workers: Workers) -> int:
    """How many zeros rounding makes at new vertices on chords, beside old vertices of uncertain position."""
    beside_edges = uncertain[result.on_edges.parents].any(axis=1)
    beside = np.flatnonzero(np.append(uncertain, beside_edges)[result.on_chords.parents].any(axis=1))
    parents, weights, carried = result.on_chords
    chosen = NewVertices(parents[beside], weights[beside], carried[beside])
    chords = ChordRows(chosen, result.on_edges, result.bound, len(uncertain))

    def count(lo: int, hi: int) -> int:
        return chords.fill(lo, hi, rows, np.empty((hi - lo, rows.shape[1])), -lo)

    return sum(workers.run(count, len(beside), grain(20 + 2 * rows.shape[1])))


def look_again(
    network: Network, steps: Sequence[Step], segment: Segment, rounding: Rounding, slots: Sequence[int],
    plane: SlicePlane, polygon: Float, face_signs: Sequence[FaceSigns], before: PlanarMap, vertices: Int,
) -> Look:  # fmt: skip
    """Which of the vertices are known after a second look, and what.

    steps: those up to the segment's kink; rounding: its rows'; slots: the values to find, its source among them.
    A vertex stays as it is when the bound of its position is not better than it was, or that of a row that is
    not zero is beyond the rounding of its layer alone, which all that follows relies on.
    """
    met = meet(
        steps, sorted({*slots, *rounding.bases}), network.sizes, plane, polygon, face_signs,
        before.faces_at(vertices), before.lines_through(vertices, border=True), len(vertices),
    )  # fmt: skip
    with np.errstate(over="ignore", invalid="ignore"):  # what leaves the range of float64 is not known
        norms = np.empty((len(vertices), len(rounding.bases)))
        for column, (slot, inverse) in enumerate(zip(rounding.bases, rounding.inverse_units, strict=True)):
            norms[:, column] = np.linalg.norm(met.values[slot][0] * inverse, axis=1)
        rows = plus(met.values[segment.source][:, :, segment.neuron], of(-segment.breakpoint[None]))[0]
        errors = met.errors[segment.source][:, segment.neuron]
        rows[np.abs(rows) <= _SURE * errors] = 0.0
        accurate = (errors <= rounding.constant + norms @ rounding.scale) | (rows == 0.0)
    uncertainty = np.maximum(before.uncertainty.view[vertices], before.negligible)
    known = accurate.all(axis=1) & (met.error <= uncertainty)
    rows, errors = rows[known], errors[known]
    share = np.max(errors / np.where(rows == 0.0, np.inf, np.abs(rows)), axis=1, initial=0.0) + _LAST_DIGIT
    return Look(
        vertices[known], met.positions[known], met.error[known], {slot: met.values[slot][0, known] for slot in slots},
        rows, share, norms[known],
    )  # fmt: skip
