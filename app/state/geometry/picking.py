"""Where a line of sight meets a surface of convex polygons, exactly: in the facet's own plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.state.geometry.spheres import Spheres
from app.state.geometry.surfaces import Float, Int, Polygons


@dataclass(frozen=True, eq=False, slots=True)
class SurfacePoint:
    """point, normal (3,): on the surface, the normal of unit length, outward; face: the facet that it lies on."""

    point: Float
    normal: Float
    face: int


def surface_point(
    surface: Polygons,
    start: Float,
    direction: Float,
    cut_away: Float | None = None,
    spheres: Spheres | None = None,
    among: NDArray[np.intp] | None = None,
) -> SurfacePoint | None:
    """The first point of the surface on the ray from `start` (3,) along a unit `direction` (3,), None beside it.

    cut_away (4,): points (p, 1) with a positive product do not count; spheres: around the facets, with them it is fast;
    among: only these facets count.
    """
    faces = among
    if faces is None:
        faces = np.arange(len(surface.gradients)) if spheres is None else spheres.near_line(start, direction)
    faces = _faces_met(surface.vertices, surface.face_offsets, surface.face_vertices, faces, start, direction)
    gradients = surface.gradients[faces]
    towards = gradients @ direction
    steep = np.abs(towards) > 1e-12 * np.linalg.norm(gradients, axis=1)
    faces, gradients, towards = faces[steep], gradients[steep], towards[steep]
    corners = surface.vertices[surface.face_vertices[surface.face_offsets[faces]]]
    along = ((corners - start) * gradients).sum(axis=1) / towards
    points = start + along[:, None] * direction
    seen = along > 0
    if cut_away is not None:
        seen &= points @ cut_away[:3] + cut_away[3] <= 0
    if not seen.any():
        return None
    first = int(np.argmin(np.where(seen, along, np.inf)))
    gradient = gradients[first]
    return SurfacePoint(points[first], gradient / np.linalg.norm(gradient), int(faces[first]))


def corners_of(faces: NDArray[np.intp], offsets: Int, loops: Int) -> tuple[NDArray[np.intp], Int]:
    """Of some faces: where the loop of each starts (F + 1,), and their vertices one loop after the other."""
    counts = offsets[faces + 1] - offsets[faces]
    starts = np.concatenate([[0], np.cumsum(counts)])
    places = np.arange(starts[-1]) + np.repeat(offsets[faces] - starts[:-1], counts)
    return starts, loops[places]


def _faces_met(
    vertices: Float, offsets: Int, loops: Int, faces: NDArray[np.intp], start: Float, direction: Float
) -> NDArray[np.intp]:
    """Those of some facets that the whole line through `start` meets: seen along it, they turn one way around it."""
    if not len(faces):
        return faces
    away = int(np.argmin(np.abs(direction)))
    first = np.cross(direction, np.eye(3)[away])
    second = np.cross(direction, first)
    starts, corners = corners_of(faces, offsets, loops)
    x, y = ((vertices[corners] - start) @ np.stack([first, second], axis=1)).T
    following = np.arange(1, len(corners) + 1)
    following[starts[1:] - 1] = starts[:-1]
    turns = x * y[following] - x[following] * y
    least, most = (reduce.reduceat(turns, starts[:-1]) for reduce in (np.minimum, np.maximum))
    met: NDArray[np.intp] = faces[((least >= 0) | (most <= 0)) & (least < most)]
    return met
