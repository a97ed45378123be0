"""The lines of a slice as arrays to draw, made once by whoever computed it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import LevelSet, Partition, SlicePlane

Float = NDArray[np.float64]
Int = NDArray[np.int32]


@dataclass(frozen=True, eq=False, slots=True)
class SliceLines:
    """The lines of a slice in space, by depth, and its level set.

    plane: where they lie.  points (V, 3) float32; edges (E, 2) int32, ordered by layer: those of depth d are
    edges[first[d]:first[d + 1]], and first is (L + 1,) int32.  level (K, 3) float32 with level_offsets (P + 1,)
    int32: P polylines.
    """

    plane: SlicePlane
    points: NDArray[np.float32]
    edges: Int
    first: Int
    level: NDArray[np.float32]
    level_offsets: Int


def slice_lines(partition: Partition, level_set: LevelSet | None) -> SliceLines:
    """Order a partition's edges by layer; level_set: None while it is not known."""
    edges, first = edges_by_layer(partition)
    polylines = () if level_set is None else level_set.polylines
    level, offsets = joined(polylines, partition.plane)
    return SliceLines(
        partition.plane,
        partition.points.astype(np.float32),
        edges,
        first,
        level,
        offsets,
    )


def edges_by_layer(partition: Partition) -> tuple[Int, Int]:
    """The edges (E, 2) int32 by layer, the border's first, the level's last, and where each depth starts (L + 1,)."""
    layers = len(partition.network.kinks)
    layer = partition.edge_layer.astype(np.int16)  # of which stable sorting is by radix
    order = np.argsort(layer, kind="stable")
    first = np.searchsorted(layer[order], np.arange(layers + 1, dtype=np.int16))
    return np.ascontiguousarray(partition.edges[order]), first.astype(np.int32)


def joined(polylines: tuple[Float, ...], plane: SlicePlane) -> tuple[NDArray[np.float32], Int]:
    """Polylines (n, 2) of a plane in space: points (K, 3) float32, and where each starts (P + 1,) int32."""
    points = np.concatenate([np.empty((0, 2)), *polylines])
    offsets = np.cumsum([0, *(len(polyline) for polyline in polylines)]).astype(np.int32)
    return plane.to_input(points).astype(np.float32), offsets
