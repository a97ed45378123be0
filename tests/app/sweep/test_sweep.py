"""Sweeps: every pair once, whatever ends in between."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.comparison.measures import BY_KEY
from app.sweep import local
from app.sweep.results import read_result, results_folder, write_result
from app.sweep.task import Row, Task, TaskError, run_task
from engine import Network, SlicePlane, level_set, partition_slice
from sdf_models import load_checkpoint, save_checkpoint
from tests.app.conftest import DEPTH, DOMAIN, Ran, random_module
from tests.app.sweep.conftest import table, task_of

Run = Callable[..., Ran]


def test_a_row_for_every_pair(files: list[Path], splinescope: Run) -> None:
    ran = splinescope("sweep", *files, "--planes", "planes.txt", "--plane", "y=0", "--out", "t.csv", "--workers", 2)
    assert (ran.code, ran.err) == (0, "")
    rows = table(Path("t.csv"))
    assert [row["checkpoint"] for row in rows] == [str(path) for path in files for _ in range(3)]
    assert len({row["plane"] for row in rows}) == 3
    for row, path in zip(rows[::3], files, strict=True):  # y=0 comes first
        checkpoint = load_checkpoint(path)
        network = Network.trace(checkpoint.module, input_shape=(3,))
        found = partition_slice(network, SlicePlane.parse("y=0"), checkpoint.domain)
        assert int(row["regions"]) == found.regions
        assert int(row["edges"]) == len(found.edges)
        lengths = np.linalg.norm(np.diff(found.vertices[found.edges], axis=1)[:, 0], axis=1)
        for depth in range(DEPTH):
            on_depth = found.edge_layer == depth
            assert int(row[f"lines_{depth}"]) == len(np.unique(found.edge_neuron[on_depth]))
            assert float(row[f"line_length_{depth}"]) == pytest.approx(lengths[on_depth].sum(), rel=1e-12)
        assert float(row["area"]) == pytest.approx(4.0, rel=1e-12)
        assert float(row["level_length"]) == pytest.approx(level_set(found).length, rel=1e-12)
        assert set(row) - set(BY_KEY) == {
            "checkpoint", "plane", "level", "area", "vertices", "edges", "unexamined", "seconds",
            *(f"{key}_{depth}" for key in ("lines", "line_length") for depth in range(DEPTH)),
        }  # fmt: skip


def test_a_sweep_goes_on_where_it_stopped(files: list[Path], splinescope: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("sweep", *files, "--planes", "planes.txt", "--out", "t.csv", "--workers", 1)
    run: list[str] = []

    def here(tasks: list[Task], workers: int, threads: int) -> object:
        for task in tasks:
            if len(run) == 3:
                raise KeyboardInterrupt
            run.append(task.key)
            yield task, run_task(task, threads)

    monkeypatch.setattr(local, "run_here", here)
    assert splinescope(*arguments).code == 130
    assert not Path("t.csv").exists()
    assert {path.stem for path in results_folder(Path("t.csv")).iterdir()} == set(run)
    (damaged := next(results_folder(Path("t.csv")).iterdir())).write_text("{")
    run.remove(damaged.stem)
    done = list(run)
    run.clear()
    ran = splinescope(*arguments)
    assert ran.code == 0
    assert "2 of them before" in ran.out
    assert len(run) == 2
    assert not set(run) & set(done)
    first = Path("t.csv").read_bytes()
    monkeypatch.setattr(local, "run_here", lambda *_: pytest.fail("all is done"))
    assert splinescope(*arguments).code == 0
    assert Path("t.csv").read_bytes() == first


def test_jobs_of_an_array_share_a_folder(files: list[Path], splinescope: Run, in_this_process: None) -> None:
    arguments = ("sweep", *files, "--planes", "planes.txt", "--out", "t.csv", "--workers", 1)
    ran = splinescope(*arguments, "--part", "2/2")
    assert ran.code == 0
    assert ran.out.startswith("2 of 4 tasks done")
    assert not Path("t.csv").exists()
    assert splinescope(*arguments, "--part", "1/2").code == 0
    assert len(table(Path("t.csv"))) == 4


def test_a_failed_task_is_a_row_with_its_reason(files: list[Path], splinescope: Run, in_this_process: None) -> None:
    files[1].write_bytes(b"nothing")
    ran = splinescope("sweep", *files, "--plane", "z=0", "--out", "t.csv", "--workers", 1)
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert "1 task of 2 failed" in ran.err
    good, bad = table(Path("t.csv"))
    assert int(good["regions"]) > 1
    assert good["error"] == ""
    assert bad["regions"] == ""
    assert files[1].name in bad["error"]
    save_checkpoint(files[1], random_module(1), DOMAIN, {"target": "nothing"})
    assert splinescope("sweep", *files, "--plane", "z=0", "--out", "t.csv", "--workers", 1).code == 0
    assert "error" not in table(Path("t.csv"))[0]


def test_only_content_decides_the_name_of_a_result(files: list[Path]) -> None:
    task = task_of(files[0])
    moved = files[0].with_name("moved.safetensors")
    shutil.copy(files[0], moved)
    assert replace(task_of(moved)).key == task.key
    for change in ({"plane": "z=0.3"}, {"level": 0.1}, {"reading": '{"flip_sign": "yes"}'}):
        assert replace(task, **change).key != task.key
    moved.with_name(moved.name + ".reading.json").write_text('{"flip_sign": "yes"}')
    assert task_of(moved).key != task.key


def test_a_file_that_changes_meanwhile_is_no_other_result(files: list[Path]) -> None:
    task = task_of(files[0])
    save_checkpoint(files[0], random_module(7), DOMAIN, {"target": "nothing"})
    with pytest.raises(TaskError, match="has changed"):
        run_task(task, 1)


def test_results_come_back_as_they_were(tmp_path: Path, files: list[Path]) -> None:
    task, row = task_of(files[0]), {"plane": "z=0.25", "area": 0.1 + 0.2, "regions": 3}
    write_result(tmp_path, task, row)
    assert read_result(tmp_path, task) == row
    assert read_result(tmp_path, task_of(files[1])) is None


def end_once(task: Task, threads: int) -> Row:
    """Run a task, but end the process the first time that one of z=0.25 comes."""
    mark = Path(task.file).with_suffix(".ended")
    if task.plane == "z=0.25" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"plane": task.plane, "process": os.getpid()}


def end_always(task: Task, threads: int) -> Row:
    if task.plane == "z=0.25":
        os.kill(os.getpid(), signal.SIGKILL)
    return {"plane": task.plane}


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that know what the test has replaced, and begin at once."""
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system cannot fork")
    fork = multiprocessing.get_context("fork")
    monkeypatch.setattr(local.multiprocessing, "get_context", lambda _: fork)


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
@pytest.mark.parametrize("ending", [end_once, end_always])
def test_a_process_that_is_killed_loses_nothing(
    files: list[Path], forked: None, monkeypatch: pytest.MonkeyPatch, ending: Callable[[Task, int], Row]
) -> None:
    monkeypatch.setattr(local, "run_task", ending)
    tasks = [task_of(files[0], f"z={n / 4}") for n in range(8)]
    found = list(local.run_here(tasks, 2, 1))
    assert len(found) == len(tasks)
    outcomes = dict(found)
    assert outcomes.keys() == set(tasks)
    for task, outcome in outcomes.items():
        if ending is end_always and task.plane == "z=0.25":
            assert isinstance(outcome, TaskError)
            assert "SIGKILL" in str(outcome)
        else:
            assert isinstance(outcome, dict)
            assert outcome["plane"] == task.plane
    assert not multiprocessing.active_children()


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_processes_end_with_the_sweep(files: list[Path], forked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "run_task", end_always)
    outcomes = local.run_here([task_of(files[0], f"z={n}") for n in range(3)], 2, 1)
    next(outcomes)
    assert multiprocessing.active_children()
    outcomes.close()
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plane", "z=0", "--out", "t.txt"], "unknown kind of output"),
        (["--out", "t.csv"], "no plane to slice along"),
        (["--planes", "none.txt", "--out", "t.csv"], "none.txt: No such file"),
        (["--planes", "bad.txt", "--out", "t.csv"], "bad.txt, line 2: "),
        (["--plane", "z=0", "--plane", "z=0", "--out", "t.csv"], "is given twice"),
        (["--plane", "z=0", "--out", "t.csv", "--part", "3/2"], "is no part"),
        (["--plane", "z=0", "--out", "t.csv", "--workers", "0"], "is not a number from 1"),
        (["--plane", "z=0", "--out", "t.csv", "--bounds", "1,0"], "--bounds takes a range"),
        (["--plane", "z=0", "--out", "t.csv", "--workers", "1", "--scheduler", "tcp://x:1"], "leave one out"),
    ],
)
def test_what_cannot_be_done_is_one_line(files: list[Path], splinescope: Run, arguments: list[str], said: str) -> None:
    Path("bad.txt").write_text("z=0\nz=zero\n")
    ran = splinescope("sweep", files[0], *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert not Path("t.csv").exists()


def test_a_missing_checkpoint_is_told_before_anything_is_done(files: list[Path], splinescope: Run) -> None:
    ran = splinescope("sweep", files[0], "spt", "--plane", "z=0", "--out", "t.csv")
    assert ran.code == 2
    assert "did you mean spot?" in ran.err
    assert not results_folder(Path("t.csv")).exists()


def test_results_are_plain_json(files: list[Path], splinescope: Run, in_this_process: None) -> None:
    splinescope("sweep", files[0], "--plane", "z=0", "--out", "t.csv", "--workers", 1)
    (file,) = results_folder(Path("t.csv")).iterdir()
    row = json.loads(file.read_text())
    assert row["unexamined"] == 0
    assert row["regions"] >= row["linear_regions"] > 1
