"""Running kernels over ranges: on the calling thread when little, else on a few threads; cancelled between pieces."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from engine.errors import Cancelled

Cancel = Callable[[], bool]

_WATCH_SECONDS = 0.02
_PIECE_NANOSECONDS = 400_000.0


def grain(nanoseconds: float) -> int:
    """Items in a piece of work, each of about that many nanoseconds: pieces are long against the waking of a thread."""
    return max(1, int(_PIECE_NANOSECONDS / nanoseconds))


def never() -> bool:
    return False


class Workers:
    """A few threads for one computation.  Kernels are called as kernel(lo, hi, *arguments) and release the GIL.

    How a range is cut into pieces depends on the range alone, so results do not depend on the number of threads.
    """

    def __init__(self, threads: int | None = None, cancel: Cancel = never) -> None:
        self.threads = threads or min(available_cores(), 16)
        self.cancel = cancel
        self._pool: ThreadPoolExecutor | None = None

    def check(self) -> None:
        """Raise Cancelled if the caller has asked for it."""
        if self.cancel():
            raise Cancelled("cancelled by the caller")

    def run(self, kernel: Callable[..., Any], count: int, grain: int, *arguments: Any) -> list[Any]:
        """kernel over 0..count in pieces of about `grain`; their results in order."""
        self.check()
        if count <= grain:
            return [kernel(0, count, *arguments)] if count else []
        pieces = [(lo, min(lo + grain, count)) for lo in range(0, count, grain)]
        results = [None] * len(pieces)
        remaining = iter(range(len(pieces)))  # next() on it is atomic

        def take() -> None:
            for piece in remaining:
                if self.cancel():
                    return
                results[piece] = kernel(*pieces[piece], *arguments)

        helpers = [self._threads.submit(take) for _ in range(min(self.threads, len(pieces)) - 1)]
        take()
        for helper in helpers:
            helper.result()
        self.check()
        return results

    def run_watched(self, kernel: Callable[..., Any], *arguments: Any) -> Any:
        """kernel(*arguments, stop) on another thread: it returns soon after stop[0] becomes 1, which cancelling
        does.
        """
        stop = np.zeros(1, np.uint8)
        future = self._threads.submit(kernel, *arguments, stop)
        while not future.done():
            wait([future], timeout=_WATCH_SECONDS)
            stop[0] = self.cancel()
        self.check()
        return future.result()

    @property
    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="splinescope-engine")
        return self._pool

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _SingleThreadedBlas:
    """Keeps numpy's BLAS on one thread while any computation runs: its idle threads spin, and its pool is not
    reentrant.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before: list[tuple[Any, int]] = []
        self._libraries = ThreadpoolController().select(internal_api="openblas").lib_controllers

    def enter(self) -> None:
        with self._lock:
            if self._users == 0:
                self._before = [(library, library.get_num_threads()) for library in self._libraries]
                for library in self._libraries:
                    library.set_num_threads(1)
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                for library, threads in self._before:
                    library.set_num_threads(threads)


@cache
def _blas() -> _SingleThreadedBlas:
    return _SingleThreadedBlas()


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """numpy's matrix products run on the calling thread inside this context."""
    blas = _blas()
    blas.enter()
    try:
        yield
    finally:
        blas.leave()
