"""Rulers at the left of a slice's 2D view and below it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from app.state.texts.numbers import number_text
from app.views.marks.paper_of import color_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.state.paper import Paper
    from app.views.slice.framing import Framing

Point = tuple[float, float]

_TICK_DISTANCE: Final = 40.0  # pixels, where numbers leave the choice
_FINER, _COARSER = 5, 9  # round steps that are tried
_GAP_BELOW, _GAP_BESIDE = 14.0, 5.0  # pixels between numbers that follow each other, and that stand one above the other
_MOST_TICKS: Final = 200
_ROUNDING: Final = 1e-9  # of a step
_BASE: Final = 17.0  # pixels from the area down to the foot of the letters below it
_TO_LETTERS: Final = 6.0  # pixels from the area left to numbers
_NAME: Final = 14.0  # pixels that an axis's name takes at its end


@dataclass(frozen=True, slots=True)
class Number:
    """What stands at a tick: where, in pixels from the ruler's start, and its text, so many pixels long there."""

    at: float
    text: str
    length: float


@dataclass(frozen=True, slots=True)
class Ruler:
    """Ticks on a line, in pixels from its start, and the numbers at some of them."""

    ticks: tuple[float, ...]
    numbers: tuple[Number, ...]

    def score(self, gap: float) -> int:
        """2 when numbers say where everything is, 1 when there is one alone, 0 without, -1 when two are too close."""
        pairs = zip(self.numbers, self.numbers[1:], strict=False)
        close = any(a.at + a.length / 2 + gap > b.at - b.length / 2 for a, b in pairs)
        return -1 if close else min(len(self.numbers), 2)


def ruler(
    low: float, high: float, scale: float, room: tuple[float, float], length: Callable[[str], float], gap: float
) -> Ruler:
    """On a line from `low` to `high`, of `scale` pixels to the unit.

    room: from where to where numbers may stand, in pixels; length: that a number takes; gap: between two, at least.
    Ticks are some 40 pixels apart; closer where two numbers would not fit in else, farther apart where they are long.
    """
    usual = _step_at_least(_TICK_DISTANCE / scale)
    tried = (0, *range(-1, -_FINER - 1, -1), *range(1, _COARSER + 1))
    rulers = (_with_step(low, high, scale, room, length, _step(usual + k)) for k in tried)
    best = next(rulers)
    for found in rulers:
        if best.score(gap) == 2:
            break
        best = max(best, found, key=lambda one: one.score(gap))
    return best


def _with_step(
    low: float, high: float, scale: float, room: tuple[float, float], length: Callable[[str], float], step: float
) -> Ruler:
    # ends that are round, as those of a box, have a tick although pixels gave them back with rounding
    first_tick, last_tick = math.ceil(low / step - _ROUNDING), math.floor(high / step + _ROUNDING)
    values = [k * step for k in range(first_tick, last_tick + 1)][:_MOST_TICKS]
    places = tuple((value - low) * scale for value in values)
    texts = [number_text(value, step).replace("-", "\N{MINUS SIGN}") for value in values]
    numbers = (Number(at, text, length(text)) for at, text in zip(places, texts, strict=True))
    first, last = room
    return Ruler(places, tuple(n for n in numbers if first <= n.at - n.length / 2 and n.at + n.length / 2 <= last))


def _step(k: int) -> float:
    """1, 2, 5 times a power of ten, in their order."""
    return (1, 2, 5)[k % 3] * 10.0 ** (k // 3)


def _step_at_least(least: float) -> int:
    start = 3 * math.floor(math.log10(least))
    return next(k for k in range(start, start + 5) if _step(k) >= least * (1 - 1e-9))


def measured(framing: Framing, area: QRectF, lower: Point, upper: Point) -> QRectF:
    """Part of the area that rulers measure: no more of it than the slice, from corner `lower` (u, v) to `upper`."""
    left, bottom = framing.to_pixel(*lower)
    right, top = framing.to_pixel(*upper)
    slice_ = QRectF(QPointF(left, top), QPointF(right, bottom)).translated(area.topLeft())
    return slice_.intersected(area)


def paint_rulers(
    painter: QPainter, framing: Framing, area: QRectF, part: QRectF, names: tuple[str, str], paper: Paper
) -> None:
    """Around the area of the view in which the slice is; part: of it, from where to where; names: of the axes."""
    family = painter.font().family()
    painter.setFont(QFont(family, 8))
    painter.setPen(color_of(paper.faint))
    painter.drawLine(QPointF(area.left(), part.top()), QPointF(area.left(), part.bottom()))
    painter.drawLine(QPointF(part.left(), area.bottom()), QPointF(part.right(), area.bottom()))
    low_u, low_v = framing.to_slice(part.left() - area.left(), part.bottom() - area.top())
    high_u, high_v = framing.to_slice(part.right() - area.left(), part.top() - area.top())
    _paint_below(painter, low_u, high_u, framing.scale, area, part, paper)
    _paint_beside(painter, low_v, high_v, framing.scale, area, part, paper)
    letters = QFont(family, 9)
    letters.setItalic(True)
    letters.setBold(True)
    painter.setFont(letters)
    painter.setPen(color_of(paper.muted))
    painter.drawText(QPointF(area.right() - 11, area.bottom() + _BASE), names[0])
    painter.drawText(QPointF(area.left() - 14, 14), names[1])


def _paint_below(
    painter: QPainter, low: float, high: float, scale: float, area: QRectF, part: QRectF, paper: Paper
) -> None:
    length, start = QFontMetricsF(painter.font()).horizontalAdvance, part.left() - area.left()
    found = ruler(low, high, scale, (2.0 - start, area.width() - _NAME - start), length, _GAP_BELOW)
    painter.setPen(color_of(paper.faint))
    for at in found.ticks:
        x = part.left() + at
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 4))
    painter.setPen(color_of(paper.muted))
    for number in found.numbers:
        left = part.left() + number.at - number.length / 2
        painter.drawText(QPointF(left, area.bottom() + _BASE), number.text)


def _paint_beside(
    painter: QPainter, low: float, high: float, scale: float, area: QRectF, part: QRectF, paper: Paper
) -> None:
    """From the foot to the top; where numbers are wider than what is beside the area, they stand upright."""
    metrics = QFontMetricsF(painter.font())
    height, width = metrics.capHeight(), metrics.horizontalAdvance
    start = area.bottom() - part.bottom()
    room = (2.0 - start, area.height() - _NAME - 2 - start)
    found = ruler(low, high, scale, room, lambda _: height, _GAP_BESIDE)
    upright = any(width(number.text) > area.left() - _TO_LETTERS for number in found.numbers)
    if upright:
        found = max(
            (ruler(low, high, scale, room, width, gap) for gap in (_GAP_BELOW, _GAP_BESIDE)),
            key=lambda one: one.score(_GAP_BESIDE),
        )
    painter.setPen(color_of(paper.faint))
    for at in found.ticks:
        y = part.bottom() - at
        painter.drawLine(QPointF(area.left() - 4, y), QPointF(area.left(), y))
    painter.setPen(color_of(paper.muted))
    for number in found.numbers:
        y = part.bottom() - number.at
        if upright:
            painter.save()
            painter.translate(area.left() - 8, y + number.length / 2)
            painter.rotate(-90)
            painter.drawText(QPointF(0, 0), number.text)
            painter.restore()
        else:
            painter.drawText(QPointF(area.left() - _TO_LETTERS - width(number.text), y + height / 2), number.text)
