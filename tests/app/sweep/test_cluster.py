"""Sweeps on the workers of Dask."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.sweep import cluster
from app.sweep.task import Row, Task
from tests.app.conftest import Ran
from tests.app.sweep.conftest import table, task_of

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # of a worker that was killed


@pytest.fixture(scope="module")
def scheduler() -> Iterator[distributed.LocalCluster]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as found:
        yield found


def slowly(task: Task) -> Row:
    time.sleep(0.1)
    return {"plane": task.plane, "process": os.getpid()}


def test_a_lost_worker_costs_nothing(
    files: list[Path], scheduler: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_outcome", slowly)
    tasks = [task_of(files[0], f"z={n / 64}") for n in range(10)]
    found = []
    for n, (task, row) in enumerate(cluster.run_on_cluster(tasks, scheduler.scheduler_address)):
        assert isinstance(row, dict)
        found.append((task, row["plane"]))
        if n == 1:
            os.kill(row["process"], signal.SIGKILL)
    assert len(found) == len(tasks)
    assert dict(found) == {task: task.plane for task in tasks}


def test_a_sweep_on_a_cluster_is_the_same_as_here(
    files: list[Path], scheduler: distributed.LocalCluster, splinescope: Callable[..., Ran], in_this_process: None
) -> None:
    arguments = ("sweep", *files, "--plane", "z=0", "--out")
    assert splinescope(*arguments, "here.csv", "--workers", 1).code == 0
    ran = splinescope(*arguments, "there.csv", "--scheduler", scheduler.scheduler_address)
    assert (ran.code, ran.err) == (0, "")
    here, there = table(Path("here.csv")), table(Path("there.csv"))
    for row in (*here, *there):
        del row["seconds"]
    assert here == there


def test_no_scheduler_is_one_line(
    files: list[Path], splinescope: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_SECONDS_TO_CONNECT", 1)
    ran = splinescope("sweep", files[0], "--plane", "z=0", "--out", "t.csv", "--scheduler", "tcp://127.0.0.1:1")
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert "give the address of a Dask scheduler" in ran.err
