"""A network's steps as segments that each end in a kink, with what each needs and what must stay alive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Float, Int
from engine.exactness.error_estimate import (
    Rounding,
    bases_of,
    bounds_of,
    rounding_of,
    rounding_of_even,
    rounding_of_linear,
)
from engine.exactness.predicates import WORD
from engine.network.network import Network
from engine.network.steps import Affine, Kink, Linear, sources
from engine.tolerances import LEAST_SLOPE, SAFETY, UNIT_ROUNDOFF


@dataclass(frozen=True, eq=False)
class Segment:
    """Affine steps, then a cut by the rows of `source`: those of `kink`, or of the level when that is None.

    neuron (R,) int32, breakpoint (R,) float64: the rows.
    bases: slots that exist when the segment starts.  live: slots that later segments read, but for the kink's own
    target. passing: the kink's value is read by the steps of the next segment and by nothing else, and its source not
    at all. plain: row r is feature r with breakpoint 0, for all features.
    computed: slots that the steps write; kept: those of them that are read after the steps.
    width: features of the source.  vertex_bytes: memory for the values at a vertex, the rows and their signs;
    most_vertex_bytes: more than that for all values during the cut, while one of them is moved.
    """

    steps: tuple[Affine, ...]
    kink: Kink | None
    source: int
    neuron: Int
    breakpoint: Float
    bases: tuple[int, ...]
    live: frozenset[int]
    passing: bool
    plain: bool
    computed: frozenset[int]
    kept: tuple[int, ...]
    width: int
    vertex_bytes: int
    most_vertex_bytes: int

    @property
    def keeps_zeros(self) -> bool:
        """True when later segments read zeros only on pieces that are zero throughout, and where a row is zero."""
        kink = self.kink
        if kink is None or self.live:
            return False
        at_zero = kink.breakpoints[np.isfinite(kink.breakpoints)] == 0.0
        some = (kink.slopes == 0.0) | (np.abs(kink.slopes) >= LEAST_SLOPE)
        every = at_zero.all() and some.all() and not kink.intercepts.any()
        return bool(every) and len(kink.row_neuron) == len(kink.slopes)

    def described(self, vertices: int) -> str:
        """What the steps' values are, at so many vertices, for people."""
        layer = "the output" if self.kink is None else f"a layer of {self.width:,} neurons"
        return f"{layer} at {vertices:,} vertices"

    def rounding(self, units: Mapping[int, Float]) -> Rounding:
        """The rounding bound of the rows, when the features of each base are about as large as `units` says."""
        match self.steps:
            case (Linear(groups=1) as linear,) if self.plain and len(units) == 1 and linear.target == self.source:
                ((slot, unit),) = units.items()
                rounding = rounding_of_even(linear, slot, unit)
                if rounding is not None:
                    return rounding
        bases = bases_of(self.steps, self.source, self.neuron, self.breakpoint, units)
        match self.steps:
            case (Linear(groups=1) as linear,) if len(units) == 1 and linear.target == self.source:
                features = rounding_of_linear(linear, bases)
            case _:
                features = rounding_of(bounds_of(self.steps, bases)[self.source], bases)
        if self.plain:
            return features
        return replace(
            features,
            scale=np.ascontiguousarray(features.scale[:, self.neuron]),
            constant=features.constant[self.neuron] + SAFETY * UNIT_ROUNDOFF * np.abs(self.breakpoint),
        )


def schedule(network: Network, level: float | None) -> tuple[Segment, ...]:
    """The segments of `network`; the last one has no kink, and cuts by output = level (no rows when level is None)."""
    end, sizes = len(network.steps), network.sizes
    last_use = {slot: i for i, step in enumerate(network.steps) for slot in sources(step)} | {network.output: end}
    segments: list[Segment] = []
    bases: tuple[int, ...] = (0,)
    pending: list[Affine] = []
    for i, step in enumerate(network.steps):
        if not isinstance(step, Kink):
            pending.append(step)
            continue
        computed = {*bases, *(affine.target for affine in pending)}
        live = frozenset(slot for slot in computed if last_use.get(slot, -1) > i)
        next_kink = next((j for j in range(i + 1, end) if isinstance(network.steps[j], Kink)), end)
        passing = step.source not in live and last_use[step.target] < next_kink
        plain = _plain(step.row_neuron, step.row_breakpoint, sizes[step.source])
        rows = (step.row_neuron, step.row_breakpoint)
        segments.append(_segment(pending, step, step.source, rows, bases, live, passing, plain, sizes))
        bases = (*sorted(live), step.target)
        pending = []
    count = 0 if level is None else network.output_size
    neuron, breakpoint_ = np.arange(count, dtype=np.int32), np.full(count, 0.0 if level is None else level)
    live = frozenset({network.output})
    plain = _plain(neuron, breakpoint_, network.output_size)
    rows = (neuron, breakpoint_)
    return (*segments, _segment(pending, None, network.output, rows, bases, live, False, plain, sizes))


def _segment(
    steps: Sequence[Affine], kink: Kink | None, source: int, rows: tuple[Int, Float], bases: tuple[int, ...],
    live: frozenset[int], passing: bool, plain: bool, sizes: Sequence[int],
) -> Segment:  # fmt: skip
    computed, count = frozenset(step.target for step in steps), len(rows[0])
    kept = tuple(sorted(computed & (live | {source})))
    words = max(1, -(-count // WORD))
    vertex_bytes = 8 * (sum(sizes[slot] for slot in kept) + (0 if plain else count) + 2 * words)
    values = sum(sizes[slot] for slot in live | {source}) + count
    most = 8 * (2 * values + (0 if kink is None else sizes[kink.target]))
    return Segment(
        tuple(steps), kink, source, *rows, bases, live, passing, plain, computed, kept, sizes[source],
        vertex_bytes, most,
    )  # fmt: skip


def _plain(neuron: Int, breakpoint_: Float, size: int) -> bool:
    return not breakpoint_.any() and np.array_equal(neuron, np.arange(size))
