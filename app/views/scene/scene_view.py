"""The 3D scene in a window: pictures that are drawn elsewhere, one at a time, and what a hand does to the camera and
the planes."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFont,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.state.look import SceneLook
from app.views.marks.crosshair import paint_crosshair
from app.views.marks.marked_view import MarkedView
from app.views.marks.paper_of import color_of
from app.views.marks.pick_marks import PickMarks, paint_marks
from app.views.marks.pin_marks import paint_badge, paint_outline
from app.views.marks.words import paint_waiting
from app.views.scene.compass import End, end_at, ends_of, paint_compass
from app.views.scene.drawing import SceneDrawing, ScenePicture
from app.views.scene.handle_painting import paint_centre, paint_handle
from app.views.scene.picking import Screen, facet_at
from app.views.scene.pointed import Pointed, paint_pointed
from app.views.scene.scene import VIEW, Scene
from app.views.scene.scene_hand import SceneHand
from app.views.scene.still_picture import still_drawing

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.state.geometry.viewpoint import Viewpoint
    from app.views.camera import Lens
    from app.views.scene.surface_mesh import SurfaceMesh
    from engine import SlicePlane

Float = NDArray[np.float64]

_DRAWING: Final = "drawing the surface …"

_STILL_MILLISECONDS: Final = 350  # after the last picture, a smoother one
_LATE_MILLISECONDS: Final = 300  # without a first picture: then it is told that it comes
_BEHIND: Final = 0.7  # opacity of what the surface hides
_MOST_WAITS: Final = 4  # so often again while something new is being computed


class SceneView(MarkedView):
    """drawing_wanted(SceneDrawing): draw it elsewhere and give the result to `show_drawing`.

    camera_moved; drawn: a picture with everything asked for is on the screen.  hand: tells what a hand does here.
    """

    drawing_wanted = Signal(object)
    camera_moved = Signal()
    drawn = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(230, 200)
        self.setAccessibleName("3D view")
        self.scene: Scene | None = None
        self.up: Float = np.array([0.0, 1.0, 0.0])
        self.look = SceneLook()
        self.planes: dict[int, SlicePlane] = {}
        self.active: int | None = None
        self.moving: int | None = None
        self.message = ""
        self.pointed: Pointed | None = None
        self.expecting: Callable[[], bool] = lambda: False  # whether something new to draw is being computed
        self._pointed_end: End | None = None  # of an axis in the corner, under the mouse
        self.label = ""  # of pictures that leave the window
        self._asked, self._due = False, 0.0  # for a picture that is not under way yet, and when
        self._wanted: SceneDrawing | None = None  # the picture under way
        self._shown: SceneDrawing | None = None
        self._picture: ScenePicture | None = None
        self._image = QImage()  # reads the picture's pixels
        self.hand = SceneHand(self, self)
        self.hand.turned.connect(self.turned)
        self.hand.released.connect(self.request)
        self.papered.connect(self.request)
        self._render_timer = QTimer(self)
        self._render_timer.setSingleShot(True)
        self._render_timer.timeout.connect(self._draw)
        self._still_timer = QTimer(self)
        self._still_timer.setSingleShot(True)
        self._still_timer.setInterval(_STILL_MILLISECONDS)
        self._late_timer = QTimer(self)
        self._late_timer.setSingleShot(True)
        self._late_timer.setInterval(_LATE_MILLISECONDS)
        self._late_timer.timeout.connect(self.update)
        self._waits = 0
        self._still_timer.timeout.connect(self._draw_smooth)

    def open(self, domain: Float) -> Scene:
        """A new, empty scene, in the place of the one before."""
        parallel = self.scene is not None and self.scene.viewpoint.parallel
        self.close_scene()
        self.scene = Scene(domain)
        self.scene.look_from(parallel=parallel)
        self.planes, self.active, self.moving = {}, None, None
        self._late_timer.start()
        self.update()
        return self.scene

    def close_scene(self) -> None:
        """Nothing of it is shown, or on its way."""
        self.let_go()
        for timer in (self._render_timer, self._still_timer, self._late_timer):
            timer.stop()
        self._image = QImage()
        self.scene = self._picture = self.pointed = None
        self._wanted = self._shown = None
        self._asked = False

    def request(self, within: int = 0) -> None:
        """Draw after so many milliseconds, or with what others ask for before; requests until then are one."""
        if self.scene is None:
            return
        due = time.monotonic() + 0.001 * within
        self._due = min(self._due, due) if self._asked else due
        self._asked = True
        if self._wanted is None:
            self._wait_until_due()

    def _wait_until_due(self) -> None:
        self._render_timer.start(max(0, round(1000 * (self._due - time.monotonic()))))

    def draw_now(self) -> None:
        """Draw before anything else is done, unless a picture is under way."""
        self.request()
        if self._wanted is None and self.scene is not None:
            self._render_timer.stop()
            self._draw()

    def smooth_soon(self) -> None:
        """Nothing moves any more: draw what is shown smoothly after a moment, unless something else is asked for."""
        if self.rendered and not self.settled:
            self._still_timer.start()

    @property
    def holding(self) -> bool:
        """A hand has hold of a plane."""
        return self.hand.holding

    def let_go(self, key: int | None = None) -> None:
        """Take the plane out of the hand, if it is that of slice `key`, or whichever it is: it is gone."""
        self.hand.let_go(key)

    def tell(self, message: str) -> None:
        """A line below the picture, "" for none."""
        if message != self.message:
            self.message = message
            self.update()

    def show_pointed(self, pointed: Pointed | None) -> None:
        """Mark what a click takes here."""
        if pointed is not None or self.pointed is not None:
            self.pointed = pointed
            self.update()

    @property
    def rendered(self) -> bool:
        """Everything asked for is in the picture, maybe with jagged lines."""
        return self._picture is not None and self._wanted is None and not self._asked

    @property
    def settled(self) -> bool:
        """Everything asked for is in the picture, smooth, or the view is hidden."""
        return not self.isVisible() or (self.rendered and self._picture is not None and self._picture.settled)

    @property
    def fluent(self) -> bool:
        """All details are drawn while something moves: pictures cost next to nothing."""
        return self.settled and self._shown is not None and not self._shown.smooth

    def look_from(self, direction: tuple[float, float, float] = VIEW) -> None:
        if self.scene is not None:
            along, up = float(np.asarray(direction) @ self.up), self.up
            if abs(along) > 0.99:  # from above or below: x to the right, or what comes after it
                up = -np.sign(along) * np.eye(3)[2] if abs(self.up[2]) < 0.5 else np.sign(along) * np.eye(3)[1]
            self.scene.look_from(direction, up, self.scene.viewpoint.parallel)
            self.turned()

    def set_parallel(self, on: bool) -> None:
        """Look along parallel lines, or not; what the camera looks at stays as large."""
        if self.scene is not None:
            self.scene.viewpoint = replace(self.scene.viewpoint, parallel=on)
            self.turned()

    def turn_about(self, point: Float | None) -> None:
        """Take a point (3,) for the centre of turning, None: what the camera looks at."""
        if self.scene is not None:
            self.scene.viewpoint = self.scene.viewpoint.turning_about(point)
            self.update()
            self.camera_moved.emit()

    def see_from(self, viewpoint: Viewpoint) -> None:
        """As a session was left; what was upwards most then is upwards from now on."""
        if self.scene is not None:
            self.scene.viewpoint = viewpoint
            axis = int(np.argmax(np.abs(viewpoint.up)))
            self.up = np.eye(3)[axis] * np.sign(viewpoint.up[axis])
            self.turned()

    def set_up(self, up: Float) -> None:
        """Which direction (3,) is upwards."""
        self.up = up
        if self.scene is not None:
            self.scene.look_from(np.roll(VIEW, int(np.argmax(up)) - 1), up, self.scene.viewpoint.parallel)
            self.turned()

    def turned(self) -> None:
        """The camera is elsewhere: draw what it sees."""
        self.request()
        self.camera_moved.emit()

    def still_drawing(self, width: int, height: int, transparent: bool) -> SceneDrawing:
        """The scene at any size, without its handle: what `still_picture.straight` of a studio's work is."""
        assert self.scene is not None
        return still_drawing(self.scene, self.look, self.scene.lens(width, height), self.clip_plane(), transparent)

    def _pixels(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return max(2, round(self.width() * ratio)), max(2, round(self.height() * ratio))

    def current_lens(self) -> Lens:
        assert self.scene is not None
        return self.scene.lens(self.width(), self.height())

    @property
    def lens(self) -> Lens | None:
        """Between space and the pixels of the widget; None while there is no scene."""
        return None if self.scene is None else self.current_lens()

    def clip_plane(self) -> SlicePlane | None:
        """The plane at which the surface is cut."""
        return self.planes.get(self.active) if self.look.clip and self.active is not None else None

    def _draw(self) -> None:
        if self._wanted is None:  # else the picture under way comes first: in a stream of requests some must end
            self._ask(smooth=False)

    def _draw_smooth(self) -> None:
        if self.moving is not None or self.hand.down or not self.rendered:
            return
        if self.expecting() and self._waits < _MOST_WAITS:
            self._waits += 1
            self._still_timer.start()
        else:
            self._ask(smooth=True)

    def _ask(self, smooth: bool) -> None:
        if self.scene is None or not self.isVisible():  # hidden, it draws once it is seen again
            return
        self._still_timer.stop()
        self._asked = False
        lens, ratio = self.scene.lens(*self._pixels()), self.devicePixelRatioF()
        drawing = self.scene.drawing(self.look, lens, ratio, smooth, self.clip_plane())
        self._wanted = replace(drawing, paper=self.paper)
        self.drawing_wanted.emit(self._wanted)
        if self._picture is None:
            self.update()

    @property
    def picture(self) -> ScenePicture | None:
        """The last one, which may lack what was asked for since."""
        return self._picture

    def show_drawing(self, drawing: SceneDrawing, picture: ScenePicture) -> None:
        """Put what was made of a drawing on the screen, unless another scene was opened meanwhile."""
        if drawing is not self._wanted:
            return
        self._wanted, self._shown = None, drawing
        self.show_seen(picture)
        if self._asked:
            self._wait_until_due()
        elif not picture.settled:
            self._waits = 0
            self._still_timer.start()
        else:
            self.drawn.emit()

    def show_seen(self, picture: ScenePicture) -> None:
        """Put a picture of the scene on the screen, until there is another."""
        self._picture = picture
        height, width = picture.pixels.shape[:2]
        self._image = QImage(picture.pixels.data, width, height, 4 * width, QImage.Format.Format_RGBX8888)
        self._image.setDevicePixelRatio(self.devicePixelRatioF())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, paper = QPainter(self), self.paper
        painter.fillRect(self.rect(), color_of(paper.ground))
        if self._picture is not None:
            painter.drawImage(self._place_of(self._image), self._image, QRectF(self._image.rect()))
        else:
            self._paint_waiting(painter)
        if self.scene is not None and self._picture is not None:
            lens = self.current_lens()
            if self.pointed is not None and self.pointed.mesh in (None, self.scene.mesh):
                paint_pointed(painter, self.pointed, lens, paper)
            self._paint_pins(painter, lens)
            if self.scene.handle_shown:
                paint_handle(painter, self.scene.handle, lens, paper)
            if self.scene.viewpoint.centre is not None:
                paint_centre(painter, lens, np.array(self.scene.viewpoint.centre), paper)
            self._paint_crosshair(painter, lens)
            if self.look.axes:
                paint_compass(painter, ends_of(lens.axes, self.width()), self._pointed_end, paper)
        if self.scene is not None and self.marks is not None:
            self._paint_marks(painter, self.marks)
        if self.message:
            painter.setFont(QFont(self.font().family(), 9))
            painter.setPen(color_of(paper.muted))
            area = self.rect().adjusted(14, 10, -14, -12)
            place = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
            painter.drawText(area, int(place), self.message)
        painter.end()

    def _paint_waiting(self, painter: QPainter) -> None:
        """Until the first picture of a scene is there: what becomes of it."""
        late = self.scene is not None and not self._late_timer.isActive()
        if self.waiting or late:
            paint_waiting(painter, QRectF(self.rect()), self.waiting or _DRAWING, self.paper)

    def _place_of(self, image: QImage) -> QRectF:
        """Where a picture goes: all over the view; one of another size, until that of this size is there, as large as
        the camera will see it."""
        scale = min(self.width(), self.height()) / min(image.width(), image.height())
        width, height = scale * image.width(), scale * image.height()
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def _paint_marks(self, painter: QPainter, marks: PickMarks) -> None:
        lens = self.current_lens()
        candidate = None if marks.candidate is None else lens.to_pixels(marks.candidate[None])[0]
        paint_marks(painter, marks, lens.to_pixels(marks.points), candidate, QRectF(self.rect()), self.paper)

    def _paint_crosshair(self, painter: QPainter, lens: Lens) -> None:
        """Where the mouse is in a slice; faint where the surface hides it."""
        if self.crosshair is not None and float((self.crosshair.point - lens.eye) @ lens.forward) > lens.near:
            at = QPointF(*lens.to_pixels(self.crosshair.point[None])[0].tolist())
            painter.setOpacity(_BEHIND if self.hidden(at, self.crosshair.point, 4.0) else 1.0)
            paint_crosshair(painter, at, self.crosshair.away, self.paper)
            painter.setOpacity(1.0)

    def _paint_pins(self, painter: QPainter, lens: Lens) -> None:
        """Those that are in sight, and not behind the surface."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for pin in self.pins:
            if ((pin.corners - lens.eye) @ lens.forward <= lens.near).any():
                continue
            x, y = lens.to_pixels(pin.anchor[None])[0].tolist()
            at, across = QPointF(x, y), 1.0
            if pin.normal is not None:
                across = abs(float(lens.ray_to(pin.anchor) @ pin.normal))
            visible = self.rect().contains(at.toPoint())
            if not visible or self.hidden(at, pin.anchor, 6 / max(across, 0.1)):
                continue
            outline = [QPointF(*corner) for corner in lens.to_pixels(pin.corners).tolist()]
            paint_outline(painter, outline, pin.in_place, self.paper)
            paint_badge(painter, pin.number, at, outline, pin.in_place, self.paper)

    def showEvent(self, event: QShowEvent) -> None:
        self.request()
        super().showEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.request()
        super().resizeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        end = self._end_at(event.position())
        if end is not None and event.button() == Qt.MouseButton.LeftButton:
            self.look_from(end.direction)
        elif self.scene is not None:
            self.hand.press(event, self.scene)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        end = None if event.buttons() else self._end_at(event.position())
        if end != self._pointed_end:
            self._pointed_end = end
            self.setCursor(Qt.CursorShape.CrossCursor if self._picking else Qt.CursorShape.ArrowCursor)
            self.update()
        if end is not None:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.hand.left.emit()
        elif self.scene is not None:
            self.hand.move(event, self.scene)

    def _end_at(self, at: QPointF) -> End | None:
        """The end of an axis in the corner that is at a pixel."""
        lens = self.lens
        return None if lens is None or not self.look.axes else end_at(ends_of(lens.axes, self.width()), at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.hand.release(event, self.scene)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """By a key; the right button also moves the camera, so that a menu waits for its release."""
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            self.hand.called.emit(self.pointer.called(event))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.scene is not None:
            self.hand.turn_wheel(event, self.scene)

    def take_key(self, event: QKeyEvent) -> bool:
        """Move the camera, if that is what the key says."""
        return self.scene is not None and self.hand.press_key(event, self.scene)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.setAccepted(self.take_key(event))

    def leaveEvent(self, event: object) -> None:
        if self._pointed_end is not None:
            self._pointed_end = None
            self.update()
        self.hand.left.emit()

    def point_at(self, at: QPointF) -> Float | None:
        """The point (3,) of the surface or of a slice that is seen at a pixel."""
        assert self.scene is not None
        return self.scene.point_at(self.look, self.clip_plane(), self.current_lens(), at.x(), at.y())

    def slice_point(self, at: QPointF) -> tuple[int, float, float, float] | None:
        """The slice under the mouse, where on it, and the length of a pixel there."""
        assert self.scene is not None
        lens = self.current_lens()
        start, direction = lens.ray(at.x(), at.y())
        key = self.scene.plane_at(start, direction)
        if key is None:
            return None
        plane = self.planes[key]
        across = float(direction @ plane.normal)
        t = float((plane.origin - start) @ plane.normal) / across
        hit = start + t * direction
        pixel = lens.pixel_length(hit)
        if self.hidden(at, hit, 4 / max(abs(across), 0.1)):
            return None
        u, v = plane.to_plane(hit[None])[0].tolist()
        return key, u, v, pixel

    def facet_at(self, at: QPointF) -> tuple[SurfaceMesh, int, Float] | None:
        """The facet of the surface at a pixel, and the point (3,) of it that is seen there."""
        assert self.scene is not None
        surface = self.scene.surface(self.look, self.clip_plane())
        if surface is None or not surface.faces:
            return None
        found = facet_at(surface, self.current_lens(), at.x(), at.y())
        return None if found is None else (surface.mesh, *found)

    def hidden(self, at: QPointF, hit: Float, slack: float) -> bool:
        """The surface is before a point (3,) seen at a pixel, nearer by more pixels than `slack`."""
        screen = self.screen_at(at)
        return screen is not None and screen.hides(at.x(), at.y(), hit, slack)

    def screen_at(self, at: QPointF, reach: float = 0.0) -> Screen | None:
        """The part of the surface, as it is shown, that lies within reach of a pixel."""
        assert self.scene is not None
        surface = self.scene.surface(self.look, self.clip_plane())
        if surface is None or not surface.faces:
            return None
        return Screen.around(surface, self.current_lens(), at.x(), at.y(), reach)
