"""What a view says in the place of a picture that is not there yet."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QApplication

_INK, _PAPER = QColor("#5b6472"), QColor("white")
_MARGIN = 24


def paint_waiting(painter: QPainter, area: QRectF, text: str) -> None:
    """In the middle of an area, on as many lines as it takes, over whatever is there already."""
    painter.setFont(QApplication.font())
    room = area.adjusted(_MARGIN, 0, -_MARGIN, 0)
    wrapped = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
    painter.fillRect(painter.boundingRect(room, wrapped, text).adjusted(-6, -3, 6, 3), _PAPER)
    painter.setPen(_INK)
    painter.drawText(room, wrapped, text)
