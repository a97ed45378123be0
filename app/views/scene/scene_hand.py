"""A hand on the 3D scene: on the active plane's handle or a frame it moves the plane, elsewhere the camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import QObject, QPointF, Qt, Signal

from app.state.geometry.planes import centre_in, offset_range, shifted
from app.views import camera as by_hand
from app.views.marks.view_keys import dragged_by, zoomed_by
from app.views.scene.plane_drag import Hold, dragged
from app.views.scene.plane_handle import Grip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QCursor, QKeyEvent, QMouseEvent, QWheelEvent

    from app.views.camera import Lens
    from app.views.scene.scene import Scene
    from app.views.scene.surface_mesh import SurfaceMesh
    from engine import SlicePlane

    Float = NDArray[np.float64]

_WHEEL_STEP: Final = 1.0 / 100.0  # of the range of offsets, for one notch
_CLICK: Final = 4  # pixels: what moves less is a click
_KEY_STEP: Final = 1 / 40  # of the view's height: the drag that an arrow key stands for


class Sight(Protocol):
    """The view that the hand is in: what is shown there, and what lies under a pixel."""

    active: int | None
    planes: dict[int, SlicePlane]
    up: Float

    @property
    def picking(self) -> bool: ...
    def current_lens(self) -> Lens: ...
    def point_at(self, at: QPointF) -> Float | None:
        """The point (3,) of the surface or of a slice that is seen at a pixel."""

    def turn_about(self, point: Float | None) -> None:
        """Take a point (3,) for the centre of turning, None: what the camera looks at."""

    def slice_point(self, at: QPointF) -> tuple[int, float, float, float] | None:
        """The slice under the mouse, where on it, and the length of a pixel there."""

    def facet_at(self, at: QPointF) -> tuple[SurfaceMesh, int, Float] | None:
        """The facet of the surface at a pixel, and the point (3,) of it that is seen there."""

    def width(self) -> int: ...
    def height(self) -> int: ...
    def cursor(self) -> QCursor: ...
    def setCursor(self, shape: Qt.CursorShape, /) -> None: ...


class SceneHand(QObject):
    """turned: the camera is elsewhere; released: nothing is held any more; plane_moved(key, plane, live);
    plane_chosen(key).

    hovered, clicked(key, u, v, length): a point of a slice that is not behind the surface, in the slice's coordinates,
    and the length of a pixel there; left: nothing such is under the mouse any more; facet_hovered,
    facet_clicked(mesh, face, point): of the surface.

    While the view is picking, clicks take points instead, and drags turn the camera only: picked, pointed(QPointF),
    where the mouse clicked and is.

    called(QPointF): a click with the right button, or a key, calls a menu.
    """

    turned = Signal()
    released = Signal()
    plane_moved = Signal(int, object, bool)
    plane_chosen = Signal(int)
    hovered = Signal(int, float, float, float)
    left = Signal()
    clicked = Signal(int, float, float, float)
    picked = Signal(QPointF)
    pointed = Signal(QPointF)
    facet_hovered = Signal(object, int, object)
    facet_clicked = Signal(object, int, object)
    called = Signal(QPointF)

    def __init__(self, view: Sight, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._hold: Hold | None = None
        self._last: QPointF | None = None
        self._pressed: QPointF | None = None

    @property
    def holding(self) -> bool:
        """A plane, not the camera."""
        return self._hold is not None

    @property
    def down(self) -> bool:
        return self._last is not None

    def let_go(self, key: int | None) -> None:
        """Of the plane of slice `key`, or of whichever it holds."""
        if self._hold is not None and key in (None, self._hold.key):
            self._hold = self._last = self._pressed = None

    def press(self, event: QMouseEvent, scene: Scene) -> None:
        at = event.position()
        self._last = self._pressed = at
        turns = event.modifiers() & Qt.KeyboardModifier.AltModifier
        if event.button() == Qt.MouseButton.LeftButton and not self._view.picking and not turns:
            self._hold = self._held(at, event.modifiers(), scene)
        event.accept()

    def slice_held_at(self, at: QPointF, scene: Scene) -> int | None:
        """The slice whose handle or frame is at a pixel."""
        lens = self._view.current_lens()
        if _grip_at(scene, lens, at) is not None:
            return self._view.active
        return scene.frame_at(lens, at.x(), at.y())

    def _held(self, at: QPointF, modifiers: Qt.KeyboardModifier, scene: Scene) -> Hold | None:
        view, lens = self._view, self._view.current_lens()
        grip, key = _grip_at(scene, lens, at), self.slice_held_at(at, scene)
        if key is None and modifiers & Qt.KeyboardModifier.ShiftModifier:
            key = scene.plane_at(*lens.ray(at.x(), at.y()))
        if key is None:
            return None
        if key != view.active:
            self.plane_chosen.emit(key)
        plane = view.planes[key]
        return Hold(grip or Grip.SHIFT, key, plane, (at.x(), at.y()), centre_in(plane, scene.domain))

    def move(self, event: QMouseEvent, scene: Scene) -> None:
        view, at = self._view, event.position()
        if self._last is None:
            if view.picking:
                self.pointed.emit(at)
            elif not event.buttons():  # else the hand rests on what it held, and holds no more
                self._look_at(at, scene)
            return
        delta, self._last = at - self._last, at
        if self._hold is not None:
            self._drag_plane(self._hold, at, scene, live=True)
        elif event.buttons() & (Qt.MouseButton.MiddleButton | Qt.MouseButton.RightButton):
            scene.viewpoint = by_hand.pan(scene.viewpoint, delta.x(), delta.y(), min(view.width(), view.height()))
            self.turned.emit()
        else:
            scene.viewpoint = by_hand.orbit(scene.viewpoint, delta.x(), delta.y(), view.height(), view.up)
            self.turned.emit()

    def _look_at(self, at: QPointF, scene: Scene) -> None:
        """Show by the cursor what could be taken hold of, and tell what is under it."""
        view, lens = self._view, self._view.current_lens()
        grip = _grip_at(scene, lens, at)
        frame = grip is None and scene.frame_at(lens, at.x(), at.y()) is not None
        shape = Qt.CursorShape.SizeAllCursor if grip or frame else Qt.CursorShape.ArrowCursor
        if view.cursor().shape() != shape:
            view.setCursor(shape)
        found = None if grip or frame else view.slice_point(at)
        if found is not None:
            self.hovered.emit(*found)
            return
        self.left.emit()
        facet = None if grip or frame else self._view.facet_at(at)
        if facet is not None:
            self.facet_hovered.emit(*facet)

    def _drag_plane(self, hold: Hold, at: QPointF, scene: Scene, live: bool) -> None:
        plane = dragged(hold, self._view.current_lens(), (at.x(), at.y()), scene.domain)
        self.plane_moved.emit(hold.key, plane, live)

    def release(self, event: QMouseEvent, scene: Scene | None) -> None:
        hold, pressed = self._hold, self._pressed
        self._hold = self._last = self._pressed = None
        if scene is None:
            return
        if hold is not None:
            if pressed is not None and (event.position() - pressed).manhattanLength() > 0:
                self._drag_plane(hold, event.position(), scene, live=False)
        elif pressed is not None and (event.position() - pressed).manhattanLength() < _CLICK:
            self._click(event)
        self.released.emit()

    def _click(self, event: QMouseEvent) -> None:
        """With the left button, on a slice or on the surface behind it; while the view is picking, on anything.  With
        the right one, anywhere."""
        view, at = self._view, event.position()
        if event.button() == Qt.MouseButton.RightButton:
            self.called.emit(at)
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if view.picking:
            self.picked.emit(at)
            return
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            view.turn_about(view.point_at(at))
            return
        found = view.slice_point(at)
        if found is not None:
            self.clicked.emit(*found)
            return
        facet = view.facet_at(at)
        if facet is not None:
            self.facet_clicked.emit(*facet)

    def press_key(self, event: QKeyEvent, scene: Scene) -> bool:
        """Alt and arrows turn the camera, with Shift they move it, as a drag would; + and - zoom."""
        view, way, factor = self._view, dragged_by(event), zoomed_by(event)
        if way is None and factor is None:
            return False
        if way is not None:
            dx, dy = (_KEY_STEP * view.height() * along for along in (way.x(), way.y()))
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                scene.viewpoint = by_hand.pan(scene.viewpoint, dx, dy, min(view.width(), view.height()))
            else:
                scene.viewpoint = by_hand.orbit(scene.viewpoint, dx, dy, view.height(), view.up)
        if factor is not None:
            self._zoom(scene, factor, QPointF(0.5 * view.width(), 0.5 * view.height()))
        self.turned.emit()
        return True

    def _zoom(self, scene: Scene, factor: float, at: QPointF) -> None:
        """Come nearer to what is seen at a pixel, or to the place as far away as what the camera looks at."""
        view, lens = self._view, self._view.current_lens()
        point = view.point_at(at)
        if point is None:
            start, direction = lens.ray(at.x(), at.y())
            point = start + direction * float((lens.focus - start) @ lens.forward) / float(direction @ lens.forward)
        scene.viewpoint = by_hand.zoom(scene.viewpoint, factor, scene.size, point)

    def turn_wheel(self, event: QWheelEvent, scene: Scene) -> None:
        """Come nearer to what is under the mouse; with Ctrl move the active plane."""
        view = self._view
        turned = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and view.active is not None:
            plane = view.planes[view.active]
            low, high = offset_range(plane, scene.domain)
            step = _WHEEL_STEP * (high - low) * turned / 120
            self.plane_moved.emit(view.active, shifted(plane, step, scene.domain), True)
        else:
            self._zoom(scene, 1.0015**turned, event.position())
            self.turned.emit()
        event.accept()


def _grip_at(scene: Scene, lens: Lens, at: QPointF) -> Grip | None:
    return scene.handle.grip_at(lens, at.x(), at.y()) if scene.handle_shown else None
