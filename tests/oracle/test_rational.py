"""The oracle against closed forms and against plain exact evaluation at points."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from gmpy2 import mpq

from tests.oracle.networks import SQUARE, random_sample
from tests.oracle.nonlinearities import NONLINEARITIES
from tests.oracle.rational import Affine, Piecewise, Spec, forward, partition, polygon_area
from tests.oracle.recipes import KINDS

ORIGIN = (0, 0)
AXES = ((1, 0), (0, 1))


def one_layer(lines: list[tuple[mpq, mpq, mpq]]) -> Spec:
    size = len(lines)
    relu = Piecewise(1, [(0,)] * size, [((0, 0), (1, 0))] * size)
    return (Affine(0, [line[:2] for line in lines], [line[2] for line in lines]), relu, Affine(2, [[1] * size], [1]))


@pytest.mark.parametrize("seed", range(20))
def test_an_arrangement_of_lines_has_one_region_plus_lines_plus_crossings_inside(seed: int) -> None:
    rng = random.Random(seed)

    def number() -> mpq:
        return mpq(rng.randint(-(10**6), 10**6), rng.randint(1, 10**6))

    lines = [(number(), number(), number() / 3) for _ in range(12)]
    meeting = sum(
        min(values) < 0 < max(values) for values in ([a * x + b * y + c for x, y in SQUARE] for a, b, c in lines)
    )
    crossings = 0
    for (a, b, c), (d, e, f) in combinations(lines, 2):
        determinant = a * e - b * d
        x, y = (b * f - c * e) / determinant, (c * d - a * f) / determinant
        crossings += -1 < x < 1 and -1 < y < 1
    found = partition(one_layer(lines), SQUARE, ORIGIN, AXES, level=None)
    assert len(found.regions) == found.linear_regions == 1 + meeting + crossings


@pytest.mark.parametrize("count", [1, 2, 7])
def test_lines_through_one_point_make_twice_as_many_regions(count: int) -> None:
    lines = [(mpq(1), mpq(k, 3), mpq(1, 7) - mpq(k, 33)) for k in range(count)]
    assert partition(one_layer(lines), SQUARE, ORIGIN, AXES, level=None).linear_regions == 2 * count


def test_a_row_that_vanishes_on_the_whole_slice_has_sign_zero_and_does_not_cut() -> None:
    lines = [(mpq(0), mpq(0), mpq(0)), (mpq(1), mpq(0), mpq(1))]
    (region,) = partition(one_layer(lines), SQUARE, ORIGIN, AXES).regions
    assert region.signs == (0, 1, 1)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "wide"])  # it is one of integers, and larger
@pytest.mark.parametrize("kink", NONLINEARITIES)
def test_regions_tile_the_square_and_hold_the_points_with_their_signs(kink: str, kind: str) -> None:
    rng = random.Random(0)
    sample = random_sample(kink, kind, 1)
    origin, axes = sample.origin.tolist(), sample.axes.tolist()
    found = partition(sample.spec, SQUARE, origin, axes, sample.level)
    assert all(region.area > 0 for region in found.regions)
    assert sum(region.area for region in found.regions) == polygon_area(SQUARE) == 4

    by_signs = {region.signs: region for region in found.regions}
    for region in rng.sample(found.regions, min(3, len(found.regions))):  # inside a region: its signs
        weights = [mpq(rng.randint(1, 100)) for _ in region.corners]
        u, v = (
            sum((w * corner[k] for w, corner in zip(weights, region.polygon, strict=True)), mpq(0)) / sum(weights)
            for k in (0, 1)
        )
        assert forward(sample.spec, embed(origin, axes, u, v), sample.level)[1] == region.signs
    for _ in range(3):  # anywhere: the region of the point's signs holds it
        u, v = (mpq(rng.randint(-9999, 9999), 10007) for _ in range(2))
        signs = forward(sample.spec, embed(origin, axes, u, v), sample.level)[1]
        polygon = by_signs[signs].polygon
        sides = zip(polygon, [*polygon[1:], polygon[0]], strict=True)
        assert all(polygon_area([start, end, (u, v)]) > 0 for start, end in sides)


def embed(origin: list[float], axes: list[list[float]], u: mpq, v: mpq) -> list[mpq]:
    return [mpq(o) + u * mpq(a) + v * mpq(b) for o, a, b in zip(origin, *axes, strict=True)]
