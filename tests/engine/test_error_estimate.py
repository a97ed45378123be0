"""Rounding bounds of rows, where the features that they read differ hugely in size."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from engine import EngineError, Network, SlicePlane, partition_polygon
from engine.arrays import Float
from engine.exactness.error_estimate import (
    Bases,
    Rounding,
    bases_of,
    bounds_of,
    rounding_of,
    rounding_of_even,
    rounding_of_linear,
)
from engine.network.steps import Affine, Gather, Linear, Scale, Sum
from engine.tolerances import EVEN, SAFETY, UNIT_ROUNDOFF
from tests.engine.promises import check
from tests.oracle.comparison import differences
from tests.oracle.networks import SQUARE, linear
from tests.oracle.rational import Add, Piecewise, partition
from tests.oracle.rational import Affine as Exactly

RELU = ((0.0, 0.0), (1.0, 0.0))


def _scales(rng: np.random.Generator, shape: int | tuple[int, ...]) -> Float:
    return np.asarray(2.0 ** rng.integers(-40, 41, shape))


def _features(rng: np.random.Generator, size: int) -> Float:
    """(200, size): as after a ReLU, each of its own size, with many zeros."""
    return np.asarray(rng.random((200, size)) * (rng.random((200, size)) < 0.4) * _scales(rng, size))


def _bounds(rounding: Rounding, values: dict[int, Float]) -> Float:
    norms = [
        np.linalg.norm(values[slot] * inverse, axis=1)
        for slot, inverse in zip(rounding.bases, rounding.inverse_units, strict=True)
    ]
    return np.asarray(rounding.constant + np.stack(norms, axis=1) @ rounding.scale)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_a_bound_is_that_of_the_sum_itself_up_to_the_range_of_a_group(seed: int, biased: bool) -> None:
    rng = np.random.default_rng(seed)
    h = _features(rng, 12)
    step = Linear(1, 2, rng.normal(size=(9, 12)) * _scales(rng, (9, 12)), biased * rng.normal(size=9) * _scales(rng, 9))
    units = {1: h.max(axis=0)}
    bases = bases_of([step], 2, np.arange(9, dtype=np.int32), np.zeros(9), units)
    bound = _bounds(rounding_of_linear(step, bases), {1: h})
    size = h @ np.abs(step.weight).T + np.abs(step.bias)
    assert (bound >= 0.999 * SAFETY * UNIT_ROUNDOFF * size).all()
    assert (bound <= SAFETY * UNIT_ROUNDOFF * 12**1.5 * EVEN * size).all()
    z = h @ step.weight.T + step.bias
    for v, row, found in ((v, j, z[v, j]) for v in range(0, 200, 10) for j in range(9)):
        products = (Fraction(w) * Fraction(x) for w, x in zip(step.weight[row].tolist(), h[v].tolist(), strict=True))
        exact = sum(products, Fraction(float(step.bias[row])))
        assert abs(Fraction(float(found)) - exact) <= Fraction(float(bound[v, row]))


@pytest.mark.parametrize("seed", range(5))
def test_chains_have_groups_too(seed: int) -> None:
    """cat(2 h + 1, x) . W, plus h: the absolute values of what is added are the same chain of absolute values."""
    rng = np.random.default_rng(seed)
    h, x = _features(rng, 8), _features(rng, 8)
    shift = rng.normal(size=8) * _scales(rng, 8)
    weight = rng.normal(size=(8, 16)) * _scales(rng, (8, 16))
    steps: list[Affine] = [
        Scale(1, 3, np.full(8, 2.0), shift),
        Gather((3, 2), 4, np.empty(0), np.arange(16, dtype=np.int32)),
        Linear(4, 5, weight, np.zeros(8)),
        Sum(5, 1, -1.0, 6),
    ]
    units = {1: h.max(axis=0), 2: x.max(axis=0)}
    bases = bases_of(steps, 6, np.arange(8, dtype=np.int32), np.zeros(8), units)
    bound = _bounds(rounding_of(bounds_of(steps, bases)[6], bases), {1: h, 2: x})
    size = np.concatenate([2.0 * h + np.abs(shift), x], axis=1) @ np.abs(weight).T + h
    assert (bound >= 0.999 * SAFETY * UNIT_ROUNDOFF * size).all()
    assert (bound <= 16 * SAFETY * UNIT_ROUNDOFF * 16**1.5 * EVEN * size).all()


def _bases_of_random_layer(weight_scales: Float) -> Bases:
    rng = np.random.default_rng(0)
    step = Linear(1, 2, rng.normal(size=(64, 64)) * weight_scales, 0.1 * rng.normal(size=64))
    return bases_of([step], 2, np.arange(64, dtype=np.int32), np.zeros(64), {1: 1.0 / weight_scales})


def test_one_norm_is_enough_where_the_next_layer_undoes_the_scales() -> None:
    assert len(_bases_of_random_layer(np.ones(64))) == 1
    assert len(_bases_of_random_layer(_scales(np.random.default_rng(1), 64))) == 1


@pytest.mark.parametrize("seed", range(200))
def test_the_usual_case_is_no_special_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, inputs = rng.integers(1, 5, 2)
    special = np.array([0.0, 5e-324, 1e-200, 1e200, np.inf])
    unit = np.where(rng.random(inputs) < 0.2, rng.choice(special, inputs), rng.random(inputs))
    bias = np.where(rng.random(rows) < 0.1, 0.0, rng.normal(size=rows))
    step = Linear(1, 2, rng.normal(size=(rows, inputs)) * (rng.random((rows, inputs)) < 0.8), bias)
    with np.errstate(all="ignore"):
        bases = bases_of([step], 2, np.arange(rows, dtype=np.int32), np.zeros(rows), {1: unit})
        found, general = rounding_of_even(step, 1, unit), rounding_of_linear(step, bases)
        size = np.nan_to_num(np.abs(step.weight) * unit, nan=np.inf).sum(axis=1)
    if found is None:
        assert (size > 0.99 * EVEN * np.abs(bias)).any()  # constants show nothing there
        return
    assert found.bases == general.bases == (1,)
    np.testing.assert_array_equal(found.scale, general.scale)
    np.testing.assert_array_equal(found.constant, general.constant)
    np.testing.assert_array_equal(found.inverse_units[0], general.inverse_units[0])


class Beside(nn.Module):
    """c(a(x) + b(relu(x))): when the inputs are cut, a(x) is already there."""

    def __init__(self, width: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.a, self.b = (linear(rng.normal(size=(width, 2)), rng.normal(size=width)) for _ in range(2))
        self.c = linear(rng.normal(size=(1, width)), 0.1 * rng.normal(size=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        beside = self.a(x)
        return self.c(beside + self.b(torch.relu(x)))


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_a_value_beside_the_one_that_is_cut_has_no_say(width: int, seed: int) -> None:
    module = Beside(width, np.random.default_rng(seed))
    found = partition_polygon(Network.trace(module, (2,)), SlicePlane(np.zeros(2), np.eye(2)), np.array(SQUARE))
    a, b, c = ((part.weight.tolist(), part.bias.tolist()) for part in (module.a, module.b, module.c))
    spec = (Exactly(0, *a), Piecewise(0, [(0.0,)] * 2, [RELU] * 2), Exactly(2, *b), Add(1, 3), Exactly(4, *c))
    exact = partition(spec, SQUARE, [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], 0.0)
    assert {tuple(row) for row in found.activation_pattern().tolist()} == exact.sign_vectors
    assert found.ties == 0
    check(found)


class Branches(nn.Module):
    """c(d(relu(a(h))) + relu(b(h))), h = relu(first(x)): the second branch is cut when d(..) is already there."""

    def __init__(self, rng: np.random.Generator, alike: bool) -> None:
        super().__init__()
        self.first, self.a = linear(rng.normal(size=(4, 2)), rng.normal(size=4)), _random_linear(3, 4, rng)
        self.b, self.d, self.c = _random_linear(3, 4, rng), _random_linear(3, 3, rng), _random_linear(1, 3, rng)
        if alike:
            self.b.load_state_dict(self.a.state_dict())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.first(x))
        a, b = self.a(h), self.b(h)
        beside = self.d(torch.relu(a))
        return self.c(beside + torch.relu(b))


def _random_linear(rows: int, inputs: int, rng: np.random.Generator) -> nn.Linear:
    return linear(rng.normal(size=(rows, inputs)), rng.normal(size=rows))


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_branches_are_cut_one_after_the_other(seed: int, alike: bool) -> None:
    module = Branches(np.random.default_rng(seed), alike)
    found = partition_polygon(Network.trace(module, (2,)), SlicePlane(np.zeros(2), np.eye(2)), np.array(SQUARE))
    layers = (module.first, module.a, module.b, module.d, module.c)
    first, a, b, d, c = ((layer.weight.tolist(), layer.bias.tolist()) for layer in layers)
    hidden, branch = ([(0.0,)] * 4, [RELU] * 4), ([(0.0,)] * 3, [RELU] * 3)
    spec = (
        Exactly(0, *first), Piecewise(1, *hidden), Exactly(2, *a), Exactly(2, *b), Piecewise(3, *branch),
        Piecewise(4, *branch), Exactly(5, *d), Add(7, 6), Exactly(8, *c),
    )  # fmt: skip
    exact = partition(spec, SQUARE, [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], 0.0)
    assert {tuple(row) for row in found.activation_pattern().tolist()} == exact.sign_vectors
    assert alike == (found.ties > 0)
    check(found)


def test_regions_in_which_the_large_features_are_off_are_found() -> None:
    s = 2.0**23
    first, second = np.array([[s, 0.0], [0.0, 1.0 / s], [-1.0 / s, 0.0]]), np.array([[1.0, 1.0, -1.0]])
    bias = np.array([0.0, -0.5 / s, -0.25 / s])
    module = nn.Sequential(linear(first, bias), nn.ReLU(), nn.Linear(3, 1, bias=False, dtype=torch.float64))
    module[2].weight = nn.Parameter(torch.from_numpy(second))
    found = partition_polygon(Network.trace(module, (2,)), SlicePlane(np.zeros(2), np.eye(2)), np.array(SQUARE))
    spec = (
        Exactly(0, first.tolist(), bias.tolist()),
        Piecewise(1, [(0.0,)] * 3, [RELU] * 3),
        Exactly(2, second.tolist(), [0.0]),
    )
    exact = partition(spec, SQUARE, [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], 0.0)
    patterns = found.activation_pattern()
    assert {tuple(row) for row in patterns.tolist()} == exact.sign_vectors
    assert (found.regions, int((patterns[:, -1] == 0).sum()), found.ties) == (7, 1, 0)
    check(found)


def test_bounds_are_not_tighter_than_what_positions_leave_open() -> None:
    """Where bounds were those of twice the digits, these came out with up to twice as many regions."""
    assert differences("prelu", "near-parallel", (3003, 3029, 3031, 3036, 3057, 3059)) == {}


@pytest.mark.parametrize(("seed", "scale"), [(2, 1e14), (41, 1e14), (56, 1e14), (2, 1e16), (14, 1e16), (21, 1e16)])
def test_crossings_whose_place_is_wholly_uncertain_stay_in_the_domain(seed: int, scale: float) -> None:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for m, n in ((2, 9), (9, 32), (32, 32), (32, 1)):
        layers += [nn.Linear(m, n, dtype=torch.float64), nn.Hardtanh()]
        with torch.no_grad():
            for parameter in layers[-2].parameters():
                parameter.mul_(scale)
    network = Network.trace(nn.Sequential(*layers[:-1]), input_shape=(2,))
    plane = SlicePlane(np.zeros(2), np.eye(2))
    first, again = (partition_polygon(network, plane, np.array(SQUARE), threads=1, examined=0) for _ in range(2))
    corners = np.array(SQUARE, np.float64)
    assert (first.vertices >= corners.min(axis=0)).all()
    assert (first.vertices <= corners.max(axis=0)).all()
    np.testing.assert_array_equal(first.vertices, again.vertices)
    np.testing.assert_array_equal(first.edges, again.edges)


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
@pytest.mark.parametrize("level", [0.0, None])
@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_values_beyond_float64_are_an_error(slope: float, level: float | None) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 4), nn.LeakyReLU(slope), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1e70)
    network = Network.trace(module, input_shape=(2,))
    with pytest.raises(EngineError, match="leave the range of float64; rescale the network or the domain"):
        partition_polygon(
            network, SlicePlane(np.zeros(2), np.eye(2)), 1e130 * np.array(SQUARE, np.float64), level=level
        )
