"""Pinning regions and facets, and the table of neurons, by hand in the real window."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from app.state import actions
from app.window.panels.neuron_model import DISTANCE, LENGTH, STATE
from engine import Neuron, Partition, SlicePlane, areas, centroids, neuron_statistics
from sdf_models import load_checkpoint
from tests.app.on_screen import LEFT, Driver, press, wait_until

PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


def partition_of(driver: Driver) -> Partition:
    return driver.window.slices.result(driver.tile.key).answer.partition


def click_on_region(driver: Driver, region: int, modifiers: Qt.KeyboardModifier = SHIFT) -> None:
    view = driver.tile.view
    at = view.position_of(*centroids(partition_of(driver))[region]).toPoint()
    QTest.mouseClick(view, LEFT, modifiers, at)


def largest_regions(driver: Driver, count: int) -> list[int]:
    return np.argsort(areas(partition_of(driver)))[::-1][:count].tolist()


def test_a_click_in_a_region_pins_its_facts(window: Driver, checkpoint: Path) -> None:
    region = largest_regions(window, 1)[0]
    assert window.window.side.isHidden()
    click_on_region(window, region, PLAIN)
    (pin,) = window.window.store.session.pins
    assert (pin.number, pin.key, pin.facts.region) == (1, window.tile.key, region)
    x = torch.tensor(pin.facts.point[None], requires_grad=True)
    value = load_checkpoint(checkpoint).module.double()(x)
    value.sum().backward()
    assert pin.facts.value == pytest.approx(float(value.detach()), abs=1e-12)
    np.testing.assert_allclose(pin.facts.gradient, x.grad[0].numpy(), atol=1e-12)
    assert [mark.number for mark in window.tile.view.pins] == [1]
    assert [mark.number for mark in window.window.scene_view.pins] == [1]
    wait_until(lambda: window.window.side.current is window.window.inspector)
    (card,) = window.window.inspector.cards
    QTest.mouseClick(card.copy, LEFT)
    assert repr(pin.facts.offset) in QGuiApplication.clipboard().text()
    QTest.mouseClick(card.copy_as_json, LEFT)
    assert json.loads(QGuiApplication.clipboard().text())["gradient"] == pin.facts.gradient.tolist()
    QTest.mouseClick(card.close_button, LEFT)
    assert window.window.store.session.pins == ()
    assert window.window.inspector.cards == []
    assert window.tile.view.pins == window.window.scene_view.pins == ()
    window.window.commands["undo"].trigger()
    assert window.window.store.session.pins == (pin,)
    assert [card.pin for card in window.window.inspector.cards] == [pin]


def test_several_pins_and_the_way_to_a_neighbour(window: Driver) -> None:
    first, second = largest_regions(window, 2)
    click_on_region(window, first)
    click_on_region(window, second)
    click_on_region(window, second)  # is pinned already
    assert [(pin.number, pin.facts.region) for pin in window.window.store.session.pins] == [(1, first), (2, second)]
    window.window.side.open(window.window.inspector)
    cards = window.window.inspector.cards
    assert [card.pin.number for card in cards] == [2, 1]
    assert (cards[0].body.isVisible(), cards[1].body.isVisible()) == (True, False)
    neighbours = [other.region for other in cards[0].pin.facts.neighbours if other.region >= 0]
    cards[0].neighbours[0].click()
    pins = window.window.store.session.pins
    assert [(pin.number, pin.facts.region) for pin in pins] == [(1, first), (2, neighbours[0])]
    assert not window.window.inspector.cards[0].body.isHidden()
    neuron = Neuron(1, 3)
    window.window.inspector.cards[0].neuron_chosen.emit(neuron)
    assert window.window.store.session.neuron == neuron
    assert window.window.inspector.cards[0].pattern.neuron == neuron
    window.window.inspector.clear.click()
    assert window.window.store.session.pins == ()


def test_a_pin_stays_when_its_plane_moves_on_and_brings_it_back(window: Driver) -> None:
    store, key = window.window.store, window.tile.key
    click_on_region(window, largest_regions(window, 1)[0])
    window.window.side.open(window.window.inspector)
    window.settle()
    (pin,), (card,) = store.session.pins, window.window.inspector.cards
    store.do(actions.MovePlane(key, SlicePlane.from_axis("z", 0.31)))
    window.settle()
    assert store.session.pins == (pin,)
    assert window.tile.view.pins == ()
    assert [mark.in_place for mark in window.window.scene_view.pins] == [False]
    assert "has moved on" in card.place._text
    assert not any(link.isEnabled() for link in card.neighbours)
    QTest.mouseClick(card.back, LEFT)
    window.settle()
    assert store.session.in_place(pin)
    assert [mark.number for mark in window.tile.view.pins] == [1]
    assert all(link.isEnabled() for link in card.neighbours)
    store.do(actions.RemoveSlice(key))
    assert store.session.pins == ()


def test_a_double_click_pins_nothing(window: Driver) -> None:
    view, before = window.tile.view, window.window.store.session
    at = view.position_of(*centroids(partition_of(window))[largest_regions(window, 1)[0]]).toPoint()
    QTest.mouseClick(view, LEFT, PLAIN, at)
    assert len(window.window.store.session.pins) == 1
    QTest.mouseDClick(view, LEFT, PLAIN, at)
    assert window.window.store.session.pins == before.pins == ()
    assert window.window.side.isHidden()


def test_a_click_on_the_surface_pins_the_facet_in_sight(window: Driver) -> None:
    for part in window.window.store.session.slices:
        window.window.store.do(actions.ShowSlice(part.key, False))
    window.settle()
    view, surface = window.window.scene_view, window.window.surface.drawn.surface
    lens = view.current_lens()
    found = 0
    for x in np.linspace(0.3, 0.7, 7):
        at = QPoint(round(x * view.width()), view.height() // 2)
        QTest.mouseClick(view, LEFT, PLAIN, at)
        pins = window.window.store.session.pins
        if len(pins) == found:
            continue
        found, facts = len(pins), pins[-1].facts
        assert pins[-1].key is None
        np.testing.assert_allclose(lens.to_pixels(facts.point[None])[0], [at.x(), at.y()], atol=1e-6)
        assert not view.hidden(QPointF(at), facts.point, 50.0)
        np.testing.assert_array_equal(facts.gradient, surface.gradients[facts.region])
        assert abs(facts.value) < 1e-9
    assert found > 1
    card = window.window.inspector.cards[0]
    if card.neighbours:
        number, before = card.pin.number, card.pin.facts.region
        card.neighbours[0].click()
        after = next(pin for pin in window.window.store.session.pins if pin.number == number)
        assert before in [other.region for other in after.facts.neighbours]


def test_the_table_lists_the_neurons_of_the_active_slice_and_both_ways_lead(window: Driver) -> None:
    press(window, "Ctrl+T")
    window.settle()
    table, store = window.window.neurons, window.window.store
    model, expected = table.model, neuron_statistics(partition_of(window))
    assert model.rowCount() == len(expected.layer) == 24
    for row in range(24):
        neuron = model.neuron(row)
        assert row == 8 * neuron.layer + neuron.index
        assert model._keys[LENGTH][row] == expected.lengths[row]
        text = model.data(model.index(row, STATE))
        assert text == ("both" if expected.above[row] and expected.below[row] else text)
    table.view.sortByColumn(LENGTH, Qt.SortOrder.DescendingOrder)
    lengths = [expected.lengths[8 * n.layer + n.index] for n in map(model.neuron, range(24))]
    assert lengths == sorted(lengths, reverse=True)
    table.view.setFocus()
    table.view.selectRow(2)
    assert store.session.neuron == model.neuron(2)
    QTest.keyClick(table.view, Qt.Key.Key_Down)
    assert store.session.neuron == model.neuron(3)
    store.do(actions.SelectNeuron(Neuron(2, 5)))
    assert [model.neuron(index.row()) for index in table.view.selectionModel().selectedRows()] == [Neuron(2, 5)]
    table.view.sortByColumn(DISTANCE, Qt.SortOrder.AscendingOrder)
    assert [model.neuron(index.row()) for index in table.view.selectionModel().selectedRows()] == [Neuron(2, 5)]
    table.layers.setCurrentIndex(2)
    table.layers.activated.emit(2)
    assert {model.neuron(row).layer for row in range(model.rowCount())} == {1}
    assert table.view.selectionModel().selectedRows() == []
    assert store.session.neuron == Neuron(2, 5)
    QTest.mouseClick(table.copy, LEFT)
    assert len(QGuiApplication.clipboard().text().splitlines()) == 9
    store.do(actions.MovePlane(window.tile.key, SlicePlane.from_axis("z", -0.4)))
    window.settle()
    moved = neuron_statistics(partition_of(window))
    np.testing.assert_array_equal(model._keys[LENGTH], moved.lengths)
    press(window, "Ctrl+T")
    assert window.window.side.isHidden()
