"""Checkpoints beside each other: columns that move as one, and two of them in one picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from app.comparison.slices import difference_values
from app.state import actions
from app.state.comparison import Between
from app.state.geometry.planes import same_plane
from app.state.palette import accent
from app.state.paper import WHITE
from app.views.comparison.pair_image import _values, limit_of, overlay_colors
from app.views.slice.framing import Framing
from engine import SlicePlane, common_refinement, partition_slice
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, Ran, random_module
from tests.app.on_screen import LEFT, Driver, move, press, wait_until
from tests.app.waiting import let_run

NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def trio(window: Driver, tmp_path: Path) -> Driver:
    """Three checkpoints in the list, of different depths, and two slices."""
    for seed, depth in ((1, 3), (2, 2)):
        save_checkpoint(tmp_path / f"step-{seed}.safetensors", random_module(seed, depth), DOMAIN, {})
        window.open(tmp_path / f"step-{seed}.safetensors")
    store = window.window.store
    store.do(actions.RemoveSlice(store.session.slices[0].key))
    window.settle()
    return window


def pixels(image: QImage) -> np.ndarray:
    shown = image.convertToFormat(QImage.Format.Format_RGBX8888)
    return np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), shown.width(), 4)[..., :3].copy()


def check_exact(driver: Driver) -> None:
    """Every tile shows the partition of its column's network in its plane."""
    board = driver.window.compare
    for (place, key), tile in board.tiles.items():
        column = board.columns[place]
        plane = column.store.session.slice(key).plane
        wanted = partition_slice(column.opened.network, plane, column.opened.domain)
        np.testing.assert_array_equal(tile.view.picture.partition.vertices, wanted.vertices)


def test_columns_show_every_checkpoint_and_go_again(trio: Driver) -> None:
    main, store = trio.window, trio.window.store
    names = [opened.name for opened in store.session.networks]
    press(trio, "Ctrl+5")
    trio.settle()
    board = main.compare
    assert board.isVisible()
    assert not main.board.isVisible()
    assert [head.name.whole for head in board.heads] == names
    assert len(board.tiles) == 3 * 2
    check_exact(trio)
    assert not board.strip.first.isVisible()
    QTest.mouseClick(board.heads[1].close_button, LEFT)
    trio.settle()
    assert [head.name.whole for head in board.heads] == [names[0], names[2]]
    assert not board.heads[0].close_button.isVisible()  # two are the least
    board.strip.more.setCurrentIndex(1)
    board.strip.more.activated.emit(1)
    trio.settle()
    assert [head.name.whole for head in board.heads] == [names[0], names[2], names[1]]
    for _ in range(3):
        main.commands["undo"].trigger()
    trio.settle()
    assert not board.isVisible()
    assert main.slices.current(store.session.active)
    main.commands["redo"].trigger()
    trio.settle()
    assert [head.name.whole for head in board.heads] == names
    press(trio, "Ctrl+W")  # the last one leaves the list, and the comparison
    trio.settle()
    assert [head.name.whole for head in board.heads] == names[:2]
    check_exact(trio)


def test_planes_and_views_move_as_one_until_they_are_unlinked(trio: Driver) -> None:
    main, store = trio.window, trio.window.store
    press(trio, "Ctrl+5")
    trio.settle()
    board, key = main.compare, store.session.active
    views = [board.tiles[place, key].view for place in range(3)]
    trio.wheel(views[1], QPoint(90, 60), 3, control=True)
    main.store.history.pause()
    trio.settle()
    planes = [column.store.session.slice(key).plane for column in board.columns]
    assert planes[0] is planes[1] is planes[2] is store.session.slice(key).plane
    assert planes[0].origin[2] != 0.0
    check_exact(trio)
    trio.wheel(views[2], QPoint(90, 60), 4)
    trio.settle()
    assert len({(view.framing.centre, view.framing.scale) for view in views}) == 1
    press(trio, "G")
    press(trio, "K")
    trio.wheel(views[1], QPoint(90, 60), 3, control=True)
    trio.wheel(views[0], QPoint(90, 60), 2)
    trio.settle()
    moved = [column.store.session.slice(key).plane for column in board.columns]
    assert moved[0] is moved[2] is planes[0]
    assert moved[1].origin[2] > planes[0].origin[2]
    assert views[0].framing.scale > views[1].framing.scale
    check_exact(trio)
    press(trio, "G")
    trio.settle()
    assert all(column.store.session.slice(key).plane is planes[0] for column in board.columns)
    main.commands["undo"].trigger()
    trio.settle()
    assert board.columns[1].store.session.slice(key).plane.origin[2] == moved[1].origin[2]


def test_a_point_is_marked_read_and_pinned_in_all_columns(trio: Driver) -> None:
    main, store = trio.window, trio.window.store
    press(trio, "Ctrl+5")
    trio.settle()
    board, key = main.compare, store.session.active
    view = board.tiles[1, key].view
    at = view.position_of(0.2, 0.3).toPoint()
    move(view, at)
    u, v = view.at(QPointF(at))
    point = store.session.slice(key).plane.to_input(np.array([[u, v]]))
    for place, head in enumerate(board.heads):
        value = float(board.columns[place].opened.network.forward(point)[0, 0])
        told = head.readout.text().replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")
        assert told.startswith(f"f = {value:.4g} ")
        assert "region" in told
    np.testing.assert_allclose(board.tiles[0, key].view.crosshair.point, [u, v], atol=1e-12)
    assert view.crosshair is None
    QTest.mouseClick(view, LEFT, Qt.KeyboardModifier.ShiftModifier, at)
    assert [pin.opened for pin in store.session.pins] == [column.opened for column in board.columns]
    assert all(len(board.tiles[place, key].view.pins) == 1 for place in range(3))
    main.commands["undo"].trigger()  # of all columns at once
    assert not store.session.pins
    view.leaveEvent(None)
    assert all(head.readout.text() == "" for head in board.heads)


def test_what_is_drawn_between_two(trio: Driver) -> None:
    main, store = trio.window, trio.window.store
    key = store.session.active
    seen = {}
    for letter, between in zip("WEDRB", list(Between)[1:], strict=True):
        press(trio, letter)
        trio.settle()
        assert store.session.comparison.between is between
        view = main.compare.tiles[0, key].view
        main.compare._blink.stop()
        seen[between] = pixels(view.grab().toImage())
        assert view.second.partition.network is store.session.networks[1].network
    assert len({image.tobytes() for image in seen.values()}) == 5
    press(trio, "U")
    trio.settle()
    view = main.compare.tiles[0, key].view
    assert view.second.partition.network is store.session.networks[0].network
    main.compare.strip.second.setCurrentIndex(2)
    main.compare.strip.second.activated.emit(2)
    trio.settle()
    assert main.compare.columns[1].opened is store.session.networks[2]
    check_exact(trio)


def test_the_divider_follows_the_mouse_in_all_slices(trio: Driver) -> None:
    main = trio.window
    press(trio, "W")
    trio.settle()
    first, other = (tile.view for tile in main.compare.tiles.values())
    area, before = first.area, pixels(first.grab().toImage())
    start = np.array([area.center().x(), 40.0])
    trio.drag(first, start, [start + 30.0, np.array([area.left() + 0.8 * area.width(), 60.0])])
    QTest.mouseRelease(first, LEFT, NONE, QPoint(int(area.left() + 0.8 * area.width()), 60))
    assert first.share == other.share == pytest.approx(0.8, abs=0.01)
    after = pixels(first.grab().toImage())
    columns = np.flatnonzero((before != after)[60:].any(axis=(0, 2)))  # below the names
    assert columns.min() > area.left() + 0.4 * area.width()  # at the left of the old place A stays
    assert first.fitted_whole  # it was no pan
    QTest.keyClick(other, "<")
    assert first.share == other.share == pytest.approx(0.76, abs=0.01)


def test_differences_are_those_of_the_networks(trio: Driver) -> None:
    """Sampled by the networks' forward at the middles of pixels; numbers are those of the common refinement."""
    main, store = trio.window, trio.window.store
    press(trio, "D")
    trio.settle()
    key = store.session.active
    tile = main.compare.tiles[0, key]
    networks = [column.opened.network for column in main.compare.columns]
    refined = common_refinement(*networks, store.session.slice(key).plane, DOMAIN)
    values = difference_values(refined)
    assert f"max |d| {values['largest']:.3g}" in tile.numbers.whole
    assert tile.pair.limit >= values["largest"] > 0.39 * tile.pair.limit
    pair = tile.pair.picture, tile.pair.second
    assert limit_of(pair) in (tile.pair.limit, 0.5 * tile.pair.limit, 0.4 * tile.pair.limit)
    device = Framing.around(np.array([-1.0, -1.0]), np.array([1.0, 1.0]), 64, 64)
    (ids, first), (_, second) = (_values(picture, device) for picture in pair)
    rows, columns = np.nonzero(ids >= 0)
    points = np.array([device.to_slice(x + 0.5, y + 0.5) for y, x in zip(rows, columns, strict=True)])
    places = store.session.slice(key).plane.to_input(points)
    wanted = [network.forward(places)[:, 0] for network in networks]
    np.testing.assert_allclose((second - first)[rows, columns], wanted[1] - wanted[0], atol=1e-12)


def test_a_dragged_plane_takes_both_along_in_one_picture(trio: Driver) -> None:
    main, store = trio.window, trio.window.store
    press(trio, "E")
    trio.settle()
    key = store.session.active
    tile, planes = main.compare.tiles[0, key], set()
    for z in np.linspace(0.01, 0.4, 20):
        store.do(actions.MovePlane(key, SlicePlane.from_axis("z", float(z)), live=True))
        let_run(10)
        first, second = tile.pair.picture.partition.plane, tile.pair.second.partition.plane
        np.testing.assert_array_equal(first.origin, second.origin)  # never A here and B there
        planes.add(float(first.origin[2]))
    assert len(planes) > 3
    trio.settle()
    assert tile.pair.picture.partition.plane.origin[2] == 0.4
    assert tile.numbers.whole.strip()


def test_3d_views_of_columns_share_their_camera(trio: Driver) -> None:
    main, store = trio.window, trio.window.store
    store.do(actions.CloseNetwork(store.session.networks[2]))
    press(trio, "Ctrl+5")
    press(trio, "Q")
    trio.settle()
    first, second = (column.space for column in main.compare.columns)
    trio.drag(first, np.array([60.0, 60.0]), [np.array([90.0, 70.0])])
    QTest.mouseRelease(first, LEFT, NONE, QPoint(90, 70))
    assert first.scene.viewpoint == second.scene.viewpoint
    press(trio, "J")
    trio.drag(first, np.array([60.0, 60.0]), [np.array([80.0, 90.0])])
    QTest.mouseRelease(first, LEFT, NONE, QPoint(80, 90))
    trio.settle()
    assert first.scene.viewpoint != second.scene.viewpoint
    press(trio, "Q")
    trio.settle()
    assert all(column.space is None for column in main.compare.columns)


def test_boxes_that_differ_are_compared_where_both_are(trio: Driver) -> None:
    main, store = trio.window, trio.window.store
    store.do(actions.FrameNetwork(store.session.networks[1], 0.5 * DOMAIN, 0.0))
    press(trio, "E")
    trio.settle()
    key = store.session.active
    tile = main.compare.tiles[0, key]
    assert "different boxes" in tile.view.note


def test_the_command_shows_what_it_compares(command: Callable[..., Ran], checkpoint: Path, tmp_path: Path) -> None:
    picture, other = tmp_path / "window.png", tmp_path / "other.safetensors"
    save_checkpoint(other, random_module(1), DOMAIN, {})
    drawn = "--plane", "z=0.1", "--between", "overlay", "--size", "1000x700", "--screenshot", picture
    ran = command("compare", checkpoint, other, *drawn)
    assert (ran.code, ran.out) == (0, f"wrote {picture}\n"), ran.err
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1000, 700)
    colors = {tuple(color) for color in pixels(image).reshape(-1, 3).tolist()}
    assert {tuple(color) for color in overlay_colors((accent(0), accent(1)), WHITE)[1:].tolist()} <= colors


def test_a_session_keeps_its_comparison(trio: Driver, tmp_path: Path) -> None:
    main, store = trio.window, trio.window.store
    for key in "DUGJ":
        press(trio, key)
    trio.settle()
    trio.wheel(next(iter(main.compare.tiles.values())).view, QPoint(90, 60), 2, control=True)
    trio.settle()
    compared = store.session.comparison
    main.keeper.save_to(tmp_path / "work.json")
    wait_until(lambda: main.keeper.path is not None)
    main.commands["end comparison"].trigger()
    trio.open(tmp_path / "work.json")
    again = store.session.comparison
    assert again is not compared
    assert replace(again, apart=()) == replace(compared, apart=())
    assert [(part.network, part.key) for part in again.apart] == [(part.network, part.key) for part in compared.apart]
    assert all(same_plane(a.plane, b.plane) for a, b in zip(again.apart, compared.apart, strict=True))
    assert main.compare.isVisible()
    assert not main.keeper.changed


def test_the_right_button_offers_the_picture_and_the_comparison(trio: Driver) -> None:
    main, store = trio.window, trio.window.store
    press(trio, "W")
    trio.settle()
    view = main.compare.tiles[0, store.session.active].view
    at = view.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.mapToGlobal(at))
    QApplication.sendEvent(view, event)
    (menu,) = main.compare.findChildren(QMenu)
    actions_ = {action.text().replace("&", ""): action for action in menu.actions()}
    actions_["Copy picture"].trigger()
    copied = pixels(QGuiApplication.clipboard().image())
    assert copied.shape[:2] == (view.height(), view.width())
    actions_["Overlay"].trigger()
    menu.close()
    trio.settle()
    assert store.session.comparison.between is Between.OVERLAY
    let_run(20)
    assert main.compare.findChildren(QMenu) == []
