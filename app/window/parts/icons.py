"""Small drawn icons: colour chips, eyes, arrows; vectors, so that they are sharp at every scale."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

from app.state.palette import RGB
from app.window.parts.theme import MUTED

SIZE = QSize(18, 18)
_SCALE = 3


def color_of(rgb: RGB) -> QColor:
    return QColor.fromRgbF(*rgb)


def eye(open_: bool) -> QIcon:
    def paint(painter: QPainter) -> None:
        color = QColor(MUTED if open_ else "#c3cad5")
        painter.setPen(QPen(color, 1.4))
        path = QPainterPath(QPointF(2, 9))
        path.quadTo(QPointF(9, 1.5), QPointF(16, 9))
        path.quadTo(QPointF(9, 16.5), QPointF(2, 9))
        painter.drawPath(path)
        if open_:
            painter.setBrush(color)
            painter.drawEllipse(QRectF(6.8, 6.8, 4.4, 4.4))
        else:
            painter.drawLine(QPointF(3.5, 15), QPointF(14.5, 3))

    return _icon(paint)


def cross() -> QIcon:
    def paint(painter: QPainter) -> None:
        painter.setPen(QPen(QColor(MUTED), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(5, 5), QPointF(13, 13))
        painter.drawLine(QPointF(13, 5), QPointF(5, 13))

    return _icon(paint)


def frames(tiled: bool) -> QIcon:
    """Several views, or one."""

    def paint(painter: QPainter) -> None:
        painter.setPen(QPen(QColor(MUTED), 1.3))
        boxes = [QRectF(2.5, 2.5, 5.5, 5.5), QRectF(10, 2.5, 5.5, 5.5), QRectF(2.5, 10, 5.5, 5.5),
                 QRectF(10, 10, 5.5, 5.5)] if tiled else [QRectF(2.5, 2.5, 13, 13)]  # fmt: skip
        for box in boxes:
            painter.drawRoundedRect(box, 1.2, 1.2)

    return _icon(paint)


def application_icon() -> QIcon:
    """Three planes' lines in their accents around a dark disc."""

    def paint(painter: QPainter) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("#3b2a78"))
        painter.drawRoundedRect(QRectF(1, 1, 16, 16), 4, 4)
        for color, a, b in (
            ("#7fc8f0", (4, 14), (14, 4)),
            ("#f28000", (3, 7), (15, 10)),
            ("#ffffff", (8, 3), (10, 15)),
        ):
            painter.setPen(QPen(QColor(color), 1.3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(*a), QPointF(*b))

    return _icon(paint)


def _icon(paint: Callable[[QPainter], None]) -> QIcon:
    pixmap = QPixmap(SIZE * _SCALE)
    pixmap.setDevicePixelRatio(_SCALE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint(painter)
    painter.end()
    return QIcon(pixmap)
