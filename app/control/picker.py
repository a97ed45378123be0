"""Tasks for which points are clicked: planes at the surface, measuring."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, QPointF, Signal
from PySide6.QtGui import QGuiApplication

from app.control.snapping import Snapping
from app.state import actions
from app.state.geometry.measuring import angle_text, distance, full_text, short_text
from app.state.geometry.planes import tangent, upright
from app.views.marks.pick_marks import PickMarks
from engine import PlaneError, SlicePlane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.control.slice_link import SliceLink
    from app.state.store import Change, Store
    from app.views.scene.scene_view import SceneView

    Float = NDArray[np.float64]


class Task(Enum):
    """What the clicks are for."""

    THREE_POINTS = "plane through three points"
    UPRIGHT = "plane across the surface"
    TANGENT = "plane tangent to the surface"
    MEASURE = "measure"
    CENTRE = "centre of turning"


_ESC: Final = " \N{MIDDLE DOT} Esc to leave"
_HINTS: Final = {
    Task.THREE_POINTS: ("click three points on the surface", "click two more points", "click the third point"),
    Task.UPRIGHT: ("click a point on the surface; the plane will contain the surface's normal there",),
    Task.TANGENT: ("click a point on the surface; the plane will touch it there",),
    Task.MEASURE: (
        "click a point in 3D or in a slice; near a vertex it is taken exactly",
        "click the second point",
        "a third point gives the angle at the second",
        "the next click starts anew",
    ),
    Task.CENTRE: ("click a point of the surface or of a slice; the camera will turn about it",),
}


class Picker(QObject):
    """One task at a time; `points` are what was clicked for it.

    told(hint, result): what to do next, and what is measured so far, "" for nothing; ended: clicks mean what they
    usually do.
    """

    told = Signal(str, str)
    ended = Signal()

    def __init__(
        self, store: Store, view: SceneView, link: SliceLink, snapping: Snapping, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store, self._view, self._link, self._snapping = store, view, link, snapping
        self.task: Task | None = None
        self.points: list[Float] = []
        self._candidate: Float | None = None
        view.hand.picked.connect(self._picked_in_space)
        view.hand.pointed.connect(self._pointed_in_space)
        view.hand.left.connect(lambda: self._propose(None))
        link.picked.connect(self._picked_in_slice)
        link.pointed.connect(self._pointed_in_slice)
        store.listen(self._changed)

    def begin(self, task: Task) -> None:
        """Begun while it is under way, it ends."""
        if self.task is task:
            self.leave()
        elif self._store.session.opened is not None:
            self.task, self.points, self._candidate = task, [], None
            self._view.picking = True
            self._link.pick(task is Task.MEASURE)
            self._show()

    def leave(self) -> None:
        self.task, self.points, self._candidate = None, [], None
        self._view.picking = False
        self._link.pick(False)
        self.ended.emit()
        self._show_marks()

    # Clicks

    def _picked_in_space(self, at: QPointF) -> None:
        if self.task is Task.MEASURE:
            self._measure(self._snapping.in_space(at, self._store.session))
            return
        if self.task is Task.CENTRE:
            self._turn_about(self._view.point_at(at))
            return
        found = self._snapping.on_surface(at)
        if found is None:
            self._show(self._why_not())
        elif self.task is Task.THREE_POINTS:
            self.points.append(found.point)
            self._through_three()
        elif self.task is not None:
            if self.task is Task.TANGENT:
                self._finish(tangent(found.point, found.normal), "tangent")
            else:
                self._finish(upright(found.point, found.normal, self._view.up), "across")

    def _turn_about(self, point: Float | None) -> None:
        if point is None:
            self._show("There is nothing to turn about: click on the surface or on a slice")
            return
        self.leave()
        self._view.turn_about(point)

    def _through_three(self) -> None:
        if len(self.points) < 3:
            self._show()
            return
        try:
            plane = SlicePlane.from_points(*self.points)
        except PlaneError:
            self.points.pop()
            self._show("These three points lie on one line: click another third point")
            return
        self._finish(plane, "three points")

    def _finish(self, plane: SlicePlane, name: str) -> None:
        self.leave()
        names = {part.name for part in self._store.session.slices}
        number = next(k for k in range(1, len(names) + 2) if (name if k == 1 else f"{name} {k}") not in names)
        self._store.do(actions.AddSlice(plane, name if number == 1 else f"{name} {number}"))

    def _picked_in_slice(self, key: int, u: float, v: float) -> None:
        if self.task is Task.MEASURE:
            self._measure(self._snapping.in_slice(key, u, v, self._link.views[key].pixel))

    def _measure(self, point: Float | None) -> None:
        if point is None:
            self._show("There is nothing to measure at: click on the surface or on a slice")
            return
        self.points = [*self.points, point] if len(self.points) < 3 else [point]
        self._candidate = None
        self._show()

    def _why_not(self) -> str:
        if not self._view.look.surface:
            return "The surface is hidden: show it to pick its points"
        if self._snapping.waiting:
            return "The exact surface is still on its way: click again when it is there"
        return "The surface is not there: click on it"

    # The mouse over vertices

    def _pointed_in_space(self, at: QPointF) -> None:
        if self.task is Task.MEASURE:
            self._propose(self._snapping.vertex_in_space(at, self._store.session))

    def _pointed_in_slice(self, key: int, u: float, v: float) -> None:
        if self.task is Task.MEASURE:
            self._propose(self._snapping.vertex_in_slice(key, u, v, self._link.views[key].pixel))

    def _propose(self, candidate: Float | None) -> None:
        if candidate is not self._candidate:
            self._candidate = candidate
            self._show_marks()

    # What is seen of it

    def _show(self, problem: str = "") -> None:
        assert self.task is not None
        hint = _HINTS[self.task][len(self.points)]
        name = self.task.value.capitalize()
        result = short_text(self.points) if self.task is Task.MEASURE else ""
        self.told.emit(f"{problem}{_ESC}" if problem else f"{name}: {hint}{_ESC}", result)
        self._show_marks()

    def _show_marks(self) -> None:
        self._view.show_marks(self._marks(None))
        for key, view in self._link.views.items():
            view.show_marks(self._marks(self._link.plane(key)))

    def _marks(self, plane: SlicePlane | None) -> PickMarks | None:
        """In space, or of what lies in a plane; None when there is nothing to be marked."""
        if self.task is None or (not self.points and self._candidate is None):
            return None
        points = np.array(self.points).reshape(-1, 3)
        candidate = self._candidate
        kept = np.arange(len(points))
        if plane is not None:
            kept = np.flatnonzero(self._lies_in(plane, points))
            if candidate is not None and not self._lies_in(plane, candidate[None])[0]:
                candidate = None
            points = plane.to_plane(points[kept]).reshape(-1, 2)
            candidate = None if candidate is None else plane.to_plane(candidate[None])[0]
        numbers = tuple(str(k + 1) for k in kept.tolist())
        places = {k: place for place, k in enumerate(kept.tolist())}
        joints = tuple(
            (places[k - 1], places[k], self._length(k))
            for k in range(1, len(self.points))
            if k in places and k - 1 in places
        )
        if len(self.points) == 3 and 1 in places:
            numbers = tuple(self._corner(number) for number in numbers)
        return PickMarks(points, numbers, joints, candidate)

    def _lies_in(self, plane: SlicePlane, points: Float) -> NDArray[np.bool_]:
        opened = self._store.session.opened
        assert opened is not None
        near: NDArray[np.bool_] = np.abs((points - plane.origin) @ plane.normal) <= 1e-9 * np.ptp(opened.domain)
        return near

    def _length(self, k: int) -> str:
        return f"{distance(self.points[k - 1], self.points[k]):.4g}" if self.task is Task.MEASURE else ""

    def _corner(self, number: str) -> str:
        return f"{number}: {angle_text(self.points, 4)}" if number == "2" and self.task is Task.MEASURE else number

    def copy(self) -> None:
        """Points and measures to the clipboard, with all their digits."""
        QGuiApplication.clipboard().setText(full_text(self.points))

    def _changed(self, change: Change) -> None:
        if self.task is None:
            return
        if change.before.opened is not change.after.opened:
            self.leave()
        else:
            self._show_marks()
