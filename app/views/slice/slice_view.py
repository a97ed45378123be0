"""The 2D view of a slice: the picture that a worker draws, rulers, what lies under the mouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.state.line_style import LineStyle
from app.state.palette import RGB
from app.views.marks.pick_marks import PickMarks, paint_marks
from app.views.marks.pin_marks import PinMark, paint_badge, paint_outline
from app.views.marks.view_keys import KeyPointer, dragged_by, zoomed_by
from app.views.marks.waiting import paint_waiting
from app.views.slice.framing import Bounds, Framing
from app.views.slice.rulers import measured, paint_rulers
from app.views.slice.slice_image import HIGHLIGHT, Image, SlicePicture, draw

_LEFT, _BOTTOM = 40, 22  # pixels for the rulers
_CLICK: Final = 4
_HELD: Final = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
_KEY_STEP: Final = 40.0  # pixels: the drag that an arrow key stands for


@dataclass(frozen=True, eq=False, slots=True)
class Drawing:
    """Everything that a picture of a slice depends on; a worker calls it."""

    picture: SlicePicture
    framing: Framing
    accent: RGB
    hidden_depths: frozenset[int]
    pixel_ratio: float
    style: LineStyle

    def __call__(self) -> Image:
        return draw(self.picture, self.framing, self.accent, self.hidden_depths, self.pixel_ratio, self.style)


class SliceView(QWidget):
    """drawing_wanted(Drawing): call it elsewhere and give the result to `show_drawing`.

    hovered(u, v), left, clicked(u, v): in the slice's coordinates; pinned(u, v): clicked with Shift; fitted: a double
    click, of which the first half was a click; nudged(notches): the wheel asks to move the plane.  While `picking`, a
    click is picked(u, v) instead.  region_meant: Shift is held where the mouse hovers.
    """

    drawing_wanted = Signal(object)
    hovered = Signal(float, float)
    left = Signal()
    clicked = Signal(float, float)
    picked = Signal(float, float)
    pinned = Signal(float, float)
    fitted = Signal()
    nudged = Signal(float)

    def __init__(self, accent: RGB, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(150, 110)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.accent = accent
        self.hidden_depths: frozenset[int] = frozenset()
        self.style_of_lines = LineStyle()
        self.axis_names = ("u", "v")
        self.waiting = ""
        self.note = self.next_note = ""  # what is told of the picture on the screen, and of the one being drawn
        self.framing: Framing | None = None
        self._fitted = True
        self._picture: SlicePicture | None = None
        self._frame_of_slice = np.zeros((2, 2))
        self._image: tuple[QImage, Framing] | None = None
        self._wanted: Drawing | None = None
        self._region: QPolygonF | None = None
        self._line: list[QLineF] = []
        self.region_meant = False
        self.pins: tuple[PinMark, ...] = ()
        self._pressed: QPointF | None = None
        self._last: QPointF | None = None
        self._hovering: QPointF | None = None
        self._marks: PickMarks | None = None
        self._picking = False
        self.pointer = KeyPointer(self)

    @property
    def picking(self) -> bool:
        return self._picking

    @picking.setter
    def picking(self, on: bool) -> None:
        self._picking = on
        self._show_cursor()

    def _show_cursor(self) -> None:
        if self._picking:
            self.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self.unsetCursor()

    def show_marks(self, marks: PickMarks | None) -> None:
        if marks is not None or self._marks is not None:
            self._marks = marks
            self.update()

    @property
    def picture(self) -> SlicePicture | None:
        return self._picture

    @property
    def settled(self) -> bool:
        """The newest drawing asked for is on the screen."""
        return self._wanted is None

    def tell(self, note: str) -> None:
        """At once, whatever is being drawn."""
        self.note = self.next_note = note
        self.update()

    def show_picture(self, picture: SlicePicture, note: str, frame: NDArray[np.float64]) -> None:
        """Draw another picture; the part of the slice in view stays, unless the whole frame was.

        note: what is told of it, as soon as it is on the screen; frame (2, 2): lower and upper corner of what the slice
        may fill.
        """
        self._picture, self.next_note, self._frame_of_slice = picture, note, frame
        self._region, self._line = None, []
        self._frame(self.framing)
        self.redraw()

    def show_nothing(self) -> None:
        """There is no slice; the part in view is kept for the next one."""
        self._picture = self._region = self._image = self._wanted = None
        self._line = []
        self.tell("")

    def _frame(self, wanted: Framing | None) -> None:
        """The whole frame; or what is wanted, where it shows some of the slice."""
        bounds = self._bounds()
        kept = None if self._fitted or wanted is None or bounds is None else bounds.kept(wanted)
        self._fitted = kept is None
        self.framing = self._whole() if kept is None else kept

    def show_look(self, hidden_depths: frozenset[int], style: LineStyle) -> None:
        """Which layers are to be seen, and how."""
        if (self.hidden_depths, self.style_of_lines) != (hidden_depths, style):
            self.hidden_depths, self.style_of_lines = hidden_depths, style
            self.redraw()

    def redraw(self) -> None:
        """Ask for a new drawing; until it is there the last one is shown where it belongs."""
        if self._picture is not None and self.framing is not None:
            self._wanted = Drawing(
                self._picture, self.framing, self.accent, self.hidden_depths, self.devicePixelRatioF(),
                self.style_of_lines,
            )  # fmt: skip
            self.drawing_wanted.emit(self._wanted)
        self.update()

    def show_drawing(self, drawing: Drawing, image: Image) -> None:
        height, width = image.shape[:2]
        picture = QImage(image.data, width, height, 4 * width, QImage.Format.Format_RGBX8888).copy()
        self._image = (picture, drawing.framing)
        if drawing.picture is self._picture:
            self.note = self.next_note
        if drawing is self._wanted:
            self._wanted = None
        self.update()

    def show_target(self, corners: NDArray[np.float64] | None, line: NDArray[np.float64]) -> None:
        """Mark what a click takes: the region with corners (M, 2), None: no region; segments (H, 2, 2) of a line."""
        self._region = None if corners is None else QPolygonF([QPointF(u, v) for u, v in corners.tolist()])
        self._line = [QLineF(*ends) for ends in line.reshape(-1, 4).tolist()]
        self.update()

    def show_pins(self, pins: tuple[PinMark, ...]) -> None:
        """Mark regions for as long as they are pinned."""
        if pins or self.pins:
            self.pins = pins
            self.update()

    def fit(self) -> None:
        """The frame in which the slice stays as its plane moves; from there the slice alone, where it is small."""
        bounds = self._bounds()
        close = bounds.close(*self._area()) if bounds is not None and self._fitted else None
        self._fitted = close is None
        self.framing = close or self._whole()
        self.redraw()

    def _whole(self) -> Framing | None:
        bounds = self._bounds()
        return None if bounds is None else bounds.whole(*self._area())

    def _bounds(self) -> Bounds | None:
        picture = self._picture
        return None if picture is None else Bounds(picture.partition.vertices[picture.border], self._frame_of_slice)

    def _area(self) -> tuple[int, int]:
        return max(self.width() - _LEFT, 2), max(self.height() - _BOTTOM, 2)

    def _pan(self, dx: float, dy: float) -> None:
        bounds = self._bounds()
        if self.framing is not None and bounds is not None:
            self._change(bounds.in_sight(self.framing.moved(dx, dy)))

    def _zoom(self, factor: float, px: float, py: float) -> None:
        """About a pixel of the area."""
        bounds = self._bounds()
        if self.framing is not None and bounds is not None:
            self._change(bounds.zoomed(self.framing, factor, px, py))

    def _change(self, framing: Framing) -> None:
        if framing != self.framing:
            self.framing, self._fitted = framing, False
            self.redraw()

    @property
    def pixel(self) -> float:
        """The length of a pixel."""
        return 1.0 / self.framing.scale if self.framing is not None else 0.0

    def at(self, position: QPointF) -> tuple[float, float] | None:
        """The slice's coordinates at a position of the widget."""
        if self.framing is None or position.x() < _LEFT or position.y() > self.height() - _BOTTOM:
            return None
        return self.framing.to_slice(position.x() - _LEFT, position.y())

    def position_of(self, u: float, v: float) -> QPointF:
        """Where a point of the slice is in the widget."""
        assert self.framing is not None
        x, y = self.framing.to_pixel(u, v)
        return QPointF(x + _LEFT, y)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self.framing is not None:
            self._frame(self.framing.resized(*self._area()))
            self.redraw()
        super().resizeEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.nudged.emit(turned / 120)
        else:
            self._zoom(1.0018**turned, event.position().x() - _LEFT, event.position().y())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.RightButton:  # calls a menu
            event.ignore()
            return
        self._pressed = self._last = event.position()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._last is not None and self._pressed is not None and self.framing is not None:
            if (at - self._pressed).manhattanLength() >= _CLICK or self.cursor().shape() == _GRABBED:
                self.setCursor(_GRABBED)
                delta, self._last = at - self._last, at
                self._pan(delta.x(), delta.y())
            return
        self._hover(at, event.modifiers())

    def _hover(self, at: QPointF, held: Qt.KeyboardModifier) -> None:
        self._hovering = at
        self.region_meant = bool(held & Qt.KeyboardModifier.ShiftModifier)
        where = self.at(at)
        if where is None:
            self.left.emit()
        else:
            self.hovered.emit(*where)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        dragged = self.cursor().shape() == _GRABBED
        self._show_cursor()
        if self._pressed is not None and not dragged and event.button() == Qt.MouseButton.LeftButton:
            where = self.at(self._pressed)  # what was marked there, also where the hand trembled
            if where is not None:
                shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
                (self.picked if self._picking else self.pinned if shift else self.clicked).emit(*where)
        self._pressed = self._last = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._picking:
            self.mousePressEvent(event)  # the second of two clicks that follow each other fast
        else:
            self.fit()
            self.fitted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt and arrows pan, as a drag would; + and - zoom; 0 shows all of the slice."""
        way, factor = dragged_by(event), zoomed_by(event)
        if event.key() == Qt.Key.Key_Shift and self._hovering is not None:
            self._hover(self._hovering, Qt.KeyboardModifier.ShiftModifier)
        if self.framing is not None and event.key() == Qt.Key.Key_0 and not event.modifiers() & _HELD:
            self.fit()
            return
        if self.framing is None or (way is None and factor is None):
            event.ignore()
            return
        if way is not None:
            self._pan(_KEY_STEP * way.x(), _KEY_STEP * way.y())
        if factor is not None:
            width, height = self._area()
            self._zoom(factor, width / 2, height / 2)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Shift and self._hovering is not None:
            self._hover(self._hovering, Qt.KeyboardModifier.NoModifier)
        super().keyReleaseEvent(event)

    def leaveEvent(self, event: object) -> None:
        self._hovering = None
        self.left.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("white"))
        width, height = self._area()
        area = QRectF(_LEFT, 0, width, height)
        if self.framing is not None and self._image is not None:
            painter.save()
            painter.setClipRect(area)
            self._paint_image(painter, self.framing)
            self._paint_target(painter, self.framing)
            self._paint_pins(painter)
            self._paint_marks(painter, area)
            painter.restore()
        bounds = self._bounds()
        if self.framing is not None and bounds is not None:
            painter.setFont(self.font())
            paint_rulers(painter, self.framing, area, measured(self.framing, area, *bounds.corners), self.axis_names)
        if self._image is None and self.waiting:
            paint_waiting(painter, area, self.waiting)
        if self.note:
            self._paint_note(painter, area)
        painter.end()

    def _paint_image(self, painter: QPainter, framing: Framing) -> None:
        assert self._image is not None
        image, drawn = self._image
        if drawn == framing:
            painter.drawImage(QRectF(_LEFT, 0, framing.width, framing.height), image, QRectF(image.rect()))
            return
        left, top = framing.to_pixel(*drawn.to_slice(0, 0))
        right, bottom = framing.to_pixel(*drawn.to_slice(drawn.width, drawn.height))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(_LEFT + left, top, right - left, bottom - top), image, QRectF(image.rect()))

    def _paint_target(self, painter: QPainter, framing: Framing) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._line:
            x, y = framing.shift
            painter.save()
            painter.setTransform(QTransform(framing.scale, 0, 0, -framing.scale, x + _LEFT, y), True)
            for color, width in ((QColor(255, 255, 255, 190), 4.0), (QColor.fromRgbF(*HIGHLIGHT), 1.6)):
                pen = QPen(color, width)
                pen.setCosmetic(True)
                painter.setPen(pen)
                painter.drawLines(self._line)
            painter.restore()
        if self._region is None:
            return
        painter.setPen(QPen(QColor(20, 24, 32), 1.4))
        painter.setBrush(QColor(255, 214, 10, 120))
        painter.drawPolygon(QPolygonF([self.position_of(p.x(), p.y()) for p in self._region.toList()]))

    def _paint_marks(self, painter: QPainter, area: QRectF) -> None:
        marks = self._marks
        if marks is None:
            return
        places = np.array([self.position_of(u, v).toTuple() for u, v in marks.points.tolist()]).reshape(-1, 2)
        candidate = None if marks.candidate is None else np.array(self.position_of(*marks.candidate).toTuple())
        paint_marks(painter, marks, places, candidate, area)

    def _paint_pins(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outlines = [[self.position_of(u, v) for u, v in pin.corners.tolist()] for pin in self.pins]
        for pin, outline in zip(self.pins, outlines, strict=True):
            paint_outline(painter, outline, pin.in_place)
        for pin, outline in zip(self.pins, outlines, strict=True):
            paint_badge(painter, pin.number, self.position_of(*pin.anchor.tolist()), outline, pin.in_place)

    def _paint_note(self, painter: QPainter, area: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(QFont(self.font().family(), 9))
        wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        room = QRectF(0, 0, max(area.width() - 36, 1), max(area.height() - 26, 1))
        text = QFontMetricsF(painter.font()).boundingRect(room, int(wrapped), self.note)
        box = QRectF(0, 0, text.width() + 20, text.height() + 10)
        box.moveCenter(area.center())
        box.moveBottom(area.bottom() - 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(255, 255, 255, 235))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor("#2b3240"))
        painter.drawText(box, int(wrapped), self.note)


_GRABBED: Final = Qt.CursorShape.ClosedHandCursor
