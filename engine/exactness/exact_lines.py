"""Lines in a slice with integer coefficients, and the order in which they cross one of them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from fractions import Fraction
from functools import cmp_to_key
from typing import NamedTuple

import numpy as np

from engine.arrays import Int

_LEAST = math.ulp(0.0)


class Line(NamedTuple):
    """The affine function (a x + b y + c) / 2**exponent of the place (x, y), and the line where it is zero."""

    a: int
    b: int
    c: int
    exponent: int


Place = tuple[int, int, int]
"""The place (x / w, y / w), w > 0."""


def minus(line: Line, number: float) -> Line:
    """Return the function less a number."""
    if number == 0.0:
        return line
    top, bottom = number.as_integer_ratio()  # a power of two
    shift = bottom.bit_length() - 1
    exponent = max(line.exponent, shift)
    a, b, c = (part << (exponent - line.exponent) for part in line[:3])
    return Line(a, b, c - (top << (exponent - shift)), exponent)


def through(start: Sequence[float], end: Sequence[float]) -> Line:
    """Return a function that is zero on the line through two points."""
    (x, y), (u, v) = ([Fraction(number) for number in point] for point in (start, end))
    parts = y - v, u - x, x * v - y * u
    scale = max(part.denominator for part in parts)  # powers of two
    a, b, c = (int(part * scale) for part in parts)
    return Line(a, b, c, 0)


def crossing(one: Line, other: Line) -> Place | None:
    """Return where two lines cross; None where they are parallel."""
    w = one.a * other.b - one.b * other.a
    if w == 0:
        return None
    x, y = one.b * other.c - one.c * other.b, one.c * other.a - one.a * other.c
    return (x, y, w) if w > 0 else (-x, -y, -w)


def ranks_along(line: Line, others: Sequence[Line], at_start: Sequence[float]) -> Int:
    """Return (N,) int32: the ranks of the places where others cross a line on the way from a point on it.

    at_start (N,): numbers with the signs of the others at that point, none of which is zero.  Equal ranks: one place.
    A line that does not cross, which others' signs contradict, has the last rank.
    """
    along = 0 if line.b != 0 else 1  # the coordinate that changes on the line
    places = [crossing(line, other) for other in others]
    shares = [(0, 0) if place is None else (place[along], place[2]) for place in places]
    keys = np.array([quotient(top, bottom) if bottom else math.inf for top, bottom in shares])
    order = np.argsort(keys, kind="stable").tolist()

    def compare(m: int, n: int) -> int:
        one, two = shares[m][0] * shares[n][1], shares[n][0] * shares[m][1]
        return (one > two) - (one < two)

    # A quotient is rounded to the nearest float, so different ones are in the order of the fractions.
    ranks, last, start = np.empty(len(others), np.int32), -1, 0
    for stop in range(1, len(order) + 1):
        if stop < len(order) and keys[order[stop]] == keys[order[start]]:
            continue
        run = sorted(order[start:stop], key=cmp_to_key(compare)) if stop - start > 1 else order[start:stop]
        for slot, n in enumerate(run):
            last += slot == 0 or compare(run[slot - 1], n) != 0
            ranks[n] = last
        start = stop
    forwards = next((_is_forwards(line, along, *pair) for pair in zip(others, at_start, strict=True)), True)
    return ranks if forwards else last - ranks


def _is_forwards(line: Line, along: int, other: Line, at_start: float) -> bool:
    """Return whether the way to where another line is crossed is that of the growing coordinate."""
    slope = (line.b * other.a - line.a * other.b) * line.b if along == 0 else other.b
    return (slope > 0) != (at_start > 0.0)


def quotient(top: int, bottom: int) -> float:
    """Return the float64 nearest to top / bottom, bottom > 0; where it would be 0 or infinite, the next that is not."""
    try:
        return top / bottom or (_LEAST if top > 0 else -_LEAST if top else 0.0)
    except OverflowError:
        return sys.float_info.max if top > 0 else -sys.float_info.max
