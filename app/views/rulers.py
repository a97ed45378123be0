"""Rulers at the left of a slice's 2D view and below it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from app.state.numbers import number_text

if TYPE_CHECKING:
    from app.views.framing import Framing

_TICK_DISTANCE: Final = 70.0
_INK, _FAINT = QColor("#5b6472"), QColor("#d5d9e0")
_BASE: Final = 17.0  # pixels from the area down to the foot of the letters below it


def paint_rulers(painter: QPainter, framing: Framing, area: QRectF, names: tuple[str, str], family: str) -> None:
    """Around the area of the view in which the slice is; names: of the axes; family: of the letters."""
    painter.setFont(QFont(family, 8))
    metrics = QFontMetricsF(painter.font())
    painter.setPen(QPen(_FAINT, 1))
    painter.drawLine(area.topLeft(), area.bottomLeft())
    painter.drawLine(area.bottomLeft(), area.bottomRight())
    step = nice_step(_TICK_DISTANCE / framing.scale)
    low_u, low_v = framing.to_slice(0, framing.height)
    high_u, high_v = framing.to_slice(framing.width, 0)
    for value in ticks(low_u, high_u, step):
        x = area.left() + framing.to_pixel(value, 0)[0]
        text = number_text(value, step).replace("-", "\N{MINUS SIGN}")
        half = metrics.horizontalAdvance(text) / 2
        painter.setPen(QPen(_FAINT, 1))
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 4))
        if x - half > area.left() + 2 and x + half < area.right() - 14:
            painter.setPen(_INK)
            painter.drawText(QPointF(x - half, area.bottom() + _BASE), text)
    for value in ticks(low_v, high_v, step):
        y = framing.to_pixel(0, value)[1]
        text = number_text(value, step).replace("-", "\N{MINUS SIGN}")
        painter.setPen(QPen(_FAINT, 1))
        painter.drawLine(QPointF(area.left() - 4, y), QPointF(area.left(), y))
        width = metrics.horizontalAdvance(text)
        if width <= area.left() - 8 and 20 < y < area.bottom() - 6:
            painter.setPen(_INK)
            painter.drawText(QPointF(area.left() - 6 - width, y + 4), text)
        elif width > area.left() - 8 and 20 + width / 2 < y < area.bottom() - width / 2:  # upright, it has room
            painter.save()
            painter.setPen(_INK)
            painter.translate(area.left() - 8, y + width / 2)
            painter.rotate(-90)
            painter.drawText(QPointF(0, 0), text)
            painter.restore()
    letters = QFont(family, 9)
    letters.setItalic(True)
    letters.setBold(True)
    painter.setFont(letters)
    painter.setPen(_INK)
    painter.drawText(QPointF(area.right() - 11, area.bottom() + _BASE), names[0])
    painter.drawText(QPointF(area.left() - 14, 14), names[1])


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least so large."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))


def ticks(low: float, high: float, step: float) -> list[float]:
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)][:200]
