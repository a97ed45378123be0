"""Stacks of parallel slices, and a plane that travels by itself, in the real window."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.application import application
from app.jobs.worker import Context, Job, unless_cancelled
from app.state import actions
from app.state.geometry.planes import StackPlace, at_offset, offset
from app.state.session import same
from app.window.dialogs.stack_dialog import StackDialog
from app.window.parts.theme import system_theme
from engine import SlicePlane
from tests.app.control.test_planes import active_plane, check_slice_is_exact
from tests.app.on_screen import LEFT, Driver, press, wait_until
from tests.app.waiting import let_run
from tests.app.window.test_undo import check_shows_the_session


def dialog(driver: Driver) -> StackDialog:
    press(driver, "Ctrl+Shift+N")
    shown = driver.window.helper.dialog
    assert isinstance(shown, StackDialog)
    return shown


def test_a_stack_is_one_step_and_its_slices_are_slices(window: Driver) -> None:
    store, before, height = window.window.store, window.window.store.session, window.window.height()
    shown = dialog(window)
    shown.count.setValue(12)
    shown.name.setText("through the ear")
    assert "12" not in shown.outcome.text()
    QTest.mouseClick(shown.add, LEFT)
    added = store.session.slices[3:]
    assert [part.name for part in added] == [f"through the ear {k}" for k in range(1, 13)]
    np.testing.assert_allclose([offset(part.plane) for part in added], np.linspace(-1, 1, 25)[1::2], atol=1e-15)
    assert store.session.active == added[6].key
    check_shows_the_session(window)
    assert window.window.height() == height  # the tiles scroll
    assert window.window.commands["undo"].text() == "&Undo Add stack of 12 slices"
    window.window.commands["undo"].trigger()
    assert same(store.session, before)
    check_shows_the_session(window)


def test_a_stack_around_a_plane_leaves_out_what_misses_the_box(window: Driver) -> None:
    shown, plane = dialog(window), active_plane(window)
    shown.count.setValue(5)
    shown.place.setCurrentIndex(list(StackPlace).index(StackPlace.AROUND))
    shown.place.activated.emit(0)
    shown.spacing.selectAll()
    QTest.keyClicks(shown.spacing, "nonsense")
    assert not shown.add.isEnabled()
    shown.spacing.selectAll()
    QTest.keyClicks(shown.spacing, "0.6")
    assert "2 of 5 would miss the box" in shown.outcome.text()
    QTest.keyClick(shown.name, Qt.Key.Key_Return)
    added = window.window.store.session.slices[3:]
    assert len(added) == 3
    assert added[1].plane is plane
    check_slice_is_exact(window)


def test_a_plane_plays_until_it_is_stopped(window: Driver) -> None:
    store, player, before = window.window.store, window.window.player, window.window.store.session
    key = before.active
    press(window, "P")
    assert player.playing
    seen = []
    wait_until(lambda: seen.append(offset(store.session.slice(key).plane)) or seen[-1] > seen[0] + 0.05)
    wait_until(lambda: window.window.slices.result(key).plane is not before.slice(key).plane)
    QTest.mouseClick(player.play, LEFT)
    assert not player.playing
    rest = active_plane(window)
    assert np.array_equal(rest.axes, before.slice(key).plane.axes)
    check_slice_is_exact(window)
    assert active_plane(window) is rest
    assert window.window.commands["undo"].text() == "&Undo Move plane z"
    window.window.commands["undo"].trigger()
    assert same(store.session, before)


def test_a_playing_plane_turns_round_at_the_end_of_the_box(window: Driver) -> None:
    store, player, key = window.window.store, window.window.player, window.window.store.session.active
    store.do(actions.MovePlane(key, SlicePlane.from_axis("z", 0.9)))
    player.speed.setCurrentIndex(2)  # the longest frame there is goes by 0.05
    player.start()
    seen = [0.9]
    wait_until(lambda: seen.append(offset(store.session.slice(key).plane)) or seen[-1] < max(seen) - 0.1)
    assert 0.94 < max(seen) < 1.0
    player.stop()
    check_slice_is_exact(window)


def test_a_hand_takes_a_playing_plane(window: Driver) -> None:
    store, player, key = window.window.store, window.window.player, window.window.store.session.active
    hands = (
        lambda: QTest.keyClick(window.window.scene_view, Qt.Key.Key_Up),
        lambda: window.wheel(window.tile.view, QPoint(100, 60), 1, control=True),
        lambda: QTest.mousePress(window.window.panel.slider, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(60, 8)),
        lambda: QTest.mouseClick(window.window.panel.flip, LEFT),
        window.window.commands["undo"].trigger,
        lambda: store.do(actions.RemoveSlice(key)),
    )
    for hand in hands:
        player.start()
        assert player.playing
        let_run(80)
        hand()
        wait_until(lambda: not player.playing)
        QTest.mouseRelease(window.window.panel.slider, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(60, 8))
    check_slice_is_exact(window)


def test_closing_the_window_ends_a_journey(window: Driver) -> None:
    player, store = window.window.player, window.window.store
    player.start()
    let_run(80)
    window.window.close()
    assert not player.playing
    there = store.session.slices
    let_run(100)
    assert store.session.slices is there


def test_other_planes_and_looks_leave_it_playing(window: Driver) -> None:
    store, player = window.window.store, window.window.player
    player.start()
    store.do(actions.MovePlane(store.session.slices[0].key, SlicePlane.from_axis("x", 0.2)))
    window.window.strip.switches["creases"].click()
    let_run(100)
    assert player.playing
    player.stop()
    check_slice_is_exact(window)


def test_a_default_button_that_is_off_looks_off(window: Driver) -> None:
    shown = dialog(window)
    add = shown.add
    assert add.isDefault()
    on = add.grab().toImage().pixelColor(add.width() // 2, 4).name()
    shown.place.setCurrentIndex(shown.place.findData(StackPlace.AROUND))
    shown.place.activated.emit(shown.place.currentIndex())
    shown.spacing.selectAll()
    QTest.keyClicks(shown.spacing, "nonsense")
    assert not add.isEnabled()
    off = add.grab().toImage().pixelColor(add.width() // 2, 4).name()
    theme = system_theme(application())
    assert (on, off) == (theme.brand, theme.panel)
    shown.reject()


def test_parallel_slices_are_shown_in_one_frame(window: Driver) -> None:
    """A plane that travels keeps its frame, whatever of it the box cuts out; fitting shows a small slice alone."""
    store, view = window.window.store, window.tile.view
    plane = SlicePlane.from_normal((0.0, 0.0, 0.0), (1.0, 2.0, 2.0))
    store.do(actions.MovePlane(key := window.tile.key, plane))
    window.settle()
    frame = view.framing
    for value in (0.3, -0.8, 1.5):
        store.do(actions.MovePlane(key, at_offset(plane, value)))
        window.settle()
        assert view.framing.scale == pytest.approx(frame.scale, rel=1e-12)
        np.testing.assert_allclose(view.framing.centre, frame.centre, atol=1e-12)
        corners = view.picture.partition.vertices
        inside = [view.framing.to_pixel(u, v) for u, v in corners.tolist()]
        assert (np.array(inside) > 0).all()
        assert (np.array(inside) < (frame.width, frame.height)).all()
    QTest.mouseDClick(view, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(120, 60))
    assert view.framing.scale > 1.25 * frame.scale
    QTest.mouseDClick(view, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(120, 60))
    assert view.framing.scale == pytest.approx(frame.scale)


def test_the_active_slice_comes_first_and_hidden_ones_last(window: Driver) -> None:
    """Then those whose tiles are in sight."""
    main, store, begun, held = window.window, window.window.store, threading.Event(), threading.Event()
    hidden = store.session.slices[0].key
    store.do(actions.ShowSlice(hidden, False))

    def hold(_: Context) -> None:
        begun.set()
        held.wait(300)

    main.slices._worker.submit(Job("held", hold, lambda _: None, unless_cancelled))
    assert begun.wait(300)
    order: list[int] = []
    main.slices.computed.connect(lambda key, drawn: order.append(key) if drawn.answer.complete else None)
    planes = tuple(SlicePlane.from_axis("y", value) for value in np.linspace(-0.9, 0.9, 14))
    store.do(actions.MovePlane(hidden, SlicePlane.from_axis("x", 0.2)))
    store.do(actions.AddStack(planes, "stack"))
    active = store.session.slices[-1].key
    store.do(actions.ActivateSlice(active))
    let_run(50)
    seen = {key for key, tile in main.board.tiles.items() if not tile.visibleRegion().isEmpty()}
    added = {part.key for part in store.session.slices[3:]}
    assert added > (seen & added) > set()
    held.set()
    window.settle()
    first = [key for k, key in enumerate(order) if key not in order[:k]]
    assert first[0] == active
    assert first[-1] == hidden
    rest = [key in seen for key in first[1:-1]]
    assert rest == sorted(rest, reverse=True)
