"""The camera of the real window by mouse, keys and menu; a clear surface; a neuron in space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from app.jobs.opening import open_module
from app.state import actions
from app.state.session_file import read_session
from app.views.camera import NEAREST
from app.views.scene.compass import ends_of
from app.views.scene.scene_view import SceneView
from engine import Neuron, extract_surface, neuron_network
from tests.app.conftest import DOMAIN, random_module
from tests.app.on_screen import LEFT, Driver, move, press, wait_until
from tests.app.waiting import let_run

ALT, PLAIN = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.NoModifier


def on_surface(view: SceneView) -> QPoint:
    """A pixel that shows something, apart from the middle."""
    for share in np.linspace(0.3, 0.7, 41):
        at = QPoint(round(share * view.width()), round(0.4 * view.height()))
        if view.point_at(at.toPointF()) is not None and abs(share - 0.5) > 0.02:
            return at
    raise AssertionError("nothing is in sight")


def pixel_of(view: SceneView, place: np.ndarray) -> np.ndarray:
    return view.current_lens().to_pixels(place[None])[0]


@pytest.mark.parametrize("parallel", [False, True])
def test_the_wheel_comes_nearer_to_what_is_under_the_mouse_and_stops_there(window: Driver, parallel: bool) -> None:
    view = window.window.scene_view
    view.set_parallel(parallel)
    at = on_surface(view)
    place = view.point_at(at.toPointF())
    distance = view.current_lens().distance
    window.wheel(view, at, 4)
    np.testing.assert_allclose(pixel_of(view, place), [at.x(), at.y()], atol=1e-6)
    assert view.current_lens().distance == pytest.approx(distance / 1.0015**480)
    eye, ahead = np.array(view.scene.viewpoint.position), view.current_lens().forward
    for _ in range(60):
        window.wheel(view, at, 10)
    assert float((place - np.array(view.scene.viewpoint.position)) @ ahead) > 0  # before the surface
    assert float((place - eye) @ ahead) > 0
    assert view.current_lens().distance >= NEAREST * view.scene.size * (1 - 1e-9)
    window.settle()


def test_a_click_with_alt_sets_the_centre_of_turning_and_beside_everything_forgets_it(window: Driver) -> None:
    view, store = window.window.scene_view, window.window.store
    at = on_surface(view)
    place, session = view.point_at(at.toPointF()), store.session
    seen = view.grab().toImage()
    QTest.mouseClick(view, LEFT, ALT, at)
    np.testing.assert_array_equal(view.scene.viewpoint.centre, place)
    assert store.session is session  # nothing was chosen or pinned
    window.settle()
    assert view.grab().toImage() != seen  # the centre is marked
    window.drag(view, np.array([20.0, 20.0]), [np.array([60.0, 45.0])])
    QTest.mouseRelease(view, LEFT, PLAIN, QPoint(60, 45))
    np.testing.assert_allclose(pixel_of(view, place), [at.x(), at.y()], atol=1e-6)
    QTest.mouseClick(view, LEFT, ALT, QPoint(4, 4))
    assert view.scene.viewpoint.centre is None
    QTest.mouseClick(view, LEFT, ALT, at)
    window.window.commands["turn about middle"].trigger()
    assert view.scene.viewpoint.centre is None


def test_the_centre_of_turning_is_also_set_by_the_menu(window: Driver) -> None:
    view = window.window.scene_view
    press(window, ".")
    assert "centre of turning" in window.window.task_bar.hint.text().lower()
    QTest.mouseClick(view, LEFT, PLAIN, QPoint(4, 4))
    assert view.scene.viewpoint.centre is None
    at = on_surface(view)
    place = view.point_at(at.toPointF())
    QTest.mouseClick(view, LEFT, PLAIN, at)
    np.testing.assert_array_equal(view.scene.viewpoint.centre, place)
    assert window.window.picker.task is None
    assert not view.picking


def test_keys_look_along_the_axes_and_in_parallel(window: Driver) -> None:
    view = window.window.scene_view
    tick = window.window.commands["parallel"]
    press(window, "O")
    assert view.scene.viewpoint.parallel
    assert tick.isChecked()
    for key, (axis, side) in zip("123456", [(a, s) for s in (1, -1) for a in range(3)], strict=True):
        press(window, key)
        np.testing.assert_allclose(view.current_lens().forward, -side * np.eye(3)[axis], atol=1e-12)
        assert view.scene.viewpoint.parallel
        if axis != 1:
            np.testing.assert_allclose(view.current_lens().axes[1], [0, 1, 0], atol=1e-12)
        else:
            np.testing.assert_allclose(view.current_lens().axes[0], [1, 0, 0], atol=1e-12)
    press(window, "O")
    assert not view.scene.viewpoint.parallel
    assert not tick.isChecked()
    window.settle()


def test_a_click_on_an_axis_in_the_corner_looks_from_there(window: Driver) -> None:
    view = window.window.scene_view
    for axis, side in ((0, -1), (1, 1), (2, -1)):
        press(window, "Home")
        end = next(
            end
            for end in ends_of(view.current_lens().axes, view.width())
            if (end.axis, end.side) == (axis, side)
        )  # fmt: skip
        planes, at = dict(view.planes), end.at.toPoint()
        move(view, at)
        assert view.cursor().shape() == Qt.CursorShape.PointingHandCursor
        QTest.mouseClick(view, LEFT, PLAIN, at)
        np.testing.assert_allclose(view.current_lens().forward, -side * np.eye(3)[axis], atol=1e-12)
        assert view.planes == planes
    move(view, QPoint(4, 4))
    assert view.cursor().shape() == Qt.CursorShape.ArrowCursor
    window.settle()


def test_projection_and_centre_are_saved_with_the_session(window: Driver, tmp_path: Path) -> None:
    view, path = window.window.scene_view, tmp_path / "a.session.json"
    view.set_parallel(True)
    QTest.mouseClick(view, LEFT, ALT, on_surface(view))
    window.window.strip.opacity.setValue(35)
    seen = view.scene.viewpoint
    window.window.keeper.save_to(path)
    wait_until(path.exists)
    saved = read_session(path)
    assert saved.viewpoint == seen
    assert saved.session.look.opacity == 35
    press(window, "Home")
    press(window, "O")
    window.window.open_path(path)
    wait_until(lambda: view.scene.viewpoint == seen)
    window.settle()


def test_the_opacity_of_the_surface_is_a_slider_and_a_key_and_undone(window: Driver) -> None:
    view, store, slider = window.window.scene_view, window.window.store, window.window.strip.opacity
    opaque = view.grab().toImage()
    slider.setFocus()
    for _ in range(4):
        QTest.keyClick(slider, Qt.Key.Key_PageDown)
    assert store.session.look.opacity == 60
    window.settle()
    assert view.grab().toImage() != opaque
    press(window, "Ctrl+Z")  # changes that follow each other are one step
    assert slider.value() == store.session.look.opacity == 100
    press(window, "S")
    assert slider.value() == 40
    assert window.window.commands["see through"].isChecked()
    assert window.window.commands["undo"].text() == "&Undo Surface opacity 40 %"
    press(window, "S")
    assert slider.value() == 100
    window.window.strip.switches["surface"].click()
    assert not slider.isEnabled()
    window.settle()


def test_a_neuron_that_is_followed_is_shown_in_space(window: Driver) -> None:
    main, view, store = window.window, window.window.scene_view, window.window.store
    opened = store.session.opened
    layer, index = next(
        (layer, index)
        for layer, kink in enumerate(opened.network.kinks)
        for index in range(len(kink.breakpoints))
        if layer and not extract_surface(neuron_network(opened.network, layer, index), opened.domain).empty
    )
    expected = extract_surface(neuron_network(opened.network, layer, index), opened.domain)
    bare = view.grab().toImage()
    store.do(actions.SelectNeuron(Neuron(layer, index)))
    window.settle()
    np.testing.assert_allclose(np.sort(view.scene.neuron.vertices, axis=0), np.sort(expected.vertices, axis=0))
    assert f"in space: {expected.report.facets:,} facets" in view.message
    assert main.commands["neuron in space"].isChecked()
    with_neuron = view.grab().toImage()
    press(window, "V")
    assert view.scene.neuron is None
    assert not main.commands["neuron in space"].isChecked()
    window.settle()
    assert view.grab().toImage() != with_neuron
    press(window, "Ctrl+Z")
    window.settle()
    assert view.scene.neuron is not None
    mesh = view.scene.neuron
    store.do(actions.FrameNetwork(opened, None, 0.01))  # another level: the neuron's is the same
    window.settle()
    assert view.scene.neuron is mesh
    store.undo()
    QTest.keyClick(main, Qt.Key.Key_Escape)
    assert view.scene.neuron is None
    window.settle()
    assert view.grab().toImage() == bare


def test_a_neuron_that_takes_long_in_space_waits_until_it_is_asked_for(window: Driver) -> None:
    main, view, store = window.window, window.window.scene_view, window.window.store
    main.neuron.patience = -1.0
    store.do(actions.SelectNeuron(Neuron(1, 2)))
    window.settle()
    assert view.scene.neuron is None
    assert "in space it takes over" in view.message
    assert not main.commands["neuron in space"].isChecked()
    store.do(actions.SelectNeuron(Neuron(2, 2)))  # deeper ones take no less
    assert main.neuron.finished
    assert "in space it takes over" in view.message
    press(window, "V")
    assert main.commands["neuron in space"].isChecked()
    window.settle()
    assert "in space" in view.message
    assert "takes over" not in view.message
    window.settle()


def test_the_newest_neuron_wins_and_one_that_is_let_go_is_not_shown(window: Driver) -> None:
    view, store = window.window.scene_view, window.window.store
    for index in range(6):
        store.do(actions.SelectNeuron(Neuron(1, index)))
        let_run(1)
    window.settle()
    alone = window.window.neuron._mesh_of(window.window.neuron._wish)
    assert view.scene.neuron is (alone if alone.triangles else None)
    store.do(actions.SelectNeuron(Neuron(2, 1)))
    QTest.keyClick(window.window, Qt.Key.Key_Escape)
    window.settle()
    assert view.scene.neuron is None


def test_a_neuron_that_the_next_network_lacks_is_not_looked_for(window: Driver) -> None:
    store, live = window.window.store, window.window.neuron
    opened = store.session.opened
    store.do(actions.SelectNeuron(Neuron(len(opened.network.kinks) - 1, 0)))
    window.settle()
    store.do(actions.ShowNetwork(open_module(random_module(depth=1), DOMAIN, "shallow")))
    window.settle()
    assert window.window.scene_view.scene.neuron is None
    assert live.finished
    store.undo()
    window.settle()
    assert store.session.opened is opened


def test_the_surface_of_another_level_is_told_to_be_on_its_way(window: Driver) -> None:
    main, view = window.window, window.window.scene_view
    level = main.frame.level
    assert view.message == ""
    level.selectAll()
    QTest.keyClicks(level, "0.02")
    QTest.keyClick(level, Qt.Key.Key_Return)
    assert main.store.session.opened.level == 0.02
    assert view.message == "the level surface f = 0.02 is on its way …"
    assert len(view.scene.mesh.face_offsets) == 1  # not that of the level before
    window.settle()
    assert "on its way" not in view.message
    assert len(view.scene.mesh.face_offsets) > 1


def test_a_zoom_by_keys_goes_to_what_is_in_the_middle(window: Driver) -> None:
    view = window.window.scene_view
    place = view.point_at(QPointF(view.width() / 2, view.height() / 2))
    assert place is not None
    for _ in range(40):
        QTest.keyClick(view, Qt.Key.Key_Plus)
    ahead = view.current_lens().forward
    assert float((place - np.array(view.scene.viewpoint.position)) @ ahead) > 0


def test_a_slice_that_comes_back_is_drawn_in_its_old_place(window: Driver) -> None:
    main, store = window.window, window.window.store
    for _ in range(2):
        store.do(actions.DuplicateSlice(store.session.slices[0].key))
    store.do(actions.RemoveSlice(store.session.slices[0].key))
    window.settle()
    store.undo()
    window.settle()
    drawn = [part.plane for part in main.scene_view._shown.slices]
    assert all(plane is part.plane for plane, part in zip(drawn, store.session.slices, strict=True))
