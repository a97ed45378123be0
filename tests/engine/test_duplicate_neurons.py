"""Features that are computed alike: they are found, have one value, and their difference has no error."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine import Network, SlicePlane
from engine.exactness.inherited_error import noise_after
from engine.network.duplicate_neurons import first_twins, pairs_of, summed
from engine.network.steps import Linear
from engine.slices.linear_layer import make_twins_equal
from engine.slices.partition import partition_polygon


class _Doubled(nn.Module):
    """Every neuron of the first layer three times, then the difference of two of them, enlarged."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 9).double(), nn.Linear(9, 2).double()
        with torch.no_grad():
            for later in (3, 6):
                self.first.weight[later : later + 3] = self.first.weight[:3]
                self.first.bias[later : later + 3] = self.first.bias[:3]
            self.second.weight[0, 0] += gain
            self.second.weight[0, 3] -= gain

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.first(x))
        return torch.as_tensor(self.second(h + 0.5 * torch.abs(h)))


def test_twins_are_found_through_nonlinearities_and_sums() -> None:
    torch.manual_seed(0)
    network = Network.trace(_Doubled(1.0), input_shape=(2,))
    first = [0, 1, 2] * 3
    assert len(network.twins) == len(network.steps) - 1  # all but the output, whose rows differ
    assert all(found.tolist() == first for found in network.twins.values())


def test_networks_without_twins_have_none() -> None:
    torch.manual_seed(1)
    network = Network.trace(nn.Sequential(nn.Linear(2, 9), nn.PReLU(9), nn.Linear(9, 9)), input_shape=(2,))
    assert network.twins == {}


@pytest.mark.parametrize(("slopes", "before"), [((0.25, 0.5), [0, 0, 0, 0]), ((1.0, 0.5), [0, 1, 0, 1])])
def test_nonlinearities_that_differ_make_no_twins(slopes: tuple[float, float], before: list[int]) -> None:
    """Not even before them where they bend at different places: a cut makes one exact where it is zero, and not the
    other.
    """
    linear = Linear(0, 1, np.ones((4, 2)), np.zeros(4))
    assert first_twins([linear])[1].tolist() == [0, 0, 0, 0]
    module = nn.Sequential(nn.Linear(2, 4), nn.PReLU(4), nn.Linear(4, 1))
    with torch.no_grad():
        module[0].weight.fill_(0.5)
        module[0].bias.fill_(0.25)
        module[1].weight.copy_(torch.tensor([*slopes, *slopes]))
    network = Network.trace(module, input_shape=(2,))
    assert {slot: first.tolist() for slot, first in network.twins.items()} == {1: before, 2: [0, 1, 0, 1]}


@pytest.mark.parametrize("shape", [(111, 129, 23), (61, 41, 157), (3, 5, 2)])
def test_twins_get_one_value_whatever_the_order_of_their_sums(shape: tuple[int, int, int]) -> None:
    inputs, outputs, points = shape
    rng = np.random.default_rng(2)
    weight = rng.normal(size=(outputs, inputs))[rng.integers(0, outputs, outputs)]
    first = first_twins([Linear(0, 1, weight, np.zeros(outputs))])[1]
    values = rng.normal(size=(points, inputs)) @ weight.T
    before = values.copy()
    make_twins_equal(values, pairs_of(first))
    assert np.array_equal(values, values[:, first])
    assert np.array_equal(values[:, np.unique(first)], before[:, np.unique(first)])


def test_the_columns_of_twins_are_added_up() -> None:
    first = np.array([0, 1, 0, 1, 4], np.int32)
    columns = np.random.default_rng(3).integers(-9, 9, (4, 5)).astype(np.float64)
    twinned = np.random.default_rng(4).integers(-9, 9, (7, 5)).astype(np.float64)[:, first]
    assert np.array_equal(twinned @ summed(columns, first).T, twinned @ columns.T)
    assert np.array_equal(summed(columns, None), columns)


def test_a_difference_of_twins_is_no_noise() -> None:
    """Each of the two has an error, which the difference enlarges if they are not the same."""
    gain = 2.0**20
    linear = Linear(0, 1, np.array([[gain, -gain, 1.0]]), np.zeros(1))
    noise, unit = {0: np.full(3, 1e-15)}, {0: np.full(3, 2.0**-30)}
    apart = noise_after([linear], noise, unit, {})[1][0]
    together = noise_after([linear], noise, unit, {0: np.array([0, 0, 2], np.int32)})[1][0]
    assert apart == pytest.approx(2.0**0.5 * gain * 1e-15, rel=1e-6)
    assert together < 1e-13


def _repeated_rows() -> nn.Sequential:
    """Two layers of 128 neurons of which 16 differ."""
    torch.manual_seed(0)
    module = nn.Sequential(*(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))).double()
    chosen = np.random.default_rng(0).integers(0, 16, (2, 128))
    with torch.no_grad():
        for layer, rows in zip((module[0], module[2]), chosen, strict=True):
            layer.weight.copy_(layer.weight[rows].clone())
            layer.bias.copy_(layer.bias[rows].clone())
    return module


def test_a_layer_of_repeated_neurons_is_cut_as_one_without_repeats() -> None:
    module = _repeated_rows()
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    plane = SlicePlane(np.zeros(2), np.eye(2))
    repeated = partition_polygon(Network.trace(module, input_shape=(2,)), plane, square)
    first, second = (
        np.unique(layer.weight.detach().numpy(), axis=0, return_index=True)[1] for layer in module[::2][:2]
    )
    once = nn.Sequential(
        *(nn.Linear(2, len(first)), nn.ReLU(), nn.Linear(len(first), len(second)), nn.ReLU(), nn.Linear(len(second), 1))
    ).double()
    with torch.no_grad():
        for target, source, rows in ((once[0], module[0], first), (once[2], module[2], second)):
            target.bias.copy_(source.bias[rows])
            weight = source.weight[rows] @ _merging(module[0], first) if source is module[2] else source.weight[rows]
            target.weight.copy_(weight)
        once[4].weight.copy_(module[4].weight @ _merging(module[2], second))
        once[4].bias.copy_(module[4].bias)
    single = partition_polygon(Network.trace(once, input_shape=(2,)), plane, square)
    assert (repeated.regions, repeated.linear_regions) == (single.regions, single.linear_regions)
    assert repeated.regions > 200


def _merging(layer: nn.Linear, rows: np.ndarray) -> torch.Tensor:
    """(128, n): 1 where a neuron is equal to one of `rows`."""
    return (layer.weight[:, None] == layer.weight[rows][None]).all(dim=2).double()


def test_weights_near_the_end_of_float64_raise_no_warning() -> None:
    module = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 1)).double()
    with torch.no_grad():
        module[0].weight *= 1e160
        module[2].weight *= 1e-160
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    found = partition_polygon(Network.trace(module, input_shape=(2,)), SlicePlane(np.zeros(2), np.eye(2)), square)
    assert found.regions > 6
