"""Running kernels over ranges: on the calling thread when little, else on a few threads; cancelled between pieces."""

from __future__ import annotations

import importlib
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise, product
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from engine.errors import Cancelled

Cancel = Callable[[], bool]
Stop = NDArray[np.uint8]
"""(1,): set to 1 when a kernel is to give up, and what it has done is of no use."""

NEVER_STOP: Stop = np.zeros(1, np.uint8)

_WATCH_SECONDS = 0.02
PIECE_NANOSECONDS = 400_000.0


def grain(nanoseconds: float) -> int:
    """Items in a piece of work, each of about that many nanoseconds: pieces are long against the waking of a thread."""
    return max(1, int(PIECE_NANOSECONDS / nanoseconds))


def equal_pieces(total: float, most: float) -> int:
    """How many equal pieces, of at most `most`, work is cut into: one, or an even number, for two threads to share."""
    pieces = math.ceil(total / most)
    return pieces if pieces <= 1 else pieces + pieces % 2


def equal_ends(count: int, grain: int) -> list[int]:
    """Where equal pieces of the range 0..count, of at most `grain`, begin and end; none of them is empty."""
    pieces = min(equal_pieces(count, grain), count)
    return [*(count * i // pieces for i in range(pieces)), count]


def never() -> bool:
    return False


class Workers:
    """A few threads for one computation.  Kernels are called as kernel(lo, hi, *arguments) and release the GIL.

    How a range is cut into pieces depends on the range alone, so kernels give the same with any number of threads;
    where they multiply matrices, as far as BLAS gives equal bits for equal operands wherever these lie.
    """

    def __init__(self, threads: int | None = None, cancel: Cancel | None = None) -> None:
        self.threads = threads or min(available_cores(), 16)
        self._cancel, self._cancelled = cancel or never, False
        self._errands: SimpleQueue[_Errand | None] = SimpleQueue()
        self._helpers: list[threading.Thread] = []

    def cancel(self) -> bool:
        """Whether the caller has ever asked to stop: work that was left out once stays left out."""
        self._cancelled = self._cancelled or bool(self._cancel())
        return self._cancelled

    def check(self) -> None:
        """Raise Cancelled if the caller has asked for it."""
        if self.cancel():
            raise Cancelled("cancelled by the caller")

    def run(self, kernel: Callable[..., Any], count: int, grain: int, *arguments: Any) -> list[Any]:
        """kernel over 0..count in equal pieces of at most `grain`; their results in order."""
        return self.run_pieces(kernel, equal_ends(count, grain), *arguments)

    def run_pieces(self, kernel: Callable[..., Any], ends: Sequence[int], *arguments: Any) -> list[Any]:
        """kernel over the pieces between consecutive `ends`; their results in order."""
        self.check()
        pieces = list(pairwise(ends))
        if len(pieces) <= 1:
            return [kernel(*piece, *arguments) for piece in pieces]
        results: list[Any] = [None] * len(pieces)
        remaining = iter(range(len(pieces)))  # next() on it is atomic

        def take() -> None:
            for piece in remaining:
                if self.cancel():
                    return
                results[piece] = kernel(*pieces[piece], *arguments)

        errands = self._send(take, min(self.threads, len(pieces)) - 1)
        try:
            take()
        finally:
            for errand in errands:
                errand.wait()
        for errand in errands:
            errand.check()
        self.check()
        return results

    def run_watched(self, kernel: Callable[..., Any], ends: Sequence[int], *arguments: Any) -> list[Any]:
        """Like run_pieces, for pieces that may be long: all on other threads, as kernel(lo, hi, *arguments, stop),
        which returns soon after stop[0] becomes 1.  Cancelling sets that.
        """
        self.check()
        stop, pieces = np.zeros(1, np.uint8), list(pairwise(ends))
        results: list[Any] = [None] * len(pieces)
        remaining = iter(range(len(pieces)))

        def take() -> None:
            for piece in remaining:
                if stop[0]:
                    return
                results[piece] = kernel(*pieces[piece], *arguments, stop)

        errands = self._send(take, min(self.threads, len(pieces)))
        try:
            while not all(errand.wait(_WATCH_SECONDS) for errand in errands) and not self.cancel():
                pass
        finally:
            stop[0] = 1
            for errand in errands:
                errand.wait()
        self.check()
        for errand in errands:
            errand.check()
        return results

    def _send(self, work: Callable[[], None], helpers: int) -> list[_Errand]:
        """Have so many threads do the same work."""
        while len(self._helpers) < helpers:
            helper = threading.Thread(target=_run_errands, args=(self._errands,), name="splinescope-engine")
            helper.start()
            self._helpers.append(helper)
        errands = [_Errand(work) for _ in range(helpers)]
        for errand in errands:
            self._errands.put(errand)
        return errands

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for _helper in self._helpers:
            self._errands.put(None)
        for helper in self._helpers:
            helper.join()


class _Errand:
    """What another thread does: a future without all that makes futures as long as a small piece of work."""

    __slots__ = ("_error", "_under_way", "_work")

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._error: Exception | None = None
        self._under_way = threading.Lock()
        self._under_way.acquire()

    def run(self) -> None:
        try:
            self._work()
        except Exception as error:  # a thread has no caller to raise to: `check` does
            self._error = error
        finally:
            self._under_way.release()

    def wait(self, seconds: float = -1) -> bool:
        """Whether it has ended; waits for that, so long at most."""
        ended = self._under_way.acquire(timeout=seconds)
        if ended:
            self._under_way.release()
        return ended

    def check(self) -> None:
        """Raise what the work has raised."""
        if self._error is not None:
            raise self._error


def _run_errands(errands: SimpleQueue[_Errand | None]) -> None:
    while (errand := errands.get()) is not None:
        errand.run()
        del errand  # and with it what its work holds on to, while there is nothing to do


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _SingleThreadedBlas:
    """Keeps numpy's and scipy's BLAS on one thread while any computation runs: its idle threads spin, and its pool is
    not
    reentrant.

    threadpoolctl finds the library, but lets only one thread of a process change it; here a counter and a lock see to
    that, so the library's own functions are called.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before: list[int] = []
        importlib.import_module(
            "scipy.linalg.cython_blas"
        )  # kernels' products are scipy's: it must be there to be found
        found = ThreadpoolController().select(internal_api="openblas").lib_controllers
        self._libraries = [_thread_functions(library.dynlib) for library in found]

    def enter(self) -> None:
        with self._lock:
            if self._users == 0:
                self._before = [get() for get, _ in self._libraries]
                for _, put in self._libraries:
                    put(1)
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                for (_, put), threads in zip(self._libraries, self._before, strict=True):
                    put(threads)


def _thread_functions(library: Any) -> tuple[Callable[[], int], Callable[[int], None]]:
    """The functions of an OpenBLAS that get and set its number of threads; builds differ in the names' affixes."""
    for prefix, suffix in product(("", "scipy_"), ("", "64_", "_64")):
        if hasattr(library, f"{prefix}openblas_set_num_threads{suffix}"):
            get = getattr(library, f"{prefix}openblas_get_num_threads{suffix}")
            return get, getattr(library, f"{prefix}openblas_set_num_threads{suffix}")
    return (lambda: 1), (lambda _: None)


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
