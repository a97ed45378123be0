"""The checkpoints that come with the project are what their metadata says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from sdf_models import load_checkpoint
from sdf_models.targets import load_target
from sdf_models.training import evaluate
from tests.sdf_models.files import BOX, SHARED_DATA

pytest.importorskip("vtkmodules.vtkFiltersCore", reason="distances to meshes need the train extra")

FOLDER = Path(__file__).parents[2] / "resources" / "checkpoints"
SIZES = {"spot": (64, 8), "spot-early": (64, 8), "spot-middle": (64, 8), "gyroid": (48, 6), "torus": (16, 3)}
STAGES = ("spot-early", "spot-middle", "spot")
ERRORS = ("near_error", "box_error", "surface_error", "slope_error")


@pytest.mark.parametrize("name", sorted(SIZES))
def test_shipped_checkpoint_fits_what_it_was_fitted_to(name: str) -> None:
    checkpoint = load_checkpoint(FOLDER / f"{name}.safetensors")
    architecture, facts = checkpoint.module.architecture, checkpoint.provenance
    assert (architecture.width, architecture.depth) == SIZES[name]
    assert checkpoint.domain.tolist() == BOX.tolist()
    stated = {name: float(facts[name].split(",")[0]) for name in ERRORS}
    if name in ("spot-early", "spot-middle"):
        assert stated["near_error"] < 0.02
    else:
        assert stated["near_error"] < 0.002
        assert stated["slope_error"] < 0.15
    out = name.partition("-")[0]
    assert f"--out resources/checkpoints/{out}.safetensors --width {SIZES[name][0]} --depth" in facts["command"]
    assert not re.search(r"/(home|work|tmp|root|Users)\b", str({**facts, "path": ""}))

    mesh = name.startswith("spot")
    if mesh and not (SHARED_DATA / "spot.obj").exists():
        pytest.skip("the mesh is not part of the project")
    target = load_target(str(SHARED_DATA / "spot.obj") if mesh else facts["fitted_to"])
    assert target.facts.items() <= facts.items()
    measured = evaluate(checkpoint.module, target, 3_000, np.random.default_rng(12345))
    assert {name: getattr(measured, name) for name in ERRORS} == pytest.approx(stated, rel=0.1)


def test_the_stages_of_spot_are_one_training_that_goes_on() -> None:
    facts = [load_checkpoint(FOLDER / f"{name}.safetensors").provenance for name in STAGES]
    assert len({stage["command"] for stage in facts}) == 1
    for error in ERRORS:
        values = [float(stage[error].split(",")[0]) for stage in facts]
        assert values == sorted(values, reverse=True)
    assert sum((FOLDER / f"{name}.safetensors").stat().st_size for name in SIZES) < 1_000_000


def test_readme_names_every_checkpoint_and_its_command() -> None:
    readme = (FOLDER / "README.md").read_text()
    files = sorted(path.name for path in FOLDER.glob("*.safetensors"))
    assert files == sorted(f"{name}.safetensors" for name in SIZES)
    for name in files:
        assert f"`{name}`" in readme
        assert load_checkpoint(FOLDER / name).provenance["command"] in readme
