"""The checkpoints that come with the project are what their metadata says."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from sdf_models import load_checkpoint
from sdf_models.meshes import level_set_mesh, mesh_distance
from sdf_models.targets import Target, load_target
from sdf_models.training import evaluate
from tests.sdf_models.files import BOX
from tests.sdf_models.files import CHECKPOINTS as FOLDER

SIZES = {"spot": (64, 8), "spot-early": (64, 8), "spot-middle": (64, 8), "gyroid": (48, 6), "torus": (16, 3)}
STAGES = ("spot-early", "spot-middle", "spot")
ERRORS = ("near_error", "box_error", "surface_error", "slope_error")


def stated_errors(name: str) -> dict[str, float]:
    facts = load_checkpoint(FOLDER / f"{name}.safetensors").provenance
    return {error: float(facts[error].split(",")[0]) for error in ERRORS}


@pytest.fixture(scope="module")
def learnt_spot() -> Target:
    """The mesh of Spot itself is not part of the project: its trained network's surface, which is close to it, is."""
    axis = np.linspace(-1.0, 1.0, 80)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    points = torch.from_numpy(np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)).float()
    with torch.inference_mode():
        values = load_checkpoint(FOLDER / "spot.safetensors").module(points)
    vertices, faces = level_set_mesh(values.double().numpy().reshape(z.shape), -1.0, 1.0)
    return Target(vertices, faces, mesh_distance(vertices, faces), {})


@pytest.mark.parametrize("name", sorted(SIZES))
def test_shipped_checkpoint_fits_what_it_was_fitted_to(name: str, learnt_spot: Target) -> None:
    checkpoint = load_checkpoint(FOLDER / f"{name}.safetensors")
    architecture, facts = checkpoint.module.architecture, checkpoint.provenance
    assert (architecture.width, architecture.depth) == SIZES[name]
    assert checkpoint.domain.tolist() == BOX.tolist()
    stated = stated_errors(name)
    if name in ("spot-early", "spot-middle"):
        assert stated["near_error"] < 0.02
    else:
        assert stated["near_error"] < 0.002
        assert stated["slope_error"] < 0.15
    out = name.partition("-")[0]
    assert f"--out resources/checkpoints/{out}.safetensors --width {SIZES[name][0]} --depth" in facts["command"]
    assert not re.search(r"/(home|work|tmp|root|Users)\b", str({**facts, "path": ""}))

    if name in STAGES:
        target, off = learnt_spot, stated_errors("spot")["surface_error"]
        assert (facts["fitted_to"], facts["distance"]) == ("spot.obj", "exact, to the mesh")
    else:
        target, off = load_target(facts["fitted_to"]), 0.0
        assert target.facts.items() <= facts.items()
    measured = evaluate(checkpoint.module, target, 3_000, np.random.default_rng(12345))
    assert {name: getattr(measured, name) for name in ERRORS} == pytest.approx(stated, rel=0.1, abs=off)


def test_the_stages_of_spot_are_one_training_that_goes_on() -> None:
    assert len({load_checkpoint(FOLDER / f"{name}.safetensors").provenance["command"] for name in STAGES}) == 1
    for error in ERRORS:
        values = [stated_errors(name)[error] for name in STAGES]
        assert values == sorted(values, reverse=True)
    assert sum((FOLDER / f"{name}.safetensors").stat().st_size for name in SIZES) < 1_000_000


def test_readme_names_every_checkpoint_and_its_command() -> None:
    readme = (FOLDER / "README.md").read_text()
    files = sorted(path.name for path in FOLDER.glob("*.safetensors"))
    assert files == sorted(f"{name}.safetensors" for name in SIZES)
    for name in files:
        assert f"`{name}`" in readme
        assert load_checkpoint(FOLDER / name).provenance["command"] in readme
