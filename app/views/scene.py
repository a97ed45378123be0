"""The 3D scene: a level surface, the domain's box, and slices in place.  Draws with any pyvista plotter, without Qt.

scene = Scene(plotter, domain, layers=8)
scene.draw_surface(surface)
scene.place_slice(0, SlicePlane.from_axis("z", 0.0), accent(0))
scene.draw_slice(0, slice_lines(partition, level_set(partition)))
scene.update(SceneLook())
scene.look_from()
plotter.screenshot("scene.png")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.state.look import SceneLook
from app.state.palette import BACKGROUND, RGB
from app.state.planes import centre_in
from app.views.box_actors import BoxActors
from app.views.plane_handle import PlaneHandle, distance_to_segment
from app.views.slice_actors import SliceActors
from app.views.surface_actors import SurfaceActors
from engine import PlaneError, SlicePlane, plane_box_polygon

if TYPE_CHECKING:
    import pyvista
    from vtkmodules.vtkCommonDataModel import vtkPolyData

    from app.state.surfaces import PolygonSurface
    from app.views.camera import Lens
    from app.views.slice_lines import SliceLines

VIEW: Final = (1.0, 0.62, 1.35)
"""The direction from the box's middle to the eye at the start; y is up."""
_MARGIN = 0.5  # of the box's diagonal, seen from its middle


@dataclass(slots=True)
class _Slice:
    actors: SliceActors
    plane: SlicePlane
    visible: bool
    corners: NDArray[np.float64]
    lines: SliceLines | None = None


class Scene:
    """What is drawn in one plotter; `update` is to be called after changes, and renders nothing by itself."""

    def __init__(self, plotter: pyvista.Plotter, domain: ArrayLike, layers: int) -> None:
        self.domain: NDArray[np.float64] = np.asarray(domain, np.float64)
        self._layers = layers
        self._renderer = plotter.renderer
        plotter.renderer.SetBackground(*BACKGROUND)
        plotter.camera_set = True  # else the first picture moves it
        self.camera = self._renderer.GetActiveCamera()
        self._box = BoxActors(self._renderer, self.domain)
        self._surface = SurfaceActors(self._renderer, layers)
        self.handle = PlaneHandle(self.camera, float(np.linalg.norm(np.ptp(self.domain, axis=0))))
        window = plotter.render_window
        assert window is not None  # of a plotter that is not closed
        window.SetNumberOfLayers(2)
        window.AddRenderer(self.handle.renderer)
        self._slices: dict[int, _Slice] = {}
        self._active: int | None = None
        self.look_from()

    def look_from(self, direction: ArrayLike = VIEW, up: ArrayLike = (0.0, 1.0, 0.0)) -> None:
        """Look at the middle of the box from a direction (3,), the whole of it in view."""
        middle, radius = self.domain.mean(axis=0), _MARGIN * float(np.linalg.norm(np.ptp(self.domain, axis=0)))
        towards = np.asarray(direction, np.float64) / np.linalg.norm(direction)
        distance = radius / np.sin(np.radians(self.camera.GetViewAngle() / 2))
        self.camera.SetFocalPoint(*middle)
        self.camera.SetPosition(*(middle + distance * towards))
        self.camera.SetViewUp(*np.asarray(up, np.float64))
        self.fit_range()

    def fit_range(self) -> None:
        """Near and far planes around the box, whatever the camera did."""
        lower, upper = self.domain - 0.2 * np.ptp(self.domain, axis=0) * np.array([[1.0], [-1.0]])
        self._renderer.ResetCameraClippingRange(*np.stack([lower, upper], axis=1).ravel())

    def draw_surface(self, surface: PolygonSurface | None, mesh: vtkPolyData | None = None) -> None:
        """mesh: what `coloured_by_normals` makes of the surface, if that is at hand."""
        self._surface.draw(surface, mesh)

    def draw_crease(self, points: NDArray[np.float64], edges: NDArray[np.int32], color: RGB) -> None:
        """Tell edges (H, 2) between points (V, 3) of the surface apart; none: nothing is told apart any more."""
        self._surface.draw_highlight(points, edges, color)

    def draw_stand_in(self, data: vtkPolyData | None) -> None:
        """A coarser surface, drawn until there is a fine one and while something moves."""
        self._surface.draw_coarse(data)

    def place_slice(self, key: int, plane: SlicePlane, accent: RGB, active: bool = False, visible: bool = True) -> None:
        """Put a slice's frame where the plane meets the box; lines drawn at an earlier place stay there."""
        known = self._slices.get(key)
        if known is None:
            known = self._slices[key] = _Slice(
                SliceActors(self._renderer, self._layers, accent), plane, visible, np.empty((0, 3))
            )
        known.plane = plane
        try:
            corners = plane.to_input(plane_box_polygon(plane, self.domain))
        except PlaneError:  # outside the box: nothing to frame
            corners = np.empty((0, 3))
        known.visible, known.corners = visible, corners
        known.actors.place(corners, active)
        if active:
            self._active = key
            self.handle.place(centre_in(plane, self.domain), plane.normal, accent)

    def draw_slice(self, key: int, lines: SliceLines) -> None:
        """The lines of slice `key`, in the plane that they were computed for."""
        known = self._slices[key]
        if lines is not known.lines:
            known.lines = lines
            known.actors.draw(lines)

    def draw_highlight(self, key: int, lines: SliceLines, edges: NDArray[np.int32], color: RGB) -> None:
        """Tell edges (H, 2) of slice `key` apart; none: nothing is told apart any more."""
        self._slices[key].actors.draw_highlight(lines.points, edges, color)

    def clear_slice(self, key: int) -> None:
        """No lines in slice `key`."""
        known = self._slices[key]
        known.lines = None
        known.actors.draw(None)

    def draw_level_set(self, key: int, points: NDArray[np.float32], offsets: NDArray[np.int32]) -> None:
        """The level set of slice `key` before its lines: points (K, 3), P polylines that start at offsets (P + 1,)."""
        self._slices[key].actors.draw_level(points, offsets)

    def remove_slice(self, key: int) -> None:
        self._slices.pop(key).actors.remove()
        if self._active == key:
            self._active = None

    def frame_at(self, lens: Lens, px: float, py: float, reach: float = 6.0) -> int | None:
        """The visible slice whose frame passes within `reach` pixels of a pixel, the nearest one to it."""
        best, nearest = None, reach
        for key, part in self._slices.items():
            if part.visible and len(part.corners):
                seen = lens.to_pixels(part.corners)
                distance = min(
                    distance_to_segment(np.array([px, py]), a, b)
                    for a, b in zip(seen, np.roll(seen, -1, axis=0), strict=True)
                )
                if distance < nearest:
                    best, nearest = key, distance
        return best

    def plane_at(self, origin: NDArray[np.float64], direction: NDArray[np.float64]) -> int | None:
        """The visible slice that a ray from `origin` (3,) along `direction` (3,) meets first, inside the box."""
        best, nearest = None, np.inf
        slack = 1e-9 * np.ptp(self.domain, axis=0)
        for key, part in self._slices.items():
            across = float(direction @ part.plane.normal)
            if not part.visible or abs(across) < 1e-9:
                continue
            t = float((part.plane.origin - origin) @ part.plane.normal) / across
            hit = origin + t * direction
            inside = (hit >= self.domain[0] - slack).all() and (hit <= self.domain[1] + slack).all()
            if inside and 0 < t < nearest:
                best, nearest = key, t
        return best

    def update(
        self, look: SceneLook, clip: SlicePlane | None = None, moving: int | None = None, handles: bool = False
    ) -> None:
        """Show what the look asks for.

        clip: the surface is cut away on the side of this plane where the eye is.  moving: the slice that is being
        moved; the others are then drawn by their first lines only, and the coarse surface stands in.  handles: the
        active slice has one.
        """
        self._box.show(look.box, look.axes)
        self._surface.show(look.surface, look.creases, look.hidden_depths, moving is not None)
        self._surface.clip(None if clip is None else (clip.origin, self._towards_eye(clip)))
        active = self._slices.get(self._active) if self._active is not None else None
        self.handle.show(handles and active is not None and active.visible and len(active.corners) > 0)
        for key, part in self._slices.items():
            thinned = moving is not None and key != moving
            depths = _first_depths(part.lines, _THINNED) if thinned else self._layers
            part.actors.show(part.visible, look.hidden_depths if look.lines else frozenset(range(99)), depths)

    def _towards_eye(self, plane: SlicePlane) -> NDArray[np.float64]:
        """The plane's normal, or the opposite one."""
        eye = np.array(self.camera.GetPosition())
        return plane.normal if float((eye - plane.origin) @ plane.normal) >= 0 else -plane.normal


_THINNED = 8000  # lines of a resting slice while another one moves


def _first_depths(lines: SliceLines | None, most: int) -> int:
    """How many of the first layers have together at most so many lines, but at least one."""
    return 0 if lines is None else max(1, int(np.searchsorted(lines.first[1:] - lines.first[0], most, side="right")))
