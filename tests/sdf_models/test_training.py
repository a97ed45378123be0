"""Training is the same but for rounding each time, can be interrupted anywhere, and reports what it reached."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from sdf_models import load_checkpoint, training
from sdf_models.targets import load_target
from sdf_models.training import TrainingCancelled, TrainingError, TrainingReport, train
from tests.sdf_models.agreement import ERRORS, assert_same_training

STEPS = 24
TARGETS = cache(load_target)


@pytest.fixture(autouse=True)
def _few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few enough that the steps below are several epochs; the target is meshed once."""
    monkeypatch.setattr(training, "SAMPLES", 4096)
    monkeypatch.setattr(training, "_REPORT_SAMPLES", 20_000)
    monkeypatch.setattr(training, "load_target", TARGETS)


def tiny(out: Path, **options: object) -> TrainingReport:
    arguments = {"width": 8, "depth": 2, "steps": STEPS, "batch": 500, "learning_rate": 0.01, "seed": 3}
    return train("torus(0.5, 0.25)", out, **(arguments | options))  # type: ignore[arg-type]


def test_equal_arguments_give_the_same_training_and_others_do_not(tmp_path: Path) -> None:
    seen: list[tuple[int, int, float]] = []
    threads = torch.get_num_threads()
    paths = [tmp_path / name / "net.safetensors" for name in "abc"]
    for path, options in zip(paths, ({}, {"progress": lambda *step: seen.append(step)}, {"seed": 4}), strict=True):
        path.parent.mkdir()
        tiny(path, **options)
        assert os.listdir(path.parent) == [path.name]
    assert_same_training(paths[0], paths[1])
    with pytest.raises(AssertionError, match="not close"):
        assert_same_training(paths[0], paths[2])
    assert [(step, steps) for step, steps, _ in seen] == [(i + 1, STEPS) for i in range(STEPS)]
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("stop", [1, 8, 17, STEPS - 1])
def test_cancelled_and_resumed_equals_uninterrupted(tmp_path: Path, stop: int) -> None:
    whole, parts = tmp_path / "a" / "net.safetensors", tmp_path / "b" / "net.safetensors"
    for path in (whole, parts):
        path.parent.mkdir()
    tiny(whole)
    done: list[int] = []
    with pytest.raises(TrainingCancelled, match=f"{stop} of {STEPS}"):
        tiny(parts, progress=lambda step, *_: done.append(step), cancel=lambda: len(done) == stop)
    assert not parts.exists()
    tiny(parts, resume=True, progress=lambda step, *_: done.append(step))
    assert done == list(range(1, STEPS + 1))
    assert_same_training(parts, whole)
    assert os.listdir(parts.parent) == [parts.name]


def test_cancelled_before_the_first_step_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TrainingCancelled, match="before the first step"):
        tiny(tmp_path / "net.safetensors", cancel=lambda: True)
    assert os.listdir(tmp_path) == []


def test_killed_and_resumed_equals_uninterrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class KilledError(Exception):
        pass

    def kill(step: int, steps: int, loss: float) -> None:
        if step == 10:
            raise KilledError

    monkeypatch.setattr(training, "_SAVE_SECONDS", -1.0)
    (tmp_path / "a").mkdir()
    tiny(tmp_path / "a" / "net.safetensors")
    with pytest.raises(KilledError):
        tiny(tmp_path / "net.safetensors", progress=kill)
    done: list[int] = []
    tiny(tmp_path / "net.safetensors", resume=True, progress=lambda step, *_: done.append(step))
    assert done[0] == 10
    assert_same_training(tmp_path / "net.safetensors", tmp_path / "a" / "net.safetensors")


def test_state_of_another_training_is_not_resumed(tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    done: list[int] = []
    with pytest.raises(TrainingCancelled):
        tiny(out, progress=lambda step, *_: done.append(step), cancel=lambda: bool(done))
    with pytest.raises(TrainingError, match=r"belongs to another training; .*delete it"):
        tiny(out, resume=True, learning_rate=0.02)
    state = tmp_path / "net.safetensors.training"
    state.write_bytes(state.read_bytes()[:100])
    with pytest.raises(TrainingError, match=r"cannot be read .*delete it"):
        tiny(out, resume=True)


def test_report_agrees_with_an_independent_evaluation(tmp_path: Path) -> None:
    report = tiny(tmp_path / "net.safetensors", steps=400)
    assert report.box_error < 0.1
    checkpoint = load_checkpoint(report.out)
    weights = {name: tensor.double().numpy() for name, tensor in checkpoint.module.state_dict().items()}
    rng = np.random.default_rng(99)

    def network(x: np.ndarray) -> np.ndarray:
        for name in ("linear0", "linear1"):
            x = np.maximum(x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"], 0)
        return x @ weights["output.weight"][0] + weights["output.bias"]

    def error(points: np.ndarray) -> float:
        distance = np.hypot(np.hypot(points[:, 0], points[:, 1]) - 0.5, points[:, 2]) - 0.25
        return float(np.abs(network(points) - distance).mean())

    u, v = rng.uniform(0, 2 * np.pi, (2, 100_000))
    keep = rng.uniform(0, 0.75, u.shape) < 0.5 + 0.25 * np.cos(v)  # the torus's area is not uniform in its angles
    u, v = u[keep], v[keep]
    ring = 0.5 + 0.25 * np.cos(v)
    surface = np.stack([ring * np.cos(u), ring * np.sin(u), 0.25 * np.sin(v)], axis=1)
    assert report.surface_error == pytest.approx(error(surface), rel=0.03)
    assert report.near_error == pytest.approx(error(surface + rng.normal(0, training.NEAR, surface.shape)), rel=0.03)
    assert report.box_error == pytest.approx(error(rng.uniform(-1, 1, (100_000, 3))), rel=0.03)
    step = 1e-6 * np.eye(3)
    slope = np.stack([(network(surface + h) - network(surface - h)) / 2e-6 for h in step], axis=1)
    assert report.slope_error == pytest.approx(np.abs(np.linalg.norm(slope, axis=1) - 1).mean(), rel=0.03)
    assert report.parameters == sum(array.size for array in weights.values())
    provenance = checkpoint.provenance
    for name in ERRORS:
        assert provenance[name].startswith(f"{getattr(report, name):.3g}, ")
    assert provenance["command"] == (
        "splinescope train 'torus(0.5, 0.25)' --out net.safetensors"
        " --width 8 --depth 2 --steps 400 --batch 500 --learning-rate 0.01 --seed 3 --threads 1"
    )
    assert str(tmp_path) not in str({**provenance, "path": ""})


@pytest.mark.parametrize(
    "options",
    [
        {"width": 0},
        {"depth": 0},
        {"steps": 0},
        {"batch": 0},
        {"batch": 10**9},
        {"seed": -1},
        {"threads": 0},
        {"threads": 100_000},
        {"learning_rate": 0.0},
    ],
)
def test_bad_options_are_named(tmp_path: Path, options: dict[str, float]) -> None:
    with pytest.raises(TrainingError, match=rf"^{next(iter(options))} must be"):
        tiny(tmp_path / "net.safetensors", **options)


def test_missing_folder_is_named_before_training(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="make it first"):
        tiny(tmp_path / "nowhere" / "net.safetensors")


def test_stages_are_the_same_training_after_fewer_steps(tmp_path: Path) -> None:
    plain, staged = tmp_path / "a" / "net.safetensors", tmp_path / "b" / "net.safetensors"
    for path in (plain, staged):
        path.parent.mkdir()
    tiny(plain)
    done: list[int] = []
    with pytest.raises(TrainingCancelled):
        tiny(
            staged,
            stages={"early": 5, "middle": 12},
            progress=lambda step, *_: done.append(step),
            cancel=lambda: len(done) == 8,
        )
    assert sorted(os.listdir(staged.parent)) == ["net-early.safetensors", "net.safetensors.training"]
    tiny(staged, stages={"early": 5, "middle": 12}, resume=True)
    early, middle, last = (staged.with_name(f"net{name}.safetensors") for name in ("-early", "-middle", ""))
    assert sorted(os.listdir(staged.parent)) == sorted(path.name for path in (early, middle, last))
    state, expected = load_checkpoint(last).module.state_dict(), load_checkpoint(plain).module.state_dict()
    torch.testing.assert_close(dict(state), dict(expected), rtol=0.0, atol=1e-5)
    assert "5 of 24 steps" in load_checkpoint(early).provenance["training"]
    assert load_checkpoint(middle).provenance["command"].endswith("--stage early=5 --stage middle=12")
    for step in (0, STEPS):
        with pytest.raises(TrainingError, match="the stage late must lie between"):
            tiny(plain, stages={"late": step})
