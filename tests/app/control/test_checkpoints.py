"""Several checkpoints in one window: the list, switching, files that change on disk."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from app.jobs.worker import Job, unless_cancelled
from app.state import actions
from engine import SlicePlane, partition_slice
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, random_module
from tests.app.on_screen import LEFT, Driver, press, wait_until
from tests.app.waiting import let_run
from tests.app.window.test_undo import check_shows_the_session


def write(path: Path, seed: int, depth: int = 3) -> None:
    """As a training run does: beside its place, then moved there."""
    part = path.with_name(f"part-{path.name}")
    save_checkpoint(part, random_module(seed, depth), DOMAIN)
    os.replace(part, path)


@pytest.fixture
def pair(empty_window: Driver, tmp_path: Path) -> tuple[Driver, Path, Path]:
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    write(one, 1)
    write(other, 2, depth=2)
    empty_window.open(one)
    empty_window.open(other)
    return empty_window, one, other


def test_the_list_has_notes_and_switches(pair: tuple[Driver, Path, Path]) -> None:
    driver, _, _ = pair
    panel, store = driver.window.checkpoints, driver.window.store
    first, second = panel.cards
    assert [card.name.whole for card in panel.cards] == ["one.safetensors", "other.safetensors"]
    assert (first.notes.isVisible(), second.notes.isVisible()) == (False, True)
    assert first.short.text() == "3 \N{MULTIPLICATION SIGN} 8 neurons"
    plane = SlicePlane.from_normal([0, 0.1, 0], [1, 2, 3])
    store.do(actions.MovePlane(store.session.active, plane))
    seen = driver.window.scene_view.scene.viewpoint
    QTest.mouseClick(first, LEFT)
    driver.settle()
    assert store.session.opened.name == "one.safetensors"
    assert store.session.active_slice.plane is plane
    assert driver.window.scene_view.scene.viewpoint == seen
    check_shows_the_session(driver)
    partition = partition_slice(store.session.opened.network, plane, DOMAIN)
    assert f"z {partition.regions:,}" in first.regions.text()
    second.setFocus()
    QTest.keyClick(second, Qt.Key.Key_Return)
    assert store.session.opened.name == "other.safetensors"
    QTest.mouseClick(second.close_button, LEFT)
    assert [card.name.whole for card in panel.cards] == ["one.safetensors"]
    driver.window.commands["undo"].trigger()
    assert [card.name.whole for card in panel.cards] == ["one.safetensors", "other.safetensors"]
    check_shows_the_session(driver)


def test_slices_of_the_network_before_are_gone_at_once(pair: tuple[Driver, Path, Path]) -> None:
    """Nothing of one network is seen under the name of another, also not what was still being drawn."""
    driver, _, _ = pair
    main = driver.window
    other = next(opened for opened in main.store.session.networks if opened is not main.store.session.opened)
    main.slice_link.redraw()
    main.store.do(actions.ShowNetwork(other))
    shown: list[bool] = []
    main.slice_link.drawn.connect(lambda key: shown.append(main.board.tiles[key].view.picture is not None))
    for tile in main.board.tiles.values():
        assert tile.view.picture is None
        assert tile.view.note == ""
    driver.settle()
    assert all(shown)
    for key, tile in main.board.tiles.items():
        assert tile.view.picture is main.slices.result(key).picture
        assert tile.view.picture.partition.network is other.network


def test_until_its_first_picture_a_network_is_a_word(pair: tuple[Driver, Path, Path]) -> None:
    driver, _, _ = pair
    main, view = driver.window, driver.window.scene_view
    other = next(opened for opened in main.store.session.networks if opened is not main.store.session.opened)
    view.look_from((1.0, 0.0, 0.0))  # it was not seen from there
    driver.settle()
    gate = threading.Event()
    main.scene_link.submit(Job("gate", lambda _: gate.wait(), lambda _: None, unless_cancelled))
    main.store.do(actions.ShowNetwork(other))
    wait_until(lambda: view.scene.domain is other.domain and not view._late_timer.isActive())
    let_run(50)
    shown = view.grab().toImage().convertToFormat(QImage.Format.Format_RGBX8888)
    pixels = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), shown.width(), 4)
    rows = np.flatnonzero((pixels[..., :3] != 255).any(axis=(1, 2)))
    assert 0 < np.ptp(rows) < 20
    assert abs(rows.mean() - view.height() / 2) < 10
    gate.set()
    check_shows_the_session(driver)
    assert view.rendered


def test_a_file_that_is_written_again_as_it_was_has_not_changed(pair: tuple[Driver, Path, Path]) -> None:
    driver, _one, other = pair
    reloader = driver.window.reloader
    content = other.read_bytes()
    other.unlink()
    other.write_bytes(content)
    stamp = other.stat().st_mtime_ns
    wait_until(lambda: (reloader._watch._stamps[other] or (0,))[0] == stamp)
    wait_until(lambda: not reloader.busy)
    driver.settle()
    assert not driver.window.notice.isVisible()


def test_a_file_that_changes_is_read_again_on_request(pair: tuple[Driver, Path, Path]) -> None:
    driver, _one, other = pair
    window, store = driver.window, driver.window.store
    planes = [part.plane for part in store.session.slices]
    before = store.session.opened
    write(other, 7)
    wait_until(window.notice.isVisible)
    assert window.notice.text.text() == "other.safetensors has changed on disk."
    assert store.session.opened is before
    window.notice.buttons[0].click()
    wait_until(lambda: store.session.opened is not before)
    assert [part.plane for part in store.session.slices] == planes
    assert store.session.opened.layers == 3
    check_shows_the_session(driver)
    assert window.commands["undo"].text() == "&Undo Open other.safetensors"  # reading again is no step


def test_a_notice_goes_once_its_file_was_read_again(pair: tuple[Driver, Path, Path]) -> None:
    driver, _one, other = pair
    window, store = driver.window, driver.window.store
    before = store.session.opened
    write(other, 7)
    wait_until(window.notice.isVisible)
    press(driver, "F5")
    wait_until(lambda: store.session.opened is not before)
    assert not window.notice.isVisible()


def test_a_training_run_is_followed(pair: tuple[Driver, Path, Path]) -> None:
    driver, one, other = pair
    window, store = driver.window, driver.window.store
    window.checkpoints.automatic.setChecked(True)
    for seed in (11, 12):  # replaced twice: the new file is watched too
        before = store.session.opened
        write(other, seed)
        wait_until(lambda before=before: store.session.opened is not before)
        driver.settle()
    expected = random_module(12)
    assert np.array_equal(
        store.session.opened.network.steps[0].weight,
        expected.state_dict()[next(iter(expected.state_dict()))].double().numpy(),
    )
    before = store.session.opened
    other.write_bytes(b"half a file")
    wait_until(window.notice.isVisible)
    assert "what was read before stays" in window.notice.text.text()
    assert store.session.opened is before
    write(one, 13)  # the one that is not shown
    wait_until(lambda: store.session.networks[0].sha256 != before.sha256 and not window.reloader.busy)
    assert store.session.opened is before
    assert window.notice.isVisible()
    write(other, 14)  # it is whole again, and nothing is wrong any more
    wait_until(lambda: store.session.opened is not before)
    assert not window.notice.isVisible()


def test_two_files_on_the_command_line_are_one_window(command, checkpoint: Path, tmp_path: Path) -> None:
    other, picture = tmp_path / "b.safetensors", tmp_path / "two.png"
    write(other, 5)
    ran = command("open", checkpoint, other, "--screenshot", picture, "--size", "1000x700")
    assert (ran.code, ran.out) == (0, f"wrote {picture}\n"), ran.err


def test_a_file_that_was_read_before_others_were_asked_for_is_not_one_of_them(
    empty_window: Driver, tmp_path: Path
) -> None:
    """What it is told about comes late, when the first of the others is being read: that goes on."""
    opener, store = empty_window.window.opener, empty_window.window.store
    paths = [tmp_path / f"{name}.safetensors" for name in "abc"]
    for seed, path in enumerate(paths):
        save_checkpoint(path, random_module(seed), DOMAIN)
    opener.open_path(paths[0])
    while opener._worker.busy:  # no event is worked on meanwhile
        time.sleep(0.001)
    opener.open_paths(paths[1:])
    wait_until(lambda: store.session.networks)
    assert opener.busy
    empty_window.settle()
    assert [opened.path for opened in store.session.networks] == paths


def test_a_board_without_slices_says_why(window: Driver) -> None:
    store, empty = window.window.store, window.window.board._empty
    slices = store.session.slices
    assert not empty.isVisible()
    store.do(actions.TileSlices(False))
    store.do(actions.ShowSlice(store.session.active, False))
    assert (empty.isVisible(), empty.text().split(".")[0]) == (True, "This slice is hidden")
    for part in slices:
        store.do(actions.ShowSlice(part.key, False))
    assert empty.text().startswith("All slices are hidden.")
    for part in slices:
        store.do(actions.RemoveSlice(part.key))
    assert empty.text() == "No slices. Add one with the + button."
    store.do(actions.CloseNetwork(store.session.opened))
    assert (empty.isVisible(), empty.text()) == (True, "Open a checkpoint (Ctrl+O) or drop one here.")
    assert not window.window.panel.add.isEnabled()


def test_files_asked_for_one_after_the_other_are_all_opened(empty_window: Driver, tmp_path: Path) -> None:
    """Whatever is broken among them; what is under the mouse is not that of the network before."""
    main = empty_window.window
    paths = [tmp_path / f"{name}.safetensors" for name in "abcd"]
    for seed, path in enumerate(paths):
        save_checkpoint(path, random_module(seed), DOMAIN)
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    main.opener.open_paths(paths[:2])
    main.opener.open_path(broken)
    main.opener.open_path(paths[2])
    main.opener.open_path(paths[3])
    wait_until(lambda: main.file_dialogs.error_dialog is not None)
    main.file_dialogs.error_dialog.accept()
    empty_window.settle()
    assert [opened.path for opened in main.store.session.networks] == paths
    assert main.store.session.opened.path == paths[3]


def test_stopping_leaves_what_was_to_follow_too(empty_window: Driver, tmp_path: Path) -> None:
    main = empty_window.window
    paths = [tmp_path / f"{name}.safetensors" for name in "ab"]
    for seed, path in enumerate(paths):
        save_checkpoint(path, random_module(seed), DOMAIN)
    for path in paths:
        main.opener.open_path(path)
    main.opener.stop()
    assert not main.opener.busy
    let_run(300)
    assert main.store.session.networks == ()
    main.opener.open_path(paths[1])
    wait_until(lambda: main.store.session.networks)
    empty_window.settle()
    assert [opened.path for opened in main.store.session.networks] == [paths[1]]


def test_what_is_under_the_mouse_is_forgotten_with_its_network(window: Driver, tmp_path: Path) -> None:
    main, view = window.window, window.tile.view
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, random_module(9), DOMAIN)
    QTest.mouseMove(view, view.rect().center())
    wait_until(lambda: "|A|" in main.status.left.whole)
    main.open_path(other)
    wait_until(lambda: main.store.session.opened.path == other)
    assert "|A|" not in main.status.left.whole
    window.settle()
