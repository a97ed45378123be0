"""A camera turned by hand: upright, at its distance, also from straight above; and what its lens sees where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.state.geometry.viewpoint import Viewpoint
from app.views.camera import NEAREST, VIEW_ANGLE, Lens, orbit, pan, whole_box, zoom
from engine import SlicePlane

UP = np.array([0.0, 1.0, 0.0])
FOCUS = np.array([0.1, 0.2, 0.3])
BOX = np.array([[-1.0] * 3, [1.0] * 3])


def seen_from(direction: tuple[float, float, float], up: tuple[float, float, float]) -> Viewpoint:
    return Viewpoint.at(FOCUS + 4 * np.array(direction), FOCUS, np.array(up))


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("drag", [(0, 0), (5, 0), (-3, 4), (0, -6), (30, 40)])
def test_from_straight_above_or_below_it_becomes_upright(side: float, drag: tuple[int, int]) -> None:
    viewpoint = orbit(seen_from((0, side, 0), (0, 0, -1)), *drag, 600, UP)
    arm = np.array(viewpoint.position) - FOCUS
    assert np.linalg.norm(arm) == pytest.approx(4.0)
    assert abs(arm @ UP) < 0.997 * 4
    ahead, right = Lens.of(viewpoint, BOX, 600, 600).to_pixels(np.array([[0.1, 0.2, 0.2], [0.2, 0.2, 0.3]]))
    assert np.hypot(*(ahead - right)) > 5  # nothing is flattened
    if drag == (0, 0):
        assert ahead[1] < 300  # what was upwards in the picture still is
        assert abs(ahead[0] - 300) < 1e-6


def test_elsewhere_a_drag_turns_about_the_vertical() -> None:
    viewpoint = orbit(seen_from((0.6, 0.0, 0.8), (0, 1, 0)), 60, 0, 600, UP)
    arm = (np.array(viewpoint.position) - FOCUS) / 4
    assert arm[1] == pytest.approx(0.0, abs=1e-12)
    assert arm @ [0.6, 0.0, 0.8] == pytest.approx(np.cos(np.radians(26.0)))


def test_the_focus_follows_a_drag_and_stays_when_the_eye_comes_nearer() -> None:
    viewpoint = seen_from((0.6, 0.0, 0.8), (0, 1, 0))
    before = Lens.of(viewpoint, BOX, 800, 600)
    after = Lens.of(pan(viewpoint, 30, -20, 600), BOX, 800, 600)
    moved = after.to_pixels(FOCUS[None]) - before.to_pixels(FOCUS[None])
    np.testing.assert_allclose(moved, [[30, -20]], atol=1e-9)
    near = Lens.of(zoom(viewpoint, 2.0, 3.0), BOX, 800, 600)
    assert near.distance == pytest.approx(2.0)
    np.testing.assert_allclose(near.to_pixels(FOCUS[None]), [[400, 300]], atol=1e-9)


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("drag", [(40, 25), (-300, 7), (3, -900)])
def test_the_centre_of_turning_stays_at_its_pixel(parallel: bool, drag: tuple[int, int]) -> None:
    centre = np.array([0.7, -0.2, 0.5])
    viewpoint = replace(seen_from((0.6, 0.0, 0.8), (0, 1, 0)), parallel=parallel).turning_about(centre)
    turned = orbit(viewpoint, *drag, 600, UP)
    assert turned.centre == viewpoint.centre
    assert turned.parallel is parallel
    lenses = [Lens.of(seen, BOX, 800, 600) for seen in (viewpoint, turned)]
    one, other = (lens.to_pixels(np.stack([centre, FOCUS])) for lens in lenses)
    np.testing.assert_allclose(one[0], other[0], atol=1e-9)
    assert np.hypot(*(one[1] - other[1])) > 5
    arms = [np.subtract(seen.position, seen.focus) for seen in (viewpoint, turned)]
    assert np.linalg.norm(arms[0]) == pytest.approx(np.linalg.norm(arms[1]))
    about = orbit(viewpoint.turning_about(None), *drag, 600, UP)
    np.testing.assert_allclose(np.subtract(about.position, about.focus), arms[1], atol=1e-12)


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("factor", [3.0, 0.2, 1e9])
def test_what_a_zoom_comes_nearer_to_stays_at_its_pixel_and_is_not_passed(parallel: bool, factor: float) -> None:
    point, size = np.array([0.7, 0.4, -0.3]), 3.0
    viewpoint = replace(seen_from((0.6, 0.0, 0.8), (0, 1, 0)), parallel=parallel)
    nearer = zoom(viewpoint, factor, size, point)
    one, other = (Lens.of(seen, BOX, 800, 600).to_pixels(point[None]) for seen in (viewpoint, nearer))
    np.testing.assert_allclose(one, other, rtol=1e-4)
    start, end = (point - np.array(seen.position) for seen in (viewpoint, nearer))
    assert start @ end > 0
    distances = [np.linalg.norm(np.subtract(seen.position, seen.focus)) for seen in (viewpoint, nearer)]
    assert distances[1] >= NEAREST * size * (1 - 1e-9)
    if factor < 1e6:
        np.testing.assert_allclose(end * factor, start, atol=1e-12)
        assert distances[1] * factor == pytest.approx(distances[0])


def test_in_parallel_a_length_is_as_long_wherever_it_is_and_the_focus_is_seen_as_before() -> None:
    viewpoint = seen_from((0.6, 0.0, 0.8), (0, 1, 0))
    lens, parallel = (Lens.of(replace(viewpoint, parallel=on), BOX, 800, 600) for on in (False, True))
    side = FOCUS + 0.3 * lens.axes[0]
    np.testing.assert_allclose(lens.to_pixels(side[None]), parallel.to_pixels(side[None]))
    points = np.random.default_rng(0).uniform(-1, 1, (20, 3))
    steps = parallel.to_pixels(points + 0.3 * lens.axes[0]) - parallel.to_pixels(points)
    np.testing.assert_allclose(steps, np.tile(steps[:1], (20, 1)), atol=1e-9)


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("size", [(600, 600), (300, 700), (900, 200)])
@pytest.mark.parametrize("scale", [2.0**-20, 1.0, 2.0**30])
def test_a_lens_and_its_rays_agree(size: tuple[int, int], scale: float, parallel: bool) -> None:
    generator = np.random.default_rng(2)
    box = scale * (BOX + 5.0)
    lens = Lens.of(replace(whole_box(box, np.array([1.0, 0.6, 1.3]), UP), parallel=parallel), box, *size)
    points = generator.uniform(box[0], box[1], (50, 3))
    pixels = lens.to_pixels(points)
    assert (pixels >= 0).all()
    assert (pixels <= size).all()  # all of the box is in the picture
    for point, pixel in zip(points, pixels, strict=True):
        start, direction = lens.ray(*pixel)
        assert np.linalg.norm(np.cross(point - start, direction)) < 1e-12 * scale
        beside = point + lens.axes[0] * lens.pixel_length(point)
        np.testing.assert_allclose(lens.to_pixels(beside[None])[0] - pixel, [1.0, 0.0], atol=1e-6)
    depths = (points - lens.eye) @ lens.forward
    assert lens.near < depths.min()
    assert depths.max() < lens.far
    plane = SlicePlane.from_normal(box.mean(axis=0), [1, 2, 3])
    places = plane.to_plane(points)
    seen = np.column_stack([places, np.ones(50)]) @ lens.homography(plane).T
    np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], lens.to_pixels(plane.to_input(places)), atol=1e-6)


def test_the_view_angle_is_that_of_the_shorter_side() -> None:
    viewpoint = seen_from((0.0, 0.0, 1.0), (0, 1, 0))
    reach = 4 * np.tan(np.radians(VIEW_ANGLE / 2))
    for size, way in (((900, 200), [0, 1, 0]), ((200, 900), [1, 0, 0])):
        edge = Lens.of(viewpoint, BOX, *size).to_pixels((FOCUS + reach * np.array(way))[None])[0]
        assert min(abs(edge[0] - 200), abs(edge[1])) < 1e-9
