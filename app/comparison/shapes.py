"""Surfaces as triangles: exact level surfaces of networks, and meshes from files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import Surface, fans
from sdf_models.mesh_files import normalisation, read_mesh

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Shape:
    """A surface as triangles, and what is inside of it.

    vertices (V, 3) float64, faces (T, 3) int64, normals (T, 3) float64, zero where a triangle has no area; facts: its
    measures by key; inside: points (N, 3) -> (N,) bool, None where the surface is not closed.
    """

    name: str
    vertices: Float
    faces: NDArray[np.int64]
    normals: Float
    facts: dict[str, Any]
    inside: Callable[[Float], NDArray[np.bool_]] | None

    @property
    def areas(self) -> Float:
        """(T,) float64."""
        a, b, c = (self.vertices[self.faces[:, corner]] for corner in range(3))
        return np.asarray(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1))


def shape_of(surface: Surface, name: str) -> Shape:
    """Return an exact level surface as triangles; inside is where its network is not above the level."""
    corners, face = fans(surface.face_offsets, surface.face_vertices)
    report = surface.report
    facts = {
        "facets": report.facets,
        "surface_area": surface.area,
        "volume": surface.volume(),
        "components": report.components,
        "genus": sum((2 - euler) // 2 for euler in report.euler) if report.closed else None,
    }
    normals = surface.normals[face]
    return Shape(
        name, surface.vertices, corners.astype(np.int64), normals, facts,
        lambda points: surface.network.forward(points)[:, 0] <= surface.level,
    )  # fmt: skip


def shape_in(path: Path, normalised: bool = False) -> Shape:
    """Read a triangle mesh.

    normalised: moved and scaled to the middle of [-1, 1]^3 as `splinescope train` does it.  Raises MeshFileError.
    """
    mesh = read_mesh(path)
    if normalised:
        middle, scale = normalisation(mesh.vertices)
        mesh.apply_translation(-middle)
        mesh.apply_scale(scale)
    closed = bool(mesh.is_watertight and mesh.is_winding_consistent)
    if closed and mesh.volume < 0.0:
        mesh.invert()
    vertices, faces = np.array(mesh.vertices, np.float64), np.array(mesh.faces, np.int64)
    parts = int(mesh.body_count)
    facts = {
        "facets": len(faces),
        "surface_area": float(mesh.area),
        "volume": float(mesh.volume) if closed else None,
        "components": parts,
        "genus": parts - int(mesh.euler_number) // 2 if closed else None,
    }
    return Shape(
        path.name, vertices, faces, _normals(vertices, faces), facts, _inside(vertices, faces) if closed else None
    )


def _normals(vertices: Float, faces: NDArray[np.int64]) -> Float:
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    across = np.cross(b - a, c - a)
    length = np.linalg.norm(across, axis=1, keepdims=True)
    return np.asarray(across / np.where(length > 0.0, length, 1.0))


def _inside(vertices: Float, faces: NDArray[np.int64]) -> Callable[[Float], NDArray[np.bool_]]:
    from sdf_models.meshes import mesh_distance

    distance = mesh_distance(vertices, faces)
    return lambda points: distance(points) <= 0.0
