"""Effects of a hand in the views of a comparison, on all columns at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QObject

from app.control.column_points import region_at, told_at
from app.control.half_click import HalfClick
from app.control.hand import STEP
from app.control.pins import same_region
from app.state import actions
from app.state.geometry.planes import offset_range, shifted
from app.views.marks.crosshair import Crosshair, crosshair_on
from app.window.comparison.pair_tile import PairTile

if TYPE_CHECKING:
    from app.control.column import Column
    from app.state.store import Store
    from app.views.slice.slice_view import SliceView
    from app.window.comparison.compare_parts import CompareParts


class CompareHand(QObject):
    """Watches views, so that the column under the mouse leads."""

    def __init__(self, store: Store, parts: CompareParts, parent: QObject) -> None:
        super().__init__(parent)
        self._store, self._parts = store, parts
        self._click = HalfClick(store, self)

    def watch(self, key: int, view: SliceView, column: Column) -> None:
        """Take what is done in the view of slice `key` in a column."""
        view.hovered.connect(lambda u, v: self.point(column, key, u, v))
        view.left.connect(self.unpoint)
        view.reframed.connect(lambda: self.lead(key, view))
        view.fitted.connect(self._click.take_back)
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Enter:
            for (place, _), tile in self._parts.tiles.items():
                if tile.view is watched and not self._parts.pairs:
                    self._parts.leader = self._parts.columns[place]
                    self._parts.leader.lead()
        return False

    def nudge(self, column: Column, key: int, notches: float) -> None:
        """The wheel with Ctrl moves the plane."""
        part = column.store.session.slice(key)
        low, high = offset_range(part.plane, column.opened.domain)
        plane = shifted(part.plane, notches * 2 * STEP * (high - low), column.opened.domain)
        column.store.do(actions.MovePlane(key, plane, live=True))

    def lead(self, key: int, view: SliceView) -> None:
        """Let the others of a slice show what a view does now."""
        compared = self._store.session.comparison
        if compared is None or not compared.views:
            return
        for (_, other), tile in self._parts.tiles.items():
            if other == key and tile.view is not view:
                _show_as(tile.view, view)

    def align(self, key: int, view: SliceView) -> None:
        """Let a view that has a picture now show what the others of its slice do."""
        compared = self._store.session.comparison
        if compared is not None and compared.views:
            others = (
                tile.view for (_, other), tile in self._parts.tiles.items() if other == key and tile.view is not view
            )
            seen = next((other for other in others if other.framing is not None and not other.fitted_whole), None)
            if seen is not None:
                _show_as(view, seen)

    def turned(self, column: Column) -> None:
        """A camera moved: the others follow."""
        compared, scene = self._store.session.comparison, None if column.space is None else column.space.scene
        if compared is None or not compared.camera or scene is None:
            return
        for other in self._parts.columns:
            space = other.space if other is not column else None
            if space is not None and space.scene is not None and space.scene.viewpoint != scene.viewpoint:
                space.see_from(scene.viewpoint)

    def divide(self, share: float) -> None:
        """One divider for all slices."""
        self._parts.divider = share
        for tile in self._parts.tiles.values():
            if isinstance(tile, PairTile) and tile.pair.share != share:
                tile.pair.divide(share)

    def point(self, column: Column, key: int, u: float, v: float) -> None:
        plane = column.link.plane(key)
        point = plane.to_input(np.array([[u, v]]))[0]
        size = float(np.linalg.norm(np.ptp(column.opened.domain, axis=0)))
        for (place, other), tile in self._parts.tiles.items():
            its = self._parts.columns[place]
            here = (its is column or self._parts.pairs) and other == key
            tile.view.show_crosshair(None if here else crosshair_on(its.link.plane(other), point, size))
        for its, head in zip(self._parts.columns, self._parts.heads, strict=True):
            head.readout.setText(told_at(its, key, point))
            if its.space is not None:
                its.space.show_crosshair(Crosshair(point))

    def unpoint(self) -> None:
        for tile in self._parts.tiles.values():
            tile.view.show_crosshair(None)
        for column, head in zip(self._parts.columns, self._parts.heads, strict=True):
            head.readout.setText("")
            if column.space is not None:
                column.space.show_crosshair(None)

    def pin(self, column: Column, key: int, u: float, v: float) -> None:
        """Pin the region of each column at a point of a slice."""
        point = column.link.plane(key).to_input(np.array([[u, v]]))[0]
        found = []
        for its in self._parts.columns:
            facts = region_at(its, key, point)
            pins = [pin for pin in self._store.session.pins if pin.key == key and pin.opened is its.opened]
            if facts is not None and not any(same_region(pin.facts, facts) for pin in pins):
                found.append((its.opened, facts))
        if found:
            self._store.do(actions.PinInColumns(key, tuple(found)))
        self._click.note(bool(found))


def _show_as(view: SliceView, seen: SliceView) -> None:
    """Let a view show what another one does."""
    if seen.fitted_whole or seen.framing is None:
        view.follow_whole()
    else:
        view.follow(seen.framing.centre, seen.framing.scale)
