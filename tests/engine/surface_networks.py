"""Networks with known level surfaces, and random ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from engine import (
    Network,
    Surface,
    extract_surface,
)
from tests.engine.surface_promises import check

BOX = np.array([[-2.0] * 3, [2.0] * 3])
Function = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class Computed(nn.Module):
    """function(x, y, z) of the three coordinates, (N, 1) each."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x[:, :1], x[:, 1:2], x[:, 2:])


def relu(x: torch.Tensor) -> torch.Tensor:
    return torch.relu(x)


def octahedron(size: float) -> Network:
    """|x| + |y| + |z| - size, by a layer without bias."""
    first, last = nn.Linear(3, 6, bias=False, dtype=torch.float64), nn.Linear(6, 1, dtype=torch.float64)
    with torch.no_grad():
        first.weight.copy_(torch.cat([torch.eye(3), -torch.eye(3)]))
        last.weight.fill_(1.0)
        last.bias.fill_(-size)
    return Network.trace(nn.Sequential(first, nn.ReLU(), last), input_shape=(3,))


def surface_of(function: Function, seeds: int = 8, level: float = 0.0) -> Surface:
    surface = extract_surface(Network.trace(Computed(function)), BOX, level, seeds)
    check(surface)
    return surface


def random_network(seed: int, width: int = 16, depth: int = 3) -> Network:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    size = 3
    for _ in range(depth):
        layers += [nn.Linear(size, width), nn.ReLU()]
        size = width
    module = nn.Sequential(*layers, nn.Linear(size, 1)).double()
    with torch.no_grad():
        module[-1].bias -= module(torch.zeros(1, 3, dtype=torch.float64))[0]  # the surface goes through the middle
    return Network.trace(module)
