"""2D views that are linked: they show the same point of space, at the same scale, and where the mouse is in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.views.marks.crosshair import Crosshair, crosshair_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from app.state.store import Change, Store
    from app.views.marks.marked_view import MarkedView
    from app.views.slice.slice_view import SliceView
    from engine import SlicePlane

    Float = NDArray[np.float64]


_SLACK: Final = 1e-9  # of the box


class LinkedViews(QObject):
    """changed: `on` is another now.

    views: by the slices' keys; plane: of what each shows; space: the 3D view.  The point that all look at is moved in
    the plane of the view that a hand is in, and stays as far from it as it was: the views of parallel planes move as
    one, those of others along the directions that they share.
    """

    changed = Signal(bool)

    def __init__(
        self, store: Store, views: dict[int, SliceView], plane: Callable[[int], SlicePlane], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._store, self._views, self._plane = store, views, plane
        self.space: MarkedView | None = None
        self._on = False
        self._focus: Float | None = None  # None: each view shows all that its slice may fill
        store.listen(self._changed)

    @property
    def on(self) -> bool:
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        if on == self._on:
            return
        self._on, self._focus = on, None
        self.point(None, None)
        active = self._store.session.active
        if active in self._views:
            self.lead(active)
        self.changed.emit(on)

    def lead(self, key: int) -> None:
        """Let all others show what the view of a slice does now."""
        view, opened = self._views[key], self._store.session.opened
        if not self._on or view.framing is None or opened is None:
            return
        others = [other for other in self._views if other != key]
        if view.fitted_whole:
            self._focus = None
            for other in others:
                self._views[other].follow_whole()
            return
        plane = self._plane(key)
        focus = opened.domain.mean(axis=0) if self._focus is None else self._focus
        self._focus = focus + (np.array(view.framing.centre) - plane.to_plane(focus[None])[0]) @ plane.axes
        for other in others:
            self._follow(other, self._focus, view.framing.scale)

    def align(self, key: int) -> None:
        """Let the view of a slice show what the others do."""
        if self._on and self._focus is not None:
            others = (view for other, view in self._views.items() if other != key and view.isVisible())
            framings = (view.framing for view in others if not view.fitted_whole)
            scale = next((framing.scale for framing in framings if framing is not None), None)
            if scale is not None:
                self._follow(key, self._focus, scale)

    def align_all(self) -> None:
        """Let all views show what that of the active slice does, at its scale: they may have another size now."""
        active = self._store.session.active
        view = None if active is None else self._views.get(active)
        if self._on and self._focus is not None and view is not None and view.framing and not view.fitted_whole:
            for key in self._views.keys() - {active}:
                self._follow(key, self._focus, view.framing.scale)

    def _follow(self, key: int, focus: Float, scale: float) -> None:
        u, v = self._plane(key).to_plane(focus[None])[0].tolist()
        self._views[key].follow((u, v), scale)

    def point(self, source: int | None, point: Float | None) -> None:
        """Mark the point (3,) where the mouse is, in all views but the one that it is in; None, or outside the box:
        nothing; source: the slice of that view, None: the 3D view."""
        opened = self._store.session.opened
        size = 1.0 if opened is None else float(np.linalg.norm(np.ptp(opened.domain, axis=0)))
        if not self._on or opened is None or point is None or not _inside(point, opened.domain, _SLACK * size):
            point = None
        for key, view in self._views.items():
            seen = None if point is None or key == source else crosshair_on(self._plane(key), point, size)
            view.show_crosshair(seen)
        if self.space is not None:
            self.space.show_crosshair(None if point is None or source is None else Crosshair(point))

    def _changed(self, change: Change) -> None:
        if change.after.opened is not change.before.opened:
            self._focus = None
            self.point(None, None)


def _inside(point: Float, domain: Float, slack: float) -> bool:
    return bool((point >= domain[0] - slack).all() and (point <= domain[1] + slack).all())
