"""Views without a mouse: the camera and the slices are moved by keys, and a pointer clicks."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QWidget,
)

from app.control.hand import STEP
from app.control.picker import Task
from app.state.geometry.planes import offset
from app.views.slice.legend import DepthLegend
from app.views.slice.slice_view import SliceView
from tests.app.on_screen import LEFT, Driver, wait_until
from tests.app.window.test_keyboard import controls, tab

ALT, NONE, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


def led_to(driver: Driver, view: QWidget) -> None:
    """The Tab key goes on until it is there."""
    driver.window.strip.search.setFocus()
    for _ in range(80):
        if tab(driver.window) is view:
            reason = Qt.FocusReason.TabFocusReason  # told also where the display gives the keyboard to another window
            QApplication.sendEvent(view, QFocusEvent(QEvent.Type.FocusIn, reason))
            return
    raise AssertionError("the Tab key does not lead there")


def key(view: QWidget, code: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
    QApplication.sendEvent(view, QKeyEvent(QEvent.Type.KeyPress, code, held))


def test_keys_turn_move_and_zoom_the_camera_as_the_mouse_does(window: Driver) -> None:
    running, view = window.window, window.window.scene_view
    planes = [part.plane for part in running.store.session.slices]
    step = view.height() / 40
    for focus in (view, window.tile, running.panel):  # wherever the focus is, if that does nothing with the key
        before = view.scene.viewpoint
        key(focus, Qt.Key.Key_Right, ALT)
        by_key = view.scene.viewpoint
        key(focus, Qt.Key.Key_Left, ALT)
        np.testing.assert_allclose(view.scene.viewpoint.position, before.position, atol=1e-12)
        window.drag(view, np.array([20.0, 20.0]), [np.array([20.0 + step, 20.0])])
        QTest.mouseRelease(view, LEFT, NONE, QPoint(20 + round(step), 20))
        assert np.degrees(np.arccos(np.dot(*_sights(before, by_key)))) > 5.0
        moved = np.array(view.scene.viewpoint.position)
        assert np.linalg.norm(moved - by_key.position) < 0.05 * np.linalg.norm(moved - np.array(before.position))
    before = view.scene.viewpoint
    key(view, Qt.Key.Key_Up, ALT | SHIFT)
    after = view.scene.viewpoint
    np.testing.assert_allclose(*_sights(before, after), atol=1e-12)
    assert np.linalg.norm(np.subtract(after.focus, before.focus)) > 0.01
    key(view, Qt.Key.Key_Plus)
    near = np.linalg.norm(np.subtract(*_ends(view.scene.viewpoint)))
    assert near < 0.9 * np.linalg.norm(np.subtract(*_ends(after)))
    key(view, Qt.Key.Key_Minus)
    np.testing.assert_allclose(view.scene.viewpoint.position, after.position, atol=1e-12)
    assert [part.plane for part in running.store.session.slices] == planes
    key(view, Qt.Key.Key_Up)
    assert running.store.session.active_slice.plane is not planes[-1]  # without Alt it moves the plane


def _ends(seen):
    return np.array(seen.position), np.array(seen.focus)


def _sights(*seen):
    ways = [np.subtract(*_ends(one)) for one in seen]
    return [way / np.linalg.norm(way) for way in ways]


def test_keys_of_planes_and_camera_are_heard_at_every_control(window: Driver) -> None:
    """Also at a button, which would move the focus by them; those of the camera also where others are used."""
    running, view = window.window, window.window.scene_view
    running.side.open(running.inspector)
    running.pins.pin(running.store.session.active, 0.1, 0.1)
    wait_until(lambda: not running.pins._click._wait.isActive())  # then it opens the inspector
    window.settle()
    store = running.store
    own = (QLineEdit, QComboBox, QAbstractSpinBox, SliceView)  # use arrows
    widgets: list[QWidget] = [*controls(running), running.legend, *running.checkpoints.cards, *running.inspector.cards]
    assert sum(isinstance(widget, QAbstractButton) for widget in widgets) > 20
    assert running.panel.slider in widgets
    start = view.scene.viewpoint
    key(view, Qt.Key.Key_Right, ALT)
    turned = view.scene.viewpoint
    key(view, Qt.Key.Key_Left, ALT)
    for widget in widgets:
        widget.setFocus()
        focus, plane = running.focusWidget(), store.session.active_slice.plane
        key(widget, Qt.Key.Key_Right, ALT)
        seen = view.scene.viewpoint.position
        np.testing.assert_allclose(seen, turned.position, atol=1e-9, err_msg=str(widget))  # once
        assert store.session.active_slice.plane is plane
        key(widget, Qt.Key.Key_Left, ALT)
        np.testing.assert_allclose(view.scene.viewpoint.position, start.position, atol=1e-9)
        if not isinstance(widget, (*own, QAbstractSlider, DepthLegend)):
            key(widget, Qt.Key.Key_Up)
            moved = offset(store.session.active_slice.plane) - offset(plane)
            key(widget, Qt.Key.Key_Down)
            assert moved == pytest.approx(STEP * 2.0), widget
        assert running.focusWidget() is focus
    running.side.open(running.neurons)
    wait_until(lambda: running.neurons.model.rowCount() > 1)
    running.neurons.view.selectRow(1)
    neuron = store.session.neuron
    key(running.neurons.view, Qt.Key.Key_Down, ALT | SHIFT)
    assert not np.allclose(view.scene.viewpoint.focus, start.focus, atol=1e-3)
    assert store.session.neuron is neuron is not None
    running.panel.slider.setFocus()
    steps = running.panel.slider.value()
    key(running.panel.slider, Qt.Key.Key_Right)
    assert running.panel.slider.value() == steps + 1


def test_keys_pan_zoom_and_fit_a_slice(window: Driver) -> None:
    view = window.tile.view
    whole, seen = view.framing, window.window.scene_view.scene.viewpoint
    middle = whole.to_slice(whole.width / 2, whole.height / 2)
    key(view, Qt.Key.Key_Plus)
    assert view.framing.scale > 1.1 * whole.scale
    np.testing.assert_allclose(view.framing.to_slice(whole.width / 2, whole.height / 2), middle, atol=1e-12)
    key(view, Qt.Key.Key_Left, ALT)
    assert view.framing.to_slice(0, 0)[0] > whole.to_slice(0, 0)[0]
    for _ in range(60):
        key(view, Qt.Key.Key_Left, ALT)
        window.wheel(view, QPoint(60, 60), -2)
    assert view.framing.scale == pytest.approx(0.1 * whole.scale)
    assert any(view.rect().contains(view.position_of(u, v).toPoint()) for u in (-1.0, 1.0) for v in (-1.0, 1.0))
    key(view, Qt.Key.Key_0)
    assert view.framing == whole
    assert window.window.scene_view.scene.viewpoint == seen


def test_a_pointer_by_keys_hovers_and_clicks_like_a_mouse(window: Driver) -> None:
    running, view = window.window, window.tile.view
    led_to(window, view)
    assert view.pointer.isVisible()
    assert view.pointer.at is None
    key(view, Qt.Key.Key_Return)
    start = view.pointer.at
    key(view, Qt.Key.Key_Right)
    key(view, Qt.Key.Key_Down, CONTROL)
    assert (view.pointer.at - start).toTuple() == (8.0, 1.0)
    plane = running.store.session.active_slice.plane
    window.settle()
    key(view, Qt.Key.Key_Left, CONTROL)
    assert running.status.left.whole.startswith(("region:", "layer"))
    key(view, Qt.Key.Key_Return, SHIFT)
    wait_until(lambda: running.store.session.pins)
    u, v = view.at(view.pointer.at)
    pin = running.store.session.pins[0]
    np.testing.assert_allclose(pin.facts.point, plane.to_input(np.array([[u, v]]))[0], atol=1e-12)
    assert running.store.session.active_slice.plane is plane  # arrows are the pointer's meanwhile
    for _ in range(200):
        key(view, Qt.Key.Key_Up, SHIFT)
    assert view.pointer.at.y() == 0.0
    key(view, Qt.Key.Key_Escape)
    assert view.pointer.at is None
    assert running.store.session.pins
    key(view, Qt.Key.Key_Return)
    QTest.mouseClick(view, LEFT, NONE, QPoint(80, 60))
    assert view.pointer.at is None  # the mouse is there again
    QApplication.sendEvent(view, QFocusEvent(QEvent.Type.FocusOut))
    assert not view.pointer.isVisible()


def test_a_plane_is_put_through_three_points_without_a_mouse(window: Driver) -> None:
    running, view = window.window, window.window.scene_view
    running.picker.begin(Task.THREE_POINTS)
    led_to(window, view)
    for x, y in ((0.0, 0.0), (0.06, 0.0), (0.0, 0.06)):
        key(view, Qt.Key.Key_Return)
        view.pointer._point(view.pointer.at + QPoint(round(x * view.width()), round(y * view.height())))
        key(view, Qt.Key.Key_Space)
        key(view, Qt.Key.Key_Escape)
    assert [part.name for part in running.store.session.slices][-1] == "three points"
