"""The mouse over the 3D view: what a click there takes, marked in both kinds of views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject

from app.views.scene.pointed import Pointed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.control.hover import Hover
    from app.control.slice_link import SliceLink
    from app.views.scene.scene_view import SceneView
    from app.views.scene.surface_mesh import SurfaceMesh

_NO_LINE = np.empty((0, 2, 3))


class SpaceHover(QObject):
    """Between the hand in the 3D view and the slices."""

    def __init__(self, view: SceneView, link: SliceLink, hover: Hover, parent: QObject) -> None:
        super().__init__(parent)
        self._view, self._link, self._hover = view, link, hover
        link.linked.space = view
        view.hand.hovered.connect(self._over_slice)
        view.hand.facet_hovered.connect(self._over_surface)
        view.hand.left.connect(self._leave)
        view.camera_moved.connect(lambda: view.show_pointed(None))
        hover.found.connect(lambda found: view.show_pointed(None) if found is None else None)
        view.hand.clicked.connect(hover.click_length)

    def _over_slice(self, key: int, u: float, v: float, pixel: float) -> None:
        found, plane = self._hover.over_length(key, self._link.views[key], u, v, pixel), self._link.plane(key)
        point = plane.to_input(np.array([[u, v]]))[0]
        if found is None:
            self._view.show_pointed(None)
        else:
            corners = plane.to_input(found.corners) if found.neuron is None else None
            line = plane.to_input(found.line.reshape(-1, 2)).reshape(-1, 2, 3)
            self._view.show_pointed(Pointed(point, corners, line))
        self._link.linked.point(None, point)

    def _over_surface(self, mesh: SurfaceMesh, face: int, point: NDArray[np.float64]) -> None:
        self._view.show_pointed(Pointed(point, mesh.corners(face), _NO_LINE, mesh))
        self._link.linked.point(None, point)

    def _leave(self) -> None:
        self._hover.clear()
        self._view.show_pointed(None)
        self._link.linked.point(None, None)
