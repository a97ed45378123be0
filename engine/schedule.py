"""A network's steps as segments that each end in a kink, with what must stay alive and the rounding bound of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.network import Network, sources
from engine.predicates import SAFETY, UNIT_ROUNDOFF, Bound, Rounding, bounds_of, rounding_of
from engine.steps import Affine, Float, Int, Kink


@dataclass(frozen=True, eq=False, slots=True)
class Segment:
    """Affine steps, then a cut by the rows of `source`: those of `kink`, or of the level when that is None.

    neuron (R,) int32, breakpoint (R,) float64: the rows; plain: row r is feature r with breakpoint 0.
    rounding: the rounding bound of the rows.  live: slots that later segments read, but for the kink's own target.
    """

    steps: tuple[Affine, ...]
    kink: Kink | None
    source: int
    neuron: Int
    breakpoint: Float
    rounding: Rounding
    live: frozenset[int]

    @property
    def plain(self) -> bool:
        return not self.breakpoint.any() and np.array_equal(self.neuron, np.arange(len(self.neuron)))


@lru_cache(maxsize=8)
def schedule(network: Network, level: float | None) -> tuple[Segment, ...]:
    """The segments of `network`; the last one has no kink, and cuts by output = level (no rows when level is None)."""
    end = len(network.steps)
    last_use = {slot: i for i, step in enumerate(network.steps) for slot in sources(step)} | {network.output: end}
    segments: list[Segment] = []
    units = {0: np.ones(network.input_size)}
    pending: list[Affine] = []
    for i, step in enumerate(network.steps):
        if not isinstance(step, Kink):
            pending.append(step)
            continue
        bounds = bounds_of(pending, units)
        live = frozenset(slot for slot in bounds if last_use.get(slot, -1) > i)
        rounding = rounding_of(bounds[step.source], units)
        segments.append(_segment(pending, step, step.source, step.row_neuron, step.row_breakpoint, rounding, live))
        units = {slot: bounds[slot].unit() for slot in sorted(live)} | {step.target: _unit_after(step, bounds[step.source])}
        pending = []
    rounding = rounding_of(bounds_of(pending, units)[network.output], units)
    count = 0 if level is None else network.output_size
    neuron, breakpoint_ = np.arange(count, dtype=np.int32), np.full(count, 0.0 if level is None else level)
    live = frozenset({network.output})
    return (*segments, _segment(pending, None, network.output, neuron, breakpoint_, rounding, live))


def _unit_after(kink: Kink, source: Bound) -> Float:
    """How large each feature typically is after the kink."""
    size = np.abs(kink.slopes).max(axis=1) * source.unit() + np.abs(kink.intercepts).max(axis=1)
    return np.where(size > 0.0, size, 1.0)


def _segment(
    steps: list[Affine], kink: Kink | None, source: int, neuron: Int, breakpoint_: Float, features: Rounding, live: frozenset[int]
) -> Segment:  # fmt: skip
    rows = Rounding(
        features.bases,
        features.inverse_units,
        np.ascontiguousarray(features.scale[:, neuron]),
        features.constant[neuron] + SAFETY * UNIT_ROUNDOFF * np.abs(breakpoint_),
    )
    return Segment(tuple(steps), kink, source, neuron, breakpoint_, rows, live)
