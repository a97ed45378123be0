"""Numbers as people read them."""

from __future__ import annotations

import numpy as np
import pytest

from app.state.geometry.planes import rotated
from app.state.texts.notes import domain_text
from app.state.texts.numbers import counted, number_text, place_text, short_place_text
from engine import SlicePlane

MINUS = "\N{MINUS SIGN}"


def test_numbers_a_step_apart_look_different_and_are_themselves() -> None:
    generator = np.random.default_rng(0)
    for _ in range(3000):
        step = float(10.0 ** generator.integers(-12, 9))
        value = float(generator.integers(-2000, 2000)) * step
        if generator.integers(3) == 0:
            value += float(generator.choice([-1, 1])) * step * 2.0 ** int(generator.integers(8, 20))
        text = number_text(value, step)
        assert abs(float(text) - value) <= 0.500001 * step
        assert number_text(value + step, step) != text
        assert number_text(value - step, step) != text


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [(0.25, 1e-3, "0.25"), (-0.0, 1e-3, "0"), (1e-9, 1e-3, "0"), (1e6, 1e-3, "1000000"), (1000000.5, 1e-3, "1000000.5"),
     (2.5e-7, 1e-9, "2.5e-7"), (-1e-6, 2e-9, "-1e-6"), (-264297.3, 1e3, "-264297"), (3e8, 1e6, "3e8"), (-1, 1e-3, "-1"),
     (0.1, 5e-4, "0.1"), (1000.0, 1.0, "1000")],
)  # fmt: skip
def test_texts(value: float, step: float, text: str) -> None:
    assert number_text(value, step) == text


def test_places_tell_planes_apart_where_the_box_is_far_away() -> None:
    far = np.array([[1e6 - 1] * 3, [1e6 + 1] * 3])
    assert domain_text(far) == "[999999, 1000001]³"
    assert place_text(SlicePlane.from_axis("x", 1e6 + 0.25), far) == "x = 1000000.25"
    tiny = np.array([[-1e-6] * 3, [1e-6] * 3])
    assert domain_text(tiny) == "[-1e-6, 1e-6]³".replace("-", MINUS)
    assert place_text(SlicePlane.from_axis("z", -2.5e-7), tiny) == "z = -2.5e-7".replace("-", MINUS)
    assert place_text(SlicePlane.from_normal([0, 0, 0], [1, 1, 0]), far).startswith("through (0, 0, 0)")


def test_counts_have_their_noun() -> None:
    assert [counted(count, "region") for count in (0, 1, 2, 1244)] == [
        "0 regions",
        "1 region",
        "2 regions",
        "1,244 regions",
    ]


def test_short_places_name_the_axis_that_a_plane_is_across() -> None:
    box = np.array([[-1.0] * 3, [1.0] * 3])
    for axis, number in enumerate((0.25, -0.5, 0.0)):
        plane = SlicePlane.from_axis("xyz"[axis], number)
        assert short_place_text(plane, box) == place_text(plane, box)
        aside = np.roll([number, 0.25, -0.125], axis)  # another origin in the same plane
        for normal in np.eye(3)[axis], -np.eye(3)[axis]:
            assert short_place_text(SlicePlane.from_normal(aside, normal), box) == place_text(plane, box)
    turned = SlicePlane.from_axis("z", 0.25)
    for _ in range(30):
        turned = rotated(turned, 15)
    assert short_place_text(turned, box) == "z = 0.25"
    assert short_place_text(SlicePlane.from_normal([0, 0, 0.25], [0, 1e-3, 1]), box) == "oblique"
