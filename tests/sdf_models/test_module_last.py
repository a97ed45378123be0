"""The activation at the end of a module of one's own is left out, however it is written, and only at the end."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine import Network, NotPiecewiseLinearError
from sdf_models import CheckpointError, Reading
from sdf_models.module_reference import load_module


class Net(nn.Module):
    """Two layers, and an end that is a function of the module and the last layer's values (N, 1)."""

    def __init__(self, end: Callable[[Net, Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.act = nn.Linear(3, 16), nn.Linear(16, 1), nn.Tanh()
        self.end = end

    def before(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.first(x)))

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self, self.before(x))


@pytest.fixture
def named() -> Iterator[Callable[[nn.Module], str]]:
    """Gives a module a reference by which it can be loaded."""
    home = types.ModuleType("module_of_ones_own")
    sys.modules[home.__name__] = home

    def name(module: nn.Module) -> str:
        home.__dict__["network"] = lambda: module
        return f"{home.__name__}:network"

    yield name
    del sys.modules[home.__name__]


ENDS: dict[str, tuple[Callable[[Net, Tensor], Tensor], str]] = {
    "function": (lambda net, y: torch.tanh(y), "tanh"),
    "by keyword": (lambda net, y: torch.tanh(input=y), "tanh"),
    "method": (lambda net, y: y.tanh(), "tanh"),
    "in place": (lambda net, y: y.tanh_(), "tanh"),
    "layer": (lambda net, y: net.act(y).squeeze(-1), "tanh"),
    "several layers": (lambda net, y: nn.Sequential(nn.Tanh(), nn.Identity())(y)[:, 0], "tanh"),
    "twice": (lambda net, y: functional.tanh(net.act(y)).flatten(), "tanh-twice"),
    "x + tanh": (lambda net, y: y + torch.tanh(y), "x+tanh"),
    "sigmoid": (lambda net, y: functional.sigmoid(y).reshape(-1), "sigmoid"),
    "expit": (lambda net, y: torch.special.expit(y), "sigmoid"),
}
MEANING: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "tanh-twice": lambda y: torch.tanh(torch.tanh(y)),
    "x+tanh": lambda y: y + torch.tanh(y),
    "sigmoid": torch.sigmoid,
}


@pytest.mark.parametrize("end", ENDS)
@torch.no_grad()
def test_the_last_activation_is_left_out(end: str, named: Callable[[nn.Module], str]) -> None:
    function, name = ENDS[end]
    module = Net(function)
    points = torch.rand(64, 3) * 2 - 1
    for reading in (Reading(), Reading(last_activation=name)):
        checkpoint = load_module(named(module), None, reading)
        assert checkpoint.last_activation.name == name
        assert any(f"the last activation, {name}, is left out" in note for note in checkpoint.notes)
        values = checkpoint.module(points)
        assert torch.equal(values.reshape(-1), module.before(points).reshape(-1))
        assert torch.equal(MEANING[name](values), module(points))
        network = Network.trace(checkpoint.module)
        assert abs(network.forward(points.double().numpy()) - values.reshape(-1, 1).numpy()).max() < 1e-6
    with pytest.raises(NotPiecewiseLinearError, match=r"(tanh|sigmoid) is not piecewise linear"):
        Network.trace(load_module(named(module), None, Reading(last_activation="none")).module)
    other = "sigmoid" if name != "sigmoid" else "tanh"
    with pytest.raises(CheckpointError, match=f"ends with {name.replace('+', '.')}; leave it out"):
        load_module(named(module), None, Reading(last_activation=other))


@torch.no_grad()
def test_its_level_is_that_of_the_values_before_it(named: Callable[[nn.Module], str]) -> None:
    checkpoint = load_module(named(Net(ENDS["function"][0])), None, Reading(flip_sign=True))
    assert checkpoint.level(0.25) == -math.atanh(0.25)


@pytest.mark.parametrize(
    "end",
    [
        lambda net, y: 0.5 * torch.tanh(y),
        lambda net, y: torch.tanh(y) + 0.125,
        lambda net, y: torch.tanh(y) + torch.relu(y),
        lambda net, y: net.last(torch.tanh(y) * torch.ones(16, dtype=y.dtype)),
    ],
)
@torch.no_grad()
def test_what_is_not_the_end_stays(end: Callable[[Net, Tensor], Tensor], named: Callable[[nn.Module], str]) -> None:
    module = Net(end)
    checkpoint = load_module(named(module))
    assert checkpoint.module is module
    assert checkpoint.last_activation.name == "none"
    assert not any("left out" in note for note in checkpoint.notes)
    with pytest.raises(CheckpointError, match="no last activation that could be left out; leave it out"):
        load_module(named(module), None, Reading(last_activation="tanh"))
