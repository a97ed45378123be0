"""A thread that works on the newest request of each key, and delivers on the thread that made it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from engine import Cancelled


@dataclass(eq=False, slots=True)
class Job:
    """One request.

    work(context) runs on the worker's thread; deliver gets what it publishes and what it returns, fail the error that
    it raises, both on the thread that owns the worker.  urgent: goes first.  patient: gives way to an urgent one, which
    cancels it, or to one of more use (see `Worker.prefer`); its caller hears of that by `fail` with Cancelled.
    """

    key: Hashable
    work: Callable[[Context], Any]
    deliver: Callable[[Any], None]
    fail: Callable[[Exception], None]
    urgent: bool = False
    patient: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Context:
    """What a running job may ask and say."""

    cancelled: Callable[[], bool]
    publish: Callable[[Any], None]


class Worker(QObject):
    """One thread and one pending place for each key: a newer job takes the place of an older one that waits.

    A running job is not cancelled by a newer one of its key, unless it is patient: under a stream of requests some
    must come to an end.  A patient one also gives way to the first of the keys that are preferred.
    """

    _published = Signal(object, object)
    _done = Signal(object, object, object)

    def __init__(self, name: str, parent: QObject | None = None, at_end: Callable[[], None] | None = None) -> None:
        """at_end: done on the thread, last of all."""
        super().__init__(parent)
        self._at_end = at_end
        self._wake = threading.Condition()
        self._waiting: dict[Hashable, Job] = {}
        self._preferred: tuple[Hashable, ...] = ()
        self._running: Job | None = None
        self._begun: set[Job] = set()  # and not yet delivered
        self._closed = False
        self._published.connect(self._deliver_part, Qt.ConnectionType.QueuedConnection)
        self._done.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name=f"splinescope-{name}")
        self._thread.start()

    def submit(self, job: Job) -> None:
        with self._wake:
            self._waiting[job.key] = (
                job  # in the place of the one before: under a stream of requests all have their turn
            )
            running = self._running
            first = (*self._preferred[:1], None if running is None else running.key)
            if running is not None and running.patient and (job.urgent or job.key in first):
                running.cancelled.set()
            self._wake.notify()

    def prefer(self, keys: tuple[Hashable, ...]) -> None:
        """Of jobs that wait, urgent ones first, begin those of these keys in this order before any other."""
        with self._wake:
            changed, self._preferred = keys[:1] != self._preferred[:1], keys
            running = self._running
            if changed and running is not None and running.patient and keys[:1] and keys[0] in self._waiting:
                running.cancelled.set()

    def withdraw(self, key: Hashable) -> None:
        """Forget the waiting job of a key and cancel those begun; none is delivered any more."""
        with self._wake:
            self._waiting.pop(key, None)
            for job in self._begun:
                if job.key == key:
                    job.cancelled.set()

    @property
    def busy(self) -> bool:
        with self._wake:
            return self._running is not None or bool(self._waiting)

    def close(self) -> None:
        """Cancel everything and wait for the thread to end; nothing is delivered after this."""
        with self._wake:
            self._closed = True
            self._waiting.clear()
            if self._running is not None:
                self._running.cancelled.set()
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            context = Context(job.cancelled.is_set, partial(self._publish, job))
            try:
                result, error = job.work(context), None
            except Exception as raised:  # a thread has no caller to raise to: `fail` is told instead
                result, error = None, raised
            with self._wake:
                self._running = None
                closed = self._closed
            if not closed:
                self._done.emit(job, result, error)
            del job, context, result, error  # what was done is not kept in memory until there is something to do again
        if self._at_end is not None:
            self._at_end()

    def _publish(self, job: Job, value: Any) -> None:
        self._published.emit(job, value)

    def _next(self) -> Job | None:
        with self._wake:
            while not self._waiting and not self._closed:
                self._wake.wait()
            if self._closed:
                return None
            wanted = (key for key in self._preferred if key in self._waiting)
            first = next(wanted, next(iter(self._waiting)))
            key = next((key for key, job in self._waiting.items() if job.urgent), first)
            self._running = self._waiting.pop(key)
            self._begun.add(self._running)
            return self._running

    def _deliver_part(self, job: Job, value: Any) -> None:
        if not self._closed and not job.cancelled.is_set():
            job.deliver(value)

    def _deliver(self, job: Job, result: Any, error: Exception | None) -> None:
        with self._wake:
            self._begun.discard(job)
        if self._closed:
            return
        if error is not None:
            job.fail(error)
        elif not job.cancelled.is_set():
            job.deliver(result)
        else:
            job.fail(Cancelled("cancelled by a newer request"))


def unless_cancelled(error: Exception) -> None:
    """What a job fails with that nobody has an answer to: raised where the window tells of it."""
    if not isinstance(error, Cancelled):
        raise error
