"""Checkpoints beside each other: a column for each with the session's slices as rows, or two of them in one picture."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QMenu, QVBoxLayout, QWidget

from app.control.column import Column
from app.control.differences import Differences
from app.control.pins import mark_of
from app.jobs.lanes import Lanes
from app.state import actions
from app.state.comparison import Between, Compared
from app.state.geometry.planes import same_plane
from app.state.palette import accent
from app.state.store import Change, Store
from app.state.texts.numbers import place_text
from app.views.scene.scene_view import SceneView
from app.views.slice.legend import DepthLegend
from app.views.slice.slice_view import SliceView
from app.window.comparison.column_head import ColumnHead
from app.window.comparison.compare_grid import CompareGrid
from app.window.comparison.compare_hand import CompareHand
from app.window.comparison.compare_parts import CompareParts
from app.window.comparison.compare_strip import CompareStrip
from app.window.comparison.pair_tile import PairTile
from app.window.panels.slice_tile import SliceTile
from app.window.parts.controls import ScrollArea
from app.window.parts.icons import icon
from engine import Cancelled

if TYPE_CHECKING:
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
_IN_MENU: Final = (
    *(between.value for between in Between), None, "swap pair", "link planes", "link zoom", "link cameras",
    "3D columns",
    None, "end comparison",
)  # fmt: skip
"""Commands of a tile's menu."""
_BLINK_MILLISECONDS: Final = 700
_MIXED: Final = (Between.OVERLAY, Between.DIFFERENCE)  # in which no lines are drawn
_IN_PART: Final = (Between.SIDE, Between.SWIPE, Between.BLINK)  # in which first layers do while a plane moves
_SPACE_HEIGHT: Final = 210


class CompareBoard(QWidget):
    """shown(bool): a comparison begins, or ends; found(Found | None): what is under the mouse."""

    shown = Signal(bool)
    found = Signal(object)

    def __init__(
        self, store: Store, slices: LiveSlices, surface: LiveSurface, commands: Commands, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._store, self._main, self._surface, self._commands = store, slices, surface, commands
        self._lanes = Lanes("columns", self), Lanes("their regions", self), Lanes("their pictures", self)
        self.differences = Differences(self)
        self._built: tuple[object, ...] = ()
        self._behind: actions.MovePlane | None = None  # a move that waits until two slices are at the one before
        self.legend = DepthLegend(self)
        self.strip = CompareStrip(store, commands, self)
        self._page = QWidget(self)
        self._page.setObjectName("panel")
        self._scroll = ScrollArea(self)
        self._scroll.setWidget(self._page)
        self.parts = CompareParts()
        self._grid, self._hand = CompareGrid(QGridLayout(self._page), self.parts), CompareHand(store, self.parts, self)
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
    def columns(self) -> list[Column]:
        return self.parts.columns

    @property
    def heads(self) -> list[ColumnHead]:
        return self.parts.heads

    @property
    def tiles(self) -> dict[tuple[int, int], SliceTile]:
        return self.parts.tiles

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
            changed = self._exchange(session)
            self._follow(action)
            for (place, key), tile in self.tiles.items():
                if any(column in changed and not column.slices.holds(key) for column in self._of(place)):
                    tile.clear()
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
        for column in sorted(self.columns, key=lambda column: column is not self.parts.leader):
            column.store.follow(action)

    def _exchange(self, session: Session) -> list[Column]:
        """The columns whose networks others took the place of, in the same tiles."""
        assert session.comparison is not None
        changed = []
        for column, head, network in zip(self.columns, self.heads, session.comparison.shown, strict=True):
            opened = session.networks[network]
            if column.opened is not opened:
                changed.append(column)
                column.exchange(opened)
                head.show_name(opened.name, str(opened.path or ""))
        if self._pairs():
            first, second = (column.opened.name for column in self.columns)
            for tile in self.tiles.values():
                if isinstance(tile, PairTile):
                    tile.pair.name((first, second))
        return changed

    def _catch_up(self) -> None:
        action, self._behind = self._behind, None
        if action is not None:
            self._follow(action)

    def _build(self, session: Session) -> None:
        """New columns where other networks are to be seen, and new tiles."""
        compared = session.comparison
        self._built = _wanted(session)
        self._behind = self.parts.leader = None
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
        self.parts.columns, self.parts.heads, self.parts.tiles = [], [], {}
        self.parts.pairs = self._pairs()
        if compared is None:
            return
        kept = self._main.cache, self._surface.kept
        for network in compared.shown:
            column = Column(self._store, session.networks[network], kept, self._lanes, self)
            column.slices.budget = self._main.budget if compared.between in _IN_PART else float("inf")
            column.surface.threads = self._surface.threads
            self.columns.append(column)
        keys = [part.key for part in session.slices if part.visible and (session.tiled or part.key == session.active)]
        self._furnish(session, compared, keys)
        for column in self.columns:
            column.slices.computed.connect(lambda key, _, column=column: self._computed(column, key))
            column.slices.failed.connect(lambda key, error, column=column: self._failed(column, key, error))
            column.slices.started.connect(lambda key, column=column: self._started(column, key))
            column.slices.rested.connect(self._measure)
            column.hover.found.connect(self.found)
            column.hover.inside.connect(lambda key, u, v, column=column: self._hand.pin(column, key, u, v))
            column.link.nudged.connect(lambda key, notches, column=column: self._hand.nudge(column, key, notches))
            column.store.begin()
            column.slices.look_at(tuple(keys))
        if compared.between is Between.BLINK:
            self._blink.start()

    def _furnish(self, session: Session, compared: Compared, keys: list[int]) -> None:
        """Heads, 3D views and tiles for the columns."""
        pairs = self._pairs()
        places = compared.pair if pairs else tuple(range(len(self.columns)))
        accents, names = [accent(place) for place in places], [column.opened.name for column in self.columns]
        for place, column in enumerate(self.columns):
            removable = not pairs and len(compared.columns) > 2
            tip = str(column.opened.path or "")
            head = ColumnHead(names[place], "AB"[place] if pairs else "", accents[place], tip, removable, self._page)
            head.left.connect(lambda column=column: self._leave(column))
            self.heads.append(head)
            if compared.space:
                view = SceneView(self._page)
                view.setMinimumHeight(_SPACE_HEIGHT)
                column.show_in(view)
                view.camera_moved.connect(lambda column=column: self._hand.turned(column))
        for key in keys:
            part = session.slice(key)
            if pairs:
                both = PairTile(part, (accents[0], accents[1]), (names[0], names[1]), compared.between, self._page)
                both.pair.divide(self.parts.divider)
                both.pair.divided.connect(self._hand.divide)
                self._add(0, key, both, self.columns[0])
                continue
            for place, column in enumerate(self.columns):
                self._add(place, key, SliceTile(part, self._page, SliceView(accents[place])), column)
        self.legend.setVisible(compared.between not in _MIXED)
        self._grid.place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._grid.fit(self.width(), self.height())

    def _add(self, place: int, key: int, tile: SliceTile, column: Column) -> None:
        self.tiles[place, key] = tile
        view = tile.view
        view.show_look(self._store.session.look)
        column.link.add(key, view)
        tile.chosen.connect(lambda: self._store.do(actions.ActivateSlice(key)))
        tile.enlarged.connect(lambda: self._store.do(actions.TileSlices(not self._store.session.tiled)))
        for other in self._of(place):
            tile.cancelled.connect(partial(other.slices.cancel, key))
        tile.menu_wanted.connect(lambda place: self._call_menu(place, tile))
        self._hand.watch(key, view, column)

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
        self._hand.align(key, tile.view)
        self._mark_pins()
        if drawn.answer.complete and column is self.columns[0]:
            self._show_legend(self._store.session)

    def _show_pair(self, key: int, tile: PairTile) -> None:
        """Both slices, once they are of one plane."""
        first, second = (other.slices.result(key) for other in self.columns)
        computing, compared = any(other.slices.computing(key) for other in self.columns), self._compared
        if first is None or second is None or compared is None:
            return
        whole = first.answer.complete and second.answer.complete
        if same_plane(first.plane, second.plane) and (whole or compared.between in _IN_PART):
            tile.show_pair(first, second, not computing, _reservation(*(column.opened for column in self.columns)))
            tile.show_numbers(None)
            if whole:
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

    def _blink_over(self) -> None:
        for tile in self.tiles.values():
            if isinstance(tile, PairTile):
                tile.pair.blink(1 - tile.pair.showing)

    def _call_menu(self, place: QPoint, tile: SliceTile) -> None:
        """A menu of a tile: its picture, and all that can be done to the comparison."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        copied = menu.addAction(icon("picture"), "Copy picture")
        copied.triggered.connect(lambda: QGuiApplication.clipboard().setPixmap(tile.view.white_picture()))
        for entry in (None, *_IN_MENU):
            if entry is None:
                menu.addSeparator()
            else:
                menu.addAction(self._commands[entry])
        menu.popup(place)

    def _end(self) -> None:
        """Something else is to be seen."""
        if self._compared is not None:
            self._store.do(actions.Compare(None))

    def _leave(self, column: Column) -> None:
        compared = self._compared
        if compared is not None:
            at = self._store.session.networks.index(column.opened)
            self._store.do(actions.Compare(compared.without(at)))


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
    """Return a note on a picture of two networks that are not alike, "" for none."""
    if not np.array_equal(first.domain, second.domain):
        return "A and B have different boxes: they are compared where both are"
    if first.level != second.level:
        return f"A is seen at the level {first.level:g}, B at {second.level:g}"
    return ""
