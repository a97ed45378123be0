"""Numbers at axes: short, and with the label they say where their ticks are."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.figures.ticks import Ticks

LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹\N{MINUS SIGN}", "-0123456789-")
LABEL = re.compile(r"\(?x(?: ([-+]) (\S+?))?\)?(?: / 10(\S+))?")


def read(ticks: Ticks) -> np.ndarray:
    """Where a reader takes the ticks to be."""
    found = LABEL.fullmatch(ticks.label.translate(LOWERED))
    assert found is not None
    sign, start, power = found.groups()
    values = np.array([float(text.translate(LOWERED)) for text in ticks.texts]) * 10.0 ** int(power or 0)
    return values if start is None else values - float(f"{sign}{start}")


@given(st.floats(-1e6, 1e6), st.floats(1e-7, 1e7))
def test_what_is_read_is_where_the_ticks_are(low: float, size: float) -> None:
    ticks = Ticks.between(low, low + size, "x")
    assert 2 <= len(ticks.places) <= 6  # five, and one that rounding puts beside the end
    assert (ticks.places >= low - 1e-8 * size).all()
    assert (ticks.places <= low + size + 1e-8 * size).all()
    np.testing.assert_allclose(read(ticks), ticks.places, rtol=1e-12, atol=1e-6 * size)
    assert max(map(len, ticks.texts)) <= 6
    assert len(set(ticks.texts)) == len(ticks.texts)


@pytest.mark.parametrize(
    ("low", "high", "label", "texts"),
    [
        (-1.0, 1.0, "x", "-1.0 -0.5 0.0 0.5 1.0"),
        (-1e-5, 1e-5, "x / 10⁻⁵", "-1 0 1"),
        (-2e6, 2e6, "x / 10⁶", "-2 -1 0 1 2"),
        (0.1, 0.1002, "(x - 0.1) / 10⁻⁴", "0.0 0.5 1.0 1.5 2.0"),
        (-0.2, -0.198, "x + 0.2", "0.000 0.001 0.002"),
    ],
)
def test_usual_axes(low: float, high: float, label: str, texts: str) -> None:
    ticks = Ticks.between(low, high, "x")
    assert ticks.label.replace("\N{MINUS SIGN}", "-") == label
    assert " ".join(ticks.texts).replace("\N{MINUS SIGN}", "-") == texts
