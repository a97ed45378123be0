"""A dot in the colour that a slice has in the views."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.state.palette import RGB
from app.views.marks.paper_of import color_of, paper_of

_SIDE = 10


class Chip(QWidget):
    def __init__(self, accent: RGB, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._accent = accent
        self.setFixedSize(_SIDE, _SIDE)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color_of(paper_of(self.palette()).accent(self._accent)))
        painter.drawEllipse(self.rect())
        painter.end()
