"""The certificate: enclosures enclose, what is proven is there, and what is missing is not proven."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engine import Cancelled, Network, Seeds, certify_surface, extract_surface, with_certificate
from engine.certificate import enclose
from engine.layers import layers_of
from sdf_models import load_checkpoint
from tests.oracle.networks import random_sample
from tests.oracle.nonlinearities import NONLINEARITIES

TORUS = Path(__file__).parents[2] / "resources" / "checkpoints" / "torus.safetensors"
BOX = np.array([[-1.0] * 3, [1.0] * 3])


class TwoSolids(nn.Module):
    """A large octahedron, and a tiny one beside it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        large = (x + 0.3).abs().sum(dim=1, keepdim=True) - 0.5
        small = (x - 0.61).abs().sum(dim=1, keepdim=True) - 0.01
        return torch.minimum(large, small)


@pytest.mark.parametrize("kink", NONLINEARITIES)
def test_bounds_hold_everywhere_in_a_box(kink: str) -> None:
    seed = next(seed for seed in range(20) if len(random_sample(kink, "generic", seed).origin) == 3)
    network = Network.trace(random_sample(kink, "generic", seed).module)
    rng = np.random.default_rng(0)
    lower = rng.uniform(-1.0, 0.8, (40, 3))
    boxes = np.stack([lower, lower + rng.uniform(0.01, 0.3, (40, 1))], axis=1)
    value, gradient = enclose(layers_of(network, 0.0), boxes)
    for _ in range(40):
        points = boxes[:, 0] + rng.random((40, 3)) * (boxes[:, 1] - boxes[:, 0])
        found = network.forward(points)[:, 0]
        assert (value[:, 0] <= found).all()
        assert (found <= value[:, 1]).all()
        other = boxes[:, 0] + rng.random((40, 3)) * (boxes[:, 1] - boxes[:, 0])
        rise, step = network.forward(other)[:, 0] - found, other - points
        ends = step[:, :, None] * gradient
        assert (ends.min(axis=2).sum(axis=1) <= rise + 1e-12).all()
        assert (rise <= ends.max(axis=2).sum(axis=1) + 1e-12).all()


def test_a_trained_network_is_certified() -> None:
    checkpoint = load_checkpoint(TORUS)
    surface = extract_surface(Network.trace(checkpoint.module), checkpoint.domain)
    certificate = certify_surface(surface)
    assert certificate.certified
    assert certificate.border
    assert certificate.boxes < 20_000
    assert with_certificate(surface, certificate).report.certified is True
    assert surface.report.certified is None


def test_a_component_that_was_missed_is_not_proven_away() -> None:
    network = Network.trace(TwoSolids())
    through = np.array([[[-0.3, -0.3, -0.95], [-0.3, -0.3, 0.95]]])
    missed = extract_surface(network, BOX, seeds=Seeds(0, through))
    assert missed.report.components == 1
    refused = certify_surface(missed, budget=20_000)
    assert not refused.certified
    # what stays unproven is where the other one is
    assert (np.abs(refused.unproven - 0.61).min(axis=1) < 0.05).any(axis=1).all()
    both = np.concatenate([through, [[[0.61, 0.61, 0.0], [0.61, 0.61, 0.95]]]])
    whole = extract_surface(network, BOX, seeds=Seeds(0, both))
    assert whole.report.components == 2


def test_a_missing_line_on_the_border_is_noticed() -> None:
    class Planes(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            tilted = x @ torch.tensor([[1.0], [0.4], [0.2]], dtype=x.dtype)
            return tilted.abs() - 0.5

    network = Network.trace(Planes())
    one = extract_surface(network, BOX, seeds=Seeds(0, np.array([[[0.0] * 3, [0.9, 0.0, 0.0]]])))
    assert one.report.components == 1
    certificate = certify_surface(one, budget=2_000)
    assert not certificate.border
    assert "sides" in certificate.describe()
    assert certify_surface(extract_surface(network, BOX), budget=2_000).certified


def test_cancelling() -> None:
    surface = extract_surface(Network.trace(TwoSolids()), BOX)
    with pytest.raises(Cancelled):
        certify_surface(surface, cancel=lambda: True)
