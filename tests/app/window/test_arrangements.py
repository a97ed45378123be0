"""The room that the 3D view and the slices have."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.state import actions
from app.window.panels.slice_board import best_columns
from tests.app.on_screen import LEFT, Driver, press
from tests.app.waiting import let_run

NONE = Qt.KeyboardModifier.NoModifier


def shown(driver: Driver) -> list[int]:
    return [key for key, tile in driver.window.board.tiles.items() if tile.isVisible()]


def test_layouts_give_room_to_the_3d_view_or_to_slices(window: Driver) -> None:
    main = window.window
    main.resize(1500, 900)
    keys = [part.key for part in main.store.session.slices]
    widths = {}
    for shortcut in ("Ctrl+1", "Ctrl+2", "Ctrl+3", "Ctrl+4"):
        press(window, shortcut)
        let_run(30)
        assert shown(window) == ([main.store.session.active] if shortcut == "Ctrl+2" else keys)
        assert main.scene_view.isVisible() == (shortcut != "Ctrl+4")
        assert main.legend.isVisible()
        widths[shortcut] = window.tile.view.width(), main.scene_view.width()
    assert widths["Ctrl+1"][1] > 1.5 * widths["Ctrl+1"][0]
    assert widths["Ctrl+2"][0] > 1.5 * widths["Ctrl+2"][1]
    assert len({tile.x() for tile in main.board.tiles.values()}) > 1
    assert main.body.layout_now.widths[0] > 100  # as a session is opened, the 3D view is there
    press(window, "Ctrl+1")
    window.settle()
    assert (window.tile.view.width(), main.scene_view.width()) == widths["Ctrl+1"]


def test_a_double_click_on_a_title_shows_a_slice_alone_and_goes_back(window: Driver) -> None:
    main, store = window.window, window.window.store
    for shortcut in ("Ctrl+1", "Ctrl+4"):
        press(window, shortcut)
        let_run(30)
        key = store.session.slices[0].key
        before = shown(window), main.scene_view.isVisible(), main.splitter.sizes()
        title = main.board.tiles[key], QPoint(20, 10)
        QTest.mouseClick(title[0], LEFT, NONE, title[1])
        QTest.mouseDClick(title[0], LEFT, NONE, title[1])
        let_run(30)
        assert shown(window) == [key] == [store.session.active]
        assert main.scene_view.isHidden() or not main.scene_view.isVisible()
        assert title[0].view.width() > 600
        window.settle()
        assert title[0].view.framing.width == title[0].view._area()[0]
        QTest.mouseDClick(title[0], LEFT, NONE, title[1])
        let_run(30)
        assert (shown(window), main.scene_view.isVisible(), main.splitter.sizes()) == before


def test_what_is_done_in_space_brings_the_3d_view_back(window: Driver) -> None:
    main = window.window
    before = main.splitter.sizes()
    press(window, "Ctrl+4")
    main.commands["tangent"].trigger()
    let_run(30)
    assert main.scene_view.isVisible()
    assert main.splitter.sizes() == before


def test_tiles_are_as_large_as_can_be() -> None:
    assert [best_columns(tiles, 430, 760) for tiles in (0, 1, 3, 4, 12)] == [1, 1, 1, 2, 2]
    assert [best_columns(tiles, 1400, 800) for tiles in (1, 2, 3, 4, 12)] == [1, 2, 3, 2, 4]


def test_names_tell_slices_apart(window: Driver) -> None:
    store = window.window.store
    first = store.session.slices[0]
    for _ in range(2):
        store.do(actions.DuplicateSlice(first.key))
        store.do(actions.AddStack((first.plane, first.plane), "stack"))
    names = [part.name for part in store.session.slices[3:]]
    assert names == ["x copy", "stack 1", "stack 2", "x copy 2", "stack 3", "stack 4"]
