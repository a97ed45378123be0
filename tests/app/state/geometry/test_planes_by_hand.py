"""Planes at a surface, stacks and journeys, for any input that makes sense."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.state.geometry.planes import StackPlace, meets, offset, offset_range, stacked, tangent, travelled, upright
from engine import SlicePlane, plane_box_polygon
from tests.app.conftest import DOMAIN

numbers = st.floats(-1, 1, allow_subnormal=False)
vectors = st.tuples(numbers, numbers, numbers).filter(lambda v: np.linalg.norm(v) > 1e-3)
BOX = np.array([[-1.0, -2.0, 0.0], [3.0, 0.5, 1.5]])


@settings(deadline=None)
@given(point=vectors, normal=vectors, up=vectors)
def test_a_plane_across_the_surface_contains_its_normal(point, normal, up) -> None:
    plane, unit = upright(point, normal, up), np.array(normal) / np.linalg.norm(normal)
    np.testing.assert_allclose(plane.axes[1], unit, atol=1e-12)
    np.testing.assert_array_equal(plane.origin, point)
    above = np.array(up) / np.linalg.norm(up)
    if np.linalg.norm(np.cross(above, unit)) > 0.01:
        assert abs(plane.normal @ above) < 1e-10  # it is upright
        assert plane.axes[0] @ above > 0


@pytest.mark.parametrize("axis", range(3))
def test_a_normal_that_points_up_has_a_plane_too(axis) -> None:
    up = np.eye(3)[axis]
    plane = upright(np.zeros(3), -2 * up, up)
    np.testing.assert_allclose(plane.axes[1], -up, atol=1e-15)


@settings(deadline=None)
@given(point=vectors, normal=vectors)
def test_a_tangent_plane_has_the_surfaces_normal(point, normal) -> None:
    plane = tangent(point, normal)
    np.testing.assert_allclose(plane.normal, np.array(normal) / np.linalg.norm(normal), atol=1e-12)
    np.testing.assert_array_equal(plane.origin, point)


@settings(deadline=None, max_examples=50)
@given(
    normal=vectors, at=vectors, count=st.integers(1, 20), spacing=st.floats(1e-3, 10), place=st.sampled_from(StackPlace)
)
def test_stacks_are_parallel_even_and_in_the_box(normal, at, count, spacing, place) -> None:
    plane = SlicePlane.from_normal(np.clip(at, BOX[0], BOX[1]), normal)
    assume(meets(plane, BOX))
    planes = stacked(plane, BOX, count, spacing, place)
    offsets = np.array([offset(part) for part in planes])
    assert len(planes) <= count
    for part in planes:
        np.testing.assert_array_equal(part.axes, plane.axes)
    for part in planes[:1] + planes[-1:]:  # the box is convex: those between meet it too
        plane_box_polygon(part, BOX)
    low, high = offset_range(plane, BOX)
    if place is StackPlace.BOX:
        assert len(planes) == count
        spacing = (high - low) / count
        assert offsets[0] - low == pytest.approx(high - offsets[-1], abs=1e-9)
    elif place is StackPlace.ALONG or count % 2:
        assert any(part is plane for part in planes)
    np.testing.assert_allclose(np.diff(offsets), spacing, atol=1e-9)


def test_a_stack_across_an_axis_has_exact_offsets() -> None:
    planes = stacked(SlicePlane.from_axis("y", 0.25), DOMAIN, 3, 0.125, StackPlace.ALONG)
    assert [part.origin.tolist() for part in planes] == [[0, 0.25, 0], [0, 0.375, 0], [0, 0.5, 0]]


@settings(deadline=None)
@given(
    start=st.floats(0, 1), direction=st.sampled_from([1, -1]), steps=st.lists(st.floats(0, 5), min_size=1, max_size=8)
)
def test_travelling_in_steps_is_travelling_at_once(start, direction, steps) -> None:
    low, high = -0.25, 1.5
    here = low + start * (high - low)
    once = travelled(here, direction, sum(steps), low, high)
    for step in steps:
        assert low <= here <= high
        here, direction = travelled(here, direction, step, low, high)
    assert low <= here <= high
    assert here == pytest.approx(once[0], abs=1e-12)
    if min(here - low, high - here) > 1e-9:
        assert direction == once[1]


def test_it_turns_round_at_the_ends() -> None:
    assert travelled(0.75, 1, 0.5, 0.0, 1.0) == (0.75, -1)
    assert travelled(0.25, -1, 0.5, 0.0, 1.0) == (0.25, 1)
    assert travelled(2.0, 1, 0.25, 0.0, 1.0) == (0.75, -1)
