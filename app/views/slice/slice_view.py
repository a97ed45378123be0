"""The 2D view of a slice: the picture that a worker draws, rulers, what lies under the mouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.state.line_style import LineStyle
from app.state.look import SceneLook
from app.state.palette import RGB
from app.state.paper import WHITE, Paper
from app.views.marks.crosshair import paint_crosshair
from app.views.marks.marked_view import MarkedView
from app.views.marks.paper_of import color_of
from app.views.marks.pick_marks import paint_marks
from app.views.marks.pin_marks import paint_badge, paint_outline
from app.views.marks.view_keys import dragged_by, zoomed_by
from app.views.marks.words import paint_note, paint_waiting
from app.views.slice.framing import Bounds, Framing
from app.views.slice.rulers import measured, paint_rulers
from app.views.slice.slice_image import Image, SlicePicture, draw
from app.views.slice.target import Target, paint_target
from engine import Partition

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
    paper: Paper

    def __call__(self) -> Image:
        return draw(
            self.picture, self.framing, self.accent, self.hidden_depths, self.pixel_ratio, self.style, self.paper
        )


class SliceView(MarkedView):
    """drawing_wanted(Drawing): call it elsewhere and give the result to `show_drawing`.

    hovered(u, v), left, clicked(u, v): in the slice's coordinates; pinned(u, v): clicked with Shift; fitted: a double
    click, of which the first half was a click; nudged(notches): the wheel asks to move the plane; reframed: a hand
    brought another part into view.  While `picking`, a click is picked(u, v) instead.  region_meant: Shift is held
    where the mouse hovers.
    """

    drawing_wanted = Signal(object)
    hovered = Signal(float, float)
    left = Signal()
    clicked = Signal(float, float)
    picked = Signal(float, float)
    pinned = Signal(float, float)
    fitted = Signal()
    nudged = Signal(float)
    reframed = Signal()

    def __init__(self, accent: RGB, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(150, 110)
        self.accent = accent
        self.look = SceneLook()
        self.axis_names = ("u", "v")
        self.note = self.next_note = ""  # what is told of the picture on the screen, and of the one being drawn
        self.framing: Framing | None = None
        self.fitted_whole = True  # it shows all that the slice may fill
        self._picture: SlicePicture | None = None
        self._frame_of_slice = np.zeros((2, 2))
        self._image: tuple[QImage, Framing] | None = None
        self._images: WeakKeyDictionary[Partition, tuple[QImage, Framing]] = WeakKeyDictionary()  # as they were last
        self._wanted: Drawing | None = None
        self.target: Target | None = None
        self.region_meant = False
        self._pressed: QPointF | None = None
        self._last: QPointF | None = None
        self._hovering: QPointF | None = None
        self.papered.connect(self._images.clear)
        self.papered.connect(self.redraw)

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
        self.target = None
        if self._image is None and (seen := self._images.get(picture.partition)) is not None:
            self._image, self.note = seen, note  # until it is drawn anew
        self._frame(self.framing)
        self.redraw()

    def show_nothing(self) -> None:
        """There is no slice; the part in view is kept for the next one."""
        self._picture = self.target = self._image = self._wanted = None
        self.tell("")

    def _frame(self, wanted: Framing | None) -> None:
        """The whole frame; or what is wanted, where it shows some of the slice."""
        bounds = self._bounds()
        kept = None if self.fitted_whole or wanted is None or bounds is None else bounds.kept(wanted)
        self.fitted_whole = kept is None
        self.framing = self._whole() if kept is None else kept

    def show_look(self, look: SceneLook) -> None:
        """Of it the slices' lines."""
        known, self.look = self.look, look
        if known.of_lines != look.of_lines:
            self.redraw()

    def redraw(self) -> None:
        """Ask for a new drawing; until it is there the last one is shown where it belongs."""
        if self._picture is not None and self.framing is not None:
            self._wanted = self._drawing(self._picture, self.framing, self.paper)
            self.drawing_wanted.emit(self._wanted)
        self.update()

    def _drawing(self, picture: SlicePicture, framing: Framing, paper: Paper) -> Drawing:
        hidden = self.look.unseen_depths(len(picture.first) - 1)
        return Drawing(picture, framing, self.accent, hidden, self.devicePixelRatioF(), self.look.style, paper)

    def show_drawing(self, drawing: Drawing, image: Image) -> None:
        self._image = (to_qimage(image), drawing.framing)
        if drawing.picture is self._picture:
            self.note = self.next_note
            self._images[drawing.picture.partition] = self._image
        if drawing is self._wanted:
            self._wanted = None
        self.update()

    def show_target(self, corners: NDArray[np.float64] | None, line: NDArray[np.float64]) -> None:
        """Mark what a click takes: the region with corners (M, 2), None: no region; segments (H, 2, 2) of a line."""
        self.target = Target.of(corners, line) if corners is not None or len(line) else None
        self.update()

    def fit(self) -> None:
        """The frame in which the slice stays as its plane moves; from there the slice alone, where it is small."""
        bounds = self._bounds()
        close = bounds.close(*self._area()) if bounds is not None and self.fitted_whole else None
        self.fitted_whole = close is None
        self.framing = close or self._whole()
        self.redraw()
        self.reframed.emit()

    def follow(self, centre: tuple[float, float], scale: float) -> None:
        """Show what is around a point, as near to it and to a scale as the slice allows."""
        bounds = self._bounds()
        kept = None if bounds is None else bounds.kept(Framing(centre, scale, *self._area()))
        if kept is not None and kept != self.framing:
            self.framing, self.fitted_whole = kept, False
            self.redraw()

    def follow_whole(self) -> None:
        """Show all that the slice may fill."""
        self.framing, self.fitted_whole = self._whole(), True
        self.redraw()

    def _whole(self) -> Framing | None:
        bounds = self._bounds()
        return None if bounds is None else bounds.whole(*self._area())

    def _bounds(self) -> Bounds | None:
        picture = self._picture
        return None if picture is None else Bounds(picture.partition.vertices[picture.border], self._frame_of_slice)

    def _area(self) -> tuple[int, int]:
        return max(self.width() - _LEFT, 2), max(self.height() - _BOTTOM, 2)

    @property
    def area(self) -> QRectF:
        """Where the slice is drawn, beside the rulers."""
        return QRectF(_LEFT, 0, *self._area())

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
            self.framing, self.fitted_whole = framing, False
            self.redraw()
            self.reframed.emit()

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
        self.show_cursor()
        if self._pressed is not None and not dragged and event.button() == Qt.MouseButton.LeftButton:
            where = self.at(self._pressed)  # what was marked there, also where the hand trembled
            if where is not None:
                shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
                (self.picked if self.picking else self.pinned if shift else self.clicked).emit(*where)
        self._pressed = self._last = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.picking:
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
        self._paint(painter, self._image, self.paper)
        painter.end()

    def white_picture(self) -> QPixmap:
        """The view as it is seen, on white paper."""
        image, paper = self._image, self.paper
        if paper.dark and self._picture is not None and self.framing is not None:
            image = to_qimage(self._drawing(self._picture, self.framing, WHITE)()), self.framing
        pixmap = QPixmap(self.size() * self.devicePixelRatioF())
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        painter = QPainter(pixmap)
        painter.setFont(self.font())
        self._paint(painter, image, WHITE)
        painter.end()
        return pixmap

    def _paint(self, painter: QPainter, image: tuple[QImage, Framing] | None, paper: Paper) -> None:
        painter.fillRect(self.rect(), color_of(paper.ground))
        area = self.area
        if self.framing is not None and image is not None:
            painter.save()
            painter.setClipRect(area)
            self._paint_picture(painter, self.framing, image, area, paper)
            if self.target is not None:
                paint_target(painter, self.target, self._to_pixels(self.framing), paper)
            self._paint_pins(painter, paper)
            self._paint_marks(painter, area, paper)
            self._paint_over(painter, area, paper)
            painter.restore()
        bounds = self._bounds()
        if self.framing is not None and bounds is not None:
            painter.setFont(self.font())
            part = measured(self.framing, area, *bounds.corners)
            paint_rulers(painter, self.framing, area, part, self.axis_names, paper)
        if image is None and self.waiting:
            paint_waiting(painter, area, self.waiting, paper)
        if self.note:
            paint_note(painter, area, self.note, paper)

    def _paint_picture(
        self, painter: QPainter, framing: Framing, image: tuple[QImage, Framing], area: QRectF, paper: Paper
    ) -> None:
        """What was drawn, where it belongs; paper: for what else is under marks."""
        paint_image(painter, framing, *image)

    def _paint_over(self, painter: QPainter, area: QRectF, paper: Paper) -> None:
        """What is above all marks."""

    def _to_pixels(self, framing: Framing) -> QTransform:
        x, y = framing.shift
        return QTransform(framing.scale, 0, 0, -framing.scale, x + _LEFT, y)

    def _paint_marks(self, painter: QPainter, area: QRectF, paper: Paper) -> None:
        cross, marks = self.crosshair, self.marks
        if cross is not None:
            paint_crosshair(painter, self.position_of(*cross.point.tolist()), cross.away, paper, area)
        if marks is not None:
            places = np.array([self.position_of(u, v).toTuple() for u, v in marks.points.tolist()]).reshape(-1, 2)
            candidate = None if marks.candidate is None else np.array(self.position_of(*marks.candidate).toTuple())
            paint_marks(painter, marks, places, candidate, area, paper)

    def _paint_pins(self, painter: QPainter, paper: Paper) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outlines = [[self.position_of(u, v) for u, v in pin.corners.tolist()] for pin in self.pins]
        for pin, outline in zip(self.pins, outlines, strict=True):
            paint_outline(painter, outline, pin.in_place, paper)
        for pin, outline in zip(self.pins, outlines, strict=True):
            paint_badge(painter, pin.number, self.position_of(*pin.anchor.tolist()), outline, pin.in_place, paper)


def to_qimage(image: Image) -> QImage:
    """A copy of pixels (H, W, 4) uint8."""
    height, width = image.shape[:2]
    return QImage(image.data, width, height, 4 * width, QImage.Format.Format_RGBX8888).copy()


def paint_image(painter: QPainter, framing: Framing, image: QImage, drawn: Framing) -> None:
    """A picture that was drawn of some part of the slice, where that part is now."""
    left, top = framing.to_pixel(*drawn.to_slice(0, 0))
    right, bottom = framing.to_pixel(*drawn.to_slice(drawn.width, drawn.height))
    place = QRectF(left, top, right - left, bottom - top)
    if drawn == framing:
        place = QRectF(0, 0, framing.width, framing.height)
    else:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(place.translated(_LEFT, 0), image, QRectF(image.rect()))


_GRABBED: Final = Qt.CursorShape.ClosedHandCursor
