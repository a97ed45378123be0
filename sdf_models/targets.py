"""The target of a training: a closed surface in the box [-1, 1]^3, with its signed distance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sdf_models.mesh_files import MeshFileError, normalisation, read_mesh
from sdf_models.meshes import level_set_mesh, mesh_distance
from sdf_models.shapes import Float, ShapeError, parse_shape

Int = NDArray[np.int64]

MESH_SUFFIXES = (".obj", ".ply", ".stl", ".off")
GRID = 224
"""Points along each side of the grid on which shapes without an exact distance are meshed."""
GRID_TO_DRAW = 96
"""The same where the mesh only serves to draw points near the surface."""


class TargetError(ValueError):
    """A network cannot be fitted to this; one line: what, why, what to do."""


@dataclass(frozen=True, eq=False, slots=True)
class Target:
    """A closed surface and its signed distance, negative inside.

    vertices: (V, 3) float64, faces: (F, 3) int64, a mesh to draw points from; distance: (N, 3) float64 -> (N,) float64;
    facts: what the target is, for the checkpoint.
    """

    vertices: Float
    faces: Int
    distance: Callable[[Float], Float]
    facts: Mapping[str, str]

    def sample_surface(self, count: int, rng: np.random.Generator) -> Float:
        """(count, 3) float64 points, uniform on the mesh's area."""
        corners = self.vertices[self.faces]
        areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        chosen = corners[rng.choice(len(areas), size=count, p=areas / areas.sum())]
        # Uniform on a triangle: Osada et al., "Shape distributions" (2002), section 4.2.
        root, v = np.sqrt(rng.random((count, 1))), rng.random((count, 1))
        return (1.0 - root) * chosen[:, 0] + root * (1.0 - v) * chosen[:, 1] + root * v * chosen[:, 2]


def load_target(description: str) -> Target:
    """The target of a mesh file's path or a shape's expression.  Raises TargetError."""
    path = Path(description)
    if path.suffix.lower() in MESH_SUFFIXES:
        return mesh_target(path)
    try:
        return shape_target(description)
    except ShapeError as error:
        raise TargetError(f"{description:.80}: {error} (a mesh's file ends in {', '.join(MESH_SUFFIXES)})") from error


def mesh_target(path: Path) -> Target:
    """A watertight mesh, moved and scaled to the middle of the box, MARGIN away from its nearest sides."""
    try:
        mesh = read_mesh(path)
        data = path.read_bytes()
    except MeshFileError as error:
        raise TargetError(f"{path}: {error}") from error
    except OSError as error:
        raise TargetError(f"{path}: it cannot be read ({error.strerror}); check the path") from error
    if not (mesh.is_watertight and mesh.is_winding_consistent):
        raise TargetError(
            f"{path}: the mesh is not watertight; close its holes (for example with a remeshing tool) first"
        )
    vertices = np.ascontiguousarray(mesh.vertices, dtype=np.float64)
    faces = np.ascontiguousarray(mesh.faces, dtype=np.int64)
    if mesh.volume < 0:
        faces = faces[:, ::-1].copy()
    center, scale = normalisation(vertices)
    vertices = (vertices - center) * scale
    moved = ", ".join(f"{value:.9g}" for value in -center)
    return Target(
        vertices,
        faces,
        mesh_distance(vertices, faces),
        {
            "fitted_to": path.name,
            "fitted_to_sha256": hashlib.sha256(data).hexdigest(),
            "normalisation": f"moved by ({moved}), then scaled by {scale:.9g}",
            "distance": "exact, to the mesh",
        },
    )


def shape_target(expression: str) -> Target:
    """A procedural shape; where its distance is not known exactly, that to its surface meshed on a fine grid."""
    shape = parse_shape(expression)
    size = GRID_TO_DRAW if shape.exact else GRID
    axis = np.linspace(-1.0, 1.0, size)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    values = shape.field(points)
    if values[np.abs(points).max(axis=1) == 1.0].min() <= 0.0:
        raise TargetError(f"{expression:.80}: the shape reaches the sides of the box [-1, 1]^3; make it smaller")
    if values.min() >= 0.0:
        raise TargetError(f"{expression:.80}: the shape is empty; make it larger")
    vertices, faces = level_set_mesh(values.reshape(size, size, size), -1.0, 1.0)
    spacing = axis[1] - axis[0]
    return Target(
        vertices,
        faces,
        shape.field if shape.exact else mesh_distance(vertices, faces),
        {
            "fitted_to": shape.expression,
            "distance": "exact"
            if shape.exact
            else f"to the surface by marching cubes on a grid of spacing {spacing:.3g}",
        },
    )
