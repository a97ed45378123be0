"""Pinned regions in the views: an outline and a small number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from app.state.paper import Paper
from app.views.marks.paper_of import color_of, halo

Float = NDArray[np.float64]

_TINT: Final = QColor(255, 214, 10, 70)
_BADGE: Final = 16.0
_EDGE: Final = 0.5 * _BADGE + 1.0  # between the badge's middle and the edge of a view
_ROOM: Final = 34.0  # pixels that a region needs, to hold its number inside
_STALK: Final = 15.0


@dataclass(frozen=True, eq=False, slots=True)
class PinMark:
    """corners (M, D), anchor (D,): outline and place of the number, in a slice's coordinates (D = 2) or in space (3).

    in_place: the region is where it is drawn; else the plane has gone.  normal (3,): across it, in space.
    """

    number: int
    corners: Float
    anchor: Float
    in_place: bool = True
    normal: Float | None = None


def paint_outline(painter: QPainter, corners: Sequence[QPointF], in_place: bool, paper: Paper) -> None:
    """A region with corners in pixels; dashed when its plane has gone."""
    polygon = QPolygonF(list(corners))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(halo(paper), 4.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPolygon(polygon)
    style = Qt.PenStyle.SolidLine if in_place else Qt.PenStyle.DotLine
    painter.setPen(QPen(color_of(paper.ink), 1.8, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    if in_place:
        painter.setBrush(_TINT)
    painter.drawPolygon(polygon)


def paint_badge(
    painter: QPainter, number: int, anchor: QPointF, corners: Sequence[QPointF], in_place: bool, paper: Paper
) -> None:
    """The number at the anchor; where the region cannot hold it, on a stalk above it or, for want of room, below."""
    bounds = QPolygonF(list(corners)).boundingRect()
    middle = anchor
    if min(bounds.width(), bounds.height()) < _ROOM:
        low, high = painter.window().top() + _EDGE, painter.window().bottom() - _EDGE
        above, below = bounds.top() - _STALK, bounds.bottom() + _STALK
        inside = min(max(anchor.y(), low), high)
        middle = QPointF(anchor.x() + 0.6 * _STALK, above if above >= low else below if below <= high else inside)
        painter.setPen(QPen(halo(paper), 3.4))
        painter.drawLine(anchor, middle)
        painter.setPen(QPen(color_of(paper.ink), 1.4))
        painter.drawLine(anchor, middle)
    text = str(number)
    width = _BADGE + 6.0 * (len(text) - 1)
    box = QRectF(middle.x() - width / 2, middle.y() - _BADGE / 2, width, _BADGE)
    ground = color_of(paper.ground)
    painter.setPen(QPen(ground, 1.6))
    painter.setBrush(color_of(paper.ink if in_place else paper.muted))
    painter.drawRoundedRect(box, _BADGE / 2, _BADGE / 2)
    font = QFont(painter.font().family(), 8)
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(ground)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
