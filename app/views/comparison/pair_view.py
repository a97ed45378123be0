"""The 2D view of one slice of two checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.state.comparison import Between
from app.state.palette import RGB
from app.state.paper import Paper
from app.views.comparison.pair_image import draw_pair
from app.views.marks.paper_of import color_of, halo
from app.views.slice.framing import Framing
from app.views.slice.slice_image import Image, SlicePicture
from app.views.slice.slice_view import Drawing, SliceView, paint_image

_GRIP: Final = 7.0  # pixels from the divider from which a hand takes it
_KEY_STEP: Final = 0.04  # of the width
_ENDS: Final = 0.02  # of the width: how near to a side the divider may be


@dataclass(frozen=True, eq=False, slots=True)
class PairDrawing(Drawing):
    """Everything that a picture of two slices depends on; `picture` and `accent` are the first one's."""

    second: SlicePicture
    second_accent: RGB
    between: Between
    limit: float

    def images(self) -> tuple[Image, ...]:
        return draw_pair(
            (self.picture, self.second), self.between, self.framing, (self.accent, self.second_accent), self.limit,
            self.hidden_depths, self.pixel_ratio, self.style, self.paper,
        )  # fmt: skip

    def __call__(self) -> Image:
        """All images, one below the other."""
        return np.concatenate(self.images())


class PairView(SliceView):
    """divided(share): a hand moved the divider there, of the width; names: of the checkpoints; showing: which of them
    is seen while they blink; limit: of the colours of the difference."""

    divided = Signal(float)

    def __init__(self, accents: tuple[RGB, RGB], names: tuple[str, str], between: Between, parent: QWidget) -> None:
        super().__init__(accents[0], parent)
        self.accents, self.names, self.between = accents, names, between
        self.second: SlicePicture | None = None
        self.limit = 1.0
        self.showing = 0
        self._share = 0.5
        self._holding = False

    @property
    def share(self) -> float:
        """Place of the divider, as a share of the width."""
        return self._share

    def divide(self, share: float) -> None:
        self._share = min(max(share, _ENDS), 1 - _ENDS)
        self.update()

    def name(self, names: tuple[str, str]) -> None:
        self.names = names
        self.update()

    def blink(self, showing: int) -> None:
        self.showing = showing
        self.update()

    def show_limit(self, limit: float) -> None:
        if limit != self.limit:
            self.limit = limit
            self.redraw()

    def _drawing(self, picture: SlicePicture, framing: Framing, paper: Paper) -> Drawing:
        plain = super()._drawing(picture, framing, paper)
        assert self.second is not None
        return PairDrawing(
            plain.picture, plain.framing, plain.accent, plain.hidden_depths, plain.pixel_ratio, plain.style,
            plain.paper, self.second, self.accents[1], self.between, self.limit,
        )  # fmt: skip

    def _paint_picture(
        self, painter: QPainter, framing: Framing, image: tuple[QImage, Framing], area: QRectF, paper: Paper
    ) -> None:
        stacked, drawn = image
        count = 2 if self.between in (Between.SWIPE, Between.BLINK) else 1
        height = stacked.height() // count
        parts = [stacked.copy(0, k * height, stacked.width(), height) for k in range(count)]
        if self.between is Between.SWIPE:
            paint_image(painter, framing, parts[0], drawn)
            painter.save()
            painter.setClipRect(area.adjusted(self._share * area.width(), 0, 0, 0), Qt.ClipOperation.IntersectClip)
            painter.fillRect(area, color_of(paper.ground))
            paint_image(painter, framing, parts[1], drawn)
            painter.restore()
        else:
            paint_image(painter, framing, parts[self.showing if count == 2 else 0], drawn)

    def _paint_over(self, painter: QPainter, area: QRectF, paper: Paper) -> None:
        if self.between is Between.SWIPE:
            x = self._divider(area)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for pen in (QPen(halo(paper), 4.0), QPen(color_of(paper.ink), 1.4)):
                painter.setPen(pen)
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setBrush(color_of(paper.ground))
            middle = QPointF(x, area.center().y())
            painter.drawEllipse(middle, 9, 9)
            painter.setBrush(color_of(paper.ink))
            painter.setPen(Qt.PenStyle.NoPen)
            for way in (-1, 1):
                tip = middle + QPointF(6.0 * way, 0)
                painter.drawPolygon(QPolygonF([tip, tip + QPointF(-3.5 * way, -3), tip + QPointF(-3.5 * way, 3)]))
            self._paint_name(painter, 0, area.adjusted(0, 0, x - area.right(), 0), False, paper)
            self._paint_name(painter, 1, area.adjusted(x - area.left(), 0, 0, 0), True, paper)
        elif self.between is Between.BLINK:
            self._paint_name(painter, self.showing, area, False, paper)

    def _paint_name(self, painter: QPainter, place: int, area: QRectF, right: bool, paper: Paper) -> None:
        """In the upper corner of a part of the view."""
        painter.setFont(QFont(self.font().family(), 9, QFont.Weight.DemiBold))
        metrics = QFontMetricsF(painter.font())
        room = area.width() - 30
        text = metrics.elidedText(f"{'AB'[place]}  {self.names[place]}", Qt.TextElideMode.ElideMiddle, max(room, 0))
        if room < metrics.horizontalAdvance("A  …"):
            return
        box = QRectF(area.topLeft(), QSizeF(metrics.horizontalAdvance(text) + 14, metrics.height() + 6))
        box.moveTop(area.top() + 6)
        if right:
            box.moveRight(area.right() - 6)
        else:
            box.moveLeft(area.left() + 6)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color_of(paper.accent(self.accents[place])))
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(color_of((1.0, 1.0, 1.0)))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _divider(self, area: QRectF) -> float:
        return area.left() + self._share * area.width()

    def _on_divider(self, at: QPointF) -> bool:
        return self.between is Between.SWIPE and abs(at.x() - self._divider(self.area)) <= _GRIP

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The divider goes to the left and to the right with < and >."""
        way = {Qt.Key.Key_Less: -1, Qt.Key.Key_Greater: 1}.get(Qt.Key(event.key()))
        if way is None or self.between is not Between.SWIPE:
            super().keyPressEvent(event)
        else:
            self.divide(self._share + _KEY_STEP * way)
            self.divided.emit(self._share)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._on_divider(event.position()):
            self._holding = True
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._holding:
            area = self.area
            self.divide((event.position().x() - area.left()) / max(area.width(), 1.0))
            self.divided.emit(self._share)
            return
        if not event.buttons():
            if self._on_divider(event.position()):  # a click takes nothing else
                self.setCursor(Qt.CursorShape.SplitHCursor)
                self.left.emit()
                return
            self.show_cursor()
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._holding:
            self._holding = False
        else:
            super().mouseReleaseEvent(event)
