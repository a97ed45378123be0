"""Further rows that run along an edge which another row, an earlier layer or the border has made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Int


@dataclass(frozen=True, eq=False, slots=True)
class Coincidences:
    """entries (K, 3) int32: edge, layer and row, ordered by layer; the row's sign changes across the edge."""

    entries: Int

    @classmethod
    def none(cls) -> Coincidences:
        return cls(np.empty((0, 3), np.int32))

    def on_pieces(self, origin: Int) -> Coincidences:
        """The same on the pieces of the edges; origin (E,) int32: the edge that each is a piece of, -1 for new ones."""
        by_origin = np.argsort(origin, kind="stable").astype(np.int32)
        first = np.searchsorted(origin[by_origin], self.entries[:, 0], side="left")
        count = np.searchsorted(origin[by_origin], self.entries[:, 0], side="right") - first
        repeated = np.repeat(self.entries, count, axis=0)
        ramp = np.arange(len(repeated)) - np.repeat(np.cumsum(count) - count, count)
        repeated[:, 0] = by_origin[np.repeat(first, count) + ramp]
        return Coincidences(repeated)

    def and_of(self, layer: int, found: Sequence[Int]) -> Coincidences:
        """These and the (edge, row) pairs found for a layer, (K, 2) int32 each."""
        if not found:
            return self
        rows = np.concatenate(found)
        return Coincidences(np.concatenate([self.entries, np.insert(rows, 1, layer, axis=1)]))

    def __len__(self) -> int:
        return len(self.entries)
