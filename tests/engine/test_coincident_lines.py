"""Rows with the same line, known from the weights."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from engine import Network, SlicePlane, partition_slice
from engine.network.coincident_lines import Lines, lines_on_slice

BOX = np.array([[-1.0] * 3, [1.0] * 3])
PLANE = SlicePlane.from_axis("z", 0.0)


def _coarse(*sizes: int) -> list[nn.Linear]:
    """Matrices of few bits, so that multiples of rows are exact."""
    layers = [nn.Linear(a, b).double() for a, b in pairwise(sizes)]
    with torch.no_grad():
        for parameter in (parameter for layer in layers for parameter in layer.parameters()):
            parameter.copy_(torch.round(parameter * 1024.0) / 1024.0)
    return layers


def _traced(*layers: nn.Module) -> Network:
    return Network.trace(nn.Sequential(*layers).double())


def _groups(lines: Lines) -> list[set[tuple[int, int]]]:
    """The sets of rows, as (layer, row), with the same line."""
    found: dict[int, set[tuple[int, int]]] = {}
    for layer, numbers in enumerate(lines):
        for row, number in enumerate(numbers.tolist()):
            if number >= 0:
                found.setdefault(number, set()).add((layer, row))
    return sorted(found.values(), key=min)


def test_networks_in_general_position_have_none() -> None:
    torch.manual_seed(0)
    network = _traced(nn.Linear(3, 9), nn.ReLU(), nn.Linear(9, 9), nn.Hardtanh(), nn.Linear(9, 1))
    assert _groups(network.coincident_lines) == []


@pytest.mark.parametrize("factor", [1.0, -1.0, 3.0, -0.375])
def test_proportional_rows_have_the_same_line(factor: float) -> None:
    torch.manual_seed(1)
    first, second = _coarse(3, 6, 1)
    with torch.no_grad():
        first.weight[4], first.bias[4] = factor * first.weight[1], factor * first.bias[1]
        first.weight[5] = factor * first.weight[2]  # parallel, but another line
    assert _groups(_traced(first, nn.ReLU(), second).coincident_lines) == [{(0, 1), (0, 4)}]


def test_nearly_proportional_rows_have_not() -> None:
    torch.manual_seed(1)
    first, second = _coarse(3, 4, 1)
    with torch.no_grad():
        first.weight[3], first.bias[3] = first.weight[0], first.bias[0]
        first.weight[3, 1] *= 1.0 + 2.0**-52
    assert _groups(_traced(first, nn.ReLU(), second).coincident_lines) == []


def test_equal_features_are_one_unknown_for_later_rows() -> None:
    """Of two equal features one row reads the first, another row both by halves."""
    torch.manual_seed(2)
    first, second, last = _coarse(3, 4, 4, 1)
    with torch.no_grad():
        first.weight[3], first.bias[3] = first.weight[0], first.bias[0]
        second.weight[1, :], second.bias[1] = second.weight[0], second.bias[0]
        second.weight[1, 3] += second.weight[1, 0]
        second.weight[1, 0] = 0.0
    equal = _traced(first, nn.ReLU(), second, nn.ReLU(), last).coincident_lines
    assert _groups(equal) == [{(0, 0), (0, 3)}, {(1, 0), (1, 1)}]
    slopes = nn.PReLU(4)
    with torch.no_grad():
        slopes.weight.copy_(torch.tensor([0.25, 0.5, 0.5, 0.5]))  # the same line, but other features
    other = _traced(first, slopes, second, nn.ReLU(), last).coincident_lines
    assert _groups(other) == [{(0, 0), (0, 3)}]


def test_breakpoints_belong_to_the_line() -> None:
    torch.manual_seed(3)
    first, second = _coarse(3, 3, 1)
    with torch.no_grad():
        first.weight[1], first.bias[1] = first.weight[0], first.bias[0] + 2.0  # z - 1 of it is z + 1 of the other
    assert _groups(_traced(first, nn.Hardtanh(), second).coincident_lines) == [{(0, 0), (0, 3)}]


class _BesideItself(nn.Module):
    """Copies of a network, with the input concatenated in the middle."""

    def __init__(self, copies: int) -> None:
        super().__init__()
        self.copies = copies
        self.first, self.second, self.last = _coarse(3, 5)[0], _coarse(8, 5)[0], _coarse(5, 1)[0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        results = []
        for _ in range(self.copies):
            h = torch.relu(self.first(x))
            results.append(self.last(torch.relu(self.second(torch.cat([h, x], dim=-1)))))
        return torch.cat(results, dim=-1)


def test_a_network_beside_itself_has_every_line_twice_and_its_own_regions() -> None:
    counts = []
    for copies in (1, 2):
        torch.manual_seed(4)
        network = Network.trace(_BesideItself(copies))
        groups = _groups(network.coincident_lines)
        assert groups == ([{(m, k), (m + 2, k)} for m in range(2) for k in range(5)] if copies > 1 else [])
        found = partition_slice(network, PLANE, BOX)
        assert found.tie_counts.unexamined == 0
        counts.append((found.regions, found.linear_regions))
    assert counts[0] == counts[1]


def _mirrored() -> tuple[nn.Module, ...]:
    """A network that is even in z: its neurons are mirror images of each other, in pairs."""
    first, second, last = _coarse(3, 6, 6, 1)
    with torch.no_grad():
        first.weight[3:], first.bias[3:] = first.weight[:3] * torch.tensor([1.0, 1.0, -1.0]), first.bias[:3]
        second.weight[3:], second.bias[3:] = torch.roll(second.weight[:3], 3, 1), second.bias[:3]
        last.weight[:, 3:] = last.weight[:, :3]
    return first, nn.ReLU(), second, nn.ReLU(), last


def test_mirror_images_coincide_in_the_slice_between_them_alone() -> None:
    torch.manual_seed(5)
    network = _traced(*_mirrored())
    assert _groups(network.coincident_lines) == []
    for offset, expected in ((0.0, [{(m, k), (m, k + 3)} for m in range(2) for k in range(3)]), (0.25, [])):
        plane = SlicePlane.from_axis("z", offset)
        inputs = np.column_stack([*plane.axes, plane.origin])
        assert _groups(lines_on_slice(network.coincident_lines, network.steps, inputs)) == expected
    found = partition_slice(network, PLANE, BOX, examined=0)
    assert found.ties > 0
    assert found.tie_counts.unexamined == 0


def test_nonlinearities_of_the_inputs_themselves_may_coincide() -> None:
    class Twice(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([x.abs(), x.relu()], dim=1)

    network = _traced(Twice(), nn.Linear(6, 1))
    assert _groups(network.coincident_lines) == [{(0, row), (1, row)} for row in range(3)]
