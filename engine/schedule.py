"""A network's steps as segments that each end in a kink, with what must stay alive and the rounding bound of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.network import Network, sources
from engine.predicates import SAFETY, UNIT_ROUNDOFF, Rounding, rounding_coefficients
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
    bases = (0,)
    pending: list[Affine] = []
    for i, step in enumerate(network.steps):
        if not isinstance(step, Kink):
            pending.append(step)
            continue
        computed = {*bases, *(s.target for s in pending)}
        live = frozenset(slot for slot in computed if last_use.get(slot, -1) > i)
        rounding = rounding_coefficients(pending, bases, network.sizes, step.source)
        segments.append(
            _segment(pending, step, step.source, step.row_neuron, step.row_breakpoint, rounding, live)
        )
        bases = (*sorted(live), step.target)
        pending = []
    rounding = rounding_coefficients(pending, bases, network.sizes, network.output)
    count = 0 if level is None else network.output_size
    neuron, breakpoint_ = np.arange(count, dtype=np.int32), np.full(count, 0.0 if level is None else level)
    segments.append(
        _segment(pending, None, network.output, neuron, breakpoint_, rounding, frozenset({network.output}))
    )
    return tuple(segments)


def _segment(
    steps: list[Affine], kink: Kink | None, source: int, neuron: Int, breakpoint_: Float, features: Rounding, live: frozenset[int]
) -> Segment:  # fmt: skip
    rows = Rounding(
        features.bases,
        np.ascontiguousarray(features.scale[:, neuron]),
        features.constant[neuron] + SAFETY * UNIT_ROUNDOFF * np.abs(breakpoint_),
    )
    return Segment(tuple(steps), kink, source, neuron, breakpoint_, rows, live)
