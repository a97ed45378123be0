"""Tells the window while kernels are compiled, which happens once on a machine and takes a while."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Final

from numba.core.event import Event, Listener, register, unregister
from numba.core.registry import CPUDispatcher
from PySide6.QtCore import QObject, QTimer, Signal

_KIND = "numba:compile"  # not sent for kernels that are loaded from the cache
_PAUSE_MILLISECONDS: Final = 400  # between two kernels of one picture


class Compilation(QObject):
    """changed(on, ready, known): kernels are being compiled, on whatever thread, or none for a while; how many are
    ready, of how many; sent to the window's thread."""

    changed = Signal(bool, int, int)
    _counted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told = (False, 0, 0)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MILLISECONDS)
        self._pause.timeout.connect(lambda: self._tell(False))
        self._counted.connect(self._count)
        self._listener = _Listener(self._counted.emit)
        register(_KIND, self._listener)

    def close(self) -> None:
        unregister(_KIND, self._listener)
        self._pause.stop()

    def _count(self) -> None:
        self._tell(True)
        if self._listener.running:
            self._pause.stop()
        else:
            self._pause.start()

    def _tell(self, on: bool) -> None:
        now = (on, *_kernels()) if on else (False, 0, 0)
        if now != self._told:
            self._told = now
            self.changed.emit(*now)


def _kernels() -> tuple[int, int]:
    """Return the number of the program's kernels that are compiled or loaded, and of all; some may never be needed."""
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in ("app", "engine")]
    known = {id(value): value for module in modules for value in list(vars(module).values()) if _is_kernel(value)}
    return sum(bool(kernel.overloads) for kernel in known.values()), len(known)


def _is_kernel(value: object) -> bool:
    return isinstance(value, CPUDispatcher)


class _Listener(Listener):
    """running: how many kernels are being compiled, those that others call among them."""

    def __init__(self, counted: Callable[[], None]) -> None:
        super().__init__()
        self.running = 0
        self._counted, self._lock = counted, threading.Lock()

    def on_start(self, event: Event) -> None:
        self._add(1)

    def on_end(self, event: Event) -> None:
        self._add(-1)

    def _add(self, more: int) -> None:
        with self._lock:
            self.running = max(self.running + more, 0)  # one that began before this listener was there may end
        self._counted()
