"""Small drawn icons: eyes, arrows, papers; vectors, so that they are sharp at every scale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.window.parts.theme import MUTED

SIZE = QSize(18, 18)
_SCALE = 3


def icon(name: str) -> QIcon:
    """Raises KeyError for a name that is not in the table below."""
    if name not in _STROKES and name not in _FILLED:
        raise KeyError(name)
    return _svg_icon(_STROKES.get(name, ""), _FILLED.get(name, ""))


def eye(open_: bool) -> QIcon:
    """Of something that is shown, or not."""
    return icon("eye") if open_ else _svg_icon(_STROKES["eye"] + " M3.5 15 L14.5 3", "", "#c3cad5")


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


def _svg_icon(strokes: str, filled: str, color: str = MUTED) -> QIcon:
    """strokes, filled: paths of SVG in a square of 18."""
    line = f'fill="none" stroke="{color}" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"'
    paths = [f'<path d="{path}" {how}/>' for path, how in ((strokes, line), (filled, f'fill="{color}"')) if path]
    content = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 18 18">{"".join(paths)}</svg>'
    renderer = QSvgRenderer(content.encode())
    return _icon(lambda painter: renderer.render(painter, QRectF(QPointF(0, 0), SIZE)))


def _icon(paint: Callable[[QPainter], None]) -> QIcon:
    pixmap = QPixmap(SIZE * _SCALE)
    pixmap.setDevicePixelRatio(_SCALE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint(painter)
    painter.end()
    return QIcon(pixmap)


_STROKES: Final = {
    "compare": "M2.5 3.5 h5.5 v11 h-5.5 Z M10 3.5 h5.5 v11 h-5.5 Z M4 10.5 l1.2 -3 l1.3 2 M11.5 8 l1.2 3 l1.3 -4",
    "copy": "M6.5 6.5 h8 v8.5 h-8 Z M11.5 6.5 V3 h-8 v8.5 h3",
    "cross": "M5 5 L13 13 M13 5 L5 13",
    "duplicate": "M6.5 6.5 h8.5 v8.5 h-8.5 Z M11.5 6.5 V3 h-8.5 v8.5 h3.5 M10.75 8.5 v4.5 M8.5 10.75 h4.5",
    "export": "M9 11 V2.5 M5.8 5.7 L9 2.5 L12.2 5.7 M3 10.5 v4.5 h12 v-4.5",
    "eye": "M2 9 Q9 1.5 16 9 Q9 16.5 2 9",
    "find": "M7.8 3 a4.8 4.8 0 1 0 0.01 0 M11.4 11.4 L15.2 15.2",
    "flat": "M1.5 3.5 h6.5 v4.5 h-6.5 Z M10 3.5 h6.5 v4.5 h-6.5 Z M1.5 10 h6.5 v4.5 h-6.5 Z M10 10 h6.5 v4.5 h-6.5 Z",
    "folder": "M2.5 14.5 v-10.5 h4.5 l1.5 2 h7 v8.5 Z",
    "grid": "M6.3 3.5 h4 v4.5 h-4 Z M12.5 3.5 h4 v4.5 h-4 Z M6.3 10 h4 v4.5 h-4 Z M12.5 10 h4 v4.5 h-4 Z",
    "home": "M2.8 9 L9 3.2 L15.2 9 M4.6 8 v6.8 h8.8 V8",
    "left": "M4 6.2 A6 6 0 1 1 3.2 10.5 M3.6 2.6 L4 6.4 L7.8 6",
    "line": "M2.5 13.5 L6.5 8 L10.5 9.5 L15.5 4",
    "link": "M7.6 10.4 a2.9 2.9 0 0 1 0 -4.1 l2 -2 a2.9 2.9 0 0 1 4.1 4.1 l-1.2 1.2 "
    "M10.4 7.6 a2.9 2.9 0 0 1 0 4.1 l-2 2 a2.9 2.9 0 0 1 -4.1 -4.1 l1.2 -1.2",
    "measure": "M2.8 12.2 L12.2 2.8 L15.2 5.8 L5.8 15.2 Z M6 9 l1.5 1.5 M9 6 l1.5 1.5",
    "notes": "M4 2.8 h10 v12.4 h-10 Z M6.6 6.2 h4.8 M6.6 9 h4.8 M6.6 11.8 h3",
    "paste": "M6.5 4 h-2.5 v11 h10 v-11 h-2.5 M6.8 2.8 h4.4 v2.6 h-4.4 Z",
    "picture": "M2.8 3.8 h12.4 v10.4 h-12.4 Z M3.2 12.6 L7 8.6 L9.6 11.2 L11.6 9.4 L14.8 12.4",
    "pin": "M9 16 C5 11 4.2 9.2 4.2 7 a4.8 4.8 0 0 1 9.6 0 C13.8 9.2 13 11 9 16",
    "plus": "M9 4 v10 M4 9 h10",
    "redo": "M14.5 7 H7 a3.8 3.8 0 0 0 0 7.6 h4 M11.5 4 L14.6 7 L11.5 10",
    "reload": "M14.6 7 A6 6 0 1 0 15 9.8 M14.9 3.4 L14.7 7.1 L11 6.9",
    "right": "M14 6.2 A6 6 0 1 0 14.8 10.5 M14.4 2.6 L14 6.4 L10.2 6",
    "save": "M3 3 h9.5 L15 5.5 V15 H3 Z M6 3 v4 h5.5 V3 M5.6 15 v-4.6 h6.8 V15",
    "slice large": "M6.3 3.5 h10.2 v11 h-10.2 Z",
    "space large": "M11.7 3.5 h4.8 v4.5 h-4.8 Z M11.7 10 h4.8 v4.5 h-4.8 Z",
    "swap": "M3 6 h11 M11.5 3.5 L14 6 L11.5 8.5 M15 12 h-11 M6.5 9.5 L4 12 L6.5 14.5",
    "tiles": "M2.8 2.8 h5 v5 h-5 Z M10.2 2.8 h5 v5 h-5 Z M2.8 10.2 h5 v5 h-5 Z M10.2 10.2 h5 v5 h-5 Z",
    "undo": "M3.5 7 H11 a3.8 3.8 0 0 1 0 7.6 h-4 M6.5 4 L3.4 7 L6.5 10",
}
_FILLED: Final = {
    "eye": "M9 6.8 a2.2 2.2 0 1 0 0.01 0 Z",
    "grid": "M1.5 3.5 h2.8 v11 h-2.8 Z",
    "picture": "M11.6 5.6 a1.2 1.2 0 1 0 0.01 0 Z",
    "pin": "M9 5.4 a1.7 1.7 0 1 0 0.01 0 Z",
    "play": "M5 3.2 L14.5 9 L5 14.8 Z",
    "slice large": "M1.5 3.5 h2.8 v11 h-2.8 Z",
    "space large": "M1.5 3.5 h8.2 v11 h-8.2 Z",
    "stop": "M4.5 4.5 h9 v9 h-9 Z",
}
"""Paths of SVG, by the names of icons."""
