"""Small curves over the steps of a training, side by side; a click goes to a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.state.palette import RGB
from app.views.marks.paper_of import color_of

_HEIGHT: Final = 116
_TITLE, _FOOT, _SIDE, _GAP = 20.0, 8.0, 6.0, 14.0  # pixels
_DOTS: Final = 40  # so many steps have a dot each


@dataclass(frozen=True, slots=True)
class Curves:
    """A panel: its title, and curves, each in a colour with a number for each step, None where there is none."""

    title: str
    lines: tuple[tuple[RGB, tuple[float | None, ...]], ...]

    @property
    def range(self) -> tuple[float, float] | None:
        known = [value for _, values in self.lines for value in values if value is not None]
        return (min(0.0, *known), max(known)) if known else None


class CurvesView(QWidget):
    """jumped(step): a click.  names: of the steps; gaps: by their places, why they cannot be read."""

    jumped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_HEIGHT)
        self.setMinimumWidth(200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("curves over the steps")
        self.panels: tuple[Curves, ...] = ()
        self.names: tuple[str, ...] = ()
        self.gaps: dict[int, str] = {}
        self.at = 0

    def show_curves(self, panels: Sequence[Curves], names: Sequence[str], gaps: dict[int, str], at: int) -> None:
        self.panels, self.names, self.gaps, self.at = tuple(panels), tuple(names), gaps, at
        self.update()

    def area(self, panel: int) -> QRectF:
        """Return the rectangle of the curves of a panel."""
        count = max(len(self.panels), 1)
        width = (self.width() - 2 * _SIDE - (count - 1) * _GAP) / count
        return QRectF(_SIDE + panel * (width + _GAP), _TITLE, width, self.height() - _TITLE - _FOOT)

    def place_of(self, panel: int, step: int) -> float:
        """Return the place of a step in a panel, from left to right."""
        area = self.area(panel)
        return area.left() + (step + 0.5) / max(len(self.names), 1) * area.width()

    def step_at(self, at: QPointF) -> tuple[int, int] | None:
        """The panel and the step at a pixel."""
        for panel in range(len(self.panels)):
            area = self.area(panel)
            if area.left() <= at.x() <= area.right() and self.names:
                step = int((at.x() - area.left()) / area.width() * len(self.names))
                return panel, min(step, len(self.names) - 1)
        return None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(QFont(self.font().family(), 8))
        for place, panel in enumerate(self.panels):
            self._paint(painter, place, panel)
        painter.end()

    def _paint(self, painter: QPainter, place: int, panel: Curves) -> None:
        area, colors = self.area(place), self.palette()
        painter.setPen(QPen(colors.mid().color(), 1))
        painter.setBrush(colors.base())
        painter.drawRoundedRect(area, 4, 4)
        step = area.width() / max(len(self.names), 1)
        for gap in self.gaps:
            middle = self.place_of(place, gap)
            wide = max(step - 1, 2.0)
            painter.fillRect(QRectF(middle - wide / 2, area.top() + 1, wide, area.height() - 2), colors.mid())
        x = self.place_of(place, self.at)
        painter.setPen(QPen(colors.highlight().color(), 1.6))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        title = QRectF(area.left(), 0, area.width(), _TITLE)
        known = panel.range
        metrics = QFontMetricsF(painter.font())
        top = "" if known is None else f"{known[1]:,.0f}" if known[1] >= 1000 else f"{known[1]:.4g}"
        painter.setPen(colors.text().color())
        room = area.width() - metrics.horizontalAdvance(top) - 8
        text = metrics.elidedText(panel.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(title, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        if known is None:
            return
        painter.setPen(colors.placeholderText().color())
        painter.drawText(title, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, top)
        low, high = known
        inner = area.adjusted(0, 6, 0, -4)
        for color, values in panel.lines:
            points = [
                None if value is None else QPointF(
                    self.place_of(place, k), inner.bottom() - (value - low) / ((high - low) or 1.0) * inner.height()
                )
                for k, value in enumerate(values)
            ]  # fmt: skip
            pen = QPen(color_of(color), 1.5)
            painter.setPen(pen)
            for run in _runs(points):
                painter.drawPolyline(QPolygonF(run))
            if len(values) <= _DOTS:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color_of(color))
                for k, point in enumerate(points):
                    if point is not None:
                        radius = 3.4 if k == self.at else 1.8
                        painter.drawEllipse(point, radius, radius)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        found = self.step_at(event.position())
        if found is not None and event.button() == Qt.MouseButton.LeftButton:
            self.jumped.emit(found[1])

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            found = self.step_at(QPointF(event.pos()))
            if found is not None:
                QToolTip.showText(event.globalPos(), self.tip(*found), self)
                return True
        return super().event(event)

    def tip(self, panel: int, step: int) -> str:
        """Return all that is known of a step in a panel."""
        if step in self.gaps:
            return f"{self.names[step]}: {self.gaps[step]}"
        values = [values[step] for _, values in self.panels[panel].lines]
        told = ", ".join(f"{value:.6g}" for value in values if value is not None)
        return f"{self.names[step]}\n{self.panels[panel].title}: {told or 'not measured yet'}"


def _runs(points: Sequence[QPointF | None]) -> list[list[QPointF]]:
    """Points that follow each other without a gap."""
    runs: list[list[QPointF]] = [[]]
    for point in points:
        if point is not None:
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]
