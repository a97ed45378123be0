"""Signs that only the rounding of earlier layers could have made."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from engine import Network, SlicePlane
from engine.rounding_history import inherited_error
from tests.oracle.comparison import difference, differences
from tests.oracle.networks import SQUARE, random_sample
from tests.oracle.rational import partition
from tests.oracle.recipes import KINDS, Draft, generic

NO_ZEROS = np.empty((0, 3), np.int32)


@pytest.mark.parametrize(
    ("kink", "kind", "seed"),
    [
        ("prelu", "through one point", 5035),
        ("clamp_min", "cancelling", 5034),
        ("clamp_min", "cancelling", 25),
        ("hardtanh", "cancelling", 25),
        ("relu6", "scaled", 20009),
        ("relu6", "scaled", 20021),
        ("prelu", "through one point", 83),
        ("prelu", "through one point", 1000185),
        ("prelu", "through one point", 1001138),
        ("prelu", "mixture", 1000226),
        ("prelu", "mixture", 1000778),
        ("prelu", "near-parallel", 1000802),
        ("prelu", "zero on a region", 1000245),
        ("prelu", "zero on a region", 1000370),
        ("abs", "cancelling", 5),
        ("clamp_max", "cancelling", 885),
        ("maximum", "near-parallel", 1000148),
    ],
)
def test_what_travels_through_the_layers_makes_and_hides_no_regions(kink: str, kind: str, seed: int) -> None:
    assert differences(kink, kind, range(seed, seed + 1)) == {}


def test_lines_nearer_than_rounding_are_counted_as_ties() -> None:
    sample = random_sample("relu6", "cancelling", 5012)
    exact = partition(sample.spec, SQUARE, sample.origin.tolist(), sample.axes.tolist(), sample.level)
    assert min(region.area for region in exact.regions) < 1e-9
    assert "1 sign vectors missing, 0 wrong; Ties(snapped=2" in difference(sample)


def _without_bias_and_hugely_uneven(draft: Draft) -> None:
    generic(draft)
    draft.bias[:] = draft.target
    if draft.depth == 0:
        draft.scale[:] = 2.0 ** draft.rng.integers(-40, 41, draft.size)
        draft.weight *= draft.scale[:, None]


@pytest.mark.parametrize("seed", [4, 5, 12, 13, 16, 20, 36, 44, 52, 57])
def test_regions_next_to_rows_longer_by_2_to_the_40_and_more_are_found(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the long rows are zero, crossings lie beside the ends of edges, nearer than a share of their length tells.

    That rounding makes the long rows there is known not to be an error: those vertices lie on their lines.
    """
    monkeypatch.setitem(KINDS, "probe", _without_bias_and_hugely_uneven)
    assert difference(random_sample("relu", "probe", seed)) == ""


def test_what_lies_on_a_line_has_no_error_by_it() -> None:
    """A huge row that is zero at the vertex: it adds nothing there, however much its own rounding is."""
    module = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[2.0**60, -(2.0**60)], [1.0, 1.0]]))
        module[0].bias.zero_()
        module[2].weight.fill_(1.0)
        module[2].bias.zero_()
    network, plane = Network.trace(module, input_shape=(2,)), SlicePlane(np.zeros(2), np.eye(2))
    place, row = np.array([[0.3, 0.3]]), np.zeros(1, np.int32)
    off, on = (
        inherited_error(network, network.output, row, plane, place, np.zeros(1), zeros, _no_noise(network), _go_on)[0]
        for zeros in (NO_ZEROS, np.array([[0, 0, 0]], np.int32))
    )
    assert off > 2.0**5
    assert 0.0 < on < 2.0**-48


def _go_on() -> None:
    pass


def _no_noise(network: Network) -> dict[int, np.ndarray]:
    return {slot: np.zeros(size) for slot, size in enumerate(network.sizes)}


def _exactly(module: nn.Sequential, point: list[float]) -> list[Fraction]:
    values = [Fraction(x) for x in point]
    for layer in module:
        if isinstance(layer, nn.Linear):
            rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
            values = [
                sum((Fraction(w) * x for w, x in zip(row, values, strict=True)), Fraction(bias)) for row, bias in rows
            ]
        else:
            values = [max(x, Fraction(0)) for x in values]
    return values


@pytest.mark.parametrize("gain", [1.0, 2.0**12])
def test_the_bound_holds_and_is_not_much_too_large(gain: float) -> None:
    """A large cancelling layer in the middle: its rounding is all that the output's error is made of."""
    torch.manual_seed(3)
    module = nn.Sequential(
        *(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    ).double()
    with torch.no_grad():
        for layer in (module[2], module[4]):
            large = torch.randn(8, dtype=torch.float64)
            layer.weight[:, 1] = layer.weight[:, 0] - gain * large
            layer.weight[:, 0] += gain * large
            layer.bias *= 0.5
        for source in (module[0], module[2]):  # the two features that cancel
            source.weight[1], source.bias[1] = source.weight[0], source.bias[0]
    network = Network.trace(module, input_shape=(2,))
    plane = SlicePlane(np.zeros(2), np.eye(2))
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (40, 2))
    found = network.forward(points)
    features = np.tile(np.arange(3, dtype=np.int32), len(points))
    places = np.repeat(points, 3, axis=0)
    noise = _no_noise(network)
    bound = inherited_error(network, network.output, features, plane, places, np.zeros(120), NO_ZEROS, noise, _go_on)
    exact = [_exactly(module, point) for point in points.tolist()]
    error = np.array(
        [
            [abs(float(Fraction(f) - e)) for f, e in zip(row, true, strict=True)]
            for row, true in zip(found.tolist(), exact, strict=True)
        ]
    ).ravel()
    own = 64 * 2.0**-52 * np.abs(found).ravel()
    assert (error <= bound + own).all()
    assert np.median(bound) <= 1e4 * np.median(error)


def test_the_uncertainty_of_a_position_counts_with_the_gradient() -> None:
    layer = nn.Linear(3, 1, dtype=torch.float64)
    network = Network.trace(layer)
    plane = SlicePlane.from_axis("z", 0.0)
    found = inherited_error(
        network,
        network.output,
        np.zeros(1, np.int32),
        plane,
        np.array([[0.25, 0.5]]),
        np.array([1e-6]),
        NO_ZEROS,
        _no_noise(network),
        _go_on,
    )
    gradient = plane.axes @ layer.weight.detach().numpy()[0]
    assert found == pytest.approx(1e-6 / 16 * np.linalg.norm(gradient), rel=1e-9)
