"""Tells the window when kernels are compiled, which happens once on a machine and takes a while."""

from __future__ import annotations

from numba.core.event import Event, Listener, register, unregister
from PySide6.QtCore import QObject, Signal

_KIND = "numba:compile"  # not sent for kernels that are loaded from the cache


class Compilation(QObject):
    """started: a kernel is being compiled; once, on the thread of the window."""

    started = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._listener = _Listener(self)
        register(_KIND, self._listener)

    def close(self) -> None:
        unregister(_KIND, self._listener)


class _Listener(Listener):
    def __init__(self, owner: Compilation) -> None:
        super().__init__()
        self._owner = owner
        self._told = False

    def on_start(self, event: Event) -> None:
        if not self._told:
            self._told = True
            self._owner.started.emit()

    def on_end(self, event: Event) -> None:
        pass
