"""Facts of regions and facets beside the engine's arrays and automatic differentiation; values of regions."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from engine import (
    BEYOND,
    Network,
    Partition,
    RegionFacts,
    SlicePlane,
    Surface,
    areas,
    centroids,
    extract_surface,
    face_signs,
    facet_facts,
    partition_slice,
    region_facts,
    weighted_quantiles,
)

DOMAIN = np.array([[-1.0] * 3, [1.0] * 3])
PLANE = SlicePlane.from_normal([0.0, 0.05, 0.1], [0.2, -0.3, 1.0])


def trained_nowhere() -> nn.Sequential:
    """Its zero level set crosses the middle of the domain."""
    sizes = (3, 8, 8, 8, 1)
    layers = [part for size, following in pairwise(sizes) for part in (nn.Linear(size, following), nn.ReLU())][:-1]
    module = nn.Sequential(*layers).double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / 2)
        layers[-1].bias -= module(torch.zeros(1, 3, dtype=torch.float64))[0]
    return module


@pytest.fixture(scope="module")
def network() -> Network:
    return Network.trace(trained_nowhere(), input_shape=(3,))


@pytest.fixture(scope="module")
def partition(network: Network) -> Partition:
    return partition_slice(network, PLANE, DOMAIN, 0.0, threads=1)


@pytest.fixture(scope="module")
def surface(network: Network) -> Surface:
    return extract_surface(network, DOMAIN, threads=1)


def check_map(facts: RegionFacts) -> None:
    module = trained_nowhere()
    x = torch.tensor(facts.centroid[None], requires_grad=True)
    value = module(x)
    value.sum().backward()
    assert facts.gradient @ facts.centroid + facts.offset == pytest.approx(float(value.detach()), abs=1e-12)
    assert facts.value == pytest.approx(float(facts.gradient @ facts.point + facts.offset), abs=1e-13)
    np.testing.assert_allclose(facts.gradient, x.grad[0].numpy(), atol=1e-12)


def signs_at(point: np.ndarray) -> list[np.ndarray]:
    """Which neurons the module itself has active at a point, by layer."""
    seen: list[np.ndarray] = []
    module = trained_nowhere()
    hidden = [part for part in module.modules() if isinstance(part, torch.nn.Linear)][:-1]
    for part in hidden:
        part.register_forward_hook(lambda _m, _i, z: seen.append(np.flatnonzero(z.detach().numpy()[0] > 0)))
    module(torch.tensor(point[None]))
    return seen


def test_a_region_s_facts_are_the_network_s(partition: Partition) -> None:
    area, centroid = areas(partition), centroids(partition)
    for region in np.flatnonzero(area > 1e-6).tolist():
        facts = region_facts(partition, region)
        assert facts.area == pytest.approx(area[region], rel=1e-9)
        np.testing.assert_allclose(facts.centroid, PLANE.to_input(centroid[region : region + 1])[0], atol=1e-12)
        check_map(facts)
        for pattern, active in zip(facts.layers, signs_at(facts.centroid), strict=True):
            assert pattern.active.tolist() == active.tolist()
            assert (pattern.neurons, len(pattern.resting)) == (8, 0)


def test_across_an_edge_the_named_neurons_change_and_no_others(partition: Partition) -> None:
    patterns = partition.activation_pattern()
    layers = len(partition.network.kinks)
    seen = 0
    for region in range(partition.regions):
        facts = region_facts(partition, region)
        assert len(facts.neighbours) == len(facts.corners)
        for neighbour in facts.neighbours:
            if neighbour.region == BEYOND:
                assert neighbour.neurons == ()
                continue
            changed = np.flatnonzero(patterns[region] != patterns[neighbour.region])
            named = [8 * neuron.layer + neuron.index for neuron in neighbour.neurons]
            assert sorted(named) == changed.tolist()  # the output is the row after all neurons'
            back = region_facts(partition, neighbour.region).neighbours
            assert any(other.region == region and other.length == neighbour.length for other in back)
            seen += any(neuron.layer == layers for neuron in neighbour.neurons)
    assert seen > 0


def test_a_facet_s_facts_are_the_network_s(surface: Surface) -> None:
    large = np.flatnonzero(surface.areas > 1e-5)
    assert len(large) > 10
    for facet in large.tolist():
        facts = facet_facts(surface, facet)
        assert facts.area == pytest.approx(surface.areas[facet], rel=1e-9)
        assert abs(facts.value) < 1e-12
        check_map(facts)
        for pattern, active in zip(facts.layers, signs_at(facts.centroid), strict=True):
            assert pattern.active.tolist() == active.tolist()
        for neighbour in facts.neighbours:
            if neighbour.region != BEYOND:
                assert neighbour.neurons
                assert any(other.region == facet for other in facet_facts(surface, neighbour.region).neighbours)


def test_signs_are_those_of_the_output_inside(partition: Partition, network: Network) -> None:
    size = areas(partition)
    large = np.flatnonzero(size > 1e-6)
    middles = partition.plane.to_input(centroids(partition)[large])
    values = trained_nowhere()(torch.tensor(middles)).detach().numpy().ravel()
    assert face_signs(partition)[large].tolist() == np.sign(values).astype(int).tolist()
    assert {-1, 1} <= set(face_signs(partition).tolist())


def test_quantiles_have_their_share_of_the_weights_at_and_below_them_and_less_before() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        values = generator.integers(0, 9, 12).astype(float)
        weights = generator.integers(0, 5, 12).astype(float) + (generator.permutation(12) == 0)
        for share in (0.0, 0.25, 0.5, 1.0):
            (found,) = weighted_quantiles(values, weights, (share,))
            wanted = Fraction(share) * Fraction(weights.sum())
            assert Fraction(weights[values <= found].sum()) >= wanted
            assert Fraction(weights[values < found].sum()) < wanted or found == values.min() or share == 0.0
