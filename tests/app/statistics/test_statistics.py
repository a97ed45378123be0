"""A slice in numbers, against plainer ways to measure it."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from app.state.slices import SliceResult
from app.statistics.nearness import lengths_within
from app.statistics.statistics import eccentricities, slice_statistics
from engine import Partition, areas
from tests.app.conftest import DEPTH, WIDTH

MakeSlice = Callable[..., SliceResult]
Float = NDArray[np.float64]


def distances(points: Float, segments: Float) -> Float:
    """From points (N, 2) to the nearest of the segments (M, 2, 2)."""
    start, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    square = np.maximum((along**2).sum(axis=1), 1e-300)
    t = np.clip(((points[:, None] - start) * along).sum(axis=2) / square, 0.0, 1.0)
    return np.linalg.norm(points[:, None] - start - t[..., None] * along, axis=2).min(axis=1)


@pytest.mark.parametrize("distance", [0.003, 0.05, 0.4, 5.0])
@pytest.mark.parametrize("seed", range(3))
def test_lengths_near_segments_are_those_of_samples(seed: int, distance: float) -> None:
    random = np.random.default_rng(seed)
    lines = random.uniform(-1, 1, (30, 2, 2))
    segments = random.uniform(-1, 1, (1, 2)) + random.normal(size=(12, 2, 2)) * random.choice([0.02, 0.5])
    segments[0, 1] = segments[0, 0]  # one is a point
    segments[1] = lines[0]  # one lies on a line
    samples = 4000
    t = (np.arange(samples) + 0.5)[:, None] / samples
    for line, found in zip(lines, lengths_within(lines, segments, distance), strict=True):
        near = distances(line[0] + t * (line[1] - line[0]), segments) <= distance
        length = np.linalg.norm(line[1] - line[0])
        assert abs(found - near.mean() * length) <= 2 * len(segments) * length / samples


def test_lengths_add_up_when_lines_are_cut() -> None:
    random = np.random.default_rng(0)
    lines, segments = random.uniform(-1, 1, (20, 2, 2)), random.uniform(-1, 1, (5, 2, 2))
    middle = lines.mean(axis=1, keepdims=True)
    halves = [np.concatenate([lines[:, :1], middle], axis=1), np.concatenate([middle, lines[:, 1:]], axis=1)]
    parts = [lengths_within(half, segments, 0.1) for half in halves]
    np.testing.assert_allclose(sum(parts), lengths_within(lines, segments, 0.1), atol=1e-12)


def test_what_is_not_there_is_near_nothing() -> None:
    lines = np.zeros((2, 2, 2))
    lines[1, 1] = 1.0
    assert lengths_within(lines, np.empty((0, 2, 2)), 1.0).tolist() == [0.0, 0.0]
    assert lengths_within(np.empty((0, 2, 2)), lines, 1.0).shape == (0,)
    np.testing.assert_allclose(lengths_within(lines, lines[1:], 0.5), [0.0, np.sqrt(2)])


def test_eccentricities_are_those_of_moments(make_slice: MakeSlice) -> None:
    partition = make_slice().partition
    found = eccentricities(partition)
    for region in np.argsort(-areas(partition))[:10]:
        loop = partition.face_vertices[partition.face_offsets[region] : partition.face_offsets[region + 1]]
        moments = _moments(partition, loop)
        minor, major = np.linalg.eigvalsh(moments)
        assert 1.0 - found[region] ** 2 == pytest.approx(minor / major, abs=0.02)
    assert ((found >= 0.0) & (found <= 1.0)).all()


def _moments(partition: Partition, loop: NDArray[np.int32]) -> Float:
    """Of a convex polygon, from many points in its triangles."""
    corners = partition.vertices[loop]
    random = np.random.default_rng(0)
    points, weights = [], []
    for second, third in pairwise(corners[1:]):
        a, b = random.uniform(size=(2, 40_000, 1))
        a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)
        points.append(corners[0] + a * (second - corners[0]) + b * (third - corners[0]))
        (x, y), (X, Y) = second - corners[0], third - corners[0]
        weights.append(np.full(40_000, x * Y - X * y))
    return np.cov(np.concatenate(points).T, aweights=np.concatenate(weights))


def test_statistics_add_up(make_slice: MakeSlice) -> None:
    result = make_slice()
    partition = result.partition
    found = slice_statistics(result, [0.05, 10.0])
    assert found.area == pytest.approx(4.0)
    assert found.level_length == pytest.approx(result.level_set.length)
    assert found.areas.counts.sum() == found.eccentricities.counts.sum() == found.regions == partition.regions
    signs = partition.activation_pattern()
    for depth in found.depths:
        edges = partition.edges[partition.edge_layer == depth.layer]
        ends = partition.vertices[edges]
        assert depth.edges == len(edges)
        assert depth.length == pytest.approx(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum())
        assert 0.0 <= depth.within[0] < depth.length
        assert depth.within[1] == pytest.approx(depth.length)  # farther than the slice is wide
        own = signs[:, depth.layer * WIDTH : (depth.layer + 1) * WIDTH]
        above, below = (own > 0).any(axis=0), (own < 0).any(axis=0)
        assert depth.switching == np.count_nonzero(above & below)
        assert depth.always_on == np.count_nonzero(above & ~below)
        assert depth.dead == np.count_nonzero(~above & below)
        assert depth.neurons == WIDTH
    assert len(found.depths) == DEPTH
    assert sum(depth.within[0] for depth in found.depths) > 0.0
    assert 0.0 < found.area_within[0] < 1.0
    assert found.area_within[1] == 1.0
    assert json.loads(json.dumps(found.to_json()))["depths"][0]["length_within"] == list(found.depths[0].within)


def test_the_area_near_the_level_set_is_that_of_samples(make_slice: MakeSlice) -> None:
    result = make_slice()
    partition = result.partition
    segments = partition.vertices[partition.edges[partition.edge_on_level]]
    places = np.linspace(-1, 1, 301)[:-1] + 1 / 300
    points = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
    share = (distances(points, segments) <= 0.1).mean()
    assert slice_statistics(result, [0.1]).area_within[0] == pytest.approx(share, abs=0.01)


def test_a_slice_without_level_set_has_nothing_near_it(make_slice: MakeSlice) -> None:
    found = slice_statistics(make_slice(level=1e6))
    assert found.distances == pytest.approx((0.02, 0.04, 0.1))
    assert found.area_within == (0.0, 0.0, 0.0)
    assert all(not any(depth.within) for depth in found.depths)
