"""The planar map while it is being cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine import map_kernels
from engine.planar_map import OUTSIDE
from engine.steps import Int
from engine.table import Table
from engine.workers import Workers, grain


@dataclass(frozen=True, eq=False, slots=True)
class PlanarMap:
    """A planar map in the making.  positions, uncertainty, edge_layer and edge_row are tables that only grow.

    edges (E, 2), edge_layer, edge_row (E,), offsets (F + 1,), half_edges (H,) int32; uncertain (U,) int32: the edges
    with an end whose position is uncertain by more than `negligible`.
    """

    positions: Table
    uncertainty: Table
    edges: Int
    edge_layer: Table
    edge_row: Table
    offsets: Int
    half_edges: Int
    uncertain: Int
    negligible: float

    def frozen(self) -> PlanarMap:
        """The map as it stands, whatever its tables grow by later."""
        positions, uncertainty, edge_layer, edge_row = (
            Table(table.view) for table in (self.positions, self.uncertainty, self.edge_layer, self.edge_row)
        )
        return replace(self, positions=positions, uncertainty=uncertainty, edge_layer=edge_layer, edge_row=edge_row)

    @property
    def faces(self) -> int:
        return len(self.offsets) - 1

    def edge_faces(self, workers: Workers) -> Int:
        """(E, 2) int32: faces left and right of each edge, -1 outside."""
        result = np.full((len(self.edges), 2), OUTSIDE, np.int32)
        workers.run(map_kernels.faces_of_edges, self.faces, grain(30), self.offsets, self.half_edges, result)
        return result
