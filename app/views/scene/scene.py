"""The 3D scene: a level surface, the domain's box, and slices in place.  Needs a canvas, no Qt.

scene = Scene(canvas, domain)
scene.mesh = SurfaceMesh.of(surface, layers=8)
scene.place_slice(0, SlicePlane.from_axis("z", 0.0), accent(0))
scene.draw_slice(0, slice_picture(partition, level_set(partition).polylines))
still_picture(canvas, scene, SceneLook(), (800, 600))
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.state.geometry.planes import centre_in
from app.state.look import SceneLook
from app.state.palette import BACKGROUND, RGB
from app.views.painting.sheet import Sheet, left_behind, slice_sheets
from app.views.painting.surface_picture import SurfaceDrawing, SurfaceMesh
from app.views.scene.box_actors import BoxActors
from app.views.scene.plane_handle import PlaneHandle, distance_to_segment
from engine import PlaneError, SlicePlane, plane_box_polygon

if TYPE_CHECKING:
    from app.views.camera import Lens
    from app.views.scene.canvas import Canvas
    from app.views.slice.slice_image import SlicePicture

VIEW: Final = (1.0, 0.62, 1.35)
"""The direction from the box's middle to the eye at the start; y is up."""
_NO_EDGES: Final = np.empty((0, 2), np.int32)
_MARGIN = 0.5  # of the box's diagonal, seen from its middle


@dataclass(frozen=True, eq=False, slots=True)
class _Slice:
    """frame (M, 2) in the plane's coordinates, corners (M, 3) in space: where the plane meets the box."""

    plane: SlicePlane
    accent: RGB
    visible: bool
    frame: NDArray[np.float64]
    corners: NDArray[np.float64]
    picture: SlicePicture | None = None


class Scene:
    """What is to be seen.  The canvas has box and axes; surface and slices are laid over its picture.

    size: the length of the box's diagonal; mesh: of the surface, None while there is none; crease (H, 2): edges between
    its vertices that are told apart.
    """

    def __init__(self, canvas: Canvas, domain: ArrayLike) -> None:
        self.domain: NDArray[np.float64] = np.asarray(domain, np.float64)
        self.size = float(np.linalg.norm(np.ptp(self.domain, axis=0)))
        self.mesh: SurfaceMesh | None = None
        self.crease: NDArray[np.int32] = _NO_EDGES
        self._renderer = canvas.renderer
        self._renderer.SetBackground(*BACKGROUND)
        self._renderer.SetBackgroundAlpha(1.0)  # Qt takes pixels without opacity for opaque only when they say so
        self.camera = self._renderer.GetActiveCamera()
        self._middle = self.domain.mean(axis=0)
        self._box = BoxActors(self._renderer, self.domain, self._middle)
        self.handle = PlaneHandle(self.size)
        self._slices: dict[int, _Slice] = {}
        self._active: int | None = None
        self.look_from()

    def look_from(self, direction: ArrayLike = VIEW, up: ArrayLike = (0.0, 1.0, 0.0)) -> None:
        """Look at the middle of the box from a direction (3,), the whole of it in view."""
        middle, radius = self.domain.mean(axis=0), _MARGIN * self.size
        towards = np.asarray(direction, np.float64) / np.linalg.norm(direction)
        distance = radius / np.sin(np.radians(self.camera.GetViewAngle() / 2))
        self.camera.SetFocalPoint(*middle)
        self.camera.SetPosition(*(middle + distance * towards))
        self.camera.SetViewUp(*np.asarray(up, np.float64))
        self.fit_range()

    def fit_shape(self, width: int, height: int) -> None:
        """The view angle is that of the shorter side of pictures, so that the box is seen whole in any of them."""
        self.camera.SetUseHorizontalViewAngle(width < height)

    def fit_range(self) -> None:
        """Near and far planes around the box, whatever the camera did."""
        lower, upper = self.domain - 0.2 * np.ptp(self.domain, axis=0) * np.array([[1.0], [-1.0]])
        self._renderer.ResetCameraClippingRange(*np.stack([lower, upper], axis=1).ravel())

    def place_slice(self, key: int, plane: SlicePlane, accent: RGB, active: bool = False, visible: bool = True) -> None:
        """Put a slice's frame where the plane meets the box; lines drawn at an earlier place stay there."""
        known = self._slices.get(key)
        if known is None or known.plane is not plane:
            try:
                frame = plane_box_polygon(plane, self.domain)
            except PlaneError:  # outside the box: nothing to frame
                frame = np.empty((0, 2))
            picture = None if known is None else known.picture
            self._slices[key] = _Slice(plane, accent, visible, frame, plane.to_input(frame), picture)
        elif (known.accent, known.visible) != (accent, visible):
            self._slices[key] = replace(known, accent=accent, visible=visible)
        if active:
            self._active = key
            self.handle.place(centre_in(plane, self.domain), plane.normal, accent)

    def draw_slice(self, key: int, picture: SlicePicture | None) -> None:
        """The lines of slice `key`, in the plane that they were computed for; None: no lines."""
        self._slices[key] = replace(self._slices[key], picture=picture)

    def remove_slice(self, key: int) -> None:
        del self._slices[key]
        if self._active == key:
            self._active = None

    def sheets(self, look: SceneLook) -> tuple[Sheet, ...]:
        """What there is to draw of the visible slices."""
        return tuple(
            left_behind(sheet, part.plane, self.size)
            for key, part in self._slices.items()
            if part.visible
            for sheet in slice_sheets(part.plane, part.accent, part.frame, key == self._active, part.picture, look)
        )

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

    def surface(self, look: SceneLook, clip: SlicePlane | None = None) -> SurfaceDrawing | None:
        """What there is to draw of the surface; clip: it is cut away on the side of this plane where the eye is."""
        if self.mesh is None or not (look.surface or look.creases):
            return None
        cut = None
        if clip is not None:
            normal = self._towards_eye(clip)
            cut = np.append(normal, -normal @ clip.origin)
        return SurfaceDrawing(self.mesh, look.surface, look.creases, look.hidden_depths, cut, self.crease, look.style)

    def show_box(self, look: SceneLook) -> None:
        """Box and axes as the look asks for, with the next picture of the canvas."""
        self._box.show(look.box, look.axes)

    @contextmanager
    def at_the_origin(self) -> Iterator[None]:
        """The camera is meanwhile where it sees the box, whose middle is VTK's origin: VTK places letters in single
        precision."""
        focus, position = self.camera.GetFocalPoint(), self.camera.GetPosition()
        self.camera.SetFocalPoint(*(np.array(focus) - self._middle))
        self.camera.SetPosition(*(np.array(position) - self._middle))
        yield
        self.camera.SetFocalPoint(*focus)
        self.camera.SetPosition(*position)

    @contextmanager
    def wider_lines(self, factor: float) -> Iterator[None]:
        """The canvas's lines are wider meanwhile."""
        looks = [actor.GetProperty() for actor in self._box.lines]
        widths = [look.GetLineWidth() for look in looks]
        for look, width in zip(looks, widths, strict=True):
            look.SetLineWidth(factor * width)
        yield
        for look, width in zip(looks, widths, strict=True):
            look.SetLineWidth(width)

    @property
    def handle_shown(self) -> bool:
        """There is an active plane in sight to take hold of."""
        active = self._slices.get(self._active) if self._active is not None else None
        return active is not None and active.visible and len(active.frame) > 0

    def _towards_eye(self, plane: SlicePlane) -> NDArray[np.float64]:
        """The plane's normal, or the opposite one."""
        eye = np.array(self.camera.GetPosition())
        return plane.normal if float((eye - plane.origin) @ plane.normal) >= 0 else -plane.normal
