"""The depths' colours, one swatch for each, and the colour bar of a fill."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.state.palette import Palette
from app.views.marks.paper_of import color_of, paper_of
from app.views.slice.fills import Colors, FaceFill, shaded

_HEIGHT: Final = 40
_WIDEST_CELL, _BAR = 30.0, 130.0


class DepthLegend(QWidget):
    """toggled(depth): a click, or Space; isolated(depth): a double click, or Return.

    Arrow keys go from layer to layer.
    """

    toggled = Signal(int)
    isolated = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_HEIGHT)
        self.setMinimumWidth(220)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("layers")
        self.at = 0  # the layer that keys act on
        self.names: tuple[str, ...] = ()
        self.counts: tuple[int, ...] = ()
        self.hidden: frozenset[int] = frozenset()
        self.scheme = Palette.TIDE

    def show_layers(
        self, names: tuple[str, ...], hidden: frozenset[int], counts: tuple[int, ...], palette: Palette
    ) -> None:
        """names: of the layers, from the first; counts: their lines in the active slice."""
        self.names, self.hidden, self.counts, self.scheme = names, hidden, counts, palette
        self.at = min(self.at, max(len(names) - 1, 0))
        self.setCursor(Qt.CursorShape.PointingHandCursor if names else Qt.CursorShape.ArrowCursor)
        self.update()

    def cell(self, depth: int) -> QRectF:
        """Where the swatch of a depth is."""
        left = 48.0
        width = min(_WIDEST_CELL, (self.width() - left - 8) / max(len(self.names), 1))
        return QRectF(left + depth * width, 8, width, 13)

    def depth_at(self, point: QPointF) -> int | None:
        for depth in range(len(self.names)):
            if self.cell(depth).adjusted(0, -8, 0, 20).contains(point):
                return depth
        return None

    def sizeHint(self) -> QSize:
        return QSize(320, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.names:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(QFont(self.font().family(), 9))
        painter.setPen(self.palette().placeholderText().color())
        painter.drawText(QRectF(4, 4, 44, 20), Qt.AlignmentFlag.AlignVCenter, "depth")
        painter.setFont(QFont(self.font().family(), 8))
        metrics = QFontMetricsF(painter.font())
        every = 1
        while every * self.cell(0).width() < metrics.horizontalAdvance(str(len(self.names))) + 4:
            every *= 2
        for depth, rgb in enumerate(paper_of(self.palette()).depth_colors(len(self.names), self.scheme)):
            cell = self.cell(depth)
            shown = depth not in self.hidden
            painter.setPen(QPen(self.palette().mid().color(), 1))  # dark colours have an edge on dark panels
            painter.setBrush(color_of(rgb) if shown else self.palette().base().color())
            painter.drawRoundedRect(cell.adjusted(0.75, 0, -0.75, 0), 3, 3)
            if depth % every == 0:
                painter.setPen(self.palette().text().color() if shown else self.palette().placeholderText().color())
                painter.drawText(cell.translated(0, 15), Qt.AlignmentFlag.AlignCenter, str(depth))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.palette().highlight().color(), 1.6))
            painter.drawRoundedRect(self.cell(self.at).adjusted(-1, -2, 1, 2), 4, 4)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if not self.names or event.modifiers() & Qt.KeyboardModifier.AltModifier:
            super().keyPressEvent(event)
        elif step is not None:
            self.at = (self.at + step) % len(self.names)
            self.update()
        elif event.key() == Qt.Key.Key_Space:
            self.toggled.emit(self.at)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.isolated.emit(self.at)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusOutEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        depth = self.depth_at(event.position())
        if depth is not None and event.button() == Qt.MouseButton.LeftButton:
            self.toggled.emit(depth)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        depth = self.depth_at(event.position())
        if depth is not None:
            self.isolated.emit(depth)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            depth = self.depth_at(QPointF(event.pos()))
            if depth is not None:
                lines = f"\n{self.counts[depth]:,} edges in the active slice" if depth < len(self.counts) else ""
                what = f"depth {depth}: {self.names[depth]}{lines}\nclick hides or shows it, double click isolates it"
                QToolTip.showText(event.globalPos(), what, self)
                return True
        return super().event(event)


class ColorBar(QWidget):
    """The scale of a fill; nothing without one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_HEIGHT)
        self.setMinimumWidth(round(_BAR + 90))
        self.hide()
        self._fill: FaceFill | None = None

    def show_fill(self, fill: FaceFill | None) -> None:
        self._fill = fill
        shown = fill is not None and fill.high > fill.low
        self.setVisible(shown)
        self.update()

    @property
    def fill(self) -> FaceFill | None:
        return self._fill

    def paintEvent(self, event: QPaintEvent) -> None:
        fill = self._fill
        if fill is None:
            return
        table = shaded(fill.table, paper_of(self.palette()))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(QFont(self.font().family(), 9))
        painter.setPen(self.palette().placeholderText().color())
        painter.drawText(QRectF(0, 4, 66, 20), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, fill.label)
        bar = QRectF(74, 8, _BAR, 13)
        painter.setPen(QPen(self.palette().mid().color(), 0.8))
        painter.setFont(QFont(self.font().family(), 8))
        if len(table) <= 3:
            self._paint_classes(painter, bar, table)
        else:
            gradient = QLinearGradient(bar.topLeft(), bar.topRight())
            for k in range(17):
                gradient.setColorAt(k / 16, QColor(*table[round(k / 16 * (len(table) - 1))].tolist()))
            painter.setBrush(gradient)
            painter.drawRoundedRect(bar, 3, 3)
            painter.setPen(self.palette().text().color())
            for align, value in ((Qt.AlignmentFlag.AlignLeft, fill.low), (Qt.AlignmentFlag.AlignRight, fill.high)):
                text = f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
                painter.drawText(bar.translated(0, 15), align | Qt.AlignmentFlag.AlignVCenter, text)
            if fill.logarithmic:
                painter.setPen(self.palette().placeholderText().color())
                painter.drawText(bar.translated(0, 15), Qt.AlignmentFlag.AlignCenter, "log")
        painter.end()

    def _paint_classes(self, painter: QPainter, bar: QRectF, table: Colors) -> None:
        half = bar.width() / 2
        for k, (color, text) in enumerate(zip((table[0], table[-1]), ("f < 0", "f > 0"), strict=True)):
            box = QRectF(bar.left() + k * half, bar.top(), half - 2, bar.height())
            painter.setPen(QPen(self.palette().mid().color(), 0.8))
            painter.setBrush(QColor(*color.tolist()))
            painter.drawRoundedRect(box, 3, 3)
            painter.setPen(self.palette().text().color())
            painter.drawText(box.translated(0, 15), Qt.AlignmentFlag.AlignCenter, text)
