"""Checkpoints beside each other: a column for each with the session's slices as rows, or two of them in one picture."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.control.column import Column
from app.control.differences import Differences
from app.control.half_click import HalfClick
from app.control.hand import STEP
from app.control.pins import mark_of, same_region
from app.jobs.lanes import Lanes
from app.state import actions
from app.state.comparison import Between, Compared
from app.state.geometry.planes import offset_range, same_plane, shifted
from app.state.palette import accent
from app.state.store import Change, Store
from app.state.texts.numbers import place_text
from app.views.marks.crosshair import Crosshair, crosshair_on
from app.views.scene.scene_view import SceneView
from app.views.slice.legend import DepthLegend
from app.views.slice.slice_view import SliceView
from app.window.comparison.column_head import ColumnHead
from app.window.comparison.compare_strip import CompareStrip
from app.window.comparison.pair_tile import PairTile
from app.window.panels.slice_board import best_columns
from app.window.panels.slice_tile import SliceTile
from app.window.parts.controls import ScrollArea
from engine import Cancelled, RegionFacts, affine_maps, region_facts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.comparison.slices import Values
    from app.control.live_slices import LiveSlices
    from app.control.live_surface import LiveSurface
    from app.state.session import OpenNetwork, Session
    from app.window.commands.commands import Commands

_ELSEWHERE: Final = (
    "3D large", "slice large", "grid", "3D hidden", "three points", "across surface", "tangent", "turn about",
    "measure",
)  # fmt: skip
"""Commands of the views that a comparison takes the place of: they bring these back."""
_BLINK_MILLISECONDS: Final = 700
_LEAST_HEIGHT: Final = 190  # pixels of a row
_LIKED: Final = 0.75, 0.48  # height of a row: of its width, but no more of what is in sight
_MIXED: Final = (Between.OVERLAY, Between.DIFFERENCE)  # in which no lines are drawn
_SPACE_HEIGHT: Final = 210
_NEAR: Final = 1e-9  # of the box: so near a plane a point lies on it


class CompareBoard(QWidget):
    """shown(bool): a comparison begins, or ends; found(Found | None): what is under the mouse.

    columns: those that are drawn, from left to right; tiles: by the place of their column, 0 where two are in one
    picture, and the key of their slice.
    """

    shown = Signal(bool)
    found = Signal(object)

    def __init__(
        self, store: Store, slices: LiveSlices, surface: LiveSurface, commands: Commands, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._store, self._main, self._surface = store, slices, surface
        self._lanes = Lanes("columns", self), Lanes("their regions", self), Lanes("their pictures", self)
        self.differences = Differences(self)
        self.columns: list[Column] = []
        self.heads: list[ColumnHead] = []
        self.tiles: dict[tuple[int, int], SliceTile] = {}
        self._built: tuple[object, ...] = ()
        self._behind: actions.MovePlane | None = None  # a move that waits until two slices are at the one before
        self._leader: Column | None = None
        self._divider = 0.5
        self._rows, self._across = 0, 1
        self._click = HalfClick(store, self)
        self.legend = DepthLegend(self)
        self.strip = CompareStrip(store, commands, self)
        self._page = QWidget(self)
        self._page.setObjectName("panel")
        self._scroll = ScrollArea(self)
        self._scroll.setWidget(self._page)
        self._grid = QGridLayout(self._page)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.strip)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self.legend)
        self._blink = QTimer(self)
        self._blink.setInterval(_BLINK_MILLISECONDS)
        self._blink.timeout.connect(self._blink_over)
        for name in _ELSEWHERE:
            commands[name].triggered.connect(self._end)
        self.hide()
        store.listen(self._changed)
        self.differences.limited.connect(self._show_limit)
        self.differences.measured.connect(self._show_numbers)

    @property
    def settled(self) -> bool:
        """Everything that is to be computed is, and drawn."""
        return (
            self._behind is None
            and not self.differences.busy
            and all(column.settled for column in self.columns)
            and all(tile.view.settled for tile in self.tiles.values() if tile.isVisible())
        )

    def close_workers(self) -> None:
        self._blink.stop()
        self.differences.close()
        for column in self.columns:
            column.close()
        for lanes in self._lanes:
            lanes.close()

    # From the session to columns and tiles

    @property
    def _compared(self) -> Compared | None:
        return self._store.session.comparison

    def _pairs(self) -> bool:
        compared = self._compared
        return compared is not None and compared.between is not Between.SIDE

    def _changed(self, change: Change) -> None:
        session, action = change.after, change.action
        if session.comparison is None:
            if self._built:
                self._build(session)
                self._main.idle = False
                self.shown.emit(False)
            return
        if isinstance(action, actions.MovePlane):
            self._follow(action)
            self._behind = self._behind if action.live else None
            return
        wanted = _wanted(session)
        if wanted != self._built:
            began = not self._built
            self._main.idle = True
            self._build(session)
            if began:
                self.shown.emit(True)
        else:
            self._exchange(session)
            self._follow(action)
        for (_, key), tile in self.tiles.items():
            tile.show_slice(session.slice(key), key == session.active)
            tile.view.show_look(session.look)
        self._mark_pins()
        self._show_legend(session)

    def _follow(self, action: actions.Action) -> None:
        """Let the columns see what changed, that of the mouse first.

        Where two are in one picture, a plane that a hand moves goes on once both slices are where it was before.
        """
        if isinstance(action, actions.MovePlane) and action.live and self._pairs():
            self.differences.withdraw()  # measures would take the time of what moves
            if any(column.slices.computing(action.key) for column in self.columns):
                self._behind = action
                return
        for column in sorted(self.columns, key=lambda column: column is not self._leader):
            column.store.follow(action)

    def _exchange(self, session: Session) -> None:
        """Networks that others took the place of, in the same tiles: what is seen stays until the next picture."""
        assert session.comparison is not None
        for column, head, network in zip(self.columns, self.heads, session.comparison.shown, strict=True):
            opened = session.networks[network]
            if column.opened is not opened:
                column.exchange(opened)
                head.show_name(opened.name, str(opened.path or ""))
        if self._pairs():
            first, second = (column.opened.name for column in self.columns)
            for tile in self.tiles.values():
                if isinstance(tile, PairTile):
                    tile.pair.name((first, second))

    def _catch_up(self) -> None:
        action, self._behind = self._behind, None
        if action is not None:
            self._follow(action)

    def _build(self, session: Session) -> None:
        """New columns where other networks are to be seen, and new tiles."""
        compared = session.comparison
        self._built = _wanted(session)
        self._behind = self._leader = None
        self.differences.withdraw()
        self._blink.stop()
        for tile in self.tiles.values():
            tile.hide()
            tile.deleteLater()
        for column in self.columns:
            column.close()
            for key in list(column.link.views):
                column.link.remove(key)
            if column.space is not None:
                column.space.hide()
                column.space.deleteLater()
            column.deleteLater()
        for head in self.heads:
            head.hide()
            head.deleteLater()
        self.columns, self.heads, self.tiles = [], [], {}
        if compared is None:
            return
        kept = self._main.cache, self._surface.kept
        for network in compared.shown:
            column = Column(self._store, session.networks[network], kept, self._lanes, self)
            column.slices.budget = float("inf") if self._pairs() else self._main.budget
            column.surface.threads = self._surface.threads
            self.columns.append(column)
        keys = [part.key for part in session.slices if part.visible and (session.tiled or part.key == session.active)]
        self._lay_out(session, compared, keys)
        for column in self.columns:
            column.slices.computed.connect(lambda key, _, column=column: self._computed(column, key))
            column.slices.failed.connect(lambda key, error, column=column: self._failed(column, key, error))
            column.slices.started.connect(lambda key, column=column: self._started(column, key))
            column.slices.rested.connect(self._measure)
            column.hover.found.connect(self.found)
            column.hover.inside.connect(lambda key, u, v, column=column: self._pin(column, key, u, v))
            column.link.nudged.connect(lambda key, notches, column=column: self._nudge(column, key, notches))
            column.store.begin()
            column.slices.look_at(tuple(keys))
        if compared.between is Between.BLINK:
            self._blink.start()

    def _lay_out(self, session: Session, compared: Compared, keys: list[int]) -> None:
        while self._grid.count():
            self._grid.takeAt(0)
        for line in range(self._grid.rowCount()):
            self._grid.setRowStretch(line, 0)
            self._grid.setRowMinimumHeight(line, 0)
        for line in range(self._grid.columnCount()):
            self._grid.setColumnStretch(line, 0)
        pairs, count = self._pairs(), len(self.columns)
        places = compared.pair if pairs else tuple(range(count))
        accents, names = [accent(place) for place in places], [column.opened.name for column in self.columns]
        across = best_columns(len(keys), self.width(), self.height() - 80) if pairs else count
        wide = across if across % 2 == 0 or not pairs else 2 * across  # in how many columns of the grid
        for place, column in enumerate(self.columns):
            letter = "AB"[places.index(places[place])] if pairs else ""
            tip = str(column.opened.path or "")
            head = ColumnHead(
                names[place], letter, accents[place], tip, not pairs and len(compared.columns) > 2, self._page
            )
            head.left.connect(lambda column=column: self._leave(column))
            head.installEventFilter(self)
            self.heads.append(head)
            span = wide // count
            self._grid.addWidget(head, 0, place * span, 1, span)
            if compared.space:
                view = SceneView(self._page)
                view.setMinimumHeight(_SPACE_HEIGHT)
                column.show_in(view)
                view.camera_moved.connect(lambda column=column: self._turned(column))
                self._grid.addWidget(view, 1, place * span, 1, span)
                self._grid.setRowStretch(1, 3)
        if pairs:
            for at, key in enumerate(keys):
                part = session.slice(key)
                both = PairTile(part, (accents[0], accents[1]), (names[0], names[1]), compared.between, self._page)
                both.pair.divide(self._divider)
                both.pair.divided.connect(self._divide)
                span = wide // across
                self._grid.addWidget(both, 2 + at // across, (at % across) * span, 1, span)
                self._add(0, key, both, self.columns[0])
        else:
            for place, column in enumerate(self.columns):
                for at, key in enumerate(keys):
                    tile = SliceTile(session.slice(key), self._page, SliceView(accents[place]))
                    self._grid.addWidget(tile, 2 + at, place)
                    self._add(place, key, tile, column)
        self._rows, self._across = -(-len(keys) // across) if pairs else len(keys), across
        for at in range(self._rows):
            self._grid.setRowStretch(2 + at, 4)
        self._share_height()
        self.legend.setVisible(compared.between not in _MIXED)
        for line in range(wide):
            self._grid.setColumnStretch(line, 1)

    def _share_height(self) -> None:
        """Rows are not so low that slices are specks in wide tiles; they scroll then."""
        wide, high = (
            part * side for part, side in zip(_LIKED, (self.width() / self._across, self.height()), strict=True)
        )
        for at in range(self._rows):
            self._grid.setRowMinimumHeight(2 + at, max(_LEAST_HEIGHT, round(min(wide, high))))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_height()

    def _add(self, place: int, key: int, tile: SliceTile, column: Column) -> None:
        self.tiles[place, key] = tile
        view = tile.view
        view.show_look(self._store.session.look)
        column.link.add(key, view)
        tile.chosen.connect(lambda: self._store.do(actions.ActivateSlice(key)))
        for other in self._of(place):
            tile.cancelled.connect(partial(other.slices.cancel, key))
        view.hovered.connect(lambda u, v: self._point(column, key, u, v))
        view.left.connect(self._unpoint)
        view.reframed.connect(lambda: self._lead(key, view))
        view.fitted.connect(self._click.take_back)
        view.installEventFilter(self)

    def _of(self, place: int) -> list[Column]:
        """The columns that are in a tile at a place."""
        return self.columns if self._pairs() else [self.columns[place]]

    # From columns to tiles

    def _started(self, column: Column, key: int) -> None:
        tile = self._tile(column, key)
        if tile is not None:
            tile.started()

    def _computed(self, column: Column, key: int) -> None:
        tile, drawn = self._tile(column, key), column.slices.result(key)
        if tile is None or drawn is None:
            return
        if isinstance(tile, PairTile):
            self._show_pair(key, tile)
        else:
            tile.show_result(drawn, not column.slices.computing(key))
        self._align(key, tile.view)
        self._mark_pins()
        if drawn.answer.complete and column is self.columns[0]:
            self._show_legend(self._store.session)

    def _show_pair(self, key: int, tile: PairTile) -> None:
        """Both slices, once they are of one plane."""
        first, second = (other.slices.result(key) for other in self.columns)
        computing = any(other.slices.computing(key) for other in self.columns)
        if first is None or second is None:
            return
        if same_plane(first.plane, second.plane) and first.answer.complete and second.answer.complete:
            tile.show_pair(first, second, not computing, _reservation(*(column.opened for column in self.columns)))
            tile.show_numbers(None)
            self.differences.ask(key, first, second, self._resting)
        elif not computing and not same_plane(first.plane, second.plane) and self._behind is None:
            tile.show_failure("A and B are cut along different planes: link the planes to draw both in one picture")
        if not computing:
            self._catch_up()

    @property
    def _resting(self) -> bool:
        """No hand moves a plane."""
        return self._behind is None and all(column.slices.moving is None for column in self.columns)

    def _measure(self) -> None:
        """The hand rests: what was put off is measured, of the active slice first."""
        active = self._store.session.active
        for (_, key), tile in sorted(self.tiles.items(), key=lambda item: item[0][1] != active):
            if isinstance(tile, PairTile) and self._resting:
                self._show_pair(key, tile)

    def _failed(self, column: Column, key: int, error: Exception) -> None:
        tile = self._tile(column, key)
        if tile is None:
            return
        if isinstance(error, Cancelled):
            tile.show_failure("stopped")
        else:
            part = column.store.session.slice(key)
            tile.show_nothing(f"{column.opened.name}: {error}", place_text(part.plane, column.opened.domain))

    def _tile(self, column: Column, key: int) -> SliceTile | None:
        place = 0 if self._pairs() or column not in self.columns else self.columns.index(column)
        return self.tiles.get((place, key))

    def _show_limit(self, key: int, limit: float) -> None:
        tile = self.tiles.get((0, key))
        if isinstance(tile, PairTile):
            tile.show_limit(limit)

    def _show_numbers(self, key: int, values: Values | None) -> None:
        tile = self.tiles.get((0, key))
        if isinstance(tile, PairTile):
            tile.show_numbers(values)

    def _show_legend(self, session: Session) -> None:
        deepest = max((column.opened for column in self.columns), key=lambda opened: opened.layers, default=None)
        if deepest is not None:
            names = deepest.network.layer_names
            self.legend.show_layers(names, session.look.hidden_depths, (), session.look.style.palette)

    def _mark_pins(self) -> None:
        for (place, key), tile in self.tiles.items():
            column = self.columns[place]
            drawn = column.slices.result(key)
            pins = [pin for pin in self._store.session.pins if pin.key == key and pin.opened is column.opened]
            here = [pin for pin in pins if drawn and pin.facts.plane and same_plane(pin.facts.plane, drawn.plane)]
            tile.view.show_pins(tuple(mark_of(pin) for pin in here))

    # What hands do

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Enter:
            for (place, _), tile in self.tiles.items():
                if tile.view is watched and not self._pairs():
                    self._leader = self.columns[place]
                    self._leader.lead()
        return False

    def _nudge(self, column: Column, key: int, notches: float) -> None:
        """The wheel with Ctrl moves the plane."""
        part = column.store.session.slice(key)
        low, high = offset_range(part.plane, column.opened.domain)
        plane = shifted(part.plane, notches * 2 * STEP * (high - low), column.opened.domain)
        column.store.do(actions.MovePlane(key, plane, live=True))

    def _lead(self, key: int, view: SliceView) -> None:
        """Let the others of a slice show what a view does now."""
        compared = self._compared
        if compared is None or not compared.views:
            return
        for (_, other), tile in self.tiles.items():
            if other == key and tile.view is not view:
                _show_as(tile.view, view)

    def _align(self, key: int, view: SliceView) -> None:
        """Let a view that has a picture now show what the others of its slice do."""
        compared = self._compared
        if compared is not None and compared.views:
            others = (tile.view for (_, other), tile in self.tiles.items() if other == key and tile.view is not view)
            seen = next((other for other in others if other.framing is not None and not other.fitted_whole), None)
            if seen is not None:
                _show_as(view, seen)

    def _turned(self, column: Column) -> None:
        """A camera moved: the others follow."""
        compared, scene = self._compared, None if column.space is None else column.space.scene
        if compared is None or not compared.camera or scene is None:
            return
        for other in self.columns:
            space = other.space if other is not column else None
            if space is not None and space.scene is not None and space.scene.viewpoint != scene.viewpoint:
                space.see_from(scene.viewpoint)

    def _divide(self, share: float) -> None:
        """One divider for all slices."""
        self._divider = share
        for tile in self.tiles.values():
            if isinstance(tile, PairTile) and tile.pair.share != share:
                tile.pair.divide(share)

    def _blink_over(self) -> None:
        for tile in self.tiles.values():
            if isinstance(tile, PairTile):
                tile.pair.blink(1 - tile.pair.showing)

    def _end(self) -> None:
        """Something else is to be seen."""
        if self._compared is not None:
            self._store.do(actions.Compare(None))

    def _leave(self, column: Column) -> None:
        compared = self._compared
        if compared is not None:
            at = self._store.session.networks.index(column.opened)
            self._store.do(actions.Compare(compared.without(at)))

    # The point of the mouse in all columns

    def _point(self, column: Column, key: int, u: float, v: float) -> None:
        plane = column.link.plane(key)
        point = plane.to_input(np.array([[u, v]]))[0]
        size = float(np.linalg.norm(np.ptp(column.opened.domain, axis=0)))
        for (place, other), tile in self.tiles.items():
            its = self.columns[place]
            here = (its is column or self._pairs()) and other == key
            tile.view.show_crosshair(None if here else crosshair_on(its.link.plane(other), point, size))
        for its, head in zip(self.columns, self.heads, strict=True):
            head.readout.show_text(_told(its, key, point))
            if its.space is not None:
                its.space.show_crosshair(Crosshair(point))

    def _unpoint(self) -> None:
        for tile in self.tiles.values():
            tile.view.show_crosshair(None)
        for column, head in zip(self.columns, self.heads, strict=True):
            head.readout.show_text("")
            if column.space is not None:
                column.space.show_crosshair(None)

    def _pin(self, column: Column, key: int, u: float, v: float) -> None:
        """Pin the region of each column at a point of a slice."""
        point = column.link.plane(key).to_input(np.array([[u, v]]))[0]
        found = []
        for its in self.columns:
            facts = _region_at(its, key, point)
            pins = [pin for pin in self._store.session.pins if pin.key == key and pin.opened is its.opened]
            if facts is not None and not any(same_region(pin.facts, facts) for pin in pins):
                found.append((its.opened, facts))
        if found:
            self._store.do(actions.PinInColumns(key, tuple(found)))
        self._click.note(bool(found))


def _wanted(session: Session) -> tuple[object, ...]:
    """All that needs other columns or tiles when it changes."""
    compared = session.comparison
    if compared is None:
        return ()
    networks = len(compared.shown)
    keys = tuple(part.key for part in session.slices if part.visible)
    removable = len(compared.columns) > 2
    alone = None if session.tiled else session.active
    columns = compared.columns if compared.between is Between.SIDE else compared.pair
    return networks, columns, compared.between, compared.space, keys, removable, alone


def _reservation(first: OpenNetwork, second: OpenNetwork) -> str:
    """What is told of a picture of two networks that are not alike, "" for nothing."""
    if not np.array_equal(first.domain, second.domain):
        return "A and B have different boxes: they are compared where both are"
    if first.level != second.level:
        return f"A is seen at the level {first.level:g}, B at {second.level:g}"
    return ""


def _show_as(view: SliceView, seen: SliceView) -> None:
    """Let a view show what another one does."""
    if seen.fitted_whole or seen.framing is None:
        view.follow_whole()
    else:
        view.follow(seen.framing.centre, seen.framing.scale)


def _region_at(column: Column, key: int, point: NDArray[np.float64]) -> RegionFacts | None:
    """Facts of the region of a column's slice at a point (3,); None where it is not computed, or does not hold it."""
    location, shown = column.slices.location(key), column.slices.result(key)
    if location is None or shown is None:
        return None
    plane, box = shown.plane, column.opened.domain
    if abs(float((point - plane.origin) @ plane.normal)) > _NEAR * float(np.linalg.norm(np.ptp(box, axis=0))):
        return None
    region = int(location.region_at(plane.to_plane(point[None]))[0])
    return region_facts(location.partition, region, point) if region >= 0 else None


def _told(column: Column, key: int, point: NDArray[np.float64]) -> str:
    """f, |grad f| and the region of a column's slice at a point (3,), to be read."""
    location, shown = column.slices.location(key), column.slices.result(key)
    if location is None or shown is None:
        return ""
    where = shown.plane.to_plane(point[None])
    region = int(location.region_at(where)[0])
    if region < 0:
        return ""
    maps = affine_maps(location.partition, np.array([region], np.int32))
    value = float(maps.values(shown.plane.to_input(where)).ravel()[0])
    slope = float(np.linalg.norm(maps.gradient.reshape(-1, 3)[0]))
    text = f"f = {value:.4g}   |\N{NABLA}f| = {slope:.4g}   region {region:,}"
    return text.replace("-", "\N{MINUS SIGN}")
