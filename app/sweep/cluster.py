"""Tasks run by the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from app.sweep.local import Outcome
from app.sweep.task import Row, Task, TaskError, run_task

_SECONDS_TO_CONNECT: Final = 20


def run_on_cluster(tasks: Sequence[Task], scheduler: str) -> Iterator[Outcome]:
    """Run tasks on the workers of the scheduler at an address, and yield them as they end, each one once.

    Dask gives the tasks of a worker that is lost to others.  The workers read the checkpoints by the same paths, and
    have this package.  Raises ImportError without `distributed`, OSError when there is no scheduler.
    """
    from distributed import Client, KilledWorker, as_completed

    with Client(scheduler, timeout=_SECONDS_TO_CONNECT) as client:
        futures = {client.submit(_outcome, task, key=f"splinescope-{task.key}", pure=True): task for task in tasks}
        for future in as_completed(futures):
            task = futures[future]
            try:
                yield task, future.result()
            except KilledWorker:
                yield task, TaskError("several workers were lost that cut it; give them more memory")
            except ImportError as error:
                raise TaskError(f"the workers lack a package ({error}); install splinescope there") from error


def _outcome(task: Task) -> Row | TaskError:
    try:
        return run_task(task, None)
    except TaskError as error:
        return error
