"""Axes in a corner of the 3D view that turn with the camera; a click on an end looks from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from app.views.marks.paper_of import color_of, halo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.state.paper import Paper

    Float = NDArray[np.float64]

_ARM, _BALL, _MARGIN = 32.0, 8.5, 14.0  # pixels
_COLORS: Final = (QColor("#c8413b"), QColor("#4f9a3f"), QColor("#3b6fc4"))
_PALE: Final = 60  # of 255: of ends that point the other way


@dataclass(frozen=True, slots=True)
class End:
    """An end of an axis as it is seen: axis 0, 1, 2; side 1 or -1; depth: the larger, the farther from the eye."""

    axis: int
    side: int
    at: QPointF
    depth: float

    @property
    def direction(self) -> tuple[float, float, float]:
        """From the middle of the box to the eye that looks at it from this end."""
        x, y, z = (self.side * np.eye(3)[self.axis]).tolist()
        return x, y, z

    @property
    def name(self) -> str:
        return f"{'+' if self.side > 0 else chr(0x2212)}{'xyz'[self.axis]}"


def ends_of(axes: Float, width: float) -> list[End]:
    """The ends of the axes, the farthest first.

    axes (3, 3): unit vectors to the right, upwards and forward of a camera; width: of the view, whose upper right
    corner they stand in.
    """
    middle = QPointF(width - _MARGIN - _ARM - _BALL, _MARGIN + _ARM + _BALL)
    found = []
    for axis, (right, upwards, forward) in enumerate(axes.T.tolist()):
        for side in (1, -1):
            at = QPointF(middle.x() + side * _ARM * right, middle.y() - side * _ARM * upwards)
            found.append(End(axis, side, at, side * forward))
    return sorted(found, key=lambda end: -end.depth)


def end_at(ends: list[End], at: QPointF) -> End | None:
    """The nearest end to the eye that is at a pixel."""
    under = [end for end in ends if (end.at - at).manhattanLength() <= 1.3 * _BALL]
    return under[-1] if under else None


def paint_compass(painter: QPainter, ends: list[End], pointed: End | None, paper: Paper) -> None:
    """pointed: the end under the mouse, which a click would look from."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ink = color_of(paper.ink)
    middle = (ends[0].at + ends[-1].at) / 2  # the farthest and the nearest are opposite
    font = QFont(painter.font().family(), 8)
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(halo(paper))
    painter.drawEllipse(middle, _ARM + 1.5 * _BALL, _ARM + 1.5 * _BALL)
    for end in ends:
        told = pointed is not None and (end.axis, end.side) == (pointed.axis, pointed.side)
        color = QColor(_COLORS[end.axis])
        if end.side > 0:
            painter.setPen(QPen(color, 2.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(middle, end.at)
        painter.setPen(QPen(ink if told else color, 1.4))
        if end.side < 0:  # over the ground, so that lines behind it are not seen through it
            painter.setBrush(color_of(paper.ground))
            painter.drawEllipse(end.at, _BALL - 1.5, _BALL - 1.5)
            color.setAlpha(_PALE)
        painter.setBrush(color)
        radius = _BALL if end.side > 0 else _BALL - 1.5
        painter.drawEllipse(end.at, radius, radius)
        if end.side > 0 or told:
            painter.setPen(QColor("white") if end.side > 0 else ink)
            place = QRectF(end.at.x() - 2 * _BALL, end.at.y() - _BALL, 4 * _BALL, 2 * _BALL)
            text = end.name if end.side < 0 else end.name[1:]
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
