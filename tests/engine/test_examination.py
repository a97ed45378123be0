"""Decisions that rounding leaves in doubt: made with exact numbers, or counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine import EngineError, Network, Partition, Progress, SlicePlane, partition_slice
from engine.dyadic import dyadic
from engine.exactness.exact_lines import quotient
from engine.slices.exact_maps import FaceMaps, FaceSide
from engine.slices.partition import partition_polygon
from engine.slices.schedule import schedule
from tests.oracle.comparison import difference, differences
from tests.oracle.networks import SQUARE, Sample, random_sample
from tests.oracle.rational import partition
from tests.oracle.recipes import KINDS, Draft, generic

HARD = [
    ("prelu", "through one point", 5035),
    ("clamp_min", "cancelling", 5034),
    ("clamp_min", "cancelling", 25),
    ("hardtanh", "cancelling", 25),
    ("hardtanh", "scaled", 7100010),
    ("minimum", "near-parallel", 3001),
    ("relu6", "cancelling", 5012),
    ("relu6", "scaled", 20009),
    ("relu6", "scaled", 20021),
    ("prelu", "through one point", 83),
    ("prelu", "through one point", 1000185),
    ("prelu", "through one point", 1001138),
    ("prelu", "mixture", 1000226),
    ("prelu", "mixture", 1000778),
    ("prelu", "near-parallel", 1000802),
    ("prelu", "near-parallel", 3003),
    ("prelu", "near-parallel", 3031),
    ("prelu", "zero on a region", 1000245),
    ("prelu", "zero on a region", 1000370),
    ("abs", "cancelling", 5),
    ("clamp_max", "cancelling", 885),
    ("clamp_min", "cancelling in threes", 6000473),
    ("maximum", "near-parallel", 1000148),
]
"""Networks in which rounding alone decides wrongly, or cannot decide."""


@pytest.mark.parametrize(("kink", "kind", "seed"), HARD)
def test_what_travels_through_the_layers_makes_and_hides_no_regions(kink: str, kind: str, seed: int) -> None:
    assert differences(kink, kind, range(seed, seed + 1)) == {}


def test_regions_thinner_than_rounding_are_found() -> None:
    sample = random_sample("relu6", "cancelling", 5012)
    exact = partition(sample.spec, SQUARE, sample.origin.tolist(), sample.axes.tolist(), sample.level)
    assert min(region.area for region in exact.regions) < 1e-9
    assert difference(sample) == ""


def _without_bias_and_hugely_uneven(draft: Draft) -> None:
    generic(draft)
    draft.bias[:] = draft.target
    if draft.depth == 0:
        draft.scale[:] = 2.0 ** draft.rng.integers(-40, 41, draft.size)
        draft.weight *= draft.scale[:, None]


@pytest.mark.parametrize("seed", range(20))
def test_regions_next_to_rows_longer_by_2_to_the_40_and_more_are_found(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the long rows are zero, crossings lie nearer to the ends of edges than a share of their length tells."""
    monkeypatch.setitem(KINDS, "probe", _without_bias_and_hugely_uneven)
    assert difference(random_sample("relu", "probe", seed)) == ""


def _partition(sample: Sample, examined: int | None, progress: Callable[[Progress], None] | None = None) -> Partition:
    network = Network.trace(sample.module, input_shape=(len(sample.origin),))
    plane = SlicePlane(sample.origin, sample.axes)
    return partition_polygon(network, plane, np.array(SQUARE), sample.level, progress, threads=1, examined=examined)


@pytest.mark.parametrize(("kink", "kind", "seed"), [case for case in HARD if case[1] != "scaled"])
def test_what_is_not_examined_is_counted(kink: str, kind: str, seed: int) -> None:
    """Each of these has decisions in doubt; left to rounding they are a coincidence, or count as unexamined."""
    sample = random_sample(kink, kind, seed)
    left, examined = _partition(sample, 0), _partition(sample, None)
    assert left.ties > 0
    assert examined.tie_counts.unexamined == 0
    if (
        left.regions > examined.regions
    ):  # with all coincidences counted, a region that is not there is one of the others
        assert left.tie_counts.unexamined > 0


def test_what_is_left_to_rounding_is_counted_where_that_is_wrong() -> None:
    """Of these networks some have other regions then; none of them says that nothing was in doubt."""
    wrong = 0
    for kink, kind, seed in HARD:
        sample = random_sample(kink, kind, seed)
        left, examined = _partition(sample, 0), _partition(sample, None)
        if (left.regions, left.linear_regions) != (examined.regions, examined.linear_regions):
            assert left.ties > 0
            wrong += 1
    assert wrong >= 3


def test_some_decisions_may_be_left() -> None:
    sample = random_sample("prelu", "through one point", 83)
    left = [_partition(sample, most).tie_counts.unexamined for most in (0, 20, 100_000)]
    assert left[0] > left[1] > left[2] == 0


def test_progress_tells_how_many_decisions_were_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.slices.partition._TOLD_SECONDS", 0.0)
    told: list[Progress] = []
    _partition(random_sample("relu", "wide", 0), None, told.append)
    assert max(progress.examined for progress in told) > 64
    for before, after in pairwise(told):
        if after.examined:
            assert after.done == before.done
            assert after.examined >= before.examined
            assert after.snapshot().regions == before.regions
        else:
            assert after.done == before.done + 1


@pytest.mark.parametrize("examined", [-1, 2.5, "5"])
def test_the_number_of_decisions_is_a_whole_one(examined: Any) -> None:
    with pytest.raises(EngineError, match="decisions to examine"):
        _partition(random_sample("relu", "generic", 0), examined)


@pytest.mark.parametrize(("kink", "kind", "seed"), [("relu", "integer", 0), ("relu", "mixture", 3)])
def test_orders_that_are_left_are_counted(kink: str, kind: str, seed: int) -> None:
    counts = asdict(_partition(random_sample(kink, kind, seed), 0).tie_counts)
    assert json.loads(json.dumps(counts)) == counts
    assert sum(counts.values()) > 0


class _Shortcut(nn.Module):
    """A feature without a bend, which is zero but for rounding; made a row of by a large factor."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.bend = nn.Linear(2, 3).double(), nn.Linear(2, 2).double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.first(x)
        kept = 3.0 * h[:, :1] - h[:, 1:2]  # of rows of which one is three times the other
        bent = torch.relu(self.bend(x))
        return torch.as_tensor(torch.relu(2.0**30 * kept + h[:, 2:]) + bent.sum(dim=1, keepdim=True))


def test_what_is_zero_but_for_rounding_is_in_doubt_without_a_row_of_its_own() -> None:
    torch.manual_seed(6)
    module = _Shortcut()
    with torch.no_grad():
        module.first.weight[1], module.first.bias[1] = 3.0 * module.first.weight[0], 3.0 * module.first.bias[0]
        module.first.weight[2], module.first.bias[2] = 0.0, 0.0
    rest = [
        3 * Fraction(a) - Fraction(b)
        for a, b in zip(
            [*module.first.weight[0].tolist(), module.first.bias[0].item()],
            [*module.first.weight[1].tolist(), module.first.bias[1].item()],
            strict=True,
        )
    ]
    corners = [rest[0] * x + rest[1] * y + rest[2] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    crossed = min(corners) < 0 < max(corners)
    network = Network.trace(module, input_shape=(2,))
    found = partition_polygon(network, SlicePlane.identity(), np.array(SQUARE), level=None)
    module.first.weight.data[0], module.first.bias.data[0] = 0.0, 0.0
    module.first.weight.data[1], module.first.bias.data[1] = 0.0, 0.0
    without = partition_polygon(
        Network.trace(module, input_shape=(2,)), SlicePlane.identity(), np.array(SQUARE), level=None
    )
    assert (found.regions > without.regions) == crossed


def test_a_network_in_general_position_leaves_nothing_in_doubt() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    box = np.array([[-1.0] * 3, [1.0] * 3])
    found = partition_slice(Network.trace(module), SlicePlane.from_axis("z", 0.0), box, examined=0)
    assert found.ties == 0
    assert found.regions > 500


@pytest.mark.parametrize("sign", [1, -1])
def test_values_that_float64_has_not_keep_their_sign(sign: int) -> None:
    assert quotient(sign, 2**2000) == sign * 2.0**-1074
    assert quotient(sign * 2**2000, 3) == sign * np.finfo(np.float64).max
    assert quotient(sign * 2**2000, 2**2001 + 1) == sign * 0.5
    assert quotient(0, 2**2000) == 0.0


def test_numbers_are_dyadic_without_rounding() -> None:
    numbers = np.array([0.0, 0.1, -3.0, 2.0**-1074, 1e300, -1e-300, 5.0])
    integers, exponent = dyadic(numbers)
    assert [Fraction(n, 2**exponent) for n in integers.tolist()] == [Fraction(x) for x in numbers.tolist()]
    assert dyadic(np.zeros(2)).integers.tolist() == [0, 0]


class _Joined(nn.Module):
    """Every step that a network can have: matrices, groups, factors, sums, concatenations, two breakpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(3, 6), nn.Linear(9, 6), nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = nn.functional.hardtanh(self.first(x)) * 0.75 + 0.125
        joined = torch.cat([h, x], dim=-1)
        z = self.second(joined) - 0.5 * h
        return torch.as_tensor(self.last(nn.functional.leaky_relu(z, 0.25) + z))


def test_maps_of_faces_are_the_networks_own_in_rational_arithmetic() -> None:
    torch.manual_seed(2)
    module = _Joined().double()
    network = Network.trace(module)
    plane = SlicePlane.from_axis("y", 0.25)
    box = np.array([[-1.0] * 3, [1.0] * 3])
    found = partition_slice(network, plane, box)
    segments, signs = schedule(network, 0.0), found.face_signs

    def side(layer: int, face: int) -> FaceSide:
        cut = signs[layer - 1]
        return FaceSide(face, int(cut.parent[face]), cut.signs(np.array([face], np.int32))[0] > 0)

    maps = FaceMaps(plane, segments, side)
    last = len(segments) - 1
    before_level = signs[last].parent
    for face in range(0, found.regions, max(1, found.regions // 25)):
        loop = slice(found.face_offsets[face], found.face_offsets[face + 1])
        corners = [[Fraction(x) for x in found.vertices[v]] for v in found.face_vertices[loop].tolist()]
        x, y = (sum(corner[i] for corner in corners) / len(corners) for i in range(2))
        line = maps.line(last, int(before_level[face]), 0)
        value = (line.a * x + line.b * y + line.c) / Fraction(2) ** line.exponent
        point = [
            Fraction(o) + x * Fraction(u) + y * Fraction(v)
            for o, u, v in zip(plane.origin.tolist(), *plane.axes.tolist(), strict=True)
        ]
        assert value == _forward(module, point)


def _linear(layer: nn.Linear, h: list[Fraction]) -> list[Fraction]:
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [sum((Fraction(w) * x for w, x in zip(row, h, strict=True)), Fraction(b)) for row, b in rows]


def _forward(module: _Joined, x: list[Fraction]) -> Fraction:
    h = [min(max(z, Fraction(-1)), Fraction(1)) * Fraction(3, 4) + Fraction(1, 8) for z in _linear(module.first, x)]
    z = [a - b / 2 for a, b in zip(_linear(module.second, [*h, *x]), h, strict=True)]
    return _linear(module.last, [(a if a > 0 else a / 4) + a for a in z])[0]
