"""Numbers of a network's rows: those of all nonlinearities one after the other, and the level's after them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.arrays import Float, Int
from engine.network.network import Network


@dataclass(frozen=True, eq=False)
class RowNumbers:
    """By number: layer, neuron (R + 1,) int32, breakpoint (R + 1,) float64.  first (K + 2,): the rows of each layer."""

    layer: Int
    neuron: Int
    breakpoint: Float
    first: Int

    @classmethod
    def of(cls, network: Network, level: float | None) -> RowNumbers:
        kinks = network.kinks
        counts = [*(len(kink.row_neuron) for kink in kinks), 1]
        return cls(
            np.repeat(np.arange(len(counts)), counts).astype(np.int32),
            np.concatenate([*(kink.row_neuron for kink in kinks), [0]]).astype(np.int32),
            np.concatenate([*(kink.row_breakpoint for kink in kinks), [level or 0.0]]),
            np.cumsum([0, *counts[:-1], 0 if level is None else 1]).astype(np.int32),
        )

    @property
    def count(self) -> int:
        """All rows but the level's."""
        return len(self.layer) - 1

    @property
    def layers(self) -> int:
        return int(self.layer[-1])

    @cached_property
    def _number(self) -> dict[tuple[int, int, float], int]:
        named = zip(self.layer.tolist(), self.neuron.tolist(), self.breakpoint.tolist(), strict=True)
        return {name: number for number, name in enumerate(named)}

    def of_edges(self, layer: Int, neuron: Int, breakpoint_: Float) -> Int:
        """Return the numbers of the rows that edges are named after, -1 of the border's."""
        named = zip(layer.tolist(), neuron.tolist(), breakpoint_.tolist(), strict=True)
        return np.array([self._number.get(name, -1) for name in named], np.int32)
