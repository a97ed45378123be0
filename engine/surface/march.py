"""From region to region over a level surface: the polygons of all regions that it crosses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int
from engine.machine import memory
from engine.machine.workers import Workers
from engine.network.layers import Layers
from engine.surface.edge_walk import turn_around
from engine.surface.facets import LOST, find_polygons
from engine.surface.region_table import insert_regions, rebuild_table, visit_neighbours
from engine.surface.seeds import Crossings

_PIECE_NANOSECONDS = 2e6  # of work between two looks at whether to stop
_EDGES = 16  # in a piece of work
_WAVE = 1 << 14  # regions between two reports
_BYTES = 400.0  # for each polygon, without its signature


class March:
    """The regions that the surface crosses, as far as they are known, and their polygons.

    signatures (., W), the first `count` of them in use; table: their hash table; the polygons of the first `visited`
    regions, in `parts`, as find_polygons gives them, each with the regions beyond its edges.
    """

    def __init__(self, layers: Layers, box: Float, workers: Workers) -> None:
        self.layers, self.box, self.workers = layers, box, workers
        # measured: some 3 us for the polygon of a region and 0.2 ns for each weight
        self.piece = max(1, min(256, int(_PIECE_NANOSECONDS / (3e3 + 0.2 * len(layers.weights)))))
        self.signatures = np.empty((1 << 12, layers.words), np.uint64)
        self.table = np.full(1 << 14, -1, np.int32)
        self.count = self.visited = self.facets = 0
        self.points, self.radii = np.empty((0, 3)), np.empty(0)
        self.parts: list[tuple[Any, ...]] = []

    @property
    def waiting(self) -> int:
        return self.count - self.visited

    def start(self, crossings: Crossings) -> None:
        self._reserve(len(crossings.points))
        self.count, fresh = insert_regions(self.signatures, crossings.signatures, self.count, self.table)
        self.points = crossings.points[fresh]
        self.radii = np.full(len(self.points), float(np.linalg.norm(self.box[1] - self.box[0])) / 64.0)

    def visit(self) -> None:
        """Find the polygons of the regions that wait, up to some number, and what lies beyond their edges."""
        first, some = self.visited, min(self.waiting, _WAVE)
        arguments = (self.layers, self.box, self.signatures[first : first + some], self.points, self.radii)
        pieces = self.workers.run(find_polygons, some, self.piece, *arguments)
        points, radii = [self.points[some:]], [self.radii[some:]]
        self._reserve(sum(len(piece[4]) for piece in pieces))
        for piece in pieces:
            counts, gradients, areas, found, positions, uncertainties, labels, sides, walks, shared = piece
            beyond = np.empty(len(labels), np.int32)
            walked = self._turned(walks, shared)
            self.count, more, more_radii = visit_neighbours(
                counts, found, positions, labels, walks, walked, self.visited, self.signatures, self.count, self.table,
                beyond,
            )  # fmt: skip
            points.append(more)
            radii.append(more_radii)
            self.visited += len(counts)
            self.facets += int(np.count_nonzero(counts > 0))
            self.parts.append(
                (np.maximum(counts, 0), gradients, areas, positions, uncertainties, labels, sides, beyond)
            )
        self.points, self.radii = np.concatenate(points), np.concatenate(radii)

    def _turned(self, walks: Int, edges: Float) -> NDArray[np.uint64]:
        """The signatures beyond the edges of several rows; walks of those that were not found become LOST."""
        if not len(edges):
            return np.empty((0, self.layers.words), np.uint64)
        results = self.workers.run(turn_around, len(edges), _EDGES, self.layers, edges)
        found = np.concatenate([flags for _, flags in results])
        shared = np.flatnonzero(walks >= 0)
        walks[shared[~found]] = LOST
        return np.concatenate([signatures for signatures, _ in results])

    def _reserve(self, more: int) -> None:
        """Room for `more` regions."""
        needed = self.count + more
        if needed > len(self.signatures):
            size = 2 * needed
            memory.admit(size * (8.0 * self.layers.words + _BYTES), f"a surface of {needed:,} facets")
            signatures = np.empty((size, self.layers.words), np.uint64)
            signatures[: self.count] = self.signatures[: self.count]
            self.signatures = signatures
        if 2 * needed > len(self.table):
            self.table = np.full(1 << (4 * needed - 1).bit_length(), -1, np.int32)
            rebuild_table(self.signatures, self.count, self.table)

    def joined(self) -> list[Any]:
        """The arrays of all parts."""
        if not self.parts:
            empty = find_polygons(0, 0, self.layers, self.box, self.signatures[:0], self.points, self.radii)
            return [*empty[:3], *empty[4:8], np.empty(0, np.int32)]
        return [np.concatenate(arrays) for arrays in zip(*self.parts, strict=True)]
