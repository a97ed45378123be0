"""What a click takes: a vertex nearby with its exact coordinates, else the point of the surface or the slice itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPointF

from app.state.geometry.picking import SurfacePoint, corners_of, surface_point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.control.live_slices import LiveSlices
    from app.control.live_surface import DrawnSurface, LiveSurface
    from app.state.session import Session
    from app.views.camera import Lens
    from app.views.scene.scene_view import SceneView
    from engine import Partition

    Float = NDArray[np.float64]

_REACH: Final = 9.0  # pixels
_FLATTEST: Final = 1e-9  # the determinant of a plane that is seen along itself
_BEHIND: Final = 10.0  # pixels: so much deeper than what is seen at its place a vertex may be and be seen


class Snapping:
    """Of what is drawn now.  Points are (3,), in space."""

    def __init__(self, view: SceneView, slices: LiveSlices, surface: LiveSurface) -> None:
        self._view, self._slices, self._surface = view, slices, surface

    @property
    def waiting(self) -> bool:
        """The exact surface will come."""
        return self._surface.drawn is None and not self._surface.finished

    def on_surface(self, at: QPointF) -> SurfacePoint | None:
        """The exact surface at a pixel of the 3D view; None beside it, and where it is hidden or not there yet."""
        drawn, lens, scene = self._surface.drawn, self._view.lens, self._view.scene
        if drawn is None or lens is None or scene is None or not self._view.look.surface:
            return None
        clip = scene.surface(self._view.look, self._view.clip_plane())
        start, direction = lens.ray(at.x(), at.y())
        cut = None if clip is None else clip.cut
        return surface_point(drawn.surface, start, direction, cut, drawn.mesh.spheres)

    def vertex_in_space(self, at: QPointF, session: Session) -> Float | None:
        """The nearest vertex in sight, of the surface or of a slice's lines, within reach of a pixel."""
        lens, drawn = self._view.lens, self._surface.drawn
        if lens is None:
            return None
        x, y = at.x(), at.y()
        known = []
        if drawn is not None and self._view.look.surface:
            known.append(drawn.surface.vertices[_near_on_surface(drawn, lens, x, y)])
        if self._view.look.lines:
            for part in session.slices:
                shown = self._slices.result(part.key)
                if part.visible and shown is not None:
                    partition = shown.answer.partition
                    known.append(partition.points[_near_in_plane(partition, lens, x, y)])
        if not known:
            return None
        points = np.concatenate(known)
        apart = np.hypot(*(lens.to_pixels(points) - np.array([x, y])).T)
        ahead = (points - lens.eye) @ lens.forward > 0
        near = np.flatnonzero((apart <= _REACH) & ahead)
        screen = self._view.screen_at(at, _REACH)
        for vertex in near[np.argsort(apart[near], kind="stable")][:50].tolist():
            px, py = lens.to_pixels(points[vertex][None])[0].tolist()
            if screen is None or not screen.hides(px, py, points[vertex], _BEHIND):
                found: Float = points[vertex].copy()
                return found
        return None

    def in_space(self, at: QPointF, session: Session) -> Float | None:
        """A vertex, else the surface, else a slice."""
        vertex = self.vertex_in_space(at, session)
        if vertex is not None:
            return vertex
        surface = self.on_surface(at)
        if surface is not None:
            return surface.point
        found = self._view.slice_point(at)
        if found is None:
            return None
        key, u, v, _ = found
        point: Float = session.slice(key).plane.to_input(np.array([[u, v]]))[0]
        return point

    def vertex_in_slice(self, key: int, u: float, v: float, pixel: float) -> Float | None:
        """The partition's nearest vertex within reach of a place in its 2D view."""
        shown = self._slices.result(key)
        if shown is None:
            return None
        partition = shown.answer.partition
        apart = np.hypot(*(partition.vertices - np.array([u, v])).T)
        vertex = int(np.argmin(apart))
        if apart[vertex] > _REACH * pixel:
            return None
        found: Float = partition.points[vertex].copy()
        return found

    def in_slice(self, key: int, u: float, v: float, pixel: float) -> Float | None:
        """A vertex, else the place itself."""
        vertex, shown = self.vertex_in_slice(key, u, v, pixel), self._slices.result(key)
        if vertex is not None or shown is None:
            return vertex
        point: Float = shown.plane.to_input(np.array([[u, v]]))[0]
        return point


def _near_on_surface(drawn: DrawnSurface, lens: Lens, px: float, py: float) -> NDArray[np.int32]:
    """The surface's vertices that may be within reach of a pixel, and some more: those of facets near its line."""
    surface = drawn.surface
    start, direction = lens.ray(px, py)
    spread, width = _REACH * lens.pixel_angle, _REACH * lens.pixel_length(start)
    faces = drawn.mesh.spheres.near_line(start, direction, spread, width)
    return np.unique(corners_of(faces, surface.face_offsets, surface.face_vertices)[1])


def _near_in_plane(partition: Partition, lens: Lens, px: float, py: float) -> NDArray[np.intp]:
    """The partition's vertices that may be within reach of a pixel, and some more: those in the part of its plane that
    is seen in a square around the pixel.  All of them where that part has no end."""
    homography = lens.homography(partition.plane)
    everything = np.arange(len(partition.vertices))
    if abs(float(np.linalg.det(homography / np.linalg.norm(homography, axis=1, keepdims=True)))) < _FLATTEST:
        return everything
    square = np.array([(px + dx, py + dy, 1.0) for dx in (-_REACH, _REACH) for dy in (-_REACH, _REACH)])
    seen = square @ np.linalg.inv(homography).T
    if (seen[:, 2] <= 0).any():
        return everything
    low, high = (seen[:, :2] / seen[:, 2:]).min(axis=0), (seen[:, :2] / seen[:, 2:]).max(axis=0)
    u, v = partition.vertices.T
    found: NDArray[np.intp] = np.flatnonzero((u >= low[0]) & (u <= high[0]) & (v >= low[1]) & (v <= high[1]))
    return found
