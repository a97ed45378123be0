"""A surface as views receive it: convex polygons, each with the gradient of the network on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int32]


class Polygons(Protocol):
    """Convex polygons in space.

    vertices (V, 3) float64; face_offsets (F + 1,) int32, face_vertices (H,) int32: face i runs through
    face_vertices[face_offsets[i]:face_offsets[i + 1]]; gradients (F, 3) float64: normal to the faces, outward.
    """

    @property
    def vertices(self) -> Float: ...
    @property
    def face_offsets(self) -> Int: ...
    @property
    def face_vertices(self) -> Int: ...
    @property
    def gradients(self) -> Float: ...


class PolygonSurface(Polygons, Protocol):
    """What views draw of a level surface: `engine.Surface`, or a coarse triangle mesh until that is there.

    edges (E, 2) int32, edge_layer (E,) int32: the creases, and the depth of the neuron that makes each, -1 at the
    domain's border.
    """

    @property
    def edges(self) -> Int: ...
    @property
    def edge_layer(self) -> Int: ...


@dataclass(frozen=True, eq=False, slots=True)
class CoarseSurface:
    """A triangle mesh near the level surface, to look at until the exact one is there; a PolygonSurface."""

    vertices: Float
    face_offsets: Int
    face_vertices: Int
    gradients: Float
    edges: Int
    edge_layer: Int

    @classmethod
    def none(cls) -> CoarseSurface:
        return cls.from_triangles(np.empty((0, 3)), np.empty((0, 3), np.int32))

    @classmethod
    def from_triangles(cls, vertices: Float, triangles: Int) -> CoarseSurface:
        """vertices (V, 3), triangles (F, 3), counter-clockwise seen from outside; it has no creases."""
        a, b, c = (vertices[triangles[:, k]] for k in range(3))
        none = np.empty((0, 2), np.int32)
        arrays = (
            np.ascontiguousarray(vertices, np.float64),
            np.arange(0, 3 * len(triangles) + 1, 3, dtype=np.int32),
            np.ascontiguousarray(triangles, np.int32).ravel(),
            np.cross(b - a, c - a),
            none,
            none[:, 0],
        )
        for array in arrays:
            array.setflags(write=False)
        return cls(*arrays)
