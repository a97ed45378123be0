"""A click takes what hovering showed, lines and regions alike, and a double click takes nothing."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPoint, Qt
from PySide6.QtGui import QPolygonF
from PySide6.QtTest import QTest

from app.state import actions
from app.state.session import same
from app.views.slice.slice_view import SliceView
from engine import Neuron, areas, region_facts
from tests.app.on_screen import LEFT, Driver, move
from tests.app.window.test_window import long_edge

PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


def marked(view: SliceView) -> tuple[QPolygonF | None, list[QLineF]]:
    return (None, []) if view.target is None else (view.target.region, view.target.line)


def test_a_click_takes_what_hovering_marks(window: Driver) -> None:
    """At pixels all over a slice; lines and regions are both to be had."""
    main, view, start = window.window, window.tile.view, window.window.store.session
    partition = main.slices.result(window.tile.key).answer.partition
    taken = set()
    for x in range(60, view.width() - 10, 31):
        for y in range(10, view.height() - 40, 23):
            at = QPoint(x, y)
            move(view, at)
            region, line = marked(view)
            QTest.mousePress(view, LEFT, PLAIN, at)
            QTest.mouseRelease(view, LEFT, PLAIN, at + QPoint(2, 1))  # a hand trembles
            session = main.store.session
            if session.neuron is not None:
                taken.add("line")
                own = (partition.edge_layer == session.neuron.layer) & (partition.edge_neuron == session.neuron.index)
                assert region is None
                assert len(line) >= own.sum() > 0
                main.store.do(actions.SelectNeuron(None))
            elif session.pins:
                taken.add("region")
                assert not line
                corners = [corner.toTuple() for corner in region.toList()]
                np.testing.assert_allclose(corners, session.pins[-1].facts.outline)
                main.store.do(actions.Unpin(None))
            else:
                assert region is None
                assert not line
            assert main.store.session.neuron is None
    assert taken == {"line", "region"}
    assert same(main.store.session, start)


def test_every_region_can_be_pinned_by_its_middle(window: Driver) -> None:
    """Without luck: also where all of it is within reach of lines, as long as it is some pixels wide."""
    hover, view = window.window.hover, window.tile.view
    partition = window.window.slices.result(window.tile.key).answer.partition
    looked = 0
    for region in np.argsort(areas(partition))[::-1].tolist():
        facts = region_facts(partition, region)
        corners = facts.outline
        sides = np.roll(corners, -1, axis=0) - corners
        middle = partition.plane.to_plane(facts.centroid[None])[0]
        off = middle - corners
        room = np.abs(sides[:, 0] * off[:, 1] - sides[:, 1] * off[:, 0]) / np.hypot(*sides.T)
        perimeter = np.hypot(*sides.T).sum()
        if room.min() < max(2.5 * view.pixel, 1.05 * facts.area / perimeter):
            continue
        looked += 1
        found = hover.at(window.tile.key, *middle.tolist(), 6 * view.pixel)
        assert found is not None
        assert found.neuron is None
    assert looked > 3


def test_shift_means_the_region_and_says_so(window: Driver) -> None:
    view, partition = window.tile.view, window.window.slices.result(window.tile.key).answer.partition
    edge, middle = long_edge(partition)
    at = view.position_of(*middle).toPoint()
    view.setFocus()
    move(view, at)
    assert marked(view)[1]
    QTest.keyPress(view, Qt.Key.Key_Shift, SHIFT)
    region, line = marked(view)
    assert region is not None
    assert not line
    QTest.keyRelease(view, Qt.Key.Key_Shift)
    region, line = marked(view)
    assert region is None
    assert line
    layer = int(partition.edge_layer[edge])
    found = window.window.hover.at(window.tile.key, *middle, 6 * view.pixel)
    assert found is not None
    assert found.neuron == Neuron(layer, int(partition.edge_neuron[edge]))
    window.window.hand.toggle_depth(layer)
    hidden = window.window.hover.at(window.tile.key, *middle, 6 * view.pixel)
    assert hidden is not None
    assert hidden.neuron is None or hidden.neuron.layer != layer


def test_a_double_click_on_a_line_chooses_nothing(window: Driver) -> None:
    store, view = window.window.store, window.tile.view
    _, middle = long_edge(window.window.slices.result(window.tile.key).answer.partition)
    at = view.position_of(*middle).toPoint()
    for chosen in (None, Neuron(0, 0)):
        store.do(actions.SelectNeuron(chosen))
        before = store.session
        QTest.mouseClick(view, LEFT, PLAIN, at)
        assert store.session.neuron not in (None, chosen)
        QTest.mouseDClick(view, LEFT, PLAIN, at)
        assert same(store.session, before)
        assert store.history.next_redone is None
    QTest.mouseClick(view, LEFT, PLAIN, at)
    assert store.session.neuron != Neuron(0, 0)
