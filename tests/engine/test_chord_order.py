"""Crossings along a chord against the definition of their order, in plain Python."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.exactness.chord_order import order_crossings
from engine.machine.jit import kernel
from engine.machine.workers import NEVER_STOP


@kernel
def _ordered(number, order, inner, outer, t, dt, vertex, spare, stop):
    return order_crossings(number, order, inner, outer, t, dt, vertex, spare, stop)


def _from_nearer_end(t: float) -> float:
    return t if t <= 0.5 else min(t - 1.0, -1e-300)


@st.composite
def crossings(draw: st.DrawFn) -> tuple[list[int], list[int], list[float], list[float]]:
    """Lines across a strip, one end on each side, that meet its middle where they must, or up to `noise` beside it."""
    number = draw(st.integers(1, 40))
    below = draw(st.lists(st.integers(1, 10**6), min_size=number, max_size=number, unique=True))
    above = draw(st.lists(st.integers(1, 10**6), min_size=number, max_size=number, unique=True))
    noise = draw(st.sampled_from([0.0, 1e-9, 1e-3, 0.3]))
    shift = draw(st.lists(st.floats(-1.0, 1.0), min_size=number, max_size=number))
    t = [(a + b) / (2 * 10**6 + 2) for a, b in zip(below, above, strict=True)]
    t = [min(max(x + noise * y, 0.0), 1.0) for x, y in zip(t, shift, strict=True)]
    widths = draw(st.sampled_from([1e-14, 1e-8, 1e-2]))
    return below, above, t, [widths] * number


def _definite(below: list[int], above: list[int], t: list[float], dt: list[float]) -> bool:
    """Whether no two crossings overlap, and no two chords that do not cross each other are in the wrong order."""
    return not any(
        abs(t[i] - t[j]) <= dt[i] + dt[j]
        or ((t[i] - t[j]) * (below[i] - below[j]) < 0 > (t[i] - t[j]) * (above[i] - above[j]))
        for i, j in combinations(range(len(t)), 2)
    )


@given(crossings())
@settings(max_examples=300, deadline=None)
def test_crossings_are_ordered_by_parameter_unless_rounding_or_other_chords_forbid(
    found: tuple[list[int], list[int], list[float], list[float]],
) -> None:
    below, above, t, dt = found
    number = len(t)
    vertex = np.empty(number, np.int32)
    places = (np.array(below, np.int32), np.array(above, np.int32))
    shares = np.array([_from_nearer_end(x) for x in t])
    room = (np.empty(number, np.int32), *places, shares, np.array(dt), vertex, np.empty(3 * number, np.int32))
    made, merges, forced, doubtful = _ordered(number, *room, NEVER_STOP)
    assert doubtful or (merges, forced) == (0, 0)
    assert made == number - merges
    assert sorted(set(vertex.tolist())) == list(range(made))
    if _definite(*found):
        assert (merges, forced) == (0, 0)
        assert vertex[np.argsort(t)].tolist() == list(range(number))
    for i, j in combinations(range(number), 2):  # chords that do not cross each other never change places
        if below[i] < below[j] and above[i] < above[j]:
            assert vertex[i] <= vertex[j]
