"""Undo and redo in the real window: everything that shows the session follows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.state import actions
from app.state.look import Fill
from app.state.session import same
from engine import Neuron, SlicePlane, partition_slice
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, random_module
from tests.app.control.test_planes import check_slice_is_exact
from tests.app.on_screen import LEFT, Driver, move, point, wait_until
from tests.app.waiting import let_run
from tests.engine.sameness import assert_same_partition


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("other") / "other.safetensors"
    save_checkpoint(path, random_module(seed=3, depth=2), DOMAIN)
    return path


def undo(driver: Driver) -> None:
    driver.window.commands["undo"].trigger()


def redo(driver: Driver) -> None:
    driver.window.commands["redo"].trigger()


def check_shows_the_session(driver: Driver) -> None:
    """Views, panels and pictures are those of the session as it is."""
    driver.settle()
    window, session = driver.window, driver.window.store.session
    assert session.opened is not None
    check_slice_is_exact(driver)
    assert list(window.panel.rows) == list(window.board.tiles) or set(window.panel.rows) == set(window.board.tiles)
    layout = window.panel._list
    shown = [layout.itemAt(i).widget().key for i in range(layout.count())]
    assert shown == [part.key for part in session.slices]
    assert set(window.scene_view.planes) == set(shown)
    for part in session.slices:
        tile, drawn = window.board.tiles[part.key], window.slices.result(part.key)
        assert tile._name.whole == part.name
        assert drawn.fill is session.fill
        assert drawn.picture.neuron == (
            None if session.neuron is None else (session.neuron.layer, session.neuron.index)
        )
        assert window.scene_view.planes[part.key] is part.plane
        assert tile.view.look == session.look
    assert window.surface.drawn.surface.network is session.opened.network
    assert window.strip.fill.currentData() is session.fill
    assert {name for name, switch in window.strip.switches.items() if switch.isChecked()} == {
        name for name in window.strip.switches if getattr(session.look, name)
    }
    assert session.opened.name in window.windowTitle()
    assert window.legend.names == session.opened.network.layer_names


def test_every_change_is_undone_and_redone_in_all_views(window: Driver, other: Path) -> None:
    store = window.window.store
    first, second, third = (part.key for part in store.session.slices)
    sessions = [store.session]

    def after(act) -> None:
        act()
        window.settle()
        sessions.append(store.session)

    after(lambda: store.do(actions.MovePlane(first, SlicePlane.from_normal((0, 0, 0), (1, 1, 0)))))
    after(lambda: store.do(actions.RemoveSlice(second)))
    after(lambda: store.do(actions.ChangeFill(Fill.AREA)))
    after(lambda: store.do(actions.SelectNeuron(Neuron(1, 3))))
    after(lambda: window.window.hand.toggle_depth(1))
    after(window.window.strip.switches["creases"].click)
    after(lambda: store.do(actions.RenameSlice(third, "third")))
    after(lambda: window.open(other))
    after(lambda: store.do(actions.DuplicateSlice(first)))
    names = []
    for session in reversed(sessions[:-1]):
        names.append(window.window.commands["undo"].text())
        undo(window)
        assert same(store.session, session)
        check_shows_the_session(window)
    assert names == [
        "&Undo Duplicate slice x",
        "&Undo Open other.safetensors",
        "&Undo Rename slice z",
        "&Undo Show creases",
        "&Undo Hide layer 1",
        "&Undo Highlight neuron 1/3",
        "&Undo Fill with area",
        "&Undo Delete slice y",
        "&Undo Move plane x",
    ]
    for session in sessions[1:]:
        redo(window)
        assert same(store.session, session)
    check_shows_the_session(window)
    assert not window.window.commands["redo"].isEnabled()


def test_undoing_the_first_file_empties_the_window(window: Driver) -> None:
    undo(window)
    assert window.window.store.session.opened is None
    assert window.window.commands["undo"].shortcut().toString() == "Ctrl+Z"
    assert window.window.commands["redo"].shortcut().toString() == "Ctrl+Shift+Z"
    assert window.window.windowTitle() == "SplineScope"
    assert window.window.scene_view.scene is None
    assert window.window.board.tiles == {}
    assert window.window.commands["undo"].isEnabled() is False
    redo(window)
    check_shows_the_session(window)


def test_a_drag_by_the_mouse_is_one_step(window: Driver) -> None:
    view, before = window.window.scene_view, window.window.store.session
    plane = before.active_slice.plane
    anchor = np.array([0.0, 0.0, plane.origin[2]])
    start, end = view.lens.to_pixels(np.stack([anchor, anchor + 0.3 * plane.normal]))
    window.drag(view, start, [start + t * (end - start) for t in np.linspace(0.1, 0.5, 5)])
    window.window.pause.timer.setInterval(100)
    let_run(200)  # the hand holds still, and goes on
    for t in (0.7, 1.0):
        move(view, point(start + t * (end - start)), LEFT)
        let_run(5)
    QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, point(end))
    assert window.window.commands["undo"].text() == "&Undo Move plane z"
    assert window.window.store.session.active_slice.plane is not plane
    undo(window)
    assert same(window.window.store.session, before)
    check_shows_the_session(window)


def test_a_run_of_wheel_steps_is_one_step_until_the_hand_rests(window: Driver) -> None:
    view, before = window.tile.view, window.window.store.session
    window.window.pause.timer.setInterval(3_600_000)  # however slow the machine is, the hand is faster
    for _ in range(4):
        window.wheel(view, QPoint(100, 60), 1, control=True)
        let_run(30)
    window.window.pause.timer.start(0)
    wait_until(lambda: not window.window.pause.timer.isActive())
    between = window.window.store.session
    for _ in range(3):
        QTest.keyClick(window.window, Qt.Key.Key_Up)
    undo(window)
    assert same(window.window.store.session, between)
    undo(window)
    assert same(window.window.store.session, before)
    check_shows_the_session(window)


def test_the_camera_stays_when_another_network_is_shown(window: Driver, other: Path) -> None:
    view = window.window.scene_view
    window.drag(view, np.array([20.0, 20.0]), [np.array([80.0, 60.0])])
    QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(80, 60))
    seen, scene = view.scene.viewpoint, view.scene
    planes = [part.plane for part in window.window.store.session.slices]
    window.open(other)
    assert view.scene is not scene
    assert view.scene.viewpoint == seen
    assert [part.plane for part in window.window.store.session.slices] == planes
    session = window.window.store.session
    window.window.store.do(actions.ShowNetwork(session.networks[0]))
    wait_until(lambda: window.window.settled)
    check_shows_the_session(window)
    expected = partition_slice(session.networks[0].network, planes[0], DOMAIN)
    found = window.window.slices.result(session.slices[0].key).answer.partition
    assert_same_partition(found, expected)
