"""Tasks run by processes of this machine; a process that ends on its own costs the sweep one task at most."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

from app.sweep.task import Row, Task, TaskError, run_task

Outcome = tuple[Task, Row | TaskError]

_TRIES: Final = 2  # of a task whose process ends: the first time another program may have taken the memory


def run_here(tasks: Sequence[Task], workers: int, threads: int) -> Iterator[Outcome]:
    """Run tasks in `workers` processes of `threads` each, and yield them as they end, each one once.

    A task whose process was ended twice, as a system without memory does, yields a TaskError.  The processes end when
    the iterator is closed.
    """
    waiting, tries = deque(tasks), dict.fromkeys(tasks, 0)
    processes = [_Process(threads) for _ in range(min(workers, len(tasks)))]
    try:
        while waiting or any(process.task for process in processes):
            for process in processes:
                if waiting and process.task is None:
                    process.begin(waiting.popleft())
            ready = wait([process.pipe for process in processes if process.task])
            for process in [process for process in processes if process.pipe in ready]:
                task = process.task
                assert task is not None
                try:
                    yield task, process.result()
                except EOFError:
                    ended = process.why_ended()
                    processes[processes.index(process)] = _Process(threads)
                    tries[task] += 1
                    if tries[task] < _TRIES:
                        waiting.append(task)
                    else:
                        yield task, TaskError(f"{ended}; run it again with fewer workers, or on a larger machine")
    finally:
        for process in processes:
            process.end()


class _Process:
    """One process, and the task that it has."""

    def __init__(self, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.task: Task | None = None
        self._process: SpawnProcess = context.Process(target=_work, args=(theirs, threads), daemon=True)
        self._process.start()
        theirs.close()

    def begin(self, task: Task) -> None:
        self.task = task
        with suppress(BrokenPipeError):  # it has ended: told by `result`
            self.pipe.send(task)

    def result(self) -> Row | TaskError:
        """The outcome of its task.  Raises EOFError when the process has ended instead."""
        try:
            found: Row | TaskError = self.pipe.recv()
        except ConnectionResetError as error:
            raise EOFError from error
        self.task = None
        return found

    def why_ended(self) -> str:
        self._process.join()
        code = self._process.exitcode or 0
        name = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        self.end()
        return f"the process that cut it was ended {name} twice" + (
            ", as a system does that is out of memory" if code == -getattr(signal, "SIGKILL", 9) else ""
        )

    def end(self) -> None:
        self._process.terminate()
        self._process.join()
        self._process.close()
        self.pipe.close()


def _work(pipe: Connection, threads: int) -> None:
    """Answer tasks until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes: the sweep ends them
    while True:
        try:
            task = pipe.recv()
            try:
                found: Row | TaskError = run_task(task, threads)
            except TaskError as error:
                found = error
            pipe.send(found)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return
