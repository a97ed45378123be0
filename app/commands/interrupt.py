"""Ctrl-C as a question that long work asks, so that its threads end before the program does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def cancelled_by_interrupt() -> Iterator[Callable[[], bool]]:
    """Yields a question that answers True after Ctrl-C; raises KeyboardInterrupt at the end if it was not heeded."""
    interrupted = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        yield interrupted.is_set
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupted.is_set():
        raise KeyboardInterrupt
