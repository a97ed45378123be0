"""Points that a person has picked, drawn over a view: numbered, joined, with what was measured between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INK, _PAPER, _LINE = QColor("#14181f"), QColor(255, 255, 255, 235), QColor("#d6006c")
_RADIUS: Final = 4.5
_RING: Final = 7.0


@dataclass(frozen=True, eq=False, slots=True)
class PickMarks:
    """In a view's own coordinates, D of them: 3 in space, 2 in a slice.

    points (N, D), numbers: what is written beside each; joints: (first, second, text) of points that a line joins;
    candidate (D,): the vertex that a click would take, if there is one.
    """

    points: NDArray[np.float64]
    numbers: tuple[str, ...] = ()
    joints: tuple[tuple[int, int, str], ...] = ()
    candidate: NDArray[np.float64] | None = None


def paint_marks(
    painter: QPainter, marks: PickMarks, places: NDArray[np.float64], candidate: NDArray[np.float64] | None
) -> None:
    """places (N, 2), candidate (2,): where in the widget the points are, in pixels."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    spots = [QPointF(x, y) for x, y in places.tolist()]
    for first, second, _ in marks.joints:
        for color, width in ((_PAPER, 4.5), (_LINE, 1.8)):
            painter.setPen(QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(spots[first], spots[second])
    if candidate is not None:
        for color, width in ((_PAPER, 4.0), (_LINE, 2.0)):
            painter.setPen(QPen(color, width))
            painter.drawEllipse(QPointF(*candidate), _RING, _RING)
    painter.setPen(QPen(_PAPER, 1.6))
    painter.setBrush(_LINE)
    for spot in spots:
        painter.drawEllipse(spot, _RADIUS, _RADIUS)
    painter.setFont(QFont(painter.font().family(), 9, QFont.Weight.DemiBold))
    for first, second, text in marks.joints:
        if text:
            _label(painter, (spots[first] + spots[second]) / 2, text)
    for spot, number in zip(spots, marks.numbers, strict=True):
        _label(painter, spot + QPointF(13, -13), number)
    painter.restore()


def _label(painter: QPainter, centre: QPointF, text: str) -> None:
    metrics = QFontMetricsF(painter.font())
    box = QRectF(0, 0, metrics.horizontalAdvance(text) + 10, metrics.height() + 2)
    box.moveCenter(centre)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PAPER)
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(_INK)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
