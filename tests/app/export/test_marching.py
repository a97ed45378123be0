"""Marching cubes come nearer to the exact surface with every doubling of their grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from app.export.marching import march_cubes
from app.export.mesh import measures, mesh_of
from engine import Network, extract_surface
from sdf_models import load_checkpoint
from tests.oracle.hausdorff import distances_to, hausdorff

TORUS = Path("resources/checkpoints/torus.safetensors")
BOX = np.array([[-1.0] * 3, [1.0] * 3])


class Octahedron(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * torch.tensor([1.0, 1.1, 1.3], dtype=x.dtype)).abs().sum(dim=1, keepdim=True) - 0.83


def ball() -> nn.Module:
    """The distance from a ball in the largest of random directions, as layers."""
    torch.manual_seed(2)
    first, last = nn.Linear(3, 40, bias=False), nn.Linear(40, 1)
    with torch.no_grad():
        first.weight /= first.weight.norm(dim=1, keepdim=True)
        last.weight[:] = 0.1
        last.bias[:] = -0.7
    return nn.Sequential(first, nn.ReLU(), last)


@pytest.mark.parametrize("name", ["torus", "octahedron", "ball"])
def test_a_finer_grid_comes_nearer_to_the_exact_surface(name: str) -> None:
    modules = {"octahedron": Octahedron, "ball": ball}
    module = load_checkpoint(TORUS).module if name == "torus" else modules[name]()
    surface = extract_surface(Network.trace(module, input_shape=(3,)), BOX)
    assert surface.report.closed
    exact, facts = mesh_of(surface), {"area": surface.area, "volume": surface.volume()}
    errors, gaps = [], []
    for samples in (24, 48, 96):  # no samples in the octahedron's planes of symmetry
        marched = march_cubes(module, BOX, samples)
        errors.append(hausdorff(marched, exact))
        gaps.append({what: abs(measures(marched, BOX)[what] - value) / value for what, value in facts.items()})
    spacing = 2.0 / 23.0
    assert errors[0] < 1.5 * spacing  # across a corner
    assert errors[1] < 0.75 * errors[0]
    assert errors[2] < 0.75 * errors[1]
    for what in facts:
        assert gaps[2][what] < gaps[0][what], gaps
        assert gaps[2][what] < 0.02, gaps


def test_the_measure_of_distance() -> None:
    exact = mesh_of(extract_surface(Network.trace(Octahedron(), input_shape=(3,)), BOX))
    assert hausdorff(exact, exact) < 1e-12
    apart = distances_to(exact, np.array([[0.0, 0.0, 0.9], [0.0, 0.0, 0.83 / 1.3], [0.9, 0.0, 0.0]]))
    np.testing.assert_allclose(apart, [0.9 - 0.83 / 1.3, 0.0, 0.07], atol=1e-12)
