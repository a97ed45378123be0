"""Two small checkpoints in an empty folder, and a file of planes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.sweep import local
from app.sweep.task import Task, TaskError, content_of, run_task
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, random_module


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    paths = [tmp_path / f"step-{n}.safetensors" for n in range(2)]
    for n, path in enumerate(paths):
        save_checkpoint(path, random_module(n), DOMAIN, {"target": "nothing"})
    (tmp_path / "planes.txt").write_text("# across\nz=0.25\n\norigin=0,0,0.1 normal=1,1,1  # oblique\n")
    return paths


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks run here: processes of their own would import everything and load all kernels once more."""

    def run_here(tasks: Sequence[Task], workers: int, threads: int) -> Iterator[local.Outcome]:
        for task in tasks:
            try:
                yield task, run_task(task, threads)
            except TaskError as error:
                yield task, error

    monkeypatch.setattr(local, "run_here", run_here)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def task_of(path: Path, plane: str = "z=0.25") -> Task:
    return Task(path.name, str(path), content_of(path), "{}", plane, 0.0, "0")
