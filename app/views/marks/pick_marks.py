"""Points that a person has picked, drawn over a view: numbered, joined, with what was measured between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from app.views.marks.paper_of import color_of, halo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from app.state.paper import Paper

Line = tuple[QPointF, QPointF]

_LINE: Final = QColor("#d6006c")
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


@dataclass(frozen=True, slots=True)
class Label:
    box: QRectF
    text: str


def paint_marks(
    painter: QPainter,
    marks: PickMarks,
    places: NDArray[np.float64],
    candidate: NDArray[np.float64] | None,
    area: QRectF,
    paper: Paper,
) -> None:
    """places (N, 2), candidate (2,): where in the widget the points are, in pixels; area: of it, for labels."""
    ground = halo(paper)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    spots = [QPointF(x, y) for x, y in places.tolist()]
    for first, second, _ in marks.joints:
        for color, width in ((ground, 4.5), (_LINE, 1.8)):
            painter.setPen(QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(spots[first], spots[second])
    if candidate is not None:
        for color, width in ((ground, 4.0), (_LINE, 2.0)):
            painter.setPen(QPen(color, width))
            painter.drawEllipse(QPointF(*candidate), _RING, _RING)
    painter.setPen(QPen(ground, 1.6))
    painter.setBrush(_LINE)
    for spot in spots:
        painter.drawEllipse(spot, _RADIUS, _RADIUS)
    painter.setFont(QFont(painter.font().family(), 9, QFont.Weight.DemiBold))
    metrics = QFontMetricsF(painter.font())
    for label in placed_labels(marks, spots, area, lambda text: _size(metrics, text)):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(label.box, 4, 4)
        painter.setPen(color_of(paper.ink))
        painter.drawText(label.box, Qt.AlignmentFlag.AlignCenter, label.text)
    painter.restore()


def placed_labels(
    marks: PickMarks, spots: Sequence[QPointF], area: QRectF, size: Callable[[str], QSizeF]
) -> list[Label]:
    """Numbers beside their points, lengths on their lines or beside them and nearer to them than to other lines: inside
    the area, and apart from each other and from the points.  What finds no such place is left out; the numbers come
    first.

    spots: the points, in pixels; size: of a text's label.
    """
    taken = [QRectF(spot.x() - _RADIUS, spot.y() - _RADIUS, 2 * _RADIUS, 2 * _RADIUS) for spot in spots]
    found: list[Label] = []
    wanted = [(text, list(_beside(spot, size(text)))) for spot, text in zip(spots, marks.numbers, strict=True)]
    lines = [(spots[a], spots[b]) for a, b, _ in marks.joints]
    for own, (_, _, text) in zip(lines, marks.joints, strict=True):
        if text:
            others = [line for line in lines if line is not own]
            places = [place for place in _along(*own, size(text)) if _is_nearest(place, own, others)]
            wanted.append((text, places))
    for text, centres in wanted:
        for centre in centres:
            box = QRectF(QPointF(), size(text))
            box.moveCenter(centre)
            if area.contains(box) and not any(box.intersects(other) for other in taken):
                taken.append(box)
                found.append(Label(box, text))
                break
    return found


def _is_nearest(place: QPointF, own: Line, others: Sequence[Line]) -> bool:
    return all(_distance(place, own) < _distance(place, other) for other in others)


def _distance(place: QPointF, line: Line) -> float:
    """Of a place from a line between two points."""
    start, way = line[0], line[1] - line[0]
    square = QPointF.dotProduct(way, way)
    share = min(max(QPointF.dotProduct(place - start, way) / square, 0.0), 1.0) if square > 0.0 else 0.0
    off = place - start - way * share
    return math.hypot(off.x(), off.y())


def _beside(spot: QPointF, size: QSizeF) -> Iterator[QPointF]:
    """Around a point, from the upper right on."""
    dx, dy = size.width() / 2 + _RADIUS + 1, size.height() / 2 + _RADIUS
    for x, y in ((1, -1), (-1, -1), (1, 1), (-1, 1)):
        yield spot + QPointF(x * dx, y * dy)


def _along(start: QPointF, end: QPointF, size: QSizeF) -> Iterator[QPointF]:
    """On a line, from its middle on, then at both sides of it."""
    way = end - start
    for share in (0.5, 0.35, 0.65):
        yield start + way * share
    length = math.hypot(way.x(), way.y())
    if length > 0:
        across = QPointF(-way.y(), way.x()) / length
        off = (abs(across.x()) * size.width() + abs(across.y()) * size.height()) / 2 + _RADIUS
        for share in (0.5, 0.35, 0.65):
            for side in (off, -off):
                yield start + way * share + across * side


def _size(metrics: QFontMetricsF, text: str) -> QSizeF:
    return QSizeF(metrics.horizontalAdvance(text) + 10, metrics.height() + 2)
