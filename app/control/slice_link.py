"""Between the slices and their 2D views: pictures that a worker draws, and what a hand does in a view."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QObject, Signal

from app.control.hover import Hover
from app.control.linked_views import LinkedViews
from app.control.live_slices import LiveSlices
from app.jobs.lanes import Lane
from app.jobs.worker import Job, Worker, unless_cancelled
from app.state import actions
from app.state.store import Change, Store
from app.views.slice.slice_view import Drawing, SliceView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine import SlicePlane


class SliceLink(QObject):
    """nudged(key, notches): the wheel over a slice asks to move its plane; fitted: a double click in one;
    drawn(key): a picture of its is on the screen.

    While they pick, picked, pointed(key, u, v): a click, and where the mouse is, in a slice's coordinates.

    views: by the slices' keys; linked: lets them act as one.
    """

    nudged = Signal(int, float)
    fitted = Signal()
    picked = Signal(int, float, float)
    pointed = Signal(int, float, float)
    drawn = Signal(int)

    def __init__(
        self, store: Store, slices: LiveSlices, hover: Hover, parent: QObject | None = None, painter: Lane | None = None
    ) -> None:
        super().__init__(parent)
        self._store, self._slices, self._hover = store, slices, hover
        self._painter: Worker | Lane = painter or Worker("pictures", self)
        self.views: dict[int, SliceView] = {}
        self.linked = LinkedViews(store, self.views, self.plane, self)
        self._picking, self._waiting = False, ""
        store.listen(self._changed)

    def close_worker(self) -> None:
        self._painter.close()

    def add(self, key: int, view: SliceView) -> None:
        """Let a view show the slice from now on."""
        self.views[key] = view
        view.drawing_wanted.connect(partial(self._draw, key))
        view.hovered.connect(partial(self._hover.over, key, view))
        view.hovered.connect(lambda u, v: self.linked.point(key, self.plane(key).to_input(np.array([[u, v]]))[0]))
        view.left.connect(self._hover.clear)
        view.left.connect(lambda: self.linked.point(None, None))
        view.reframed.connect(lambda: self.linked.lead(key))
        view.clicked.connect(partial(self._hover.click, key, view))
        view.picked.connect(partial(self.picked.emit, key))
        view.hovered.connect(partial(self.pointed.emit, key))
        view.pinned.connect(lambda u, v: self._hover.inside.emit(key, u, v))
        view.fitted.connect(self.fitted)
        view.nudged.connect(lambda notches: self.nudged.emit(key, notches))
        view.picking = self._picking
        view.wait(self._waiting)
        view.installEventFilter(self)

    def remove(self, key: int) -> None:
        """Let go of the view of a slice that is gone."""
        view = self.views.pop(key)
        view.removeEventFilter(self)
        self._hover.forget(view)
        self.linked.point(None, None)
        self._painter.withdraw(key)

    def withdraw(self, key: int) -> None:
        """Drop the picture that is being drawn of a slice."""
        self._painter.withdraw(key)

    def plane(self, key: int) -> SlicePlane:
        """Plane of what a view shows, or will show first."""
        shown = self._slices.result(key)
        return self._store.session.slice(key).plane if shown is None else shown.plane

    def pick(self, on: bool) -> None:
        """Let clicks take points, in all views."""
        self._picking = on
        for view in self.views.values():
            view.picking = on

    def wait(self, text: str) -> None:
        """Tell something in views that have no picture yet."""
        self._waiting = text
        for view in self.views.values():
            view.wait(text)

    def redraw(self) -> None:
        for view in self.views.values():
            view.redraw()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress:
            key = next((key for key, view in self.views.items() if view is watched), None)
            if key is not None and key != self._store.session.active:
                self._store.do(actions.ActivateSlice(key))
        return False

    def _changed(self, change: Change) -> None:
        if change.after.opened is not change.before.opened or isinstance(change.action, actions.MovePlane):
            self._hover.clear()  # what is under the mouse is another thing

    def _draw(self, key: int, drawing: Drawing) -> None:
        def take(image: NDArray[np.uint8]) -> None:
            if key in self.views:
                self.views[key].show_drawing(drawing, image)
                self._slices.note_drawn(key)
                self.drawn.emit(key)

        self._painter.submit(
            Job(key, lambda _: drawing(), take, unless_cancelled, urgent=key == self._store.session.active)
        )
