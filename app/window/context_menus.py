"""The menus of the right mouse button and of the menu key: parts of the table, for what is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget, QWidgetAction

from app.control.spots import Spot, Spots
from app.state import actions
from app.state.session import Session
from app.state.store import Change, Store
from app.state.texts.facts_text import title
from app.window.commands.command import Menu
from app.window.commands.commands import Commands
from app.window.commands.table import (
    CHECKPOINT_MENU,
    LINE_MENU,
    PLACE_MENU,
    REGION_MENU,
    SHOW_MENU,
    SLICE_MENU,
    SPACE_MENU,
)
from app.window.parts.controls import in_menu, label, shortened

if TYPE_CHECKING:
    from app.state.session import OpenNetwork, Pin
    from app.views.scene.scene_view import SceneView
    from app.window.panels.slice_board import SliceBoard
    from engine import Neuron

_LONGEST_TITLE: Final = 56  # characters


class ContextMenus(QObject):
    """spot: what the newest menu is about; menu: that menu, while it is there."""

    def __init__(
        self, store: Store, commands: Commands, spots: Spots, board: SliceBoard, view: SceneView, window: QWidget
    ) -> None:
        super().__init__(window)
        self._store, self._commands, self._spots = store, commands, spots
        self._board, self._view, self._window = board, view, window
        self.spot = Spot()
        self.menu: QMenu | None = None
        store.listen(self._changed)

    def calls(self) -> dict[str, Callable[[], object]]:
        """By the names of the commands."""
        return {"context menu": self.call_by_key}

    def _changed(self, change: Change) -> None:
        if change.before.networks is not change.after.networks:
            self.spot = Spot()  # nothing that is closed is kept

    def over_slice(self, place: QPoint) -> None:
        """Over the tile of the active slice, at a place of the screen."""
        key = self._store.session.active
        tile = None if key is None else self._board.tiles.get(key)
        if key is not None and tile is not None:
            spot = self._spots.in_slice(key, QPointF(tile.view.mapFromGlobal(place)))
            self._show(spot, place, (PLACE_MENU, LINE_MENU, REGION_MENU, SLICE_MENU))

    def over_row(self, key: int, place: QPoint) -> None:
        """Over a slice in the list."""
        self._show(Spot(key=key), place, (SLICE_MENU,))

    def in_space(self, at: QPointF) -> None:
        """At a pixel of the 3D view."""
        spot = self._spots.in_space(at)
        parts = (PLACE_MENU, LINE_MENU, REGION_MENU, SPACE_MENU)
        self._show(spot, self._view.mapToGlobal(at).toPoint(), parts, (SLICE_MENU, SHOW_MENU))

    def on_checkpoint(self, opened: OpenNetwork, place: QPoint) -> None:
        self._show(Spot(opened=opened), place, (CHECKPOINT_MENU,))

    def on_neuron(self, neuron: Neuron, place: QPoint) -> None:
        self._show(Spot(neuron=neuron), place, (LINE_MENU,))

    def on_pin(self, pin: Pin, place: QPoint) -> None:
        self._show(Spot(region=pin), place, (REGION_MENU,))

    def call_by_key(self) -> None:
        """As the menu key does, which not every keyboard has."""
        focus = self._window.focusWidget() or self._window
        at = focus.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle).center()
        event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, at, focus.mapToGlobal(at))
        QApplication.sendEvent(focus, event)

    def _show(self, spot: Spot, place: QPoint, parts: tuple[Menu, ...], folded: tuple[Menu, ...] = ()) -> None:
        """folded: parts that are menus of their own inside this one."""
        if self._store.session.opened is None:
            return
        if spot.key is not None and spot.key != self._store.session.active:
            self._store.do(actions.ActivateSlice(spot.key))  # whose commands follow
        self.spot = spot
        menu = self.menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for part in parts:
            names = self._offered(part)
            if any(names):
                self._head(menu, self._title(part))
                self._fill(menu, names)
        for part in folded:
            names = self._offered(part)
            if any(names):
                menu.addSeparator()
                self._fill(menu.addMenu(in_menu(self._title(part), _LONGEST_TITLE)), names)
        menu.popup(place)

    def _offered(self, part: Menu) -> list[str]:
        """Names of the commands that mean something here, "" for a line between them."""
        if part is SLICE_MENU and self.spot.key is None:
            return []
        session = self._store.session
        entries = [entry for entry in part.entries if entry is None or _needed(entry.name)(self.spot, session)]
        return ["" if entry is None else entry.name for entry in entries]

    def _fill(self, menu: QMenu, names: list[str]) -> None:
        for name in names:
            if name:
                menu.addAction(self._commands[name])
            else:
                menu.addSeparator()

    def _head(self, menu: QMenu, text: str) -> None:
        """Name what the entries below are about."""
        if not menu.isEmpty():
            menu.addSeparator()
        head = QWidgetAction(menu)
        head.setDefaultWidget(label(shortened(text, _LONGEST_TITLE), "menuHead"))
        head.setEnabled(False)
        menu.addAction(head)

    def _title(self, part: Menu) -> str:
        spot, session = self.spot, self._store.session
        if part is PLACE_MENU and spot.point is not None and spot.value is not None:
            x, y, z = (f"{coordinate:.4g}" for coordinate in spot.point.tolist())
            where = "surface, " if spot.key is None else ""
            return f"{where}f = {spot.value:.4g} at ({x}, {y}, {z})".replace("-", "\N{MINUS SIGN}")
        if part is LINE_MENU and spot.neuron is not None and session.opened is not None:
            return session.opened.describe(spot.neuron)
        if part is REGION_MENU and spot.region is not None:
            name = title(spot.region.facts)
            return name if spot.pin is None else f"pin {spot.pin.number} \N{MIDDLE DOT} {name.lower()}"
        if part is SLICE_MENU and spot.key is not None:
            return f"slice {session.slice(spot.key).name}"
        return part.title if spot.opened is None else spot.opened.name


_Need = Callable[[Spot, Session], bool]


def _place(spot: Spot, _: Session) -> bool:
    return spot.point is not None


def _hidden_neuron(spot: Spot, session: Session) -> bool:
    return session.has_neuron(spot.neuron)


def _path(spot: Spot, _: Session) -> bool:
    return spot.opened is not None and spot.opened.path is not None


_NEEDS: Final[dict[str, _Need]] = {
    "copy value": _place,
    "copy position": _place,
    "follow": lambda spot, session: session.has_neuron(spot.neuron) and spot.neuron != session.neuron,
    "no highlight": lambda spot, session: spot.neuron is not None and spot.neuron == session.neuron,
    "copy neuron": _hidden_neuron,
    "hide layer": _hidden_neuron,
    "isolate layer": _hidden_neuron,
    "pin": lambda spot, _: spot.region is not None and spot.pin is None,
    "show pin": lambda spot, _: spot.pin is not None,
    "go back": lambda spot, session: spot.pin is not None and not session.in_place(spot.pin),
    "copy facts": lambda spot, _: spot.region is not None,
    "copy facts as JSON": lambda spot, _: spot.region is not None,
    "unpin": lambda spot, _: spot.pin is not None,
    "unpin all": lambda spot, session: spot.pin is not None and len(session.shown_pins) > 1,
    "show checkpoint": lambda spot, session: spot.opened is not session.opened,
    "reload checkpoint": _path,
    "copy path": _path,
    "show in folder": _path,
}
"""Conditions under which commands are offered; others always are."""


def _needed(name: str) -> _Need:
    return _NEEDS.get(name, lambda _spot, _session: True)
