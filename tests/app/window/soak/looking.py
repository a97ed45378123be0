"""What must be true of a window whatever was done: views, panels and marks show the session, and nothing else."""

from __future__ import annotations

import ctypes
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine import PlaneError, partition_slice
from tests.engine.sameness import assert_same_partition

if TYPE_CHECKING:
    from app.window.main_window import MainWindow
    from tests.app.window.soak.hand import Hand


def look(hand: Hand) -> None:
    """All views show what the session says; every slice is the engine's own."""
    hand.settle()
    window = hand.window
    assert [card.opened for card in window.checkpoints.cards] == list(hand.session.networks)
    assert hand.dialog is None
    if hand.session.comparison is not None:
        check_columns(window)
    elif hand.session.opened is not None:
        check_slices(window)
        check_panels(window)
        check_tiles(window)
        check_scene(window)
        check_marks(window)
        check_pins(window)
        check_table(window)


def check_slices(window: MainWindow) -> None:
    """Every slice is the engine's own at the plane where it is; there is none of a plane that misses the box."""
    session = window.store.session
    assert session.opened is not None
    network, domain, level = session.opened.network, session.opened.domain, session.opened.level
    neuron = None if session.neuron is None else (session.neuron.layer, session.neuron.index)
    for part in session.slices:
        drawn, view = window.slices.result(part.key), window.board.tiles[part.key].view
        assert view.picture is (None if drawn is None else drawn.picture)
        if view.note.startswith("stopped"):
            continue
        if drawn is None:
            with pytest.raises(PlaneError) as refusal:
                partition_slice(network, part.plane, domain)
            assert view.note == str(refusal.value)
            continue
        expected = partition_slice(network, part.plane, domain, level)
        partition = drawn.answer.partition
        assert drawn.plane is part.plane
        assert drawn.answer.complete
        assert_same_partition(partition, expected)
        assert drawn.picture.partition is partition
        assert (drawn.fill, drawn.picture.neuron) == (session.fill, neuron)
        assert window.slices.location(part.key).partition is partition


def check_columns(window: MainWindow) -> None:
    """Every column is of its network, and every tile shows the engine's own slice of it, or says why there is none."""
    session, board = window.store.session, window.compare
    assert [column.opened for column in board.columns] == [session.networks[k] for k in session.comparison.shown]
    assert [head.name.whole for head in board.heads] == [column.opened.name for column in board.columns]
    wanted = {part.key for part in session.slices if part.visible and (session.tiled or part.key == session.active)}
    assert {key for _, key in board.tiles} == wanted
    for (place, key), tile in board.tiles.items():
        column = board.columns[place]
        assert tile.view.look == session.look
        drawn, plane = column.slices.result(key), column.store.session.slice(key).plane
        if tile.view.note.startswith("stopped") or drawn is None or not column.slices.current(key):
            assert tile.view.note or tile.view.picture is None
            continue
        opened = column.opened
        assert_same_partition(
            drawn.answer.partition, partition_slice(opened.network, plane, opened.domain, opened.level)
        )


def check_panels(window: MainWindow) -> None:
    session, opened = window.store.session, window.store.session.opened
    keys = [part.key for part in session.slices]
    layout = window.panel._list
    assert [layout.itemAt(i).widget().key for i in range(layout.count())] == keys
    assert set(window.panel.rows) == set(window.board.tiles) == set(window.scene_view.planes) == set(keys)
    for part in session.slices:
        tile = window.board.tiles[part.key]
        assert tile._name.whole == part.name
        assert tile.view.look == session.look
        assert window.scene_view.planes[part.key] is part.plane
    assert window.scene_view.active == session.active
    assert window.strip.fill.currentData() is session.fill
    assert window.strip.opacity.value() == session.look.opacity
    switches = window.strip.switches
    assert {name: switch.isChecked() for name, switch in switches.items()} == {
        name: getattr(session.look, name) for name in switches
    }
    assert opened.name in window.windowTitle()
    assert window.legend.names == opened.network.layer_names
    assert window.surface.drawn is None or window.surface.drawn.surface.network is opened.network


def check_tiles(window: MainWindow) -> None:
    session, tiles = window.store.session, window.board.tiles
    wanted = {part.key for part in session.slices if part.visible and (session.tiled or part.key == session.active)}
    assert {key for key, tile in tiles.items() if tile.isVisible()} == wanted
    for key, tile in tiles.items():
        drawn = window.slices.result(key)
        assert drawn is None or tile.view.picture is drawn.picture
        assert tile._progress.isHidden()


def check_scene(window: MainWindow) -> None:
    """The picture on the screen is of these slices, where they are; a hidden view draws it when it is seen again."""
    view, session = window.scene_view, window.store.session
    assert view.scene is not None
    if not view.isVisible():
        return
    assert view._shown is not None
    visible = {part.key: part for part in session.slices if part.visible}
    drawn = [window.slices.result(key) for key in visible]
    pictures = {id(part.picture) for part in view._shown.slices if part.picture is not None}
    assert pictures == {id(found.picture) for found in drawn if found is not None}
    assert [id(part.plane) for part in view._shown.slices] == [id(part.plane) for part in visible.values()]
    mesh = None if view._shown.surface is None else view._shown.surface.mesh
    if not (session.look.surface or session.look.creases):
        assert mesh is None
    elif window.surface.drawn is not None:
        assert mesh is window.surface.drawn.mesh
    neuron, wish = view.scene.neuron, window.neuron._wish
    assert (wish is not None) == (session.neuron is not None and window.neuron.on)
    assert neuron is None or (wish is not None and window.neuron._mesh_of(wish) is neuron)
    assert (None if view._shown.neuron is None else view._shown.neuron.mesh) is neuron


def check_marks(window: MainWindow) -> None:
    """Points and measures are marked while there is a task, and regions while the mouse is over them."""
    tiles = window.board.tiles.values()
    task = window.picker.task
    assert window.scene_view.picking is (task is not None)
    assert window.task_bar.isHidden() is (task is None)
    if task is None:
        assert window.scene_view.marks is None
        assert all(tile.view.marks is None for tile in tiles)
    marked = [tile.view for tile in tiles if tile.view.target is not None and tile.view.target.region is not None]
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
    if drawn is None or not drawn.answer.complete:
        return
    assert table._listed is drawn.answer.partition
    rows = [index.row() for index in table.view.selectionModel().selectedRows()]
    row = table.model.row_of(session.neuron)
    assert rows == ([] if row is None else [row])


def megabytes() -> float:
    """Resident, of this process, without what the allocator holds on to between its pieces."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
