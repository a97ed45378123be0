"""Numbers at the rulers of a slice: apart from each other, inside, and true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QRectF

from app.state.texts.numbers import number_text
from app.views.slice.framing import Framing
from app.views.slice.rulers import measured, ruler

LETTER, GAP = 5.5, 10.0  # pixels


def letters(text: str) -> float:
    return LETTER * len(text)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e7), st.floats(90, 900))
def test_two_numbers_say_where_everything_is(low: float, size: float, pixels: float) -> None:
    room = (2.0, pixels - 14)
    found = ruler(low, low + size, pixels / size, room, letters, GAP)
    values = [float(number.text.replace("\N{MINUS SIGN}", "-")) for number in found.numbers]
    places = [number.at for number in found.numbers]
    ends = np.array([[n.at - n.length / 2, n.at + n.length / 2] for n in found.numbers]).reshape(-1, 2)
    assert (ends >= room[0]).all()
    assert (ends <= room[1]).all()
    assert (ends[1:, 0] >= ends[:-1, 1] + GAP).all()
    np.testing.assert_allclose(
        places, (np.array(values) - low) * pixels / size, atol=0.5 + 1e-9 * abs(low) * pixels / size
    )
    texts = [number_text(low + k * size / 10, step) for k in range(11) for step in (size / 100, size / 10, size / 2)]
    longest = max(letters(text) for text in [*texts, *(number.text for number in found.numbers)])
    assert len(values) >= 2 or 6 * longest + 5 * GAP > room[1] - room[0]


@pytest.mark.parametrize(
    ("pixels", "texts"),
    [
        (110, "-0.5 0 0.5"),
        (300, "-1 -0.5 0 0.5"),
        (520, "-1 -0.8 -0.6 -0.4 -0.2 0 0.2 0.4 0.6 0.8"),
        (12, ""),
    ],
)
def test_the_usual_box(pixels: float, texts: str) -> None:
    found = ruler(-1.06, 1.06, pixels / 2.12, (2.0, pixels - 14), letters, GAP)
    assert " ".join(number.text for number in found.numbers).replace("\N{MINUS SIGN}", "-") == texts


def test_rulers_end_where_the_slice_ends() -> None:
    """Or where the view does; round ends have their numbers."""
    area = QRectF(40, 0, 300, 200)
    framing = Framing.around(np.array([-1.0, -1.0]), np.array([1.0, 1.0]), 300, 200)
    part = measured(framing, area, (-1.0, -1.0), (1.0, 1.0))
    side = 2 * framing.scale
    assert part.center().toTuple() == pytest.approx(area.center().toTuple())
    assert (part.width(), part.height()) == pytest.approx((side, side))
    ends = [framing.to_slice(x - area.left(), 100)[0] for x in (part.left(), part.right())]
    found = ruler(*ends, framing.scale, (-60.0, side + 60), letters, GAP)
    assert found.numbers[0].text == "\N{MINUS SIGN}1"
    assert found.numbers[-1].text == "1"
    assert (found.ticks[0], found.ticks[-1]) == pytest.approx((0.0, side))
    assert measured(framing.zoomed(9, 150, 100), area, (-1.0, -1.0), (1.0, 1.0)) == area
