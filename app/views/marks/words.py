"""Words over a view: in the place of a picture that is not there yet, and a note below a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QApplication

from app.views.marks.paper_of import color_of, halo

if TYPE_CHECKING:
    from app.state.paper import Paper

_MARGIN: Final = 24
_WRAPPED: Final = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)


def paint_waiting(painter: QPainter, area: QRectF, text: str, paper: Paper) -> None:
    """In the middle of an area, on as many lines as it takes, over whatever is there already."""
    painter.setFont(QApplication.font())
    room = area.adjusted(_MARGIN, 0, -_MARGIN, 0)
    painter.fillRect(painter.boundingRect(room, _WRAPPED, text).adjusted(-6, -3, 6, 3), color_of(paper.ground))
    painter.setPen(color_of(paper.muted))
    painter.drawText(room, _WRAPPED, text)


def paint_note(painter: QPainter, area: QRectF, text: str, paper: Paper) -> None:
    """At the foot of an area."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(QFont(QApplication.font().family(), 9))
    room = QRectF(0, 0, max(area.width() - 36, 1), max(area.height() - 26, 1))
    needed = QFontMetricsF(painter.font()).boundingRect(room, _WRAPPED, text)
    box = QRectF(0, 0, needed.width() + 20, needed.height() + 10)
    box.moveCenter(area.center())
    box.moveBottom(area.bottom() - 8)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(halo(paper))
    painter.drawRoundedRect(box, 6, 6)
    painter.setPen(color_of(paper.ink))
    painter.drawText(box, _WRAPPED, text)
