"""Facts of regions and facets beside the engine's arrays and automatic differentiation; pins in the session."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from app.jobs.opening import open_module
from app.state import actions
from app.state.region_facts import BEYOND, RegionFacts, facet_facts, region_facts
from app.state.session import OpenNetwork, same
from app.state.store import Store
from app.state.texts.facts_text import facts_json, facts_text
from engine import Partition, SlicePlane, Surface, areas, centroids, extract_surface, partition_slice
from tests.app.conftest import DOMAIN, random_module

PLANE = SlicePlane.from_normal([0.0, 0.05, 0.1], [0.2, -0.3, 1.0])


@pytest.fixture(scope="module")
def opened() -> OpenNetwork:
    return open_module(random_module(), DOMAIN, "small")


@pytest.fixture(scope="module")
def partition(opened: OpenNetwork) -> Partition:
    return partition_slice(opened.network, PLANE, DOMAIN, 0.0, threads=1)


@pytest.fixture(scope="module")
def surface(opened: OpenNetwork) -> Surface:
    return extract_surface(opened.network, DOMAIN, threads=1)


def check_map(facts: RegionFacts) -> None:
    module = random_module().double()
    x = torch.tensor(facts.centroid[None], requires_grad=True)
    value = module(x)
    value.sum().backward()
    assert facts.gradient @ facts.centroid + facts.offset == pytest.approx(float(value.detach()), abs=1e-12)
    assert facts.value == pytest.approx(float(facts.gradient @ facts.point + facts.offset), abs=1e-13)
    np.testing.assert_allclose(facts.gradient, x.grad[0].numpy(), atol=1e-12)


def signs_at(point: np.ndarray) -> list[np.ndarray]:
    """Which neurons the module itself has active at a point, by layer."""
    seen: list[np.ndarray] = []
    module = random_module().double()
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


@pytest.fixture
def store(opened: OpenNetwork) -> Store:
    store = Store()
    store.do(actions.Open(opened, np.zeros(3)))
    return store


def test_copies_hold_everything_with_all_digits(store: Store, partition: Partition, opened: OpenNetwork) -> None:
    facts = region_facts(partition, 5)
    store.do(actions.PinRegion(0, facts))
    pin = store.session.pins[0]
    read = json.loads(facts_json(pin, "x"))
    assert read["gradient"] == facts.gradient.tolist()
    assert (read["offset"], read["f"], read["area"]) == (facts.offset, facts.value, facts.area)
    assert [layer["active"] for layer in read["layers"]] == [layer.active.tolist() for layer in facts.layers]
    assert len(read["neighbours"]) == len(facts.neighbours)
    text = facts_text(pin, "x")
    assert repr(facts.offset) in text
    assert "Region 5 of small, slice x" in text
    assert f"layer 0 ({opened.network.layer_names[0]}), {len(facts.layers[0].active)} of 8" in text


def test_pins_are_numbered_and_undone_and_go_with_slice_and_network(store: Store, partition: Partition) -> None:
    facts = region_facts(partition, 0)
    sessions = [store.session]
    for action in (
        actions.PinRegion(0, facts),
        actions.PinRegion(1, facts),
        actions.PinRegion(None, facts),
        actions.Unpin(2),
        actions.PinRegion(2, facts),
        actions.PinRegion(2, region_facts(partition, 1), 2),
        actions.RemoveSlice(2),
        actions.Unpin(None),
    ):
        store.do(action)
        sessions.append(store.session)
    assert [[pin.number for pin in session.pins] for session in sessions] == [
        [], [1], [1, 2], [1, 2, 3], [1, 3], [1, 3, 2], [1, 3, 2], [1, 3], [],
    ]  # fmt: skip
    for session in reversed(sessions[:-1]):
        store.undo()
        assert same(store.session, session)
    store.redo()
    assert len(store.session.pins) == 1
    assert not store.session.in_place(store.session.pins[0])  # the facts are of another plane
    store.do(actions.CloseNetwork(store.session.opened))
    assert store.session.pins == ()
