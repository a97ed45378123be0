"""All slices' cards: tiles in a grid, or the active one alone."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from app.control.drawn_slice import DrawnSlice
from app.control.live_slices import LiveSlices
from app.control.slice_link import SliceLink
from app.state import actions
from app.state.session import Session
from app.state.store import Change, Store
from app.state.texts.numbers import place_text
from app.window.panels.slice_tile import SliceTile
from app.window.parts.controls import ScrollArea, message_label
from engine import Cancelled

_AROUND: Final = (46, 60)  # pixels of a tile around the slice itself
_NARROWEST: Final = 212  # pixels: a tile


class SliceBoard(ScrollArea):
    """tiles: by the slices' keys; enlarged(key): a double click on a tile's title; menu_wanted(place): a menu for the
    active slice is called at a place of the screen.
    """

    enlarged = Signal(int)
    menu_wanted = Signal(QPoint)

    def __init__(self, store: Store, slices: LiveSlices, link: SliceLink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._slices, self._link = store, slices, link
        page = QWidget(self)
        page.setObjectName("panel")
        self.setWidget(page)
        self.setMinimumWidth(230)
        self._grid = QGridLayout(page)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self._empty = message_label("", "muted")
        self.tiles: dict[int, SliceTile] = {}
        self._columns, self._opening = 1, ""
        self._look = QTimer(self)  # once tiles are where they belong
        self._look.setSingleShot(True)
        self._look.timeout.connect(self._look_at_tiles)
        self.verticalScrollBar().valueChanged.connect(self._look_soon)
        store.listen(self._changed)
        slices.computed.connect(self._computed)
        slices.failed.connect(self._failed)
        slices.started.connect(self._started)
        self._arrange(store.session)

    @property
    def settled(self) -> bool:
        """Every visible tile shows its newest picture."""
        return all(tile.view.settled for tile in self.tiles.values() if tile.isVisible())

    def _changed(self, change: Change) -> None:
        session = change.after
        for key in set(self.tiles) - {part.key for part in session.slices}:
            tile = self.tiles.pop(key)
            self._link.remove(key)
            self._grid.removeWidget(tile)
            tile.hide()
            tile.deleteLater()
        for part in session.slices:
            if part.key not in self.tiles:
                self.tiles[part.key] = self._tile(part.key, session)
            tile = self.tiles[part.key]
            if session.opened is not change.before.opened:  # what is drawn is of another network
                self._link.withdraw(part.key)
                if not (isinstance(change.action, actions.ShowStep) and self._slices.holds(part.key)):
                    tile.clear()
            tile.show_slice(part, part.key == session.active)
            tile.view.show_look(session.look)
        if isinstance(change.action, actions.MovePlane):
            return
        self._arrange(session)

    def show_opening(self, text: str) -> None:
        """Show what is being read, "" for nothing: in the place of the invitation to open something."""
        self._opening = text
        self._empty.setText(_why_empty(self._store.session, text))

    def _tile(self, key: int, session: Session) -> SliceTile:
        tile = SliceTile(session.slice(key), self)
        tile.view.show_look(session.look)
        self._link.add(key, tile.view)
        tile.chosen.connect(lambda: self._store.do(actions.ActivateSlice(key)))
        tile.enlarged.connect(lambda: self.enlarged.emit(key))
        tile.menu_wanted.connect(self.menu_wanted)
        tile.cancelled.connect(lambda: self._slices.cancel(key))
        return tile

    def _shown(self, session: Session) -> list[int]:
        return [part.key for part in session.slices if part.visible and (session.tiled or part.key == session.active)]

    def _arrange(self, session: Session) -> None:
        shown = self._shown(session)
        columns = self._columns = best_columns(len(shown), self.width(), self.height())
        while self._grid.count():
            self._grid.takeAt(0)
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)
        for column in range(max(columns, self._grid.columnCount())):  # of the same width, whatever names are in them
            self._grid.setColumnStretch(column, int(column < columns))
        for i, key in enumerate(shown):
            self._grid.addWidget(self.tiles[key], i // columns, i % columns)
            self._grid.setRowStretch(i // columns, 1)
        for key, tile in self.tiles.items():
            tile.setVisible(key in shown)
        if not shown:
            self._empty.setText(_why_empty(session, self._opening))
            self._grid.addWidget(self._empty, 0, 0)
        self._empty.setVisible(not shown)
        self._look_soon()

    def _look_soon(self) -> None:
        self._look.start()

    def _look_at_tiles(self) -> None:
        keys = [key for key, tile in self.tiles.items() if not tile.visibleRegion().isEmpty()]
        self._slices.look_at(tuple(keys))
        self._link.linked.align_all()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        session = self._store.session
        if self._columns != best_columns(len(self._shown(session)), self.width(), self.height()):
            self._arrange(session)

    def _started(self, key: int) -> None:
        if key in self.tiles:
            self.tiles[key].started()

    def _computed(self, key: int, result: DrawnSlice) -> None:
        self.tiles[key].show_result(result, not self._slices.computing(key))
        self._link.linked.align(key)

    def _failed(self, key: int, error: Exception) -> None:
        if key not in self.tiles:
            return
        if isinstance(error, Cancelled):
            tile = self.tiles[key]
            told = tile.view.next_note
            tile.show_failure(f"stopped; {told}" if told else "stopped")
        else:
            opened = self._store.session.opened
            assert opened is not None
            self.tiles[key].show_nothing(str(error), place_text(self._store.session.slice(key).plane, opened.domain))


def best_columns(tiles: int, width: int, height: int) -> int:
    """In how many columns slices are largest, as squares in tiles that share so many pixels; those that have no room in
    them scroll."""
    most = max(min(tiles, width // _NARROWEST), 1)

    def side(columns: int) -> float:
        rows = -(-tiles // columns)
        return min(width / columns - _AROUND[0], height / max(rows, 1) - _AROUND[1])

    return max(range(1, most + 1), key=side)


def _why_empty(session: Session, opening: str) -> str:
    """Return why no slice is to be seen, and what to do; opening: what is being read."""
    if session.opened is None:
        return opening or "Open a checkpoint (Ctrl+O) or drop one here."
    if not session.slices:
        return "No slices. Add one with the + button."
    if any(part.visible for part in session.slices):
        return "This slice is hidden. Show it with its eye in the list (H)."
    return "All slices are hidden. Show one with its eye in the list (H)."
