"""A step of a click that may turn out to be the first half of a double click, which means something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

if TYPE_CHECKING:
    from app.state.session import Session
    from app.state.store import Store


class HalfClick(QObject):
    """kept: no second half came."""

    kept = Signal()

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._done: Session | None = None
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(QGuiApplication.styleHints().mouseDoubleClickInterval())
        self._wait.timeout.connect(self._keep)

    def note(self, changed: bool) -> None:
        """There was a click; changed: the session's last step is what it did."""
        self._done = self._store.session if changed else None
        self._wait.start()

    def take_back(self) -> None:
        """The second half came: nothing is left of what the first did."""
        self._wait.stop()
        if self._done is self._store.session:
            self._store.take_back()
        self._done = None

    def _keep(self) -> None:
        self._done = None
        self.kept.emit()
