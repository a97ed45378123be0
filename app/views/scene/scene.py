"""The 3D scene: a level surface, the domain's box, and slices in place.  Plain data: no VTK, no Qt.

scene = Scene(domain)
scene.mesh = SurfaceMesh.of(surface)
scene.place_slice(0, SlicePlane.from_axis("z", 0.0), accent(0))
scene.draw_slice(0, slice_picture(partition, level_set(partition).polylines))
still_picture(scene, SceneLook(), (800, 600))
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.state.geometry.planes import centre_in
from app.state.palette import RGB
from app.views.camera import Lens, towards_eye, whole_box
from app.views.scene.drawing import SceneDrawing, SliceDrawing, SurfaceDrawing
from app.views.scene.picking import facet_at
from app.views.scene.plane_handle import PlaneHandle, distance_to_segment
from engine import PlaneError, SlicePlane, plane_box_polygon

if TYPE_CHECKING:
    from app.state.geometry.viewpoint import Viewpoint
    from app.state.look import SceneLook
    from app.views.scene.surface_mesh import SurfaceMesh
    from app.views.slice.slice_image import SlicePicture

VIEW: Final = (1.0, 0.62, 1.35)
"""The direction from the box's middle to the eye at the start; y is up."""
_NO_EDGES: Final = np.empty((0, 2), np.int32)
_LEFT, _FAR = 0.004, 0.06  # of the box's diagonal: lines that a plane left by less are whole, by more are pale
_PALE: Final = 0.3
_VEIL: Final = 0.32  # opacity of a neuron's level set in space: slices are read through two of its sheets


@dataclass(frozen=True, eq=False, slots=True)
class _Slice:
    """corners (M, 3): of where the plane meets the box."""

    plane: SlicePlane
    accent: RGB
    visible: bool
    corners: NDArray[np.float64]
    picture: SlicePicture | None = None


class Scene:
    """A scene: what is to be seen, and from where.

    size: the length of the box's diagonal; mesh: of the surface, None while there is none; crease (H, 2): edges between
    its vertices that are told apart; neuron: the level set in space of a neuron, None for none.
    """

    def __init__(self, domain: ArrayLike) -> None:
        self.domain: NDArray[np.float64] = np.asarray(domain, np.float64)
        self.size = float(np.linalg.norm(np.ptp(self.domain, axis=0)))
        self.mesh: SurfaceMesh | None = None
        self.crease: NDArray[np.int32] = _NO_EDGES
        self.neuron: SurfaceMesh | None = None
        self.viewpoint: Viewpoint
        self.handle = PlaneHandle(self.size)
        self._slices: dict[int, _Slice] = {}
        self._active: int | None = None
        self.look_from()

    def look_from(self, direction: ArrayLike = VIEW, up: ArrayLike = (0.0, 1.0, 0.0), parallel: bool = False) -> None:
        """Look at the middle of the box from a direction (3,), the whole of it in view, and turn about its middle."""
        seen = whole_box(self.domain, np.asarray(direction, np.float64), np.asarray(up, np.float64))
        self.viewpoint = replace(seen, parallel=parallel)

    def lens(self, width: int, height: int) -> Lens:
        """Between space and the pixels of a picture."""
        return Lens.of(self.viewpoint, self.domain, width, height)

    def drawing(
        self, look: SceneLook, lens: Lens, ratio: float, smooth: bool, clip: SlicePlane | None = None,
        transparent: bool = False,
    ) -> SceneDrawing:  # fmt: skip
        """The picture that a lens sees; clip: the surface is cut away on the side of this plane where the eye is."""
        slices = tuple(
            SliceDrawing(
                part.plane, part.accent, key == self._active, part.corners, part.picture,
                _strength(part.plane, part.picture, self.size),
            )
            for key, part in self._slices.items()
            if part.visible
        )  # fmt: skip
        neuron = None
        if self.neuron is not None:
            neuron = SurfaceDrawing(self.neuron, True, False, self._cut(clip), _VEIL, _NO_EDGES)
        surface = self.surface(look, clip)
        return SceneDrawing(self.domain, lens, look, surface, neuron, slices, ratio, smooth, transparent)

    def place_slice(self, key: int, plane: SlicePlane, accent: RGB, active: bool = False, visible: bool = True) -> None:
        """Put a slice's frame where the plane meets the box; lines drawn at an earlier place stay there."""
        known = self._slices.get(key)
        if known is None or known.plane is not plane:
            try:
                corners = plane.to_input(plane_box_polygon(plane, self.domain))
            except PlaneError:  # outside the box: nothing to frame
                corners = np.empty((0, 3))
            picture = None if known is None else known.picture
            self._slices[key] = _Slice(plane, accent, visible, corners, picture)
        elif (known.accent, known.visible) != (accent, visible):
            self._slices[key] = replace(known, accent=accent, visible=visible)
        if active:
            self._active = key
            self.handle.place(centre_in(plane, self.domain), plane.normal, accent)

    def draw_slice(self, key: int, picture: SlicePicture | None) -> None:
        """The lines of slice `key`, in the plane that they were computed for; None: no lines."""
        self._slices[key] = replace(self._slices[key], picture=picture)

    def order_slices(self, keys: list[int]) -> None:
        """Draw slices in the order of all their keys: one that comes back has its old place."""
        self._slices = {key: self._slices[key] for key in keys}

    def remove_slice(self, key: int) -> None:
        del self._slices[key]
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

    def point_at(
        self, look: SceneLook, clip: SlicePlane | None, lens: Lens, px: float, py: float
    ) -> NDArray[np.float64] | None:
        """The point (3,) of the surface or of a slice that a pixel shows; None where there is neither."""
        start, direction = lens.ray(px, py)
        surface, key = self.surface(look, clip), self.plane_at(start, direction)
        found = []
        if surface is not None and surface.faces and (facet := facet_at(surface, lens, px, py)) is not None:
            found.append(facet[1])
        if key is not None:
            plane = self._slices[key].plane
            share = float((plane.origin - start) @ plane.normal) / float(direction @ plane.normal)
            found.append(start + share * direction)
        return min(found, key=lambda point: float((point - start) @ direction), default=None)

    def surface(self, look: SceneLook, clip: SlicePlane | None = None) -> SurfaceDrawing | None:
        """What there is to draw of the surface; clip: it is cut away on the side of this plane where the eye is."""
        if self.mesh is None or not (look.surface or look.creases):
            return None
        return SurfaceDrawing(self.mesh, look.surface, look.creases, self._cut(clip), 0.01 * look.opacity, self.crease)

    @property
    def handle_shown(self) -> bool:
        """There is an active plane in sight to take hold of."""
        active = self._slices.get(self._active) if self._active is not None else None
        return active is not None and active.visible and len(active.corners) > 0

    def _cut(self, clip: SlicePlane | None) -> NDArray[np.float64] | None:
        """(4,): of surfaces that are cut away on the side of a plane where the eye is."""
        if clip is None:
            return None
        normal = self._towards_eye(clip)
        return np.append(normal, -normal @ clip.origin)

    def _towards_eye(self, plane: SlicePlane) -> NDArray[np.float64]:
        """The plane's normal, or the opposite one."""
        return plane.normal if float(towards_eye(self.viewpoint, plane.origin) @ plane.normal) >= 0 else -plane.normal


def _strength(plane: SlicePlane, picture: SlicePicture | None, diagonal: float) -> float:
    """The paler the farther a slice's plane has left its lines: nobody is to take them for what is there now.

    diagonal: of the box.  A turn within the plane leaves lines where they are.
    """
    if picture is None or picture.partition.plane is plane:
        return 1.0
    border = picture.partition.plane.to_input(picture.partition.vertices[picture.border[:, 0]])
    away = float(np.abs((border - plane.origin) @ plane.normal).max()) / diagonal
    return float(np.interp(away, [_LEFT, _FAR], [1.0, _PALE]))
