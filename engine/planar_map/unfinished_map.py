"""The planar map while it is being cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Int
from engine.machine.table import Table
from engine.machine.workers import Workers, grain
from engine.planar_map import map_kernels
from engine.planar_map.planar_map import OUTSIDE


@dataclass(frozen=True, eq=False, slots=True)
class PlanarMap:
    """A planar map in the making.  positions, uncertainty, edge_layer and edge_row are tables that only grow.

    edges (E, 2), edge_layer, edge_row (E,), offsets (F + 1,), half_edges (H,) int32; negligible: uncertainty of a
    position that matters only to a doubtful sign.
    """

    positions: Table
    uncertainty: Table
    edges: Int
    edge_layer: Table
    edge_row: Table
    offsets: Int
    half_edges: Int
    negligible: float

    def frozen(self) -> PlanarMap:
        """The map as it stands, whatever its tables grow by later."""
        return PlanarMap(
            Table(self.positions.view), Table(self.uncertainty.view), self.edges, Table(self.edge_layer.view),
            Table(self.edge_row.view), self.offsets, self.half_edges, self.negligible,
        )  # fmt: skip

    @property
    def faces(self) -> int:
        return len(self.offsets) - 1

    def edge_faces(self, workers: Workers) -> Int:
        """(E, 2) int32: faces left and right of each edge, -1 outside."""
        result = np.full((len(self.edges), 2), OUTSIDE, np.int32)
        workers.run(map_kernels.faces_of_edges, self.faces, grain(30), self.offsets, self.half_edges, result)
        return result
