"""Further rows that run along an edge which another row, an earlier layer or the border has made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import map_kernels
from engine.steps import Int
from engine.subdivide import Cut
from engine.workers import Workers, grain


@dataclass(frozen=True, eq=False, slots=True)
class Coincidences:
    """entries (K, 3) int32: edge, layer and row, ordered by layer; the row's sign changes across the edge."""

    entries: Int

    @classmethod
    def none(cls) -> Coincidences:
        return cls(np.empty((0, 3), np.int32))

    def after(self, cut: Cut, layer: int, workers: Workers) -> Coincidences:
        """The coincidences on the map after a cut by the rows of `layer`: those on the pieces of old edges, and new
        ones.
        """
        return Coincidences(np.concatenate([self._on_pieces(cut.edge_origin), _found(cut, layer, workers)]))

    def _on_pieces(self, origin: Int) -> Int:
        if len(self.entries) == 0:
            return self.entries
        by_origin = np.argsort(origin, kind="stable").astype(np.int32)
        first = np.searchsorted(origin[by_origin], self.entries[:, 0], side="left")
        count = np.searchsorted(origin[by_origin], self.entries[:, 0], side="right") - first
        repeated = np.repeat(self.entries, count, axis=0)
        ramp = np.arange(len(repeated)) - np.repeat(np.cumsum(count) - count, count)
        repeated[:, 0] = by_origin[np.repeat(first, count) + ramp]
        return repeated


def _found(cut: Cut, layer: int, workers: Workers) -> Int:
    edges, edge_layer, edge_row = cut.map.edges, cut.map.edge_layer, cut.map.edge_row
    last_word = cut.mask[-1]
    counts = np.empty(len(edges), np.int32)
    totals = workers.run(
        map_kernels.count_coincident, len(edges), grain(20 * cut.plus.shape[1]), edges, edge_layer, edge_row, layer,
        cut.plus, cut.minus,
        last_word, counts,
    )  # fmt: skip
    total = sum(totals)
    found = np.empty((total, 3), np.int32)
    if total == 0:
        return found
    number = map_kernels.list_coincident(
        counts, edges, edge_layer, edge_row, layer, cut.plus, cut.minus, last_word, cut.map.edge_faces(),
        cut.face_plus, cut.face_minus, found,
    )  # fmt: skip
    return found[:number]
