"""The window's title: names of the session and of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.control.session_keeper import SessionKeeper
    from app.state.store import Store


class Title(QObject):
    """With a mark while a named session has changes."""

    def __init__(self, store: Store, keeper: SessionKeeper, window: QWidget) -> None:
        super().__init__(window)
        self._store, self._keeper, self._window = store, keeper, window
        keeper.named.connect(self._show)
        self._show()

    def _show(self) -> None:
        opened, path = self._store.session.opened, self._keeper.path
        names = ([] if path is None else [path.name]) + ([] if opened is None else [opened.name])
        shown = [name.replace("[*]", "[*][*]") for name in names]  # so Qt writes what else is the mark's place
        if path is not None:
            shown[0] += "[*]"
        self._window.setWindowTitle(" \N{EM DASH} ".join([*shown, "SplineScope"]))
        self._window.setWindowModified(self._keeper.changed)
