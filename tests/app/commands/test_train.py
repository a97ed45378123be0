"""Training from the command line; what it trains is tested with sdf_models."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from sdf_models import training
from tests.app.conftest import Ran
from tests.sdf_models.agreement import assert_same_training

Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SAMPLES", 1 << 12)
    monkeypatch.setattr(training, "_REPORT_SAMPLES", 1000)


def options(out: Path) -> list[object]:
    return ["train", "torus(0.6, 0.25)", "--out", out, "--width", 8, "--depth", 2, "--steps", 20, "--batch", 256]


def test_trained_checkpoint_reads_and_slices(splinescope: Run, tmp_path: Path) -> None:
    out = tmp_path / "torus.safetensors"
    ran = splinescope(*options(out))
    assert ran.code == 0, ran.err
    assert "mean |f - d| near the surface" in ran.out
    assert "step 20 of 20, loss" in ran.err
    assert ran.err.count("\n") == 10
    assert f"wrote {out}: 113 parameters" in ran.out
    assert "torus(0.6, 0.25)" in splinescope("info", out).out
    assert splinescope("slice", out, "--plane", "z=0").code == 0


def test_sigterm_saves_the_training_too(splinescope: Run, tmp_path: Path) -> None:
    out = tmp_path / "a.safetensors"
    rate = training._learning_rate

    def learning_rate(settings: training.Settings, step: int) -> float:
        if step == 7:
            signal.raise_signal(signal.SIGTERM)
        return rate(settings, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_learning_rate", learning_rate)
        ran = splinescope(*options(out))
    assert ran.code == 143
    assert "--resume" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors.training"]
    assert splinescope(*options(out), "--resume").code == 0


def test_stages_are_written_besides(splinescope: Run, tmp_path: Path) -> None:
    out = tmp_path / "torus.safetensors"
    ran = splinescope(*options(out), "--stage", "early=5", "--stage", "middle=10")
    assert ran.code == 0, ran.err
    assert f"wrote {tmp_path / 'torus-early.safetensors'}" in ran.out
    assert "5 of 20 steps" in splinescope("info", tmp_path / "torus-early.safetensors").out
    for stage in ("early", "=5", "a/b=5", "early=x", "early=20"):
        ran = splinescope(*options(tmp_path / "b.safetensors"), "--stage", stage)
        assert (ran.code, ran.err.count("\n")) == (2, 1)
        assert "stage" in ran.err
    ran = splinescope(*options(tmp_path / "b.safetensors"), "--stage", "a=5", "--stage", "a=6")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "a name of its own" in ran.err


def test_interrupted_training_resumes_as_if_it_was_not(
    splinescope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learning_rate(settings: training.Settings, step: int) -> float:
        if step == 7:
            signal.raise_signal(signal.SIGINT)
        return rate(settings, step)

    whole, resumed = tmp_path / "whole" / "a.safetensors", tmp_path / "resumed" / "a.safetensors"
    for out in (whole, resumed):
        out.parent.mkdir()
    assert splinescope(*options(whole)).code == 0
    rate = training._learning_rate
    with monkeypatch.context() as patch:
        patch.setattr(training, "_learning_rate", learning_rate)
        ran = splinescope(*options(resumed))
    assert ran.code == 130
    assert "--resume" in ran.err
    assert ran.err.splitlines()[-1].startswith("splinescope: ")
    assert not resumed.exists()
    assert splinescope(*options(resumed), "--resume").code == 0
    assert_same_training(resumed, whole)
    assert list(resumed.parent.iterdir()) == [resumed]
