"""The partition of a segment: exact against rational arithmetic on what the network does between its points."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine import EngineError, Network, partition_segment
from engine.arrays import Float
from engine.network.steps import Kink, evaluate
from tests.oracle.networks import random_sample
from tests.oracle.nonlinearities import NONLINEARITIES


def random_network(seed: int, inputs: int = 3) -> Network:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(inputs, 20), nn.ReLU(), nn.Linear(20, 20), nn.LeakyReLU(0.25), nn.Linear(20, 1))
    return Network.trace(module.double(), (inputs,))


def signs(network: Network, points: Float) -> np.ndarray:
    """(N, R): whether each row is greater than its breakpoint."""
    values, found = {0: points}, []
    for step in network.steps:
        if isinstance(step, Kink):
            found.append(values[step.source][:, step.row_neuron] > step.row_breakpoint)
        values[step.target] = evaluate(step, values, len(points))
    return np.concatenate(found, axis=1)


@pytest.mark.parametrize("inputs", [2, 3, 7])
@pytest.mark.parametrize("seed", range(4))
def test_regions_meet_where_signs_change_and_only_there(seed: int, inputs: int) -> None:
    network = random_network(seed, inputs)
    start, end = np.random.default_rng(seed).uniform(-2, 2, (2, inputs))
    found = partition_segment(network, start, end)
    assert found.parameters[0] == 0.0
    assert found.parameters[-1] == 1.0
    assert (np.diff(found.parameters) > 0).all()
    np.testing.assert_allclose(network.forward(found.points(found.parameters))[:, 0], found.values, atol=1e-13)
    # dense samples: the same signs inside a region, and one row's change at each of its ends
    dense = np.sort(np.random.default_rng(0).random(4000))
    region = np.searchsorted(found.parameters, dense) - 1
    patterns = signs(network, found.points(dense))
    for r in np.unique(region):
        assert (patterns[region == r] == patterns[region == r][0]).all()
    middles = signs(network, found.points((found.parameters[1:] + found.parameters[:-1]) / 2))
    assert ((middles[1:] != middles[:-1]).sum(axis=1) == 1).all()
    assert (found.layer[1:-1] >= 0).all()
    assert found.layer[[0, -1]].tolist() == found.neuron[[0, -1]].tolist() == [-1, -1]


@pytest.mark.parametrize("kink", NONLINEARITIES)
def test_values_are_affine_between_the_points(kink: str) -> None:
    for kind in ("generic", "mixture", "integer"):
        sample = random_sample(kink, kind, seed=3)
        network = Network.trace(sample.module, (len(sample.origin),))
        start, end = np.random.default_rng(1).uniform(-1.5, 1.5, (2, len(sample.origin)))
        found = partition_segment(network, start, end, sample.level)
        middle = (found.parameters[1:] + found.parameters[:-1]) / 2
        values = network.forward(found.points(middle))[:, 0]
        scale = np.abs(found.values).max()
        np.testing.assert_allclose(values, (found.values[1:] + found.values[:-1]) / 2, rtol=0, atol=1e-11 * scale)
        if len(found.crossings):
            at = network.forward(found.points(found.crossings))[:, 0]
            np.testing.assert_allclose(at, sample.level, rtol=0, atol=1e-12 * max(scale, 1.0))
        above = found.values > sample.level + 1e-12 * scale
        below = found.values < sample.level - 1e-12 * scale
        if (above | below).all():
            assert len(found.crossings) == np.count_nonzero(above[1:] != above[:-1])


def test_a_known_segment() -> None:
    class Distance(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.abs().sum(dim=1, keepdim=True) - 1.0

    found = partition_segment(Network.trace(Distance()), [-2.0, 0.25, 0.0], [2.0, 0.25, 0.0])
    assert found.regions == 2
    assert found.parameters.tolist() == [0.0, 0.5, 1.0]
    assert found.crossings.tolist() == [0.3125, 0.6875]
    assert found.neuron.tolist() == [-1, 0, -1]


def test_refusals() -> None:
    network = random_network(0)
    with pytest.raises(EngineError, match="arrays of numbers"):
        partition_segment(network, "x", "y")
    with pytest.raises(EngineError, match="arrays of numbers"):
        partition_segment(network, [[0.0], [1.0, 2.0]], [0.0, 0.0, 1.0])
    with pytest.raises(EngineError, match="same point"):
        partition_segment(network, [0, 0, 0], [0, 0, 0])
    with pytest.raises(EngineError, match="3 input dimensions"):
        partition_segment(network, [0, 0], [1, 1])
    with pytest.raises(EngineError, match="finite"):
        partition_segment(network, [0, 0, 0], [1, 1, np.inf])
    with pytest.raises(EngineError, match="finite"):
        partition_segment(network, [0, 0, 0], [1, 1, 1], np.inf)
