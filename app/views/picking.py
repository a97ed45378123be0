"""Which facet of a surface lies under a pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from app.views.camera import Lens
    from app.views.surface_picture import SurfaceDrawing

Float = NDArray[np.float64]


def facet_at(drawing: SurfaceDrawing, lens: Lens, px: float, py: float) -> tuple[int, Float] | None:
    """The nearest facet at a pixel that is not cut away, and the point (3,) of it that is seen there."""
    mesh = drawing.mesh
    if len(mesh.face_offsets) < 2:
        return None
    start, direction = lens.ray(px, py)
    across = np.stack(_across(direction), axis=1)
    seen = (mesh.vertices - start) @ across  # around the line of sight, which is at 0
    corners = seen[mesh.face_vertices]
    following = np.arange(1, len(corners) + 1)
    following[mesh.face_offsets[1:] - 1] = mesh.face_offsets[:-1]
    ahead = corners[following]
    side = corners[:, 0] * ahead[:, 1] - corners[:, 1] * ahead[:, 0]
    first = mesh.face_offsets[:-1]
    around = (np.minimum.reduceat(side, first) >= 0) | (np.maximum.reduceat(side, first) <= 0)
    facets = np.flatnonzero(around)
    steep = mesh.normals[facets] @ direction
    facets, steep = facets[steep != 0], steep[steep != 0]
    corner = mesh.vertices[mesh.face_vertices[first[facets]]]
    distances = ((corner - start) * mesh.normals[facets]).sum(axis=1) / steep
    points = start + distances[:, None] * direction
    kept = distances > 0
    if drawing.cut is not None:
        kept &= points @ drawing.cut[:3] + drawing.cut[3] <= 0
    if not kept.any():
        return None
    best = int(np.argmin(np.where(kept, distances, np.inf)))
    return int(facets[best]), points[best]


def _across(direction: Float) -> tuple[Float, Float]:
    """Two unit vectors (3,) across a unit direction, and across each other."""
    axis = np.eye(3)[int(np.argmin(np.abs(direction)))]
    first = np.cross(direction, axis)
    first /= np.linalg.norm(first)
    return first, np.cross(direction, first)
