"""What must be true of a window whatever was done: views, panels and marks show the session, and nothing else."""

from __future__ import annotations

import ctypes
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.jobs.worker import Worker
from engine import plane_box_polygon
from tests.app.window.test_undo import check_shows_the_session

if TYPE_CHECKING:
    from app.widgets.main_window import MainWindow
    from tests.app.window.soak.hand import Hand


def look(hand: Hand) -> None:
    """All views show what the session says; every slice is the engine's own."""
    hand.settle()
    window = hand.window
    assert [worker.objectName() for worker in window.findChildren(Worker) if worker.busy] == []
    assert [card.opened for card in window.checkpoints.cards] == list(hand.session.networks)
    assert hand.dialog is None
    if hand.session.opened is not None:
        check_shows_the_session(hand.driver)
        check_tiles(window)
        check_scene(window)
        check_marks(window)
        check_pins(window)
        check_table(window)


def check_tiles(window: MainWindow) -> None:
    session, tiles = window.store.session, window.board.tiles
    wanted = {part.key for part in session.slices if part.visible and (session.tiled or part.key == session.active)}
    assert {key for key, tile in tiles.items() if tile.isVisible()} == wanted
    for key, tile in tiles.items():
        drawn = window.slices.result(key)
        assert drawn is not None
        assert tile.plane is drawn.plane
        assert not tile.view.note.startswith("layers")


def check_scene(window: MainWindow) -> None:
    """The picture on the screen is of these slices, where they are."""
    view, session = window.scene_view, window.store.session
    assert view.scene is not None
    assert view._shown is not None
    pictures = [sheet.picture for sheet in view._shown.sheets if sheet.picture is not None]
    assert [id(picture) for picture in pictures] == [
        id(window.slices.result(part.key).picture) for part in session.slices if part.visible
    ]
    frames = [sheet for sheet in view._shown.sheets if sheet.picture is None]
    for part, frame in zip((part for part in session.slices if part.visible), frames, strict=True):
        assert frame.plane is part.plane
        assert np.array_equal(frame.frame, plane_box_polygon(part.plane, session.opened.domain))
    mesh = None if view._shown.surface is None else view._shown.surface.mesh
    assert mesh is (window.surface.drawn.mesh if session.look.surface or session.look.creases else None)


def check_marks(window: MainWindow) -> None:
    """Points and measures are marked while there is a task, and regions while the mouse is over them."""
    tiles = window.board.tiles.values()
    task = window.picker.task
    assert window.scene_view.picking is (task is not None)
    assert window.task_bar.isHidden() is (task is None)
    if task is None:
        assert window.scene_view.marks is None
        assert all(tile.view._marks is None for tile in tiles)
    marked = [tile.view for tile in tiles if tile.view._region is not None]
    assert marked in ([], [window.hover._marked])


def check_pins(window: MainWindow) -> None:
    session = window.store.session
    hidden = {part.key for part in session.slices if not part.visible}
    pins = [pin for pin in session.shown_pins if pin.key not in hidden]
    assert [(pin.number, pin.in_place) for pin in window.scene_view.pins] == [
        (pin.number, session.in_place(pin)) for pin in pins
    ]
    assert [card.pin for card in window.inspector.cards] == list(session.shown_pins[::-1])
    for part in session.slices:
        here = [pin.number for pin in session.shown_pins if pin.key == part.key and session.in_place(pin)]
        assert [mark.number for mark in window.board.tiles[part.key].view.pins] == here


def check_table(window: MainWindow) -> None:
    """While it is in sight: of the active slice, the neuron that is highlighted selected."""
    table, session = window.neurons, window.store.session
    if not table.isVisible() or session.active is None:
        return
    drawn = window.slices.result(session.active)
    assert table._listed is drawn.answer.partition
    rows = [index.row() for index in table.view.selectionModel().selectedRows()]
    row = table.model.row_of(session.neuron)
    assert rows == ([] if row is None else [row])


def megabytes() -> float:
    """Resident, of this process, without what the allocator holds on to between its pieces."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
