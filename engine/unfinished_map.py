"""The planar map while it is being cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine import map_kernels
from engine.planar_map import BORDER, OUTSIDE
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

    def with_uncertain(self) -> PlanarMap:
        """The map with `uncertain` as the uncertainty is now."""
        found = map_kernels.find_uncertain(0, len(self.edges), self.edges, self.uncertainty.view, self.negligible)
        return replace(self, uncertain=found)

    def shrink(self, vertices: int, edges: int) -> None:
        """Forget what a cut has added to the tables: this is the map before it again."""
        for table in (self.positions, self.uncertainty):
            table.shrink(vertices)
        for table in (self.edge_layer, self.edge_row):
            table.shrink(edges)

    def faces_at(self, vertices: Int) -> Int:
        """(K, 2) int32: n and a face at vertices[n]."""
        number = np.full(len(self.positions), -1, np.int32)
        number[vertices] = np.arange(len(vertices))
        item = number[self.edges[self.half_edges >> 1, self.half_edges & 1]]
        face = np.repeat(np.arange(self.faces, dtype=np.int32), np.diff(self.offsets))
        found: Int = np.column_stack([item, face])[item >= 0]
        return found

    def lines_through(self, vertices: Int, border: bool) -> Int:
        """(K, 3) int32: n, layer and row of each line that an edge at vertices[n] is a piece of, ordered by n.

        border: whether sides of the domain count.
        """
        wanted = np.zeros(len(self.positions), np.bool_)
        wanted[vertices] = True
        layer, row = self.edge_layer.view, self.edge_row.view
        edge, end = np.nonzero(wanted[self.edges] & (border | (layer[: len(self.edges), None] != BORDER)))
        found = np.unique(np.stack([self.edges[edge, end], layer[edge], row[edge]], axis=1), axis=0)
        first, stop = (np.searchsorted(found[:, 0], vertices, side=side) for side in ("left", "right"))
        count = stop - first
        item = np.repeat(np.arange(len(vertices)), count)
        place = np.repeat(first - np.cumsum(count) + count, count) + np.arange(len(item))
        return np.column_stack([item, found[place, 1:]]).astype(np.int32)

    def edge_faces(self, workers: Workers) -> Int:
        """(E, 2) int32: faces left and right of each edge, -1 outside."""
        result = np.full((len(self.edges), 2), OUTSIDE, np.int32)
        workers.run(map_kernels.faces_of_edges, self.faces, grain(15), self.offsets, self.half_edges, result)
        return result
