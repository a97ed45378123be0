"""One worker shared by several users, each with keys of its own."""

from __future__ import annotations

from collections.abc import Hashable

from PySide6.QtCore import QObject

from app.jobs.worker import Job, Worker


class Lanes(QObject):
    """Jobs of all lanes go to one thread: what is preferred in the leading lane comes first, then in the others."""

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = Worker(name, self)
        self._preferred: dict[Lane, tuple[Hashable, ...]] = {}  # the leading lane first
        self._made = 0

    def lane(self) -> Lane:
        self._made += 1
        return Lane(self, self._worker, self._made)

    def prefer(self, lane: Lane, keys: tuple[Hashable, ...]) -> None:
        self._preferred[lane] = keys
        self._worker.prefer(tuple(key for keys in self._preferred.values() for key in keys))

    def lead(self, lane: Lane) -> None:
        """Let what is preferred in a lane come first from now on."""
        if next(iter(self._preferred), None) is not lane:
            self._preferred = {lane: self._preferred.pop(lane, ()), **self._preferred}
            self.prefer(lane, self._preferred[lane])

    def forget(self, lane: Lane) -> None:
        self._preferred.pop(lane, None)

    def close(self) -> None:
        self._worker.close()


class Lane:
    """As a worker to its user."""

    def __init__(self, lanes: Lanes, worker: Worker, number: int) -> None:
        self._lanes, self._worker, self._number = lanes, worker, number
        self._keys: set[Hashable] = set()
        self._closed = False

    def submit(self, job: Job) -> None:
        if self._closed:
            return
        deliver, fail = job.deliver, job.fail
        job.key = self._of_all(job.key)
        job.deliver = lambda value: None if self._closed else deliver(value)
        job.fail = lambda error: None if self._closed else fail(error)
        self._keys.add(job.key)
        self._worker.submit(job)

    def prefer(self, keys: tuple[Hashable, ...]) -> None:
        self._lanes.prefer(self, tuple(map(self._of_all, keys)))

    def lead(self) -> None:
        self._lanes.lead(self)

    def withdraw(self, key: Hashable) -> None:
        self._worker.withdraw(self._of_all(key))

    def close(self) -> None:
        """Nothing of it is done or delivered any more; the thread is that of all lanes."""
        self._closed = True
        for key in self._keys:
            self._worker.withdraw(key)
        self._lanes.forget(self)

    def _of_all(self, key: Hashable) -> Hashable:
        return self._number, key
