"""Dyadic rationals, integers over a power of two: every float is one, and every sum and product of them is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float

Integers = NDArray[Any]  # Python's, of any size


class Dyadic(NamedTuple):
    """Numbers `integers` / 2**exponent, in an array of any shape.

    An affine function of the place (x, y) in a slice is a row (a, b, c) of integers: (a x + b y + c) / 2**exponent.
    """

    integers: Integers
    exponent: int


def dyadic(numbers: Float) -> Dyadic:
    """Return finite float64 numbers as integers over a common power of two."""
    mantissa, exponent = np.frexp(numbers)
    used = mantissa != 0.0
    least = min(53, int(exponent[used].min())) if used.any() else 53
    shift = np.where(used, exponent - least, 0)
    return reduced(np.ldexp(mantissa, 53).astype(np.int64).astype(object) << shift.astype(object), 53 - least)


def reduced(integers: Integers, exponent: int) -> Dyadic:
    """Divide by the powers of two that all integers and the denominator share."""
    bits = int(np.bitwise_or.reduce(integers.ravel(), initial=0))
    shared = min(exponent, (bits & -bits).bit_length() - 1) if bits else exponent
    return Dyadic(integers >> shared, exponent - shared) if shared > 0 else Dyadic(integers, exponent)


def aligned(parts: Sequence[Dyadic]) -> tuple[list[Integers], int]:
    """Return the integers of several arrays of numbers over one denominator, and its exponent."""
    exponent = max(part.exponent for part in parts)
    return [part.integers << (exponent - part.exponent) for part in parts], exponent


def shifted(forms: Dyadic, constants: Dyadic) -> Dyadic:
    """Add constants (n,) to affine functions (n, 3)."""
    (integers, shift), exponent = aligned([forms, constants])
    integers[:, 2] += shift
    return reduced(integers, exponent)


def product(weight: Dyadic, forms: Dyadic) -> Dyadic:
    """Multiply weight (m, n) by affine functions (n, k), of which those that are zero are left out."""
    live = (forms.integers != 0).any(axis=1)
    result = np.full((len(weight.integers), forms.integers.shape[1]), 0, object)
    if live.any():
        result = np.dot(weight.integers[:, live], forms.integers[live])
    return Dyadic(result, weight.exponent + forms.exponent)
