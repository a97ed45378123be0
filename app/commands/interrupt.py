"""Ctrl-C and SIGTERM as questions that long work asks, so that its threads and files end before the program does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Terminated(KeyboardInterrupt):
    """SIGTERM came: the program ends as after Ctrl-C, so that no temporary file stays behind."""


@contextmanager
def termination_raises() -> Iterator[None]:
    """While active, SIGTERM raises Terminated in the main thread; elsewhere signals cannot be caught."""

    def terminate(number: int, frame: FrameType | None) -> None:
        raise Terminated

    with _handling({signal.SIGTERM: terminate}):
        yield


@contextmanager
def cancelled_by_interrupt() -> Iterator[Callable[[], bool]]:
    """Yields a question that answers True after Ctrl-C or SIGTERM, which are raised at the end if it was not heeded."""
    interrupted = threading.Event()
    received: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.append(number)
        interrupted.set()

    with _handling({signal.SIGINT: interrupt, signal.SIGTERM: interrupt}):
        try:
            yield interrupted.is_set
        except KeyboardInterrupt as error:
            if received[:1] == [signal.SIGTERM]:
                raise Terminated(*error.args) from error
            raise
    if received:
        raise Terminated if received[0] == signal.SIGTERM else KeyboardInterrupt


@contextmanager
def _handling(handlers: dict[signal.Signals, Callable[[int, FrameType | None], Any]]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
