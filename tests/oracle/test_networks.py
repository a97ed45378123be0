"""The generators: both forms of a network agree, and each kind is as degenerate as its name says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from tests.oracle.networks import SQUARE, random_sample
from tests.oracle.nonlinearities import NONLINEARITIES
from tests.oracle.rational import RationalPartition, forward, partition
from tests.oracle.recipes import KINDS

SAMPLES = 8


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kink", NONLINEARITIES)
def test_specification_and_module_are_the_same_function(kink: str, kind: str) -> None:
    rng = np.random.default_rng(0)
    for seed in range(4):  # one of each form
        sample = random_sample(kink, kind, seed)
        u, v = rng.integers(-1024, 1025, (2, 3, 1)) / 1024
        points = sample.origin + u * sample.axes[0] + v * sample.axes[1]
        with torch.no_grad():
            computed = sample.module(torch.from_numpy(points)).numpy()
        exact = np.array([[float(f) for f in forward(sample.spec, point)[0]] for point in points.tolist()])
        # where large columns cancel, the result is small against what was summed
        largest = max(abs(parameter).max().item() for parameter in sample.module.parameters())
        np.testing.assert_allclose(computed, exact, rtol=1e-9, atol=1e-9 if largest < 100 else 1e-13 * largest**2)


@cache
def partitions(kind: str, kink: str = "relu") -> list[RationalPartition]:
    samples = [random_sample(kink, kind, seed) for seed in range(1 if kind == "wide" else SAMPLES)]
    return [partition(s.spec, SQUARE, s.origin.tolist(), s.axes.tolist(), s.level) for s in samples]


def zeros(found: RationalPartition, rows: slice) -> int:
    return sum(0 in region.signs[rows] for region in found.regions)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_cut_the_square(kind: str) -> None:
    counts = [found.linear_regions for found in partitions(kind)]
    assert max(counts) >= 10
    assert kind == "dead" or np.median(counts) >= 10


@pytest.mark.parametrize("kink", NONLINEARITIES)
@pytest.mark.parametrize("kind", ["zero on a region", "slice in a hyperplane"])
def test_pre_activations_vanish_on_regions(kind: str, kink: str) -> None:
    assert sum(zeros(found, slice(-1)) > 0 for found in partitions(kind, kink)) >= SAMPLES // 2


@pytest.mark.parametrize("kink", NONLINEARITIES)
def test_generic_pre_activations_vanish_nowhere(kink: str) -> None:
    assert all(zeros(found, slice(-1)) == 0 for found in partitions("generic", kink))


@pytest.mark.parametrize("kink", NONLINEARITIES)
def test_the_level_is_met_on_whole_faces(kink: str) -> None:
    assert sum(zeros(found, slice(-1, None)) > 0 for found in partitions("level on a face", kink)) >= 2


@pytest.mark.parametrize(("kind", "expected"), [("duplicate", 1), ("opposite", -1)])
def test_rows_agree_in_every_region(kind: str, expected: int) -> None:
    for found in partitions(kind):
        signs = np.array([region.signs[:-1] for region in found.regions])
        signs = signs[:, (signs != signs[0]).any(axis=0)]
        if signs.shape[1]:
            products = signs.T.astype(int) @ signs
            np.fill_diagonal(products, 0)
            assert (products == expected * len(signs)).any()


def test_lines_meet_in_one_point() -> None:
    for kind in ("through one point", "near-parallel"):
        for found in partitions(kind):
            corners = [corner for region in found.regions for corner in set(region.polygon)]
            assert max(corners.count(corner) for corner in set(corners)) > 4
