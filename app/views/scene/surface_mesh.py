"""A level surface as the 3D scene draws it, made once: whatever does not depend on the eye."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from app.state.geometry.spheres import Spheres
from app.state.geometry.surfaces import CoarseSurface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.state.geometry.surfaces import PolygonSurface

Float = NDArray[np.float64]
Int = NDArray[np.int32]


@dataclass(frozen=True, eq=False, slots=True)
class SurfaceMesh:
    """vertices (V, 3); face_offsets (F + 1,), face_vertices (H,): loops of convex polygons; normals (F, 3) unit vectors
    or 0; colors (F, 3) uint8; creases (E, 2) ordered by depth, crease_depth (E,); spheres: around the facets."""

    vertices: Float
    face_offsets: Int
    face_vertices: Int
    normals: Float
    colors: NDArray[np.uint8]
    creases: Int
    crease_depth: Int
    spheres: Spheres

    @classmethod
    def joined(cls, meshes: Sequence[Self]) -> Self:
        """One mesh of several, in their order."""
        if not meshes:
            return cls.of(CoarseSurface.none())
        if len(meshes) == 1:
            return meshes[0]
        first = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)], dtype=np.int32)
        pairs = list(zip(meshes, first, strict=False))
        sizes = np.concatenate([[0], *(np.diff(mesh.face_offsets) for mesh in meshes)])
        depth = np.concatenate([mesh.crease_depth for mesh in meshes])
        order = np.argsort(depth, kind="stable")
        spheres = [mesh.spheres for mesh in meshes]
        return cls(
            np.concatenate([mesh.vertices for mesh in meshes]),
            np.cumsum(sizes, dtype=np.int32),
            np.concatenate([mesh.face_vertices + start for mesh, start in pairs]),
            np.concatenate([mesh.normals for mesh in meshes]),
            np.concatenate([mesh.colors for mesh in meshes]),
            np.concatenate([mesh.creases + start for mesh, start in pairs])[order],
            depth[order],
            Spheres(np.concatenate([s.middles for s in spheres]), np.concatenate([s.radii for s in spheres])),
        )

    @property
    def gradients(self) -> Float:
        """(F, 3): normal to the facets."""
        return self.normals

    @property
    def triangles(self) -> int:
        """Return into how many triangles the polygons are cut."""
        return max(len(self.face_vertices) - 2 * (len(self.face_offsets) - 1), 0)

    def corners(self, face: int) -> Float:
        """(M, 3): of a facet, around it."""
        start, stop = self.face_offsets[face : face + 2].tolist()
        return self.vertices[self.face_vertices[start:stop]]

    @classmethod
    def of(cls, surface: PolygonSurface) -> Self:
        lengths = np.linalg.norm(surface.gradients, axis=1, keepdims=True)
        normals = surface.gradients / np.where(lengths > 0, lengths, 1.0)
        order = np.argsort(surface.edge_layer, kind="stable")
        order = order[surface.edge_layer[order] >= 0]  # not the domain's border
        vertices = np.ascontiguousarray(surface.vertices, np.float64)
        offsets = np.ascontiguousarray(surface.face_offsets, np.int32)
        loops = np.ascontiguousarray(surface.face_vertices, np.int32)
        return cls(
            vertices, offsets, loops, normals, normal_colors(normals),
            np.ascontiguousarray(surface.edges[order], np.int32), surface.edge_layer[order].astype(np.int32),
            Spheres.around(vertices, offsets, loops),
        )  # fmt: skip


def normal_colors(normals: Float) -> NDArray[np.uint8]:
    """(F, 3) uint8: RGB = (n + 1) / 2 of unit normals n (F, 3); grey where there is none."""
    return np.rint(255 * (normals + 1) / 2).astype(np.uint8)
