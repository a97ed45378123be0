"""The 3D scene in a window: pictures of an off-screen plotter, and what a hand does to the camera and the planes.

The plotter renders off screen and the widget paints the picture, which works on every platform of Qt, and lets a
picture of the window hold everything that is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyvista
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

from app.state.look import SceneLook
from app.state.planes import centre_in, offset_range, shifted, tilted
from app.views import camera as by_hand
from app.views.camera import Lens
from app.views.plane_handle import Grip
from app.views.scene import VIEW, Scene

if TYPE_CHECKING:
    from engine import SlicePlane

Float = NDArray[np.float64]

_STILL_MILLISECONDS: Final = 400  # after the last picture, a smoother one
_SAMPLES: Final = 4
_WHEEL_STEP: Final = 1.0 / 100.0  # of the range of offsets, for one notch


@dataclass(frozen=True, eq=False, slots=True)
class _Hold:
    """What the hand took hold of: a plane as it was, where on its way, in which direction it goes."""

    grip: Grip
    key: int
    plane: SlicePlane
    pixel: tuple[float, float]
    anchor: Float


class SceneView(QWidget):
    """plane_moved(key, plane, live); plane_chosen(key); drawn: a picture with everything asked for is on the screen.

    hovered, clicked(key, u, v, length): a point of a slice that is not behind the surface, in the slice's coordinates,
    and the length of a pixel there; left: nothing such is under the mouse any more.
    """

    plane_moved = Signal(int, object, bool)
    plane_chosen = Signal(int)
    hovered = Signal(int, float, float, float)
    left = Signal()
    clicked = Signal(int, float, float, float)
    drawn = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(240, 200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.scene: Scene | None = None
        self.up: Float = np.array([0.0, 1.0, 0.0])
        self.look = SceneLook()
        self.planes: dict[int, SlicePlane] = {}
        self.active: int | None = None
        self.moving: int | None = None
        self.message = ""
        self._plotter: pyvista.Plotter | None = None
        self._window: Any = None
        self._picture: QImage | None = None
        self._rows: NDArray[np.uint8] | None = None  # that the picture reads
        self._smooth = False
        self._hold: _Hold | None = None
        self._last: QPointF | None = None
        self._pressed: QPointF | None = None
        self._hover: Grip | None = None
        self._render_timer = QTimer(self)
        self._render_timer.setSingleShot(True)
        self._render_timer.setInterval(0)
        self._render_timer.timeout.connect(self._render)
        self._still_timer = QTimer(self)
        self._still_timer.setSingleShot(True)
        self._still_timer.setInterval(_STILL_MILLISECONDS)
        self._still_timer.timeout.connect(self._render_smooth)

    def open(self, domain: Float, layers: int) -> Scene:
        """A new, empty scene, in the place of the one before."""
        self.close_scene()
        self._plotter = pyvista.Plotter(off_screen=True, window_size=list(self._pixels()))
        self._window = self._plotter.ren_win
        self._window.SetMultiSamples(0)
        self.scene = Scene(self._plotter, domain, layers)
        self.planes, self.active, self.moving = {}, None, None
        return self.scene

    def close_scene(self) -> None:
        """Give back everything that VTK holds."""
        self._render_timer.stop()
        self._still_timer.stop()
        if self._plotter is not None:
            self._plotter.close()
        self._plotter = self._window = self.scene = self._picture = None

    def request(self) -> None:
        """Render soon; requests until then are one."""
        if self.scene is not None and not self._render_timer.isActive():
            self._render_timer.start()

    @property
    def holding(self) -> bool:
        """A hand has hold of a plane."""
        return self._hold is not None

    @property
    def rendered(self) -> bool:
        """Everything asked for is in the picture, maybe with jagged lines."""
        return self._picture is not None and not self._render_timer.isActive()

    @property
    def settled(self) -> bool:
        """Everything asked for is in the picture, smooth."""
        return self._smooth and not self._render_timer.isActive()

    def look_from(self, direction: tuple[float, float, float] = VIEW) -> None:
        if self.scene is not None:
            up = self.up if abs(np.asarray(direction) @ self.up) < 0.99 else np.array([0.0, 0.0, -1.0])
            if abs(np.asarray(direction) @ up) > 0.99:
                up = np.array([0.0, 1.0, 0.0])
            self.scene.look_from(direction, up)
            self.request()

    def set_up(self, up: Float) -> None:
        """Which direction (3,) is upwards."""
        self.up = up
        if self.scene is not None:
            self.scene.look_from(np.roll(VIEW, int(np.argmax(up)) - 1), up)
            self.request()

    def screenshot(self, width: int, height: int, transparent: bool) -> NDArray[np.uint8]:
        """(height, width, 3 or 4) uint8: the scene at any size, without handles."""
        assert self._plotter is not None
        assert self.scene is not None
        self._update_scene(handles=False)
        size = self._pixels()
        self._window.SetMultiSamples(8)
        try:
            picture = self._plotter.screenshot(
                None, transparent_background=transparent, return_img=True, window_size=[width, height]
            )
        finally:
            self._window.SetMultiSamples(0)
            self._plotter.window_size = list(size)
            self.request()
        return np.asarray(picture, np.uint8)

    def _pixels(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return max(2, round(self.width() * ratio)), max(2, round(self.height() * ratio))

    def _lens(self) -> Lens:
        assert self.scene is not None
        return Lens(self.scene.camera, self.width(), self.height())

    def _update_scene(self, handles: bool = True) -> None:
        assert self.scene is not None
        clip = self.planes.get(self.active) if self.look.clip and self.active is not None else None
        self.scene.update(self.look, clip, self.moving, handles)
        self.scene.fit_range()

    def _render(self) -> None:
        self._picture_now(0)
        self._smooth = False
        if self.moving is None and self._last is None:
            self._still_timer.start()

    def _render_smooth(self) -> None:
        if self.moving is None and self._last is None and not self._render_timer.isActive():
            self._picture_now(_SAMPLES)
            self._smooth = True
            self.drawn.emit()

    def _picture_now(self, samples: int) -> None:
        if self._plotter is None:
            return
        self._still_timer.stop()
        window = self._window
        window.SetMultiSamples(samples)
        self._update_scene()
        width, height = self._pixels()
        if tuple(window.GetSize()) != (width, height):
            window.SetSize(width, height)
        window.Render()
        pixels = vtkUnsignedCharArray()
        window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, pixels)
        self._rows = np.ascontiguousarray(vtk_to_numpy(pixels).reshape(height, width, 4)[::-1])
        picture = QImage(self._rows.data, width, height, 4 * width, QImage.Format.Format_RGBX8888)
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        self._picture = picture
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("white"))
        if self._picture is not None:
            painter.drawImage(QRectF(self.rect()), self._picture, QRectF(self._picture.rect()))
        if self.message:
            painter.setFont(QFont(self.font().family(), 9))
            painter.setPen(QColor("#5b6472"))
            area = self.rect().adjusted(14, 10, -14, -12)
            painter.drawText(area, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, self.message)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.request()
        super().resizeEvent(event)

    # A hand on the scene: on the active plane's handle or a frame it moves the plane, elsewhere the camera.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.scene is None:
            return
        at = event.position()
        self._last = self._pressed = at
        if event.button() == Qt.MouseButton.LeftButton:
            self._hold = self._held(at, event.modifiers())
        event.accept()

    def _held(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> _Hold | None:
        assert self.scene is not None
        lens = self._lens()
        grip = self.scene.handle.grip_at(lens, at.x(), at.y())
        key = self.active if grip is not None else self.scene.frame_at(lens, at.x(), at.y())
        if key is None and modifiers & Qt.KeyboardModifier.ShiftModifier:
            key = self.scene.plane_at(*lens.ray(at.x(), at.y()))
        if key is None:
            return None
        if key != self.active:
            self.plane_chosen.emit(key)
        plane = self.planes[key]
        return _Hold(grip or Grip.SHIFT, key, plane, (at.x(), at.y()), centre_in(plane, self.scene.domain))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.scene is None:
            return
        at = event.position()
        if self._last is None:
            self._show_grip(at)
            return
        delta, self._last = at - self._last, at
        if self._hold is not None:
            self._drag_plane(self._hold, at, live=True)
        elif event.buttons() & (Qt.MouseButton.MiddleButton | Qt.MouseButton.RightButton):
            by_hand.pan(self.scene.camera, delta.x(), delta.y(), self.height())
            self.request()
        else:
            by_hand.orbit(self.scene.camera, delta.x(), delta.y(), self.height(), self.up)
            self.request()

    def _show_grip(self, at: QPointF) -> None:
        assert self.scene is not None
        lens = self._lens()
        grip = self.scene.handle.grip_at(lens, at.x(), at.y())
        frame = grip is None and self.scene.frame_at(lens, at.x(), at.y()) is not None
        shape = Qt.CursorShape.SizeAllCursor if grip or frame else Qt.CursorShape.ArrowCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)
        found = None if grip or frame else self._slice_point(at)
        if found is None:
            self.left.emit()
        else:
            self.hovered.emit(*found)

    def _slice_point(self, at: QPointF) -> tuple[int, float, float, float] | None:
        """The slice under the mouse, where on it, and the length of a pixel there."""
        assert self.scene is not None
        lens = self._lens()
        start, direction = lens.ray(at.x(), at.y())
        key = self.scene.plane_at(start, direction)
        if key is None:
            return None
        plane = self.planes[key]
        across = float(direction @ plane.normal)
        t = float((plane.origin - start) @ plane.normal) / across
        hit = start + t * direction
        pixel = lens.pixel_length(hit)
        ratio = self.devicePixelRatioF()
        depth = self._window.GetZbufferDataAtPoint(round(at.x() * ratio), round((self.height() - at.y()) * ratio))
        seen = lens.at_depth(at.x(), at.y(), depth)
        if depth < 1.0 and float((seen - hit) @ direction) < -4 * pixel / max(abs(across), 0.1):
            return None  # something is before it
        u, v = plane.to_plane(hit[None])[0].tolist()
        return key, u, v, pixel

    def _drag_plane(self, hold: _Hold, at: QPointF, live: bool) -> None:
        assert self.scene is not None
        lens, domain = self._lens(), self.scene.domain
        if hold.grip is Grip.TILT:
            diagonal = float(np.linalg.norm(np.ptp(domain, axis=0)))
            normal = _on_ball(lens, hold, at, 0.13 * diagonal)
            self.plane_moved.emit(hold.key, tilted(hold.plane, normal, hold.anchor), live)
            return
        distance = _along_normal(lens, hold, at, domain)
        self.plane_moved.emit(hold.key, shifted(hold.plane, distance, domain), live)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        hold, pressed = self._hold, self._pressed
        self._hold = self._last = self._pressed = None
        if self.scene is None:
            return
        if hold is not None:
            if pressed is not None and (event.position() - pressed).manhattanLength() > 0:
                self._drag_plane(hold, event.position(), live=False)
        elif pressed is not None and (event.position() - pressed).manhattanLength() < 4:
            found = self._slice_point(event.position())
            if found is not None:
                self.clicked.emit(*found)
        self.request()

    def leaveEvent(self, event: object) -> None:
        self.left.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.scene is None:
            return
        turned = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and self.active is not None:
            plane = self.planes[self.active]
            low, high = offset_range(plane, self.scene.domain)
            step = _WHEEL_STEP * (high - low) * turned / 120
            self.plane_moved.emit(self.active, shifted(plane, step, self.scene.domain), True)
        else:
            by_hand.zoom(self.scene.camera, 1.0015**turned)
            self.request()
        event.accept()


def _along_normal(lens: Lens, hold: _Hold, at: QPointF, domain: Float) -> float:
    """How far along its normal a plane goes when the pixel held goes to `at`: by its image at the anchor."""
    unit = 0.05 * float(np.linalg.norm(np.ptp(domain, axis=0)))
    normal = hold.plane.normal
    a, b = lens.to_pixels(np.stack([hold.anchor, hold.anchor + unit * normal]))
    way = b - a
    drag = np.array([at.x() - hold.pixel[0], at.y() - hold.pixel[1]])
    # a normal that points at the eye has no image to follow: then up and down move it
    if np.hypot(*way) < 4.0:
        return unit * float(-drag[1]) / 20.0
    return unit * float(drag @ way / (way @ way))


def _on_ball(lens: Lens, hold: _Hold, at: QPointF, radius: float) -> Float:
    """The direction (3,) from the anchor to where the line of sight meets the ball around it, or passes it nearest."""
    start, direction = lens.ray(at.x(), at.y())
    to_start = start - hold.anchor
    along = float(to_start @ direction)
    gap = float(to_start @ to_start) - along * along
    depth = np.sqrt(max(radius * radius - gap, 0.0))
    near = to_start + (-along - depth) * direction
    far = to_start + (-along + depth) * direction
    normal = hold.plane.normal
    # the sheet of the ball on which the tip is
    chosen: Float = near if float(normal @ direction) <= 0 else far
    return chosen / np.linalg.norm(chosen)
