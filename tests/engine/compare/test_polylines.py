"""Distances between polylines, beside dense samples and in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import polyline_distances
from engine.arrays import Float


def polyline(points: Float) -> Float:
    return np.stack([points[:-1], points[1:]], axis=1)


def dense(segments: Float, count: int) -> Float:
    t = (np.arange(count) + 0.5) / count
    return (segments[:, :1] + t[None, :, None] * (segments[:, 1:] - segments[:, :1])).reshape(-1, 2)


def brute(points: Float, segments: Float) -> Float:
    start, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    t = np.clip(((points[:, None] - start) * along).sum(-1) / (along**2).sum(-1), 0.0, 1.0)
    return np.linalg.norm(points[:, None] - (start + t[..., None] * along), axis=-1).min(axis=1)


@pytest.mark.parametrize("seed", range(10))
def test_distances_are_those_of_dense_samples(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (polyline(np.cumsum(rng.normal(size=(rng.integers(3, 30), 2)), axis=0)) for _ in range(2))
    found = polyline_distances(first, second)
    back = polyline_distances(second, first)
    assert (back.to_first, back.to_second) == (found.to_second, found.to_first)
    assert (back.mean_to_first, back.mean_to_second) == (found.mean_to_second, found.mean_to_first)
    for one, other, largest, mean in (
        (first, second, found.to_second, found.mean_to_second),
        (second, first, found.to_first, found.mean_to_first),
    ):
        lengths = np.linalg.norm(one[:, 1] - one[:, 0], axis=1)
        sampled = brute(dense(one, 400), other).reshape(len(one), -1)
        ends = brute(one.reshape(-1, 2), other)
        assert max(sampled.max(), ends.max()) <= largest + 1e-12
        assert largest <= max(sampled.max(), ends.max()) + lengths.max() / 400
        assert mean == pytest.approx((sampled.mean(axis=1) * lengths).sum() / lengths.sum(), abs=1e-4)


def test_the_farthest_point_may_be_inside_a_segment() -> None:
    line = polyline(np.array([[-1.0, 0.0], [1.0, 0.0]]))
    two = np.array([[[-1.0, 0.5], [-1.0, 1.0]], [[1.0, 0.5], [1.0, 1.0]]])
    found = polyline_distances(line, two)
    assert found.to_second == pytest.approx(math.sqrt(1.25), abs=1e-13)
    assert found.to_first == 1.0


def test_a_circle_is_as_far_from_a_smaller_one_as_radii_differ() -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 2001)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = polyline_distances(polyline(circle), polyline(0.75 * circle))
    assert found.hausdorff == pytest.approx(0.25, abs=1e-5)
    assert found.mean == pytest.approx(0.25, abs=1e-5)
    moved = polyline_distances(polyline(circle), polyline(circle + np.array([0.3, 0.4])))
    assert moved.hausdorff == pytest.approx(0.5, abs=1e-13)


def test_sets_that_are_empty_are_told() -> None:
    nothing, line = np.empty((0, 2, 2)), polyline(np.array([[0.0, 0.0], [1.0, 0.0]]))
    assert polyline_distances(nothing, nothing).hausdorff == 0.0
    assert math.isnan(polyline_distances(nothing, line).hausdorff)
    assert polyline_distances(line, line.copy()).mean == 0.0
