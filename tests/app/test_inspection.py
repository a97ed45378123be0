"""The notes on a checkpoint, and the check of the traced graph against the network's own forward."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from app.inspection import TOLERANCE, checkpoint_notes, reference_check
from app.jobs.opening import open_file
from engine import Network, NotPiecewiseLinearError, rounding_deviation
from sdf_models import Checkpoint, Reading, load_checkpoint
from tests.app.conftest import DOMAIN, Ran, random_module
from tests.sdf_models.definitions import ImplicitNet, ResidualMLP, new_weight_norm, plain_mlp, randomised

NETWORKS: dict[str, nn.Module] = {
    "8x512": randomised(plain_mlp((3, *[512] * 8, 1))),
    "as initialised": plain_mlp((3, *[256] * 8, 1)).eval(),
    "one wide layer": randomised(plain_mlp((3, 1000, 1))),
    "batch norm": randomised(plain_mlp((3, 64, 64, 1), batch_norm=True)),
    "residual": randomised(ResidualMLP("pre", 64, 6)),
    "skip": randomised(ImplicitNet(3, [64] * 8, skip_in=[4], norm=new_weight_norm)),
    "leaky": randomised(plain_mlp((3, 32, 32, 1), nn.LeakyReLU)),
    "float64": randomised(plain_mlp()).double(),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_rounding_is_explained_and_the_explanation_is_not_loose(name: str) -> None:
    module = NETWORKS[name]
    check = reference_check(Checkpoint(module, DOMAIN, {}), Network.trace(module))
    assert check.agrees
    assert check.relative_difference < 1e-13
    assert check.relative_rounding < check.expected_rounding < 50 * check.relative_rounding + 1e-15
    assert ("float32" in str(check)) == (name != "float64")


def test_another_function_disagrees() -> None:
    module = randomised(plain_mlp())
    changed = randomised(plain_mlp())
    with torch.no_grad():
        changed[2].bias[3] += 1e-4  # type: ignore[index]
    check = reference_check(Checkpoint(module, DOMAIN, {}), Network.trace(changed))
    assert not check.agrees
    assert check.relative_difference > TOLERANCE
    assert str(check).startswith("DIFFERS from the network's own forward")


def test_a_graph_that_is_right_but_rounds_too_much_is_told() -> None:
    """Weights that are rounded to eleven bits in the file's own arithmetic alone."""

    class Coarse(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = randomised(plain_mlp())

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.network(x) if x.dtype == torch.float64 else self.network.half()(x.half()).float()

    module = Coarse()
    check = reference_check(Checkpoint(module, DOMAIN, {}), Network.trace(randomised(plain_mlp())))
    assert check.relative_rounding > check.expected_rounding
    assert not check.agrees


def test_a_deviation_is_that_of_measured_roundings() -> None:
    """By the root mean square over points, of a network whose sums are accumulated one by one."""
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(1, 400)).astype(np.float32)
    module = nn.Linear(400, 1, bias=False)
    module.weight = nn.Parameter(torch.from_numpy(weight))
    x = rng.normal(size=(500, 400)).astype(np.float32)
    total = np.zeros(500, np.float32)
    for column, factor in zip(x.T, weight[0], strict=True):
        total = (total + column * factor).astype(np.float32)
    exact = x.astype(np.float64) @ weight[0].astype(np.float64)
    measured = np.sqrt(np.square(total - exact).mean())
    deviation = rounding_deviation(Network.trace(module, (400,)), x.astype(np.float64), 2.0**-24)
    assert 0.5 * measured < np.sqrt(np.square(deviation).mean()) < 2.5 * measured


def test_notes_are_plain_and_frozen(tmp_path: Path) -> None:
    torch.save({"net": randomised(ImplicitNet(3, [16] * 4, skip_in=[2])).state_dict()}, tmp_path / "a.pth")
    reading = Reading(family="igr", activation="softplus:100", relu_limit=True)
    checkpoint = load_checkpoint(tmp_path / "a.pth", reading)
    notes = checkpoint_notes(checkpoint)
    json.dumps(dataclasses.asdict(notes))
    with pytest.raises(dataclasses.FrozenInstanceError):
        notes.verdict = ""  # type: ignore[misc]
    assert notes.architecture == "3 → 16 → 13 → 2 x 16 → 1, relu"
    assert notes.sizes == (3, 16, 13, 16, 16, 1)
    assert "family igr, by --family" in notes.assumptions
    assert "skip scale 1/sqrt2: the family's definition" in notes.assumptions
    assert [layer.verdict for layer in notes.layers][:2] == ["affine, 3 → 16", "piecewise linear"]
    assert notes.reference is None  # our reading is not compared with itself
    assert ("tensor", "net.lin1.weight (13 x 16): weight of net.lin1") in notes.tensor_lines()
    assert len(notes.tensors) == 10
    lines = notes.lines()
    labels = [label for label, _ in lines]
    assert labels[:4] == ["checkpoint", "architecture", "parameters", "domain"]
    assert ("affine", "lin0: 3 → 16, lin1: 16 → 13, lin2: 16 → 16, lin3: 16 → 16, lin4: 16 → 1") in lines
    assert sum("ReLU limit" in text for _, text in lines) == 1
    assert checkpoint_notes(checkpoint, Network.trace(checkpoint.module)) == notes


def test_a_module_is_compared_with_its_own_forward() -> None:
    notes = checkpoint_notes(Checkpoint(randomised(plain_mlp()), DOMAIN, {}))
    assert notes.reference is not None
    assert notes.reference.agrees
    assert "agrees with the network's own forward on 256 points" in dict(notes.lines())["reference"]


def test_a_smooth_network_has_notes_too() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Softplus(), nn.Linear(4, 1))
    with pytest.raises(NotPiecewiseLinearError):
        Network.trace(module)
    notes = checkpoint_notes(Checkpoint(module, DOMAIN, {}))
    assert not notes.piecewise_linear
    assert "--relu-limit" in notes.verdict
    assert (notes.reference, notes.forward_error, notes.nonlinear) == (None, (), ())
    assert ("layer", "1 (Softplus): NOT piecewise linear: softplus is not piecewise linear") in notes.lines()
    assert notes.architecture == "3 → 4 → 1"


def test_the_window_and_info_show_the_same(checkpoint: Path, splinescope: Callable[..., Ran]) -> None:
    opened = open_file(checkpoint, lambda: False)
    shown = splinescope("info", checkpoint).out.splitlines()[1:]
    assert [line.partition(" ")[0] for line in shown] == [label.split()[0] for label, _ in opened.facts]
    assert all(text in line for (_, text), line in zip(opened.facts, shown, strict=True))
    assert dict(opened.facts)["parameters"] == f"{sum(p.numel() for p in random_module().parameters()):,}"
