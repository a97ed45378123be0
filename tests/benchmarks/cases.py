"""The networks that speed is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from engine import Network, SlicePlane
from engine.arrays import Float
from engine.network.steps import Linear
from sdf_models import Reading, load_checkpoint

ROOT = Path(__file__).parents[2]
CHECKPOINTS = ROOT / "resources" / "checkpoints"
DATA = ROOT.parent / "shared" / "data"
STORED = {name: DATA / file for name, file in (
    ("fox", "fox.npz"), ("igr128", "igr128.pth"), ("igr256", "igr256.pth"), ("igr512", "igr512.pth"),
    ("spot256", "spot256.safetensors"),
)}  # fmt: skip
"""Networks that are not part of the project."""
FOX = STORED["fox"]


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """A slice to measure: rounds for the engine; whether the peer is measured beside it."""

    name: str
    network: Network
    plane: SlicePlane
    domain: Float
    rounds: int
    peer: bool = True


def _random(widths: list[int]) -> torch.nn.Module:
    torch.manual_seed(0)
    layers: list[torch.nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def _case(name: str, module: torch.nn.Module, domain: Float, rounds: int, peer: bool = True) -> Case:
    return Case(name, Network.trace(module), SlicePlane.from_axis("z", 0.0), domain, rounds, peer)


def _stored(path: Path, name: str, rounds: int, peer: bool = True) -> Callable[[], Case]:
    def make() -> Case:
        checkpoint = load_checkpoint(path)
        return _case(name, checkpoint.module, checkpoint.domain, rounds, peer)

    return make


def _initialised(name: str) -> Callable[[], Case]:
    """Networks of the architecture of IGR, off the planes of symmetry of their initialisation."""

    def make() -> Case:
        module = load_checkpoint(STORED[name], Reading(family="igr", activation="relu")).module
        plane = SlicePlane.from_axis("z", 0.05)
        return Case(f"{name} (8 layers, skip)", Network.trace(module), plane, CUBE, 2, peer=False)

    return make


CUBE = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
CASES: dict[str, Callable[[], Case]] = {
    "fox": _stored(FOX, "fox.npz (trained 8x32)", 20),
    "spot": _stored(CHECKPOINTS / "spot.safetensors", "Spot (trained 8x64)", 10),
    "spot-middle": _stored(CHECKPOINTS / "spot-middle.safetensors", "Spot after 2,500 steps (8x64)", 5),
    "gyroid": _stored(CHECKPOINTS / "gyroid.safetensors", "gyroid (trained 6x48)", 10),
    "random": lambda: _case("random 5x256", _random([3, *[256] * 5, 1]), CUBE, 3),
    "wide": lambda: _case("random 1x1000", _random([3, 1000, 1]), CUBE, 5, peer=False),
    **{name: _initialised(name) for name in ("igr128", "igr256", "igr512")},
    "spot256": _stored(DATA / "spot256.safetensors", "Spot (trained 8x256)", 2, peer=False),
    "torus": _stored(CHECKPOINTS / "torus.safetensors", "torus (trained 3x16)", 50),
}


def composed(case: Case) -> list[tuple[Float, Float]]:
    """The weights of a plain ReLU network on the slice's own two coordinates: (fan_in, fan_out) and bias of each
    layer.
    """
    layers = [(step.weight, step.bias) for step in case.network.steps if isinstance(step, Linear)]
    weight, bias = layers[0]
    layers[0] = (weight @ case.plane.axes.T, weight @ case.plane.origin + bias)
    return [(np.ascontiguousarray(w.T, np.float32), b.astype(np.float32)) for w, b in layers]
