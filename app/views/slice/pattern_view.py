"""An activation pattern as cells: a line for each layer, a cell for each neuron, filled where it is active."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.state.palette import Palette
from app.state.paper import NIGHT, WHITE
from app.views.marks.paper_of import color_of
from app.views.slice.slice_image import HIGHLIGHT
from engine import Neuron

if TYPE_CHECKING:
    from app.state.session import OpenNetwork
    from engine import RegionFacts

_ROW: Final = 64  # cells in a line, at most
_HEIGHT, _GAP = 10, 4
_NAME, _COUNT = 16, 52  # pixels, before and behind the cells
_WIDEST: Final = 12.0


class PatternView(QWidget):
    """chosen(Neuron): a click on its cell."""

    chosen = Signal(object)

    def __init__(self, opened: OpenNetwork, facts: RegionFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._opened, self._facts = opened, facts
        self._active = [set(pattern.active.tolist()) for pattern in facts.layers]
        self._resting = [set(pattern.resting.tolist()) for pattern in facts.layers]
        self.neuron: Neuron | None = None
        self.scheme = Palette.TIDE
        lines = [-(-pattern.neurons // _ROW) for pattern in facts.layers]
        self._tops = [0]
        for count in lines:
            self._tops.append(self._tops[-1] + count * _HEIGHT + _GAP)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:
        return QSize(240, self._tops[-1])

    def show_state(self, neuron: Neuron | None, palette: Palette) -> None:
        """Tell the cell of a neuron apart, in the colours that its layer has in the views."""
        if (neuron, palette) != (self.neuron, self.scheme):
            self.neuron, self.scheme = neuron, palette
            self.update()

    def _cell_width(self, layer: int) -> float:
        cells = max(1, min(self._facts.layers[layer].neurons, _ROW))
        return min(_WIDEST, (self.width() - _NAME - _COUNT) / cells)

    def cell(self, neuron: Neuron) -> QRectF:
        width = self._cell_width(neuron.layer)
        line, column = divmod(neuron.index, _ROW)
        return QRectF(_NAME + column * width, self._tops[neuron.layer] + line * _HEIGHT, width, _HEIGHT)

    def neuron_at(self, at: QPoint) -> Neuron | None:
        for layer, pattern in enumerate(self._facts.layers):
            if self._tops[layer] <= at.y() < self._tops[layer + 1] - _GAP and at.x() >= _NAME:
                column = int((at.x() - _NAME) / self._cell_width(layer))
                index = (at.y() - self._tops[layer]) // _HEIGHT * _ROW + column
                return Neuron(layer, index) if column < _ROW and index < pattern.neurons else None
        return None

    def state(self, neuron: Neuron) -> str:
        if neuron.index in self._resting[neuron.layer]:
            return "on its breakpoint throughout"
        return "active" if neuron.index in self._active[neuron.layer] else "inactive"

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        palette = self.palette()
        off, text = palette.color(QPalette.ColorRole.Mid), palette.color(QPalette.ColorRole.PlaceholderText)
        painter.setFont(QFont(self.font().family(), 8))
        # on dark panels those that are seen there, also beside views on white paper
        paper = NIGHT if palette.color(QPalette.ColorRole.Window).lightness() < 128 else WHITE
        colors = paper.depth_colors(len(self._facts.layers), self.scheme)
        for layer, pattern in enumerate(self._facts.layers):
            on = color_of(colors[layer])
            for index in range(pattern.neurons):
                box = self.cell(Neuron(layer, index))
                inset = 1.0 if box.width() > 3 else 0.0
                painter.fillRect(box.adjusted(0, 0, -inset, -1), on if index in self._active[layer] else off)
            painter.setPen(text)
            row = QRectF(0, self._tops[layer], self.width(), _HEIGHT)
            painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, str(layer))
            count = f"{len(pattern.active)} / {pattern.neurons}"
            painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, count)
        if self.neuron is not None and self.neuron.layer < len(self._facts.layers):
            painter.setPen(QPen(color_of(HIGHLIGHT), 1.6))
            painter.drawRect(self.cell(self.neuron).adjusted(-1, -1, 0, 0))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        neuron = self.neuron_at(event.position().toPoint())
        if neuron is not None:
            self.chosen.emit(neuron)
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            neuron = self.neuron_at(event.pos())
            if neuron is not None:
                QToolTip.showText(event.globalPos(), f"{self._opened.describe(neuron)}: {self.state(neuron)}", self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)
