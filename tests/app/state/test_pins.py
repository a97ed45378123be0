"""Pins in the session, and what is copied of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.jobs.opening import open_module
from app.state import actions
from app.state.session import OpenNetwork, same
from app.state.store import Store
from app.state.texts.facts_text import facts_json, facts_text
from engine import Partition, SlicePlane, partition_slice, region_facts
from tests.app.conftest import DOMAIN, random_module

PLANE = SlicePlane.from_normal([0.0, 0.05, 0.1], [0.2, -0.3, 1.0])


@pytest.fixture(scope="module")
def opened() -> OpenNetwork:
    return open_module(random_module(), DOMAIN, "small")


@pytest.fixture(scope="module")
def partition(opened: OpenNetwork) -> Partition:
    return partition_slice(opened.network, PLANE, DOMAIN, 0.0, threads=1)


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
