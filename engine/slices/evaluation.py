"""Values at the vertices of a map: a segment's affine steps on all of them, block by block.

The vertices on a cut's chords are many, and their pre-activations are read once, by the next segment: they are
interpolated block by block when that runs, and never stored.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from engine.arrays import Float, Int
from engine.exactness.error_estimate import Rounding
from engine.exactness.predicates import Tolerance, classify, weighted_norms
from engine.machine import memory
from engine.machine.table import Recycler, Table
from engine.machine.workers import Workers
from engine.network.duplicate_neurons import pairs_of
from engine.network.network import Network
from engine.network.nonlinearity import apply_kink, feature_range, largest_after
from engine.network.steps import Affine, Kink, Linear, evaluate
from engine.planar_map.new_vertices import NewVertices, interpolate_rows
from engine.slices.linear_layer import make_twins_equal, run_linear
from engine.slices.schedule import Segment
from engine.slices.subdivide import Signs

BLOCK_SIZE = (
    1 << 15
)  # numbers in a block of the widest value: blocks depend on the network alone, and stay in the cache
_LEAST_ROWS = 128
_MOST_PRODUCTS = 1 << 27  # in the matrix products of a block: some ten milliseconds, between which cancelling is heard

Range = tuple[Float, Float]


@dataclass(frozen=True, eq=False, slots=True)
class ChordRows:
    """What makes the rows of a cut at its vertices on chords, which follow those that are stored."""

    new: NewVertices
    on_edges: NewVertices
    bound: Tolerance
    old_vertices: int

    @property
    def arguments(self) -> tuple[Any, ...]:
        return tuple(self.new), tuple(self.on_edges), tuple(self.bound), self.old_vertices

    def fill(self, lo: int, hi: int, rows: Float, out: Float, shift: int) -> int:
        """The rows at the chords' vertices lo..hi into out[lo + shift:]; returns how many zeros rounding made."""
        snapped: int = interpolate_rows(lo, hi, rows, out, shift, *self.arguments)
        return snapped


@dataclass(frozen=True, eq=False, slots=True)
class Deferred:
    """A kink that is applied only when its value is read; on_chords: its source is stored for all other vertices."""

    kink: Kink
    on_chords: ChordRows | None


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """What a segment's steps gave: the values to keep by slot, their features' ranges, and how many zeros rounding
    made.

    signs: of the segment's rows, when these are the source's features themselves, else None.
    """

    values: dict[int, Table]
    ranges: dict[int, Range]
    snapped: int
    signs: Signs | None


def unit_of(slot: int, ranges: Mapping[int, Range], deferred: Deferred | None) -> Float:
    """The largest magnitude of each feature of a value on the map."""
    if deferred is not None and slot == deferred.kink.target:
        return largest_after(deferred.kink, *ranges[deferred.kink.source])
    low, high = ranges[slot]
    return np.maximum(-low, high)


def evaluate_segment(
    segment: Segment, network: Network, values: Mapping[int, Table], deferred: Deferred | None, vertices: int,
    rounding: Rounding, bound: Tolerance, noise: Float, recycler: Recycler, workers: Workers,
) -> Evaluation:  # fmt: skip
    """Run the segment's steps on all vertices; only what is needed later is kept.  Fills bound.norms."""
    sizes = network.sizes
    needed = vertices * segment.vertex_bytes
    if memory.worth_asking(needed):
        recycler.admit(needed, segment.described(vertices))
    kept = {slot: recycler.table(vertices, sizes[slot]) for slot in segment.kept}
    read = {slot: table.view for slot, table in values.items()}
    widest = max(sizes[slot] for slot in (*segment.bases, *segment.computed))
    products = sum(step.weight.size * step.groups for step in segment.steps if isinstance(step, Linear))
    block_rows = max(1, min(max(_LEAST_ROWS, BLOCK_SIZE // widest), _MOST_PRODUCTS // max(1, products)))
    here = segment.plain and segment.source in segment.computed
    signs = _new_signs(vertices, sizes[segment.source]) if here else None
    linear = _only_step(segment, deferred) if len(rounding.bases) <= 1 else None
    if linear is not None and deferred is not None and signs is not None:
        chords = deferred.on_chords or _no_chords(bound)
        pieces = workers.run(
            run_linear, vertices, 2 * block_rows, block_rows, read[deferred.kink.source], *chords.arguments,
            _pieces_of(deferred.kink), _inverse_unit(rounding), np.ascontiguousarray(linear.weight.T), linear.bias,
            _twins_of(network, linear), kept[linear.target].view,
            (bound.norms, bound.scale, bound.constant, noise), signs.arguments,
        )  # fmt: skip
        return _evaluation(kept, [(snapped, [found]) for snapped, found in pieces], signs)

    scratch = threading.local()
    twins = {step.target: _twins_of(network, step) for step in segment.steps if isinstance(step, Linear)}

    def run(lo: int, hi: int) -> tuple[int, list[Float]]:
        if not hasattr(scratch, "block"):
            scratch.block = np.empty((2, block_rows * widest))
        block = {slot: value[lo:hi] for slot, value in read.items()}
        snapped = 0
        if deferred is not None:
            before, after = (
                room[: (hi - lo) * sizes[deferred.kink.source]].reshape(hi - lo, -1) for room in scratch.block
            )
            source, snapped = _source_block(deferred, read[deferred.kink.source], lo, hi, before)
            del block[deferred.kink.source]
            block[deferred.kink.target] = apply_kink(deferred.kink, source, after)
        for column, (slot, inverse_unit) in enumerate(zip(rounding.bases, rounding.inverse_units, strict=True)):
            weighted_norms(block[slot], inverse_unit, bound.norms[lo:hi], column)
        for step in segment.steps:
            target = kept[step.target].view[lo:hi] if step.target in kept else None
            block[step.target] = _evaluate_step(step, block, target)
            if isinstance(step, Linear):
                make_twins_equal(block[step.target], twins[step.target])
        if signs is not None:
            _classify(lo, hi, kept[segment.source].view, bound, noise, signs)
        return snapped, [feature_range(block[slot]) for slot in kept]

    return _evaluation(kept, workers.run(run, vertices, block_rows), signs)


def _evaluation(kept: dict[int, Table], pieces: list[tuple[int, list[Float]]], signs: Signs | None) -> Evaluation:
    ranges = {}
    for i, slot in enumerate(kept):
        found = reduce(np.maximum, [of_slots[i] for _, of_slots in pieces])
        ranges[slot] = -found[0], found[1]
    return Evaluation(kept, ranges, sum(snapped for snapped, _ in pieces), signs)


def find_signs(rows: Float, bound: Tolerance, noise: Float, workers: Workers) -> Signs:
    """Signs of rows (V, R) that are beyond doubt; noise (R,): see engine/exactness/inherited_error.py."""
    signs = _new_signs(*rows.shape)
    block_rows = max(_LEAST_ROWS, BLOCK_SIZE // max(1, rows.shape[1]))
    workers.run(_classify, len(rows), block_rows, rows, bound, noise, signs)
    return signs


def _classify(lo: int, hi: int, rows: Float, bound: Tolerance, noise: Float, signs: Signs) -> None:
    classify(lo, hi, rows, bound.norms, bound.scale, bound.constant, noise, *signs.arguments)


def _new_signs(vertices: int, rows: int) -> Signs:
    words = max(1, -(-rows // 64))
    plus, minus = np.empty((2, vertices, words), np.uint64)
    return Signs(plus, minus, np.empty(vertices, np.bool_))


def _only_step(segment: Segment, deferred: Deferred | None) -> Linear | None:
    """The segment's step when that is one matrix on the deferred kink's value, as in plain networks."""
    match segment.steps:
        case (Linear(groups=1) as linear,) if deferred is not None and linear.source == deferred.kink.target:
            return linear if linear.target == segment.source else None
    return None


def _source_block(deferred: Deferred, stored: Float, lo: int, hi: int, room: Float) -> tuple[Float, int]:
    """The deferred kink's source at the vertices lo..hi, and how many zeros rounding made there."""
    chords, first = deferred.on_chords, len(stored)
    if chords is None or hi <= first:
        return stored[lo:hi], 0
    if lo < first:
        room[: first - lo] = stored[lo:]
    start = max(lo, first)
    return room, chords.fill(start - first, hi - first, stored, room, first - lo)


def _no_chords(bound: Tolerance) -> ChordRows:
    none = NewVertices.empty(0, 1)
    return ChordRows(none, none, bound, 0)


def _twins_of(network: Network, step: Linear) -> Int:
    """(K, 2) int32: see pairs_of."""
    first = network.twins.get(step.target)
    return np.empty((0, 2), np.int32) if first is None else pairs_of(first)


def _pieces_of(kink: Kink) -> tuple[Float, Float, Float]:
    return kink.breakpoints, kink.slopes, kink.intercepts


def _inverse_unit(rounding: Rounding) -> Float:
    """What the features of the only base are multiplied by before their norm is taken; empty when there is none."""
    return rounding.inverse_units[0] if rounding.bases else np.empty(0)


def _evaluate_step(step: Affine, block: Mapping[int, Float], target: Float | None) -> Float:
    """The value of a step on a block of vertices, written into `target` when that is given."""
    if isinstance(step, Linear) and step.groups == 1:
        result = np.matmul(block[step.source], step.weight.T, out=target)
        result += step.bias
        return result
    result = evaluate(step, block, len(next(iter(block.values()))))
    if target is None:
        return result
    target[:] = result
    return target
