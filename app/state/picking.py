"""Where a line of sight meets a surface of convex polygons, exactly: in the facet's own plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.state.surfaces import Float, PolygonSurface


@dataclass(frozen=True, eq=False, slots=True)
class SurfacePoint:
    """point, normal (3,): on the surface, the normal of unit length, outward; face: the facet that it lies on."""

    point: Float
    normal: Float
    face: int


def surface_point(
    surface: PolygonSurface, start: Float, direction: Float, cut_away: Float | None = None
) -> SurfacePoint | None:
    """The first point of the surface on the ray from `start` (3,) along `direction` (3,), None beside it.

    cut_away (4,): points (p, 1) with a positive product do not count.
    """
    if not len(surface.gradients):
        return None
    faces = _faces_met(surface, start, direction)
    towards = surface.gradients[faces] @ direction
    steep = np.abs(towards) > 1e-12 * np.linalg.norm(surface.gradients[faces], axis=1)
    faces, towards = faces[steep], towards[steep]
    corners = surface.vertices[surface.face_vertices[surface.face_offsets[faces]]]
    along = ((corners - start) * surface.gradients[faces]).sum(axis=1) / towards
    points = start + along[:, None] * direction
    seen = along > 0
    if cut_away is not None:
        seen &= points @ cut_away[:3] + cut_away[3] <= 0
    if not seen.any():
        return None
    first = int(np.argmin(np.where(seen, along, np.inf)))
    gradient = surface.gradients[faces[first]]
    return SurfacePoint(points[first], gradient / np.linalg.norm(gradient), int(faces[first]))


def _faces_met(surface: PolygonSurface, start: Float, direction: Float) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The facets that the whole line through `start` meets: seen along it, they turn one way around it."""
    away = int(np.argmin(np.abs(direction)))
    first = np.cross(direction, np.eye(3)[away])
    second = np.cross(direction, first)
    x, y = ((surface.vertices - start) @ np.stack([first, second], axis=1)).T
    loops, offsets = surface.face_vertices, surface.face_offsets
    following = np.arange(1, len(loops) + 1)
    following[offsets[1:] - 1] = offsets[:-1]
    a, b = loops, loops[following]
    turns = x[a] * y[b] - x[b] * y[a]
    least, most = (reduce.reduceat(turns, offsets[:-1]) for reduce in (np.minimum, np.maximum))
    met: np.ndarray[tuple[int], np.dtype[np.intp]] = np.flatnonzero(((least >= 0) | (most <= 0)) & (least < most))
    return met
