"""Numbers of twice the digits of float64: arrays (2, ...) of a high part and a low part, whose sum the number is.

Error-free sums and products of Knuth and Dekker; see Hida, Li and Bailey, "Algorithms for quad-double precision
floating point arithmetic" (2001).  What leaves the range of float64 on the way is NaN.
"""

from __future__ import annotations

import numpy as np

from engine.steps import Float

UNIT = 2.0**-100
"""Relative error of one operation, with room: of a sum relative to |x| + |y|."""
_SPLITTER = 2.0**27 + 1.0


def of(values: Float) -> Float:
    """float64 numbers as they are."""
    return np.stack([values, np.zeros_like(values)])


def plus(x: Float, y: Float) -> Float:
    high, error = _sum(x[0], y[0])
    low, rest = _sum(x[1], y[1])
    high, error = _normal(high, error + low)
    return np.stack(_normal(high, error + rest))


def times(x: Float, y: Float) -> Float:
    high, error = _product(x[0], y[0])
    return np.stack(_normal(high, error + (x[0] * y[1] + x[1] * y[0])))


def times_float(x: Float, y: Float) -> Float:
    """The product with float64 numbers y (...)."""
    high, error = _product(x[0], y)
    return np.stack(_normal(high, error + x[1] * y))


def over(x: Float, y: Float) -> Float:
    """The quotient, by long division."""
    first = x[0] / y[0]
    rest = plus(x, -times_float(y, first))
    second = rest[0] / y[0]
    rest = plus(rest, -times_float(y, second))
    return plus(np.stack(_sum(first, second)), of(rest[0] / y[0]))


def _sum(a: Float, b: Float) -> tuple[Float, Float]:
    high = a + b
    of_b = high - a
    return high, (a - (high - of_b)) + (b - of_b)


def _normal(high: Float, low: Float) -> tuple[Float, Float]:
    result = high + low
    return result, low - (result - high)


def _product(a: Float, b: Float) -> tuple[Float, Float]:
    high = a * b
    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    return high, ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low


def _split(a: Float) -> tuple[Float, Float]:
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high
