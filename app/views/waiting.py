"""What a view says in the place of a picture that is not there yet."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QApplication

_INK = QColor("#5b6472")
_MARGIN = 24


def paint_waiting(painter: QPainter, area: QRectF, text: str) -> None:
    """In the middle of an area, on as many lines as it takes."""
    painter.setFont(QApplication.font())
    painter.setPen(_INK)
    room = area.adjusted(_MARGIN, 0, -_MARGIN, 0)
    painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)
