"""Where there is little room: nothing that tells something is cut, covered or out of sight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QScrollArea, QToolButton, QWidget

from app.state import actions
from app.window.panels.neuron_model import COLUMNS
from engine import SlicePlane
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, random_module
from tests.app.on_screen import Driver, press, wait_until
from tests.app.waiting import let_run


def place(widget: QWidget, within: QWidget) -> QRect:
    return QRect(widget.mapTo(within, QPoint(0, 0)), widget.size())


def test_a_window_of_1000_pixels_shows_all_of_the_strip(window: Driver) -> None:
    main = window.window
    assert main.width() == 1000
    strip = [part for part in main.strip.findChildren(QWidget) if part.isVisible()]
    assert all(main.rect().contains(place(part, main)) for part in strip)
    for button in (part for part in strip if isinstance(part, QToolButton) and part.text()):
        assert button.width() >= button.sizeHint().width()
    assert main.strip.fill.width() >= main.strip.fill.sizeHint().width()


def test_the_place_of_a_slice_comes_before_the_number_of_its_regions(window: Driver) -> None:
    main = window.window
    main.store.do(actions.MovePlane(main.store.session.active, SlicePlane.from_axis("z", -0.123456)))
    main.store.do(actions.RenameSlice(main.store.session.active, "middle"))
    for width in (240, 260, 300, 420):
        check_title(window, width)


def check_title(window: Driver, width: int) -> None:
    main = window.window
    main.splitter.setSizes([sum(main.splitter.sizes()) - width, width])
    window.settle()
    tile = window.tile
    assert tile._place.text() == tile._place.whole == "z = \N{MINUS SIGN}0.123456"
    regions = f"{main.slices.result(tile.key).answer.partition.regions:,} regions"
    assert tile._place.toolTip() == regions
    if tile._count.isVisible():
        assert tile._count.text() == regions
        assert tile._count.width() >= tile._count.sizeHint().width()
    assert tile._count.isVisible() == (width >= 300)
    assert place(tile._count, tile).right() < place(tile._cancel, tile).left() < tile.width() - 20


def test_nothing_moves_when_progress_comes_and_goes(window: Driver) -> None:
    main, tile = window.window, window.tile
    passing = {tile._progress, tile._cancel, main.status.busy, main.status.stop}
    lasting = [part for part in main.findChildren(QWidget) if part.isVisible() and part not in passing]
    before = [place(part, main) for part in lasting]
    tile._show_progress(True)
    let_run(20)
    assert tile._progress.isVisible()
    assert tile._cancel.isVisible()
    assert [place(part, main) for part in lasting] == before
    main.status.show_busy("exact surface: 1,000 facets")
    let_run(20)
    starts = [(part, at.topLeft()) for part, at in zip(lasting, before, strict=True)]
    assert [part for part, at in starts if place(part, main).topLeft() != at] == []
    tile._show_progress(False)
    main.status.show_busy("")


def test_two_columns_of_tiles_are_equally_wide_whatever_their_names(window: Driver) -> None:
    main, store = window.window, window.window.store
    main.resize(1600, 900)
    store.do(actions.DuplicateSlice(store.session.active))
    store.do(actions.RenameSlice(store.session.active, 4 * "a name as long as a line "))
    window.settle()
    let_run(50)
    tiles = [place(tile, main.board) for tile in main.board.tiles.values()]
    assert len({tile.x() for tile in tiles}) == 2
    assert max(tile.width() for tile in tiles) - min(tile.width() for tile in tiles) <= 1


def test_all_columns_of_the_table_of_neurons_are_read(window: Driver) -> None:
    main = window.window
    main.resize(1100, 800)
    main.side.open(main.neurons)
    window.settle()
    let_run(50)
    view, header = main.neurons.view, main.neurons.view.horizontalHeader()
    assert header.length() <= view.viewport().width()
    titles = QFontMetrics(QFont(main.font().family(), 8, QFont.Weight.DemiBold))
    for column, (title, _) in enumerate(COLUMNS):
        assert header.sectionSize(column) >= titles.horizontalAdvance(title) + 6
        assert header.sectionSize(column) >= view.sizeHintForColumn(column)


def test_the_mark_that_clears_the_search_is_in_its_middle(window: Driver) -> None:
    search = window.window.strip.search
    search.setText("1/2")
    mark = search.findChild(QToolButton)
    wait_until(lambda: mark.isVisible() and search.rect().contains(place(mark, search)))  # it comes in slowly
    assert abs(place(mark, search).center().y() - search.rect().center().y()) <= 1


def test_cards_of_the_inspector_are_beside_the_bar_to_scroll_by(window: Driver) -> None:
    main = window.window
    main.resize(1100, 600)
    main.side.open(main.inspector)
    for u, v in ((0.1, 0.1), (0.3, -0.4), (-0.5, 0.2), (0.6, 0.6)):
        main.pins.pin(main.store.session.active, u, v)
    window.settle()
    let_run(50)
    area = main.inspector.area
    assert area.verticalScrollBar().isVisible()
    for card in main.inspector.cards:
        assert place(card, area.viewport()).right() < area.viewport().width()
        card.heading.show_text("Region 145,298")
        let_run(20)
        assert card.heading.text() == card.heading.whole


def test_the_checkpoint_that_is_shown_is_in_sight_in_a_long_list(empty_window: Driver, tmp_path: Path) -> None:
    main = empty_window.window
    main.resize(1100, 500)
    paths = [tmp_path / f"{k}.safetensors" for k in range(12)]
    for seed, path in enumerate(paths):
        save_checkpoint(path, random_module(seed, 2), DOMAIN)
    area = main.panel.findChild(QScrollArea)

    def in_sight() -> bool:
        card = next(card for card in main.checkpoints.cards if card.opened is main.store.session.opened)
        seen = place(card, area.viewport())
        return seen.top() >= 0 and seen.bottom() < area.viewport().height()

    main.opener.open_paths(paths)
    wait_until(lambda: len(main.store.session.networks) == len(paths) and not main.opener.busy)
    wait_until(in_sight)
    press(empty_window, "Ctrl+Tab")
    assert main.store.session.opened.path == paths[0]
    wait_until(in_sight)
    main.commands["undo"].trigger()
    assert main.store.session.opened.path == paths[-1]
    wait_until(in_sight)
    empty_window.settle()


def test_notices_keep_off_the_views(window: Driver) -> None:
    main = window.window
    beneath = place(window.tile, main).top()
    main.notice.tell("something")
    let_run(50)
    gap = place(window.tile, main).top() - place(main.notice, main).bottom()
    assert gap >= 6
    main.notice.clear()
    let_run(50)
    assert place(window.tile, main).top() == beneath


def test_without_a_network_there_is_no_legend(empty_window: Driver, checkpoint: Path) -> None:
    legend = empty_window.window.legend

    def colors() -> int:
        image = legend.grab().toImage().convertToFormat(legend.grab().toImage().Format.Format_RGB32)
        return len(np.unique(np.frombuffer(image.constBits(), np.uint32)))

    assert colors() == 1
    empty_window.open(checkpoint)
    assert colors() > 3
    main = empty_window.window
    main.store.do(actions.CloseNetwork(main.store.session.opened))
    assert colors() == 1
