"""Handles of the active plane and of the camera on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF, QRadialGradient

from app.views.marks.paper_of import color_of, halo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.state.paper import Paper
    from app.views.camera import Lens
    from app.views.scene.plane_handle import PlaneHandle

_SHAFT, _CASING = 3.0, 5.5
_RING, _DOT = 7.0, 2.6


def paint_handle(painter: QPainter, handle: PlaneHandle, lens: Lens, paper: Paper) -> None:
    """A shaft with a knob at its foot and a cone for its tip, over everything else."""
    foot, tip = lens.to_pixels(handle.points)
    knob, cone = handle.radii(lens)
    color, casing = color_of(paper.accent(handle.color)), halo(paper)
    way = tip - foot
    length = float(np.hypot(*way))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for shade, width in ((casing, _CASING), (color, _SHAFT)):
        painter.setPen(QPen(shade, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(*foot), QPointF(*tip))
    _ball(painter, QPointF(*foot), knob, color, casing)
    if length > cone:  # else it points at the eye, or away: a ball
        along = way / length
        across = np.array([-along[1], along[0]])
        painter.setPen(QPen(casing, 1.2))
        painter.setBrush(color)
        end, side = tip - cone * along, 0.65 * cone * across
        corners = (tip + cone * along, end + side, end - side)
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
    else:
        _ball(painter, QPointF(*tip), 0.7 * cone, color, casing)
    painter.restore()


def paint_centre(painter: QPainter, lens: Lens, centre: NDArray[np.float64], paper: Paper) -> None:
    """A ring with a point at the centre (3,) that the camera turns about."""
    if float((centre - lens.eye) @ lens.forward) <= lens.near:
        return
    at = QPointF(*lens.to_pixels(centre[None])[0])
    ink = color_of(paper.ink)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for shade, width in ((halo(paper), 4.2), (ink, 1.6)):
        painter.setPen(QPen(shade, width))
        painter.drawEllipse(at, _RING, _RING)
    painter.setPen(QPen(halo(paper), 1.2))
    painter.setBrush(ink)
    painter.drawEllipse(at, _DOT, _DOT)
    painter.restore()


def _ball(painter: QPainter, centre: QPointF, radius: float, color: QColor, casing: QColor) -> None:
    shade = QRadialGradient(centre - QPointF(0.35 * radius, 0.35 * radius), 1.6 * radius)
    shade.setColorAt(0.0, color.lighter(140))
    shade.setColorAt(1.0, color.darker(115))
    painter.setPen(QPen(casing, 1.2))
    painter.setBrush(shade)
    painter.drawEllipse(centre, radius, radius)
