"""Screens with more pixels than the window counts: sharp pictures, and clicks that meet what is drawn."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.app.conftest import ROOT

TORUS = ROOT / "resources" / "checkpoints" / "torus.safetensors"


@pytest.mark.parametrize("factor", ["2", "1.5"])
def test_pictures_are_sharp_and_clicks_meet_what_is_drawn(factor: str) -> None:
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": factor,
    }  # fmt: skip
    command = [sys.executable, "-W", "error", "-m", "tests.app.window.dense_screen", TORUS]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout.splitlines()[-1])
    assert said["ratio"] == float(factor)
    assert said["2D picture"] == said["3D picture"] == [0, 0]
    assert said["level set in 2D"] == said["frame in 3D"] == 1.0
    assert len(said["frame grips"]) >= 4
    assert all(said["frame grips"])
    assert said["handle grips"] == [True, True]
    assert said["regions"] is True
    assert said["facets met"] >= 3
    assert all(said["facets"])
    assert said["hidden"] == [1]
