"""What the mouse points at, marked over the picture of a scene: what a click takes, and the point of a slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QPainterPath, QTransform

from app.views.slice.target import Target, paint_target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.state.paper import Paper
    from app.views.camera import Lens
    from app.views.scene.surface_mesh import SurfaceMesh

    Float = NDArray[np.float64]

_AROUND: Final = 70.0  # pixels around the mouse in which a line is marked: farther off, it may be behind something


@dataclass(frozen=True, eq=False, slots=True)
class Pointed:
    """at (3,): where the mouse is; corners (M, 3): of the region or facet that a click takes, None: a line, of which
    segments (H, 2, 3); mesh: that a facet is of."""

    at: Float
    corners: Float | None
    line: Float
    mesh: SurfaceMesh | None = None


def paint_pointed(painter: QPainter, pointed: Pointed, lens: Lens, paper: Paper) -> None:
    """Near the mouse, where it is not behind the surface."""
    corners = pointed.corners
    if corners is not None and not _before(lens, corners).all():
        return
    line = pointed.line[_before(lens, pointed.line).all(axis=1)]
    seen = lens.to_pixels(line.reshape(-1, 3)).reshape(-1, 2, 2)
    target = Target.of(None if corners is None else lens.to_pixels(corners), seen)
    painter.save()
    if corners is None:
        path = QPainterPath()
        path.addEllipse(QPointF(*lens.to_pixels(pointed.at[None])[0].tolist()), _AROUND, _AROUND)
        painter.setClipPath(path)
    paint_target(painter, target, QTransform(), paper)
    painter.restore()


def _before(lens: Lens, points: Float) -> NDArray[np.bool_]:
    """Which of points (..., 3) are before the eye."""
    found: NDArray[np.bool_] = (points - lens.eye) @ lens.forward > lens.near
    return found
