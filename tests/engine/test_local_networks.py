"""Local networks: the network itself in its cell, with the signs that it has there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from engine import Network
from engine.arrays import Float, Words
from engine.local.fold import PLACE, fold_cell, room_to_fold
from engine.local.program import Program, program_of
from engine.local.restrict import restrict, room_to_restrict
from engine.network.steps import Kink, evaluate

Local = tuple[Float, np.ndarray, np.ndarray, Float]
MOST = 96


class Skipping(nn.Module):
    """Three layers with leaky, two-sided and plain pieces, of which the last reads the input and the first again."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first, self.second, self.third = nn.Linear(3, 12), nn.Linear(12, 10), nn.Linear(25, 9)
        self.last = nn.Linear(9, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = nn.functional.leaky_relu(self.first(x), 0.1)
        b = nn.functional.hardtanh(self.second(a))
        c = torch.relu(self.third(torch.cat([a, b, x], dim=1)))
        return self.last(c)


def folded(program: Program, place: Float) -> tuple[int, Local, Words]:
    forms, row, first = np.zeros((MOST + 1, PLACE + MOST)), np.zeros(MOST, np.int64), np.zeros(MOST + 1, np.int64)
    doubt, (on, zero) = np.zeros(MOST + 1), np.zeros((2, program.layers.words), np.uint64)
    m = fold_cell(program, place, MOST, forms, row, first, doubt, on, zero, room_to_fold(program, MOST))
    assert not zero.any()
    return m, (forms, row, first, doubt), on


def values(m: int, local: Local, s: float, t: float) -> Float:
    """Return the rows and the output of a local network at a place in its cell."""
    forms, _, first, _ = local
    u, y = np.zeros(m), np.zeros(m + 1)
    for i in range(m + 1):
        form = forms[i]
        y[i] = form[0] + form[1] * s + form[2] * t + form[PLACE : PLACE + first[i]] @ u[: first[i]]
        if i < m:
            u[i] = max(y[i], 0.0)
    return y


def pre_activations(network: Network, x: Float) -> Float:
    """Return all rows at one point (D,), in their order."""
    found, slots = [], {0: x[None]}

    for step in network.steps:
        if isinstance(step, Kink):
            found.append(slots[step.source][0][step.row_neuron] - step.row_breakpoint)
        slots[step.target] = evaluate(step, slots, 1)
    return np.concatenate(found)


def is_on(on: Words, row: int) -> bool:
    return bool((int(on[row // 64]) >> (row % 64)) & 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 1.0), st.tuples(*[st.floats(-1.0, 1.0)] * 4))
def test_a_local_network_is_the_network_in_its_cell(seed: int, half: float, where: tuple[float, ...]) -> None:
    network = Network.trace(Skipping(seed))
    program = program_of(network, 0.25)
    x, y, s, t = where
    place = np.array([[x, half, 0.0], [y, 0.0, half], [0.1, 0.2 * half, -0.1 * half]])
    m, local, on = folded(program, place)
    smaller = tuple(np.zeros_like(array) for array in local)
    on_in_part = on.copy()
    fewer = restrict(m, local, -0.5, 0.5, 0.5, smaller, on_in_part, room_to_restrict(MOST))
    assert fewer <= m
    for rows, net, signs, at in (
        (m, local, on, (s, t)),
        (fewer, smaller, on_in_part, (2.0 * (s * 0.5 - 0.5) + 1.0, t)),
    ):
        u, v = at
        point = place @ [1.0, u, v] if net is local else place @ [1.0, -0.5 + 0.5 * u, 0.5 + 0.5 * v]
        found = values(rows, net, u, v)
        assert found[-1] == pytest.approx(network.forward(point[None])[0, 0] - 0.25, abs=1e-12)
        z = pre_activations(network, point)
        undecided = set(net[1][:rows].tolist())
        for row, value in enumerate(z):
            if row not in undecided and abs(value) > 1e-12:
                assert is_on(signs, row) == (value > 0.0)
        # Rows are those of the network, in the units of their neurons, which are powers of two.
        for i, row in enumerate(net[1][:rows].tolist()):
            if abs(z[row]) > 1e-12:
                assert np.log2(found[i] / z[row]) == pytest.approx(round(np.log2(found[i] / z[row])), abs=1e-6)


def test_a_cell_with_too_many_rows_is_given_up() -> None:
    torch.manual_seed(0)
    network = Network.trace(nn.Sequential(nn.Linear(3, 200), nn.ReLU(), nn.Linear(200, 1)))
    assert folded(program_of(network, 0.0), np.eye(3, 3, 1) * 3.0)[0] == -1
