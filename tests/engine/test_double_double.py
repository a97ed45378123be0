"""Arithmetic with twice the digits, beside rational numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from engine.double_double import UNIT, of, over, plus, times, times_float
from engine.steps import Float


def _numbers(seed: int) -> Float:
    rng = np.random.default_rng(seed)
    high = rng.normal(size=400) * 2.0 ** rng.integers(-60, 61, 400)
    return plus(of(high), of(high * rng.normal(size=400) * 2.0**-53))


def _exactly(x: Float) -> list[Fraction]:
    return [Fraction(high) + Fraction(low) for high, low in x.T.tolist()]


@pytest.mark.parametrize("seed", range(3))
def test_operations_are_right_to_their_unit(seed: int) -> None:
    x, y = _numbers(seed), _numbers(seed + 10)
    y[:, :100] = plus(-x[:, :100], of(x[0, :100] * 2.0**-40))  # what cancels
    pairs = list(zip(_exactly(x), _exactly(y), strict=True))
    products = [(a * b, abs(a * b)) for a, b in pairs]
    rounded = [(a, Fraction(b)) for (a, _), b in zip(pairs, y[0].tolist(), strict=True)]
    expected = {
        "sum": (plus(x, y), [(a + b, abs(a) + abs(b)) for a, b in pairs]),
        "product": (times(x, y), products),
        "product with float64": (times_float(x, y[0]), [(a * b, abs(a * b)) for a, b in rounded]),
        "quotient": (over(x, y), [(a / b, abs(a / b)) for a, b in pairs]),
    }
    for name, (found, exact) in expected.items():
        for value, (true, size) in zip(_exactly(found), exact, strict=True):
            assert abs(value - true) <= Fraction(UNIT) * size, name
