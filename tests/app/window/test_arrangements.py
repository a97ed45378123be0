"""The room that the 3D view and the slices have."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from app.state import actions
from app.state.look import Fill
from app.window.arrangement import Shape
from app.window.panels.slice_board import best_columns
from engine import SlicePlane
from tests.app.on_screen import LEFT, Driver, move, press
from tests.app.waiting import let_run
from tests.app.window.test_window import long_edge

NONE = Qt.KeyboardModifier.NoModifier


def shown(driver: Driver) -> list[int]:
    return [key for key, tile in driver.window.board.tiles.items() if tile.isVisible()]


def ticked(driver: Driver) -> list[str]:
    """The keys of the layouts whose entries have a tick."""
    actions_ = [driver.window.commands[shape.value] for shape in Shape]
    return [action.shortcut().toString() for action in actions_ if action.isChecked()]


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
        assert ticked(window) == [shortcut]
        widths[shortcut] = window.tile.view.width(), main.scene_view.width()
    assert widths["Ctrl+1"][1] > 1.5 * widths["Ctrl+1"][0]
    assert widths["Ctrl+2"][0] > 1.5 * widths["Ctrl+2"][1]
    assert len({tile.x() for tile in main.board.tiles.values()}) > 1
    assert main.layouts.now.widths[0] > 100  # as a session is opened, the 3D view is there
    press(window, "Ctrl+1")
    window.settle()
    assert (window.tile.view.width(), main.scene_view.width()) == widths["Ctrl+1"]


def test_ticks_are_right_in_a_window_that_was_resized(window: Driver) -> None:
    press(window, "Ctrl+1")
    for size in ((1500, 900), (1000, 700), (1500, 900)):
        window.window.resize(*size)
        window.settle()
        left, right = window.window.splitter.sizes()
        assert left > right
        assert ticked(window) == ["Ctrl+1"]


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


def test_buttons_show_the_layout_whichever_way_it_came_about(window: Driver) -> None:
    main = window.window
    buttons = main.strip.findChildren(QToolButton, "narrow")
    assert [b.defaultAction().shortcut().toString() for b in buttons] == ["Ctrl+1", "Ctrl+2", "Ctrl+3", "Ctrl+4"]
    assert ticked(window) == ["Ctrl+1"]
    for button in (*buttons, *buttons[::-1]):
        for _ in range(2):  # one that is ticked stays so
            QTest.mouseClick(button, LEFT)
            let_run(20)
            assert [b for b in buttons if b.isChecked()] == [button]
    main.splitter.setSizes([300, 900])
    let_run(20)
    assert ticked(window) == ["Ctrl+3"]
    press(window, "T")
    assert ticked(window) == ["Ctrl+2"]
    tile = window.tile
    QTest.mouseDClick(tile, LEFT, NONE, QPoint(20, 10))
    assert ticked(window) == []  # a slice alone is none of them


def test_a_layout_keeps_its_shares_when_the_window_grows(window: Driver) -> None:
    main = window.window
    press(window, "Ctrl+3")
    let_run(20)
    left, right = main.splitter.sizes()
    main.resize(1500, 900)
    let_run(50)
    more = main.splitter.sizes()
    assert abs(more[0] / sum(more) - left / (left + right)) < 0.03
    assert ticked(window) == ["Ctrl+3"]


def test_a_hidden_3d_view_draws_nothing_until_it_is_seen(window: Driver) -> None:
    main, asked = window.window, []
    press(window, "Ctrl+4")
    window.settle()
    main.scene_view.drawing_wanted.connect(asked.append)
    main.store.do(actions.MovePlane(main.store.session.active, SlicePlane.from_axis("z", 0.3)))
    main.store.do(actions.ShowSlice(main.store.session.slices[0].key, False))
    window.settle()
    let_run(100)
    assert asked == []
    press(window, "Ctrl+1")
    window.settle()
    assert asked
    assert main.scene_view.rendered
    assert asked[-1].slices[-1].plane is main.store.session.active_slice.plane


def test_the_color_bar_is_below_the_slices_and_the_legend_below_the_3d_view(window: Driver) -> None:
    main = window.window
    main.store.do(actions.ChangeFill(Fill.AREA))
    window.settle()
    let_run(50)
    for shortcut in ("Ctrl+1", "Ctrl+4"):
        press(window, shortcut)
        let_run(50)
        places = [QRect(w.mapTo(main, QPoint()), w.size()) for w in (main.board, main.color_bar, main.legend)]
        board, bar, legend = places
        assert bar.isValid()
        assert bar.top() >= board.bottom()
        assert board.left() <= bar.left() <= bar.right() <= board.right() + 1
        assert not bar.intersects(legend)
        assert (legend.left() >= board.left()) is (shortcut == "Ctrl+4")


def test_lines_are_switched_in_2d_and_in_3d_alike(window: Driver) -> None:
    main, view = window.window, window.tile.view
    drawing = view.grab().toImage()
    partition = main.slices.result(window.tile.key).answer.partition
    _, middle = long_edge(partition)
    move(view, view.position_of(*middle).toPoint())
    assert view.target.region is None
    main.strip.switches["lines"].click()
    window.settle()
    assert view.grab().toImage() != drawing
    move(view, view.position_of(*middle).toPoint())
    assert view.target.region is not None  # no line is there to be taken
    main.strip.switches["lines"].click()
    window.settle()
    view.leaveEvent(None)
    assert view.grab().toImage() == drawing
