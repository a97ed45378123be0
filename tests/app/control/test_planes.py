"""A hand on the planes: in the 3D view, on sliders and fields, with keys and the wheel."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.control import live_slices, scene_link
from app.state import actions
from app.state.geometry.planes import offset
from app.views.camera import Lens
from engine import SlicePlane, partition_slice
from engine.errors import MemoryLimitError
from tests.app.on_screen import LEFT, Driver, move, point, wait_until
from tests.app.waiting import let_run
from tests.engine.sameness import assert_same_partition


def active_plane(driver: Driver) -> SlicePlane:
    part = driver.window.store.session.active_slice
    assert part is not None
    return part.plane


def lens(driver: Driver) -> Lens:
    view = driver.window.scene_view
    assert view.scene is not None
    return view.current_lens()


def check_slice_is_exact(driver: Driver) -> None:
    """What is drawn in both views is the engine's partition at the plane where the session has it."""
    driver.settle()
    session = driver.window.store.session
    assert session.opened is not None
    for part in session.slices:
        drawn = driver.window.slices.result(part.key)
        assert drawn is not None
        expected = partition_slice(session.opened.network, part.plane, session.opened.domain)
        assert drawn.plane is part.plane
        assert_same_partition(drawn.answer.partition, expected)
        assert driver.window.board.tiles[part.key].view.picture is drawn.picture
        assert drawn.picture.partition is drawn.answer.partition


def test_starts_with_three_slices_through_the_surface(window: Driver) -> None:
    session = window.window.store.session
    assert [part.name for part in session.slices] == ["x", "y", "z"]
    assert len({part.accent for part in session.slices}) == 3
    check_slice_is_exact(window)


def test_dragging_the_handle_moves_the_plane_along_its_normal(window: Driver) -> None:
    view = window.window.scene_view
    assert view.scene is not None
    before = active_plane(window)
    image = window.tile.view.grab().toImage()
    anchor = np.array([0.0, 0.0, before.origin[2]])
    start, end = lens(window).to_pixels(np.stack([anchor, anchor + 0.3 * before.normal]))
    window.drag(view, start, [start + t * (end - start) for t in np.linspace(0.1, 1.0, 9)])
    held = active_plane(window)
    assert held is not before
    wait_until(lambda: window.window.slices.result(window.tile.key).plane is not before)
    QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, point(end))
    after = active_plane(window)
    np.testing.assert_allclose(after.origin - before.origin, 0.3 * before.normal, atol=0.03)
    assert np.array_equal(after.axes, before.axes)
    check_slice_is_exact(window)
    assert window.tile.view.grab().toImage() != image


def test_dragging_the_tip_tilts_the_plane(window: Driver) -> None:
    view = window.window.scene_view
    assert view.scene is not None
    before = active_plane(window)
    _, tip = lens(window).to_pixels(view.scene.handle.points)
    window.drag(view, tip, [tip + np.array([12.0, -8.0]) * t for t in (0.5, 1.0)])
    QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, point(tip + np.array([12.0, -8.0])))
    after = active_plane(window)
    assert 0.5 < after.normal @ before.normal < 0.9999
    np.testing.assert_allclose(
        lens(window).to_pixels(view.scene.handle.points)[1], tip + np.array([12.0, -8.0]), atol=6.0
    )
    check_slice_is_exact(window)


def test_dragging_a_frame_chooses_and_moves_its_plane(window: Driver) -> None:
    view = window.window.scene_view
    assert view.scene is not None
    first = window.window.store.session.slices[0]
    corners = np.array([[first.plane.origin[0], 1.0, -0.75], [first.plane.origin[0], 1.0, -0.7]])
    at = lens(window).to_pixels(corners)[0]
    window.drag(view, at, [at + np.array([9.0, 3.0])])
    QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, point(at + np.array([9.0, 3.0])))
    assert window.window.store.session.active == first.key
    assert offset(active_plane(window)) != offset(first.plane)
    check_slice_is_exact(window)


@pytest.mark.parametrize("gone", ["deleted", "undone", "another network"])
def test_a_plane_that_is_gone_leaves_the_hand(window: Driver, gone: str) -> None:
    """Whatever takes it away while it is dragged: the hand moves on, and holds nothing."""
    view, store = window.window.scene_view, window.window.store
    if gone == "undone":
        store.do(actions.AddSlice(SlicePlane.from_axis("z", 0.2)))
        window.settle()
    key = store.session.active
    assert view.scene is not None
    at = lens(window).to_pixels(view.scene.handle.points)[0]
    window.drag(view, at, [at + np.array([6.0, 2.0])])
    assert view.holding
    opened = store.session.opened
    assert opened is not None
    if gone == "deleted":
        store.do(actions.RemoveSlice(key))
    elif gone == "undone":
        while any(part.key == key for part in store.session.slices):
            store.undo()
    else:
        store.do(actions.CloseNetwork(opened))
    assert not view.holding
    before = store.session
    for step in (10.0, 40.0):
        move(view, point(at + np.array([step, 5.0])), LEFT)
    QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, point(at + np.array([50.0, 5.0])))
    assert store.session is before
    if gone != "another network":
        check_slice_is_exact(window)


def test_dragging_elsewhere_turns_the_camera_only(window: Driver) -> None:
    view = window.window.scene_view
    assert view.scene is not None
    planes, camera = dict(view.planes), np.array(view.scene.viewpoint.position)
    window.drag(view, np.array([20.0, 20.0]), [np.array([80.0, 60.0])])
    QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(80, 60))
    assert view.planes == planes
    moved = np.array(view.scene.viewpoint.position)
    assert np.linalg.norm(moved - camera) > 0.1
    np.testing.assert_allclose(np.linalg.norm(moved), np.linalg.norm(camera), rtol=1e-9)


def test_keys_move_the_active_plane(window: Driver) -> None:
    view = window.window.scene_view
    view.setFocus()
    for key, modifier, steps in (
        (Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, 1.0),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, -1.0),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, 10.0),
        (Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier, 10.0),
        (Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier, -0.1),
    ):
        before = offset(active_plane(window))
        QTest.keyClick(view, key, modifier)
        assert offset(active_plane(window)) - before == pytest.approx(steps * 2.0 / 200), key
        check_slice_is_exact(window)


def test_control_and_wheel_move_planes_in_both_views(window: Driver) -> None:
    before = offset(active_plane(window))
    window.wheel(window.window.scene_view, QPoint(300, 300), 1, control=True)
    in_space = offset(active_plane(window))
    assert in_space > before
    window.wheel(window.tile.view, QPoint(100, 60), -3, control=True)
    assert offset(active_plane(window)) < in_space
    check_slice_is_exact(window)


def test_typed_numbers_move_the_plane(window: Driver) -> None:
    panel = window.window.panel
    for field, text in ((panel.origin.fields[2], "0.25"), (panel.normal.fields[0], "1")):
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)
    np.testing.assert_allclose(active_plane(window).normal, np.array([1.0, 0.0, 1.0]) / np.sqrt(2), atol=1e-15)
    assert active_plane(window).origin[2] == 0.25
    panel.offset.setFocus()
    panel.offset.selectAll()
    QTest.keyClicks(panel.offset, "0.125")
    QTest.keyClick(panel.offset, Qt.Key.Key_Return)
    assert offset(active_plane(window)) == pytest.approx(0.125, abs=1e-12)
    check_slice_is_exact(window)


def test_nonsense_numbers_turn_the_field_red_and_change_nothing(window: Driver) -> None:
    panel, before = window.window.panel, active_plane(window)
    for text in ("abc", "nan", "1e400"):
        panel.offset.setFocus()
        panel.offset.selectAll()
        QTest.keyClicks(panel.offset, text)
        QTest.keyClick(panel.offset, Qt.Key.Key_Return)
        assert panel.offset.property("wrong") is True
    assert active_plane(window) is before


def test_a_plane_outside_the_box_says_so(window: Driver) -> None:
    panel = window.window.panel
    panel.offset.setFocus()
    panel.offset.selectAll()
    QTest.keyClicks(panel.offset, "7")
    QTest.keyClick(panel.offset, Qt.Key.Key_Return)
    wait_until(lambda: "does not cut the box" in window.tile.view.note)
    assert window.window.slices.result(window.tile.key) is None
    window.settle()


def test_a_slice_that_was_stopped_stays_as_it_is(window: Driver) -> None:
    store, key = window.window.store, window.tile.key
    store.do(actions.MovePlane(key, SlicePlane.from_axis("z", 0.3)))
    window.tile._cancel.click()
    assert window.tile.view.note == "stopped"
    window.settle()
    assert window.window.slices.result(key).plane is not store.session.slice(key).plane
    store.do(actions.MovePlane(key, SlicePlane.from_axis("z", 0.2)))
    check_slice_is_exact(window)


def test_a_slice_that_cannot_be_computed_is_shown_nowhere(window: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise MemoryLimitError("this slice needs more memory than there is")

    store, key = window.window.store, window.tile.key
    with monkeypatch.context() as patch:
        patch.setattr("app.jobs.slicing.partition_slice", refuse)
        store.do(actions.MovePlane(key, SlicePlane.from_axis("z", 0.3)))
        window.settle()
    assert window.tile.view.note == "this slice needs more memory than there is"
    assert window.tile.view.picture is None
    assert window.window.slices.result(key) is None
    shown = window.window.scene_view._shown
    assert len([part for part in shown.slices if part.picture is not None]) == 2
    store.do(actions.MovePlane(key, SlicePlane.from_axis("z", 0.2)))
    check_slice_is_exact(window)


def test_a_name_that_was_not_entered_goes_with_its_slice(window: Driver) -> None:
    row = window.window.panel.rows[window.tile.key]
    window.window.activateWindow()
    assert QTest.qWaitForWindowActive(window.window, 60_000)
    row.name.setFocus()
    QTest.keyClicks(row.name, "half a na")
    assert row.name.hasFocus()
    window.window.store.do(actions.RemoveSlice(row.key))
    assert [part.name for part in window.window.store.session.slices] == ["x", "y"]
    check_slice_is_exact(window)


def test_the_slider_moves_the_plane(window: Driver) -> None:
    slider = window.window.panel.slider
    before = offset(active_plane(window))
    QTest.mouseClick(slider, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(slider.width() - 4, slider.height() // 2))
    assert offset(active_plane(window)) > before
    check_slice_is_exact(window)


def test_buttons_snap_flip_and_turn(window: Driver) -> None:
    panel = window.window.panel
    QTest.mouseClick(panel.snaps["x"], LEFT)
    assert np.array_equal(active_plane(window).normal, [1.0, 0.0, 0.0])
    QTest.mouseClick(panel.flip, LEFT)
    assert np.array_equal(active_plane(window).normal, [-1.0, 0.0, 0.0])
    first = active_plane(window).axes[0]
    QTest.mouseClick(panel.left, LEFT)
    assert active_plane(window).axes[0] @ first == pytest.approx(np.cos(np.radians(15)))
    QTest.mouseClick(panel.to_camera, LEFT)
    seen = window.window.scene_view.scene.viewpoint
    towards = np.array(seen.position) - np.array(seen.focus)
    np.testing.assert_allclose(active_plane(window).normal, towards / np.linalg.norm(towards), atol=1e-12)
    check_slice_is_exact(window)


def test_slices_are_added_duplicated_renamed_hidden_and_deleted(window: Driver) -> None:
    panel, store = window.window.panel, window.window.store
    QTest.mouseClick(panel.add, LEFT)
    QTest.mouseClick(panel.duplicate, LEFT)
    assert len(store.session.slices) == 5
    check_slice_is_exact(window)
    row = panel.rows[store.session.slices[-1].key]
    row.name.setFocus()
    row.name.selectAll()
    QTest.keyClicks(row.name, "through the ear")
    QTest.keyClick(row.name, Qt.Key.Key_Return)
    assert store.session.slices[-1].name == "through the ear"
    QTest.mouseClick(row.eye, LEFT)
    assert not window.window.board.tiles[row.key].isVisible()
    for part in store.session.slices:
        QTest.mouseClick(panel.rows[part.key].delete, LEFT)
    assert store.session.slices == ()
    assert store.session.active is None
    assert window.window.board.tiles == {}
    QTest.mouseClick(panel.add, LEFT)
    check_slice_is_exact(window)


def test_answers_to_older_requests_are_dropped(window: Driver) -> None:
    """A burst of moves ends with the last one; an answer that comes late does not take its place."""
    store, key = window.window.store, window.tile.key
    planes = [SlicePlane.from_axis("z", z) for z in np.linspace(-0.5, 0.5, 40)]
    for plane in planes:
        store.do(actions.MovePlane(key, plane, live=True))
        let_run(1)
    late = window.window.slices.result(key)
    window.settle()
    newest = window.window.slices.result(key)
    assert newest.plane is planes[-1]
    if late is not None and late is not newest:
        window.window.slices._take(late)
    assert window.window.slices.result(key) is newest
    check_slice_is_exact(window)


@pytest.mark.parametrize("arrived", [True, False], ids=["shown already", "under way"])
def test_the_slice_that_followed_the_hand_stays_when_it_lets_go(window: Driver, arrived: bool) -> None:
    """The last live slice was the whole one, where the hand let go: it is not computed again."""
    main, key = window.window, window.tile.key
    main.slices.budget = 60.0
    started: list[int] = []
    main.slices.started.connect(started.append)
    main.store.do(actions.MovePlane(key, SlicePlane.from_axis("z", 0.125), live=True))
    if arrived:
        wait_until(lambda: main.slices.current(key))
    main.store.do(actions.MovePlane(key, SlicePlane.from_axis("z", 0.125)))
    check_slice_is_exact(window)
    assert started == [key]
    assert main.slices.location(key) is not None


def test_a_part_that_followed_the_hand_is_completed_when_it_lets_go(window: Driver) -> None:
    main, key = window.window, window.tile.key
    main.slices.budget = -1.0
    main.store.do(actions.MovePlane(key, SlicePlane.from_axis("z", 0.125), live=True))
    main.store.do(actions.MovePlane(key, SlicePlane.from_axis("z", 0.125)))
    check_slice_is_exact(window)
    assert main.slices.result(key).answer.complete


@pytest.mark.parametrize("quick", [True, False])
def test_a_moved_plane_is_drawn_with_a_quick_slice_or_before_it(
    window: Driver, monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    main, view, key = window.window, window.window.scene_view, window.tile.key
    monkeypatch.setattr(scene_link, "_SLICE_MILLISECONDS", 100_000)
    monkeypatch.setattr(live_slices, "_MOMENT", 60.0 if quick else 0.0)
    drawings, planes = [], []
    view.drawing_wanted.connect(drawings.append)
    for z in (0.1, 0.15, 0.2):
        main.store.do(actions.MovePlane(key, SlicePlane.from_axis("z", z), live=True))
        assert (view._render_timer.remainingTime() > 10_000) is quick
        planes.append(active_plane(window))
        wait_until(lambda: main.slices.result(key).plane is active_plane(window) and view.rendered)
    if quick:
        for drawing, plane in zip(drawings, planes, strict=True):
            assert [part.picture.partition.plane for part in drawing.slices if part.plane is plane] == [plane]
    check_slice_is_exact(window)


@pytest.mark.parametrize("offset_typed", ["5", "3000000"])
def test_a_plane_outside_the_box_leaves_nothing_of_its_last_place(window: Driver, offset_typed: str) -> None:
    main, key = window.window, window.tile.key
    field = main.panel.offset
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, offset_typed)
    QTest.keyClick(field, Qt.Key.Key_Return)
    wait_until(lambda: main.slices.result(key) is None)
    window.settle()
    assert "regions" not in main.status.left.whole
    assert window.tile._place.whole == main.panel.rows[key].place.text()
    assert "z " not in main.checkpoints.cards[0].regions.whole
    main.commands["undo"].trigger()
    check_slice_is_exact(window)
    assert "regions" in main.status.left.whole


def test_without_a_checkpoint_there_is_no_plane_to_move(empty_window: Driver) -> None:
    panel = empty_window.window.panel
    assert not panel.offset.isVisible()
    assert not panel.add.isEnabled()
    assert not panel.duplicate.isEnabled()


@pytest.mark.parametrize("typed", ["", "   "])
def test_a_slice_keeps_its_name_when_none_is_typed(window: Driver, typed: str) -> None:
    store = window.window.store
    row, before = window.window.panel.rows[store.session.active], store.session.active_slice.name
    row.name.setFocus()
    row.name.selectAll()
    QTest.keyClick(row.name, Qt.Key.Key_Delete)
    QTest.keyClicks(row.name, typed)
    QTest.keyClick(row.name, Qt.Key.Key_Return)
    assert row.name.text() == store.session.active_slice.name == before
