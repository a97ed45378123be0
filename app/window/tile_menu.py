"""The menu of a slice's tile, and what in it depends on where the mouse called it."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from app.control.hover import Found, Hover
from app.state.store import Store
from app.window.commands.commands import Commands
from app.window.commands.table import TILE_MENU
from app.window.panels.slice_board import SliceBoard
from app.window.panels.slice_tile import SliceTile


class TileMenu(QObject):
    """Made from the table of commands; all of it is about the active slice, which a click on a tile makes it."""

    def __init__(self, store: Store, board: SliceBoard, hover: Hover, commands: Commands, window: QWidget) -> None:
        super().__init__(window)
        self._store, self._board, self._hover, self._commands = store, board, hover, commands
        self._found: Found | None = None  # where the menu was called
        self.menu: QMenu | None = None

    def show(self, place: QPoint) -> None:
        """place: of the screen."""
        tile = self._tile
        if tile is None:
            return
        where = tile.view.at(QPointF(tile.view.mapFromGlobal(place)))
        self._found = None if where is None else self._hover.at(tile.key, *where, 0.0)
        menu = self.menu = QMenu(self._board)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for entry in TILE_MENU.entries:
            if entry is None:
                menu.addSeparator()
            else:
                menu.addAction(self._commands[entry.name])
        menu.popup(place)

    def copy_value(self) -> bool:
        """Copy f where the menu was called, with all its digits; False where there is none."""
        if self._found is None:
            return False
        QGuiApplication.clipboard().setText(repr(self._found.value))
        return True

    def copy_picture(self) -> None:
        QGuiApplication.clipboard().setPixmap(self.picture())

    def picture(self) -> QPixmap:
        """The active slice as it is seen, with its rulers."""
        tile = self._tile
        return QPixmap() if tile is None else tile.view.grab()

    @property
    def _tile(self) -> SliceTile | None:
        active = self._store.session.active
        return None if active is None else self._board.tiles.get(active)
