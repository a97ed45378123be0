"""The menus of the right mouse button: over slices, lines, regions, the surface, and in lists."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QContextMenuEvent, QDesktopServices, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMenu, QWidget, QWidgetAction

from app.state import actions
from app.state.texts.facts_text import facts_text
from app.state.texts.notes import notes_text
from app.window.commands.table import COMMANDS, LINE_MENU, PLACE_MENU, REGION_MENU, SLICE_MENU
from app.window.dialogs.notes_dialog import NotesDialog
from engine import Neuron, SlicePlane, areas, centroids
from tests.app.on_screen import LEFT, Driver, move, press, wait_until
from tests.app.window.test_window import long_edge

RIGHT, PLAIN = Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier


def call_menu(widget: QWidget, at: QPoint, reason: QContextMenuEvent.Reason = QContextMenuEvent.Reason.Mouse) -> None:
    """As the display does: the button is pressed, and the event of a menu follows; or a key is."""
    if reason is QContextMenuEvent.Reason.Mouse:
        QTest.mousePress(widget, RIGHT, PLAIN, at)
    QApplication.sendEvent(widget, QContextMenuEvent(reason, at, widget.mapToGlobal(at)))
    if reason is QContextMenuEvent.Reason.Mouse:
        QTest.mouseRelease(widget, RIGHT, PLAIN, at)


def menu_of(driver: Driver) -> QMenu:
    menu = driver.window.context_menus.menu
    assert menu is not None
    assert menu.isVisible()
    return menu


def names(driver: Driver, menu: QMenu) -> list[str]:
    """Of the commands in a menu, in their order; heads by their texts after a #, lines left out."""
    known = {id(driver.window.commands[name]): name for name in COMMANDS}
    found = []
    for action in menu.actions():
        if isinstance(action, QWidgetAction):
            head = action.defaultWidget()
            assert isinstance(head, QLabel)
            found.append(f"#{head.text()}")
        elif action.menu() is not None:
            found.append(f">{action.text()}")
        elif not action.isSeparator():
            found.append(known[id(action)])
    return found


def choose(driver: Driver, name: str, menu: QMenu | None = None) -> None:
    """Click on an entry."""
    shown = menu_of(driver) if menu is None else menu
    at = shown.actionGeometry(driver.window.commands[name]).center()
    QTest.mouseClick(shown, LEFT, PLAIN, at)
    wait_until(lambda: QApplication.activePopupWidget() is None)


def leave(driver: Driver) -> None:
    QTest.keyClick(menu_of(driver), Qt.Key.Key_Escape)
    wait_until(lambda: QApplication.activePopupWidget() is None)


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


def largest_region(driver: Driver, key: int) -> tuple[int, QPoint]:
    """The number of a region, and its middle in the view of the slice."""
    partition = driver.window.slices.result(key).answer.partition
    region = int(np.argmax(areas(partition)))
    view = driver.window.board.tiles[key].view
    return region, view.position_of(*centroids(partition)[region]).toPoint()


def commands_of(*menus: object) -> list[str]:
    return [entry.name for menu in menus for entry in menu.entries if entry is not None]


def test_over_a_region_of_another_slice(window: Driver) -> None:
    shown = window.window
    first = shown.store.session.slices[0]
    assert shown.store.session.active != first.key
    region, at = largest_region(window, first.key)
    view = shown.board.tiles[first.key].view
    call_menu(view, at)
    assert shown.store.session.active == first.key
    found = names(window, menu_of(window))
    assert [name for name in found if name[0] != "#"] == [
        *commands_of(PLACE_MENU), "pin", "copy facts", "copy facts as JSON", *commands_of(SLICE_MENU),
    ]  # fmt: skip
    place, head, last = (name for name in found if name[0] == "#")
    assert place.startswith("#f = ")
    assert (head, last) == (f"#Region {region:,}", f"#slice {first.name}")
    framing = view.framing
    move(view, at + QPoint(40, 20), RIGHT)
    assert view.framing is framing  # the right button moves nothing
    choose(window, "copy value")
    point = first.plane.to_input(np.array([view.at(QPointF(at))]))
    value = float(shown.store.session.opened.network.forward(point).ravel()[0])
    assert float(clipboard()) == pytest.approx(value, abs=1e-12)
    call_menu(view, at)
    choose(window, "copy position")
    np.testing.assert_array_equal([float(word) for word in clipboard().split(",")], point[0] + 0.0)
    call_menu(view, at)
    choose(window, "copy facts as JSON")
    assert json.loads(clipboard())["number"] == region
    assert shown.store.session.pins == ()
    call_menu(view, at)
    choose(window, "pin")
    (pin,) = shown.store.session.pins
    assert (pin.key, pin.facts.region) == (first.key, region)
    call_menu(view, at)
    assert f"#pin 1 · region {region:,}" in names(window, menu_of(window))
    choose(window, "copy facts")
    assert clipboard() == facts_text(pin, first.name)
    shown.side.close_side()
    call_menu(view, at)
    choose(window, "show pin")
    wait_until(lambda: shown.side.current is shown.inspector)
    call_menu(view, largest_region(window, first.key)[1])
    choose(window, "unpin")
    assert shown.store.session.pins == ()


def test_over_a_line(window: Driver) -> None:
    shown, view = window.window, window.tile.view
    edge, middle = long_edge(shown.slices.result(window.tile.key).answer.partition)
    partition = shown.slices.result(window.tile.key).answer.partition
    neuron = Neuron(int(partition.edge_layer[edge]), int(partition.edge_neuron[edge]))
    at = view.position_of(*middle).toPoint()
    call_menu(view, at)
    found = names(window, menu_of(window))
    assert f"#{shown.store.session.opened.describe(neuron)}" in found
    assert [name for name in found if name in commands_of(LINE_MENU)] == [
        "follow", "copy neuron", "hide layer", "isolate layer",
    ]  # fmt: skip
    choose(window, "follow")
    assert shown.store.session.neuron == neuron
    call_menu(view, at)
    assert "follow" not in names(window, menu_of(window))
    choose(window, "no highlight")
    assert shown.store.session.neuron is None
    call_menu(view, at)
    choose(window, "copy neuron")
    assert clipboard() == f"{neuron.layer}/{neuron.index}"
    shown.strip.search.setFocus()
    QTest.keyClicks(shown.strip.search, clipboard())
    QTest.keyClick(shown.strip.search, Qt.Key.Key_Return)
    assert shown.store.session.neuron == neuron
    call_menu(view, at)
    choose(window, "isolate layer")
    assert shown.store.session.look.hidden_depths == {0, 1, 2} - {neuron.layer}
    shown.store.undo()
    call_menu(view, at)
    choose(window, "hide layer")
    assert shown.store.session.look.hidden_depths == {neuron.layer}
    call_menu(view, at)
    assert f"#{shown.store.session.opened.describe(neuron)}" not in names(window, menu_of(window))
    leave(window)


def test_the_picture_of_a_slice_is_copied_and_saved_as_it_is_seen(
    window: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = window.window
    view = shown.board.tiles[shown.store.session.slices[0].key].view
    call_menu(view, view.rect().center())
    choose(window, "copy picture")
    window.settle()
    seen = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    assert QGuiApplication.clipboard().image().convertToFormat(QImage.Format.Format_RGB32) == seen
    assert shown.statusBar().currentMessage() == "copied: picture"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "x"), ""))
    call_menu(view, view.rect().center())
    choose(window, "save slice picture")
    assert QImage(str(tmp_path / "x.png")).convertToFormat(QImage.Format.Format_RGB32) == seen
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no" / "x.png"), ""))
    call_menu(view, view.rect().center())
    choose(window, "save slice picture")
    wait_until(lambda: shown.file_dialogs.error_dialog is not None)
    assert "was not saved" in str([label.text() for label in shown.file_dialogs.error_dialog.findChildren(QLabel)])
    shown.file_dialogs.error_dialog.accept()


def test_on_the_rulers_of_a_slice_there_is_no_place(window: Driver) -> None:
    call_menu(window.tile.view, QPoint(1, 1))
    assert [name for name in names(window, menu_of(window)) if name[0] != "#"] == commands_of(SLICE_MENU)
    leave(window)


def test_a_slice_in_the_list(window: Driver) -> None:
    shown = window.window
    first = shown.store.session.slices[0]
    row = shown.panel.rows[first.key]
    call_menu(row.name, row.name.rect().center())
    assert names(window, menu_of(window)) == [f"#slice {first.name}", *commands_of(SLICE_MENU)]
    choose(window, "hide")
    assert not shown.store.session.slice(first.key).visible


def spot_in_space(driver: Driver) -> tuple[QPoint, np.ndarray]:
    """A pixel at which the surface is seen, and the point there."""
    view = driver.window.scene_view
    for x in range(40, view.width() - 40, 17):
        for y in range(40, view.height() - 40, 17):
            at = QPointF(x, y)
            found = None if view.slice_point(at) is not None else view.facet_at(at)
            if found is not None and driver.window.context_menus._spots.in_space(at).region is not None:
                return at.toPoint(), found[2]
    raise AssertionError("no surface in sight")


def test_over_the_surface(window: Driver) -> None:
    shown, view = window.window, window.window.scene_view
    at, point = spot_in_space(window)
    call_menu(view, at)
    found = names(window, menu_of(window))
    assert found[0].startswith("#surface, f = ")
    assert found[1:] == [
        *commands_of(PLACE_MENU), found[3], "pin", "copy facts", "copy facts as JSON",
        "#3D view", "copy 3D picture", "picture", "export scene", "home", ">Show",
    ]  # fmt: skip
    assert found[3].startswith("#Facet ")
    choose(window, "copy position")
    np.testing.assert_allclose([float(word) for word in clipboard().split(",")], point, atol=1e-12)
    call_menu(view, at)
    choose(window, "copy value")
    assert abs(float(clipboard())) < 1e-9
    call_menu(view, at)
    choose(window, "copy 3D picture")
    copied = QGuiApplication.clipboard().image().convertToFormat(QImage.Format.Format_RGB32)
    assert copied == view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    call_menu(view, at)
    choose(window, "pin")
    (pin,) = shown.store.session.pins
    assert pin.key is None
    window.settle()
    x, y = view.current_lens().to_pixels(pin.facts.centroid[None])[0].tolist()
    call_menu(view, QPoint(round(x), round(y)))
    assert any(name.startswith("#pin 1 · facet ") for name in names(window, menu_of(window)))
    choose(window, "unpin")
    assert shown.store.session.pins == ()
    call_menu(view, at)
    (submenu,) = [action.menu() for action in menu_of(window).actions() if action.menu() is not None]
    submenu.popup(view.mapToGlobal(at))
    QTest.mouseClick(submenu, LEFT, PLAIN, submenu.actionGeometry(shown.commands["surface"]).center())
    wait_until(lambda: not shown.store.session.look.surface)
    while QApplication.activePopupWidget() is not None:
        QApplication.activePopupWidget().close()


def test_over_a_slice_in_space(window: Driver) -> None:
    shown, view = window.window, window.window.scene_view
    store = shown.store
    store.do(actions.ChangeLook(store.session.look.switched("surface")))
    window.settle()
    found = None
    for x in range(20, view.width() - 20, 11):
        at = QPoint(x, view.height() // 2)
        found = view.slice_point(QPointF(at))
        framed = view.hand.slice_held_at(QPointF(at), view.scene) is not None
        if found and found[0] != store.session.active and not framed and shown.hover.near(*found) is not None:
            break
    assert found is not None
    call_menu(view, at)
    assert store.session.active == found[0]
    entries = names(window, menu_of(window))
    assert f">slice {store.session.active_slice.name}" in entries
    choose(window, "copy value")
    assert float(clipboard()) == shown.hover.near(*found).value


def test_over_the_handle_of_a_plane(window: Driver) -> None:
    view, session = window.window.scene_view, window.window.store.session
    knob = view.current_lens().to_pixels(view.scene.handle.points[:1])[0]
    call_menu(view, QPoint(*np.rint(knob).astype(int).tolist()))
    entries = names(window, menu_of(window))
    assert f">slice {session.active_slice.name}" in entries
    assert "pin" not in entries  # nothing of what lies behind it
    leave(window)


def test_a_drag_with_the_right_button_calls_no_menu(window: Driver) -> None:
    view = window.window.scene_view
    at = QPoint(60, 60)
    seen = view.scene.viewpoint
    QTest.mousePress(view, RIGHT, PLAIN, at)
    for step in (20, 40):
        move(view, at + QPoint(step, 0), RIGHT)
    QTest.mouseRelease(view, RIGHT, PLAIN, at + QPoint(40, 0))
    assert window.window.context_menus.menu is None
    assert view.scene.viewpoint.focus != seen.focus


def test_on_a_checkpoint(
    empty_window: Driver, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver, shown = empty_window, empty_window.window
    files = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    for file in files:
        shutil.copy(checkpoint, file)
        driver.open(file)
    store = shown.store
    first, second = store.session.networks
    card = shown.checkpoints.cards[0]

    def call() -> None:
        call_menu(shown.checkpoints.cards[0], QPoint(20, 12))

    call()
    assert store.session.opened is second  # not chosen by the right button
    assert names(driver, menu_of(driver)) == [
        "#one.safetensors", "show checkpoint", "reload checkpoint", "checkpoint notes", "copy path", "copy notes",
        "show in folder", "close this checkpoint",
    ]  # fmt: skip
    choose(driver, "copy path")
    assert clipboard() == str(files[0])
    call()
    choose(driver, "copy notes")
    assert clipboard() == notes_text(first)
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: bool(opened.append(url)))
    call()
    choose(driver, "show in folder")
    assert opened == [QUrl.fromLocalFile(str(tmp_path))]
    assert shown.notice.told == f"one.safetensors is in {tmp_path}."
    call()
    choose(driver, "checkpoint notes")
    (dialog,) = shown.findChildren(NotesDialog)
    assert dialog.windowTitle() == "Notes on one.safetensors"
    dialog.reject()
    call()
    choose(driver, "show checkpoint")
    assert store.session.opened is first
    call()
    assert "show checkpoint" not in names(driver, menu_of(driver))
    reloaded: list[str] = []
    shown.reloader.reloaded.connect(reloaded.append)
    choose(driver, "reload checkpoint")
    wait_until(lambda: reloaded == ["one.safetensors"])
    call()
    choose(driver, "close this checkpoint")
    assert store.session.networks == (second,)
    assert card not in shown.checkpoints.cards
    assert shown.context_menus.spot.opened is None
    driver.settle()


def test_in_the_table_of_neurons(window: Driver) -> None:
    shown = window.window
    press(window, "Ctrl+T")
    window.settle()
    table, store = shown.neurons, shown.store
    neuron = table.model.neuron(3)
    at = table.view.visualRect(table.model.index(3, 2)).center()
    call_menu(table.view.viewport(), at)
    assert store.session.neuron is None  # the right button chooses no row
    assert names(window, menu_of(window))[0] == f"#{store.session.opened.describe(neuron)}"
    choose(window, "copy neuron")
    assert clipboard() == f"{neuron.layer}/{neuron.index}"
    call_menu(table.view.viewport(), at)
    choose(window, "follow")
    assert store.session.neuron == neuron
    assert [index.row() for index in table.view.selectionModel().selectedRows()] == [3]
    table.view.setFocus()
    press(window, "Shift+F10")
    assert names(window, menu_of(window)) == [
        f"#{store.session.opened.describe(neuron)}", "no highlight", "copy neuron", "hide layer", "isolate layer",
    ]  # fmt: skip
    choose(window, "isolate layer")
    assert store.session.look.hidden_depths == {0, 1, 2} - {neuron.layer}


def test_on_the_card_of_a_pin(window: Driver) -> None:
    shown, store, key = window.window, window.window.store, window.tile.key
    plane = store.session.slice(key).plane
    for u, v in ((0.11, 0.23), (-0.4, 0.3)):
        shown.pins.pin(key, u, v)
    wait_until(lambda: shown.side.current is shown.inspector)
    store.do(actions.MovePlane(key, SlicePlane.from_axis("z", 0.31)))
    window.settle()
    card = shown.inspector.cards[0]
    expanded = card.body.isVisible()
    call_menu(card, QPoint(30, 10))
    assert card.body.isVisible() is expanded  # the right button folds nothing
    assert names(window, menu_of(window))[1:] == commands_of(REGION_MENU)[1:]
    choose(window, "go back")
    assert store.session.slice(key).plane.describe() == plane.describe()
    window.settle()
    call_menu(card, QPoint(30, 10))
    assert "go back" not in names(window, menu_of(window))
    choose(window, "copy facts")
    assert clipboard() == facts_text(card.pin, store.session.slice(key).name)
    card.setFocus()
    press(window, "Shift+F10")
    choose(window, "unpin all")
    assert store.session.pins == ()


def test_the_menu_key_calls_the_menu_where_the_pointer_is(window: Driver) -> None:
    """The pointer of the view that the Tab key led to; without one in the view's middle."""
    shown = window.window
    menus = shown.context_menus
    for view in (window.tile.view, shown.scene_view):
        view.setFocus(Qt.FocusReason.TabFocusReason)
        press(window, "Shift+F10")
        leave(window)
        middle = menus.spot
        view.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(view, Qt.Key.Key_Return)
        for _ in range(3):
            QTest.keyClick(view, Qt.Key.Key_Right)
        at = view.pointer.at
        assert at is not None
        press(window, "Shift+F10")
        assert view.pointer.at == at
        expected = menus._spots.in_space(at) if view is shown.scene_view else menus._spots.in_slice(window.tile.key, at)
        leave(window)
        if expected.point is None:
            assert menus.spot.point is None
        else:
            np.testing.assert_array_equal(menus.spot.point, expected.point)
            assert middle.point is None or not np.array_equal(middle.point, expected.point)
        QTest.keyClick(view, Qt.Key.Key_Escape)
