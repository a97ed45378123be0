"""The point of space that the mouse is at in another view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen

from app.state.texts.numbers import number_text
from app.views.marks.paper_of import color_of, halo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.state.paper import Paper
    from engine import SlicePlane

_GAP: Final = 7.0  # pixels between the point and its hairs
_RING: Final = 5.0
_ARM: Final = 16.0  # pixels: a hair where there is no area to cross
_NEAR: Final = 1e-9  # of the box: so near a plane a point lies on it
_FINE: Final = 1e-3  # of the box: the digits of how far off it is


@dataclass(frozen=True, eq=False, slots=True)
class Crosshair:
    """point (D,): in a view's coordinates; away: how far off its plane it is, to be read, "" for a point on it."""

    point: NDArray[np.float64]
    away: str = ""


def crosshair_on(plane: SlicePlane, point: NDArray[np.float64], size: float) -> Crosshair:
    """The foot of a point (3,) on a plane; size: of the box."""
    off = float((point - plane.origin) @ plane.normal)
    away = "" if abs(off) <= _NEAR * size else number_text(off, _FINE * size).replace("-", "\N{MINUS SIGN}")
    return Crosshair(plane.to_plane(point[None])[0], away)


def paint_crosshair(painter: QPainter, at: QPointF, away: str, paper: Paper, area: QRectF | None = None) -> None:
    """Hairs across an area, or short ones around a point without one.  Off the plane the hairs are dotted, the ring is
    left out, and it is told how far off."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    left, right, top, bottom = (
        (at.x() - _ARM, at.x() + _ARM, at.y() - _ARM, at.y() + _ARM)
        if area is None
        else (area.left(), area.right(), area.top(), area.bottom())
    )
    x, y = at.x(), at.y()
    hairs = [
        QLineF(left, y, x - _GAP, y), QLineF(x + _GAP, y, right, y),
        QLineF(x, top, x, y - _GAP), QLineF(x, y + _GAP, x, bottom),
    ]  # fmt: skip
    dash = Qt.PenStyle.DotLine if away else Qt.PenStyle.SolidLine
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(halo(paper), 3.0), QPen(color_of(paper.ink, 200), 1.0, dash)):
        painter.setPen(pen)
        painter.drawLines(hairs)
        if not away:
            painter.drawEllipse(at, _RING, _RING)
    if away and area is not None:
        _paint_label(painter, at, f"{away} off", paper, area)
    painter.restore()


def _paint_label(painter: QPainter, at: QPointF, text: str, paper: Paper, area: QRectF) -> None:
    """To the right of a point and above it, or where there is room."""
    painter.setFont(QFont(painter.font().family(), 8))
    metrics = QFontMetricsF(painter.font())
    box = QRectF(at + QPointF(_GAP, -_GAP - metrics.height() - 2), QSizeF(metrics.horizontalAdvance(text) + 8,
                                                                        metrics.height() + 2))  # fmt: skip
    if box.right() > area.right():
        box.moveRight(at.x() - _GAP)
    if box.top() < area.top():
        box.moveTop(at.y() + _GAP)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(halo(paper))
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(color_of(paper.ink))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
