"""Rows with the same line, known from the weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine import Network, SlicePlane, partition_slice
from engine.coincident_lines import Lines, lines_on_slice

BOX = np.array([[-1.0] * 3, [1.0] * 3])
PLANE = SlicePlane.from_axis("z", 0.0)


def _rows(lines: Lines) -> list[list[int]]:
    return [lines[slot].tolist() for slot in sorted(lines)]


def _network(*layers: nn.Module) -> Network:
    return Network.trace(nn.Sequential(*layers).double())


def test_networks_in_general_position_have_none() -> None:
    torch.manual_seed(0)
    assert _network(nn.Linear(3, 9), nn.ReLU(), nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 1)).coincident_lines == {}


@pytest.mark.parametrize("factor", [1.0, -1.0, 3.0, -0.375])
def test_proportional_rows_have_the_same_line(factor: float) -> None:
    torch.manual_seed(1)
    first = nn.Linear(3, 6)
    with torch.no_grad():
        first.weight[4], first.bias[4] = factor * first.weight[1], factor * first.bias[1]
        first.weight[5] = factor * first.weight[2]  # parallel, but another line
    network = _network(first, nn.ReLU(), nn.Linear(6, 1))
    expected = [[0, 1, 2, 3, 1, 5]] if abs(factor) == 1.0 else [[0, 1, 2, 3, 1, 5]]
    assert _rows(network.coincident_lines) == expected


def test_nearly_proportional_rows_have_not() -> None:
    torch.manual_seed(1)
    first = nn.Linear(3, 4).double()
    with torch.no_grad():
        first.weight[3], first.bias[3] = first.weight[0], first.bias[0]
        first.weight[3, 1] *= 1.0 + 2.0**-52
    assert _network(first, nn.ReLU(), nn.Linear(4, 1)).coincident_lines == {}


class _BesideItself(nn.Module):
    """Two copies of a network, their outputs added, with the input concatenated in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(3, 5), nn.Linear(8, 5), nn.Linear(5, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        results = []
        for _ in range(2):
            h = torch.relu(self.first(x))
            results.append(self.last(torch.relu(self.second(torch.cat([h, x], dim=-1)))))
        return torch.cat(results, dim=-1)


def test_a_network_beside_itself_has_every_line_twice() -> None:
    torch.manual_seed(3)
    network = Network.trace(_BesideItself())
    found = partition_slice(network, PLANE, BOX, examined=0)
    alone = nn.Sequential()
    alone.first = network  # type: ignore[assignment]
    assert found.tie_counts.unexamined == 0
