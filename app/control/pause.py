"""Pauses of a hand between moves of a plane: what follows one is a step of its own to undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer

from app.state import actions
from app.state.store import Change, Store

_MILLISECONDS: Final = 900  # moves that follow each other faster are one step


class Pause(QObject):
    """held: whether a hand has hold of a plane."""

    def __init__(self, store: Store, held: Callable[[], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._held = store, held
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(_MILLISECONDS)
        self.timer.timeout.connect(self._end)
        store.listen(self._changed)

    def _changed(self, change: Change) -> None:
        if isinstance(change.action, actions.MovePlane):
            self.timer.start()

    def _end(self) -> None:
        if not self._held():
            self._store.history.pause()
