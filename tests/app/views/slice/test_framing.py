"""What a view of a slice shows: never nothing, never a speck, never what rounding makes of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.views.slice.framing import Bounds, Framing

WIDTH, HEIGHT = 320, 210


def around(corners: NDArray[np.float64]) -> Bounds:
    """In any order and direction, as the border of a partition is."""
    segments = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)
    turned = np.arange(len(segments)) % 2 == 0
    segments[turned] = segments[turned, ::-1]
    return Bounds(segments[::-1], np.stack([corners.min(axis=0), corners.max(axis=0)]))


def polygon(angles: list[float], size: float, far: float) -> NDArray[np.float64]:
    """Convex, with corners on an ellipse."""
    turned = np.sort(np.array(angles))
    return size * np.stack([np.cos(turned), 0.4 * np.sin(turned)], axis=1) + far


def seen(corners: NDArray[np.float64], framing: Framing) -> float:
    """The area of what is seen of a convex polygon, in pixels, by clipping (Sutherland and Hodgman, 1974)."""
    found = [np.array(framing.to_pixel(u, v)) for u, v in corners.tolist()]
    for axis, sign, bound in ((0, 1, 0), (0, -1, -framing.width), (1, 1, 0), (1, -1, -framing.height)):
        inside = [sign * point[axis] - bound for point in found]
        clipped = []
        for k, point in enumerate(found):
            a, b = inside[k - 1], inside[k]
            if (a < 0) != (b < 0):
                clipped.append(found[k - 1] + a / (a - b) * (point - found[k - 1]))
            if b >= 0:
                clipped.append(point)
        found = clipped
    x, y = np.array(found).reshape(-1, 2).T
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


CORNERS = st.builds(
    polygon,
    st.lists(st.floats(0, 6.28), min_size=3, max_size=7),
    st.floats(1e-6, 1e6),
    st.sampled_from([0.0, 1.0, -1e5]),
)
MOVES = st.lists(
    st.tuples(st.floats(-900, 900), st.floats(-900, 900), st.floats(0.01, 100), st.floats(0, 320), st.floats(0, 210)),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(CORNERS, MOVES)
def test_some_of_the_slice_is_in_sight_whatever_a_hand_does(
    corners: NDArray[np.float64], moves: list[tuple[float, float, float, float, float]]
) -> None:
    x, y = (corners - corners[0]).T
    assume(abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) > 0.01 * np.ptp(corners) ** 2)
    assume(np.ptp(corners) > 1e-9 * np.abs(corners).max())
    bounds = around(corners)
    whole = framing = bounds.whole(WIDTH, HEIGHT)
    most = 1 / (16 * np.finfo(np.float64).eps * np.abs(corners).max())
    for dx, dy, factor, px, py in moves:
        framing = bounds.in_sight(framing.moved(dx, dy))
        framing = bounds.zoomed(framing, factor, px, py)
        assert 0.1 * whole.scale * (1 - 1e-12) <= framing.scale <= max(most, whole.scale) * (1 + 1e-12)
        assert seen(corners, framing) > 0


@settings(deadline=None)
@given(CORNERS, CORNERS, MOVES)
def test_another_slice_is_seen_too(corners: NDArray[np.float64], others: NDArray[np.float64], moves: list) -> None:
    for shape in (corners, others):
        x, y = (shape - shape[0]).T
        assume(abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) > 0.01 * np.ptp(shape) ** 2)
        assume(np.ptp(shape) > 1e-9 * np.abs(shape).max())
    bounds, other = around(corners), around(others)
    framing = bounds.whole(WIDTH, HEIGHT)
    for dx, dy, factor, px, py in moves:
        framing = bounds.zoomed(bounds.in_sight(framing.moved(dx, dy)), factor, px, py)
    kept = other.kept(framing)
    if kept is not None:
        assert kept.scale == framing.scale
        assert seen(others, kept) > 0
        assert other.whole(WIDTH, HEIGHT).scale <= 20 * kept.scale


def test_a_hand_is_free_as_long_as_the_slice_is_in_sight() -> None:
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    bounds = around(square)
    whole = bounds.whole(200, 200)
    assert whole == Framing.around(square[0], square[2], 200, 200)
    for moved in (whole.moved(150, 0), whole.moved(-90, 60), whole.zoomed(30, 12, 40).moved(300, 900)):
        assert bounds.in_sight(moved) is moved
    assert bounds.zoomed(whole, 3.0, 20, 30) == whole.zoomed(3.0, 20, 30)
    assert bounds.zoomed(whole, 0.5, 20, 30) == whole.zoomed(0.5, 20, 30)
    smallest = bounds.zoomed(whole, 1e-9, 100, 100)
    assert bounds.zoomed(smallest, 0.5, 20, 30) == smallest
    assert smallest.scale == pytest.approx(0.1 * whole.scale)


def test_the_finest_pixels_are_told_apart() -> None:
    """Neighbours on the screen are different points, and come back to where they are."""
    square = np.array([[3e5, -1.0], [3e5 + 2, -1.0], [3e5 + 2, 1.0], [3e5, 1.0]])
    bounds = around(square)
    framing = bounds.whole(200, 200)
    for _ in range(300):
        framing = bounds.zoomed(framing, 1.5, 70, 120)
    assert bounds.zoomed(framing, 1.5, 70, 120) == framing
    points = np.array([framing.to_slice(x, 50) for x in range(200)])
    assert (np.diff(points[:, 0]) > 0).all()
    back = [framing.to_pixel(u, v) for u, v in points.tolist()]
    np.testing.assert_allclose(back, [(x, 50) for x in range(200)], atol=0.2)
