"""Neurons as networks of their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine import EngineError, Network, extract_surface, neuron_network

BOX = np.array([[-1.0] * 3, [1.0] * 3])


class _Skip(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(3, 6), nn.Linear(6, 5), nn.Linear(8, 4)
        self.aside, self.last = nn.Linear(3, 4), nn.Linear(4, 1)

    def layers(self, x: Tensor) -> list[Tensor]:
        """Return the pre-activations of all nonlinearities."""
        first = self.first(x)
        second = self.second(torch.relu(first))
        third = self.third(torch.cat([nn.functional.hardtanh(second), x], dim=-1)) + self.aside(x)
        return [first, second, third]

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.last(torch.relu(self.layers(x)[-1]))
        return result


def test_its_output_is_the_pre_activation() -> None:
    torch.manual_seed(3)
    module = _Skip().double()
    network = Network.trace(module)
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 3))
    for layer, expected in enumerate(module.layers(torch.from_numpy(points))):
        for neuron in range(expected.shape[1]):
            found = neuron_network(network, layer, neuron)
            np.testing.assert_allclose(found.forward(points)[:, 0], expected[:, neuron].detach(), rtol=0, atol=1e-14)
            assert len(found.kinks) == layer
            assert network.neuron_name(layer, neuron) in found.notes[-1]


def test_its_level_surface_bends_only_where_earlier_neurons_do() -> None:
    """In the first layer it is a plane, later the zeros of the pre-activation, in facets on which it is affine."""
    torch.manual_seed(3)
    module = _Skip().double()
    network = Network.trace(module)
    counts = []
    for layer in range(3):
        found = neuron_network(network, layer, 1)
        level = float(found.forward(np.full((1, 3), 0.1))[0, 0])
        surface = extract_surface(found, BOX, level)
        values = module.layers(torch.tensor(surface.vertices))[layer][:, 1]
        assert np.abs(values.detach().numpy() - level).max() < 1e-13
        counts.append(surface.report.facets)
    assert counts[0] == 1 < counts[1]


@pytest.mark.parametrize(("layer", "neuron", "told"), [(3, 0, "no layer 3"), (-1, 0, "layer -1"), (1, 5, "neuron 5")])
def test_what_is_not_there_is_named(layer: int, neuron: int, told: str) -> None:
    with pytest.raises(EngineError, match=told):
        neuron_network(Network.trace(_Skip()), layer, neuron)
