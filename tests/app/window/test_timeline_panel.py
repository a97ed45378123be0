"""The checkpoints of a training as steps: a slider, Play, curves, and a folder that grows."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.comparison.slices import difference_values, own_values
from app.jobs import slicing
from app.state import actions
from engine import SlicePlane, common_refinement
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, random_module
from tests.app.on_screen import LEFT, Driver, press, wait_until

NONE = Qt.KeyboardModifier.NoModifier


def write(folder: Path, step: int) -> Path:
    """A network on the way from one to another."""
    module, last = random_module(0), random_module(1)
    with torch.no_grad():
        for own, other in zip(module.parameters(), last.parameters(), strict=True):
            own.copy_((1 - step / 1000) * own + step / 1000 * other)
    path = folder / f"step-{step}.safetensors"
    part = folder / f".part-{step}"
    save_checkpoint(part, module, DOMAIN, {})
    os.replace(part, path)
    return path


@pytest.fixture
def training(window: Driver, tmp_path: Path) -> tuple[Driver, Path]:
    """Four steps and a broken file, after another checkpoint in the list."""
    folder = tmp_path / "run"
    folder.mkdir()
    for step in (0, 90, 500, 1000):
        write(folder, step)
    (folder / "step-700.safetensors").write_text("broken\n")
    window.open(folder)
    wait_until(lambda: window.window.timeline.timeline.steps[4].changed)
    window.settle()
    return window, folder


def names(driver: Driver) -> list[str]:
    return [step.name for step in driver.window.timeline.timeline.steps]


def test_a_folder_is_a_training_with_gaps(training: tuple[Driver, Path]) -> None:
    driver, _ = training
    main, panel = driver.window, driver.window.timeline
    assert panel.isVisible()
    assert names(driver) == [f"step-{step}.safetensors" for step in (0, 90, 500, 700, 1000)]
    assert main.store.session.opened.name == "step-1000.safetensors"
    assert main.store.session.networks[0].name == "small.safetensors"
    steps = panel.timeline.steps
    assert steps[3].gap
    assert steps[3].gap in panel.curves.tip(0, 3)
    assert panel.timeline.ready == 4
    plane = main.store.session.active_slice.plane
    for before, step in ((steps[0], steps[1]), (steps[2], steps[4])):  # the gap is passed
        refined = common_refinement(before.opened.network, step.opened.network, plane, DOMAIN)
        wanted = own_values(refined.second, DOMAIN) | difference_values(refined)
        assert {key: step.measures[key] for key in ("regions", "mean_size", "level_hausdorff", "agreement_whole")} == {
            key: wanted[key] for key in ("regions", "mean_size", "level_hausdorff", "agreement_whole")
        }


def test_steps_are_there_at_once_by_slider_keys_and_curves(
    training: tuple[Driver, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver, _ = training
    main, panel = driver.window, driver.window.timeline
    with monkeypatch.context() as patch:
        patch.setattr(slicing, "partition_slice", None)  # nothing is cut any more
        panel.slider.setFocus()
        QTest.keyClick(panel.slider, Qt.Key.Key_Home)
        driver.settle()
        assert main.store.session.opened is panel.timeline.steps[0].opened
        assert all(main.slices.current(part.key) for part in main.store.session.slices)
        press(driver, "Alt+PgDown")
        views = [tile.view for tile in main.board.tiles.values()]
        assert all(view.picture is not None and view._image is not None for view in views)  # no flash of empty views
        assert main.scene_view.picture is not None
        driver.settle()
        assert panel.slider.value() == 1
        x, area = panel.curves.place_of(1, 4), panel.curves.area(1)
        QTest.mouseClick(panel.curves, LEFT, NONE, QPoint(round(x), round(area.center().y())))
        driver.settle()
        assert main.store.session.opened.name == "step-1000.safetensors"
        press(driver, "Alt+PgUp")  # over the gap
        driver.settle()
        assert main.store.session.opened.name == "step-500.safetensors"
        main.commands["undo"].trigger()
        driver.settle()
        assert panel.timeline.at == panel.slider.value() == panel.curves.at == 4


def test_play_goes_round_in_a_column(training: tuple[Driver, Path]) -> None:
    driver, _ = training
    main, panel = driver.window, driver.window.timeline
    press(driver, "Ctrl+5")
    driver.settle()
    tiles = list(main.compare.tiles.values())
    panel._timer.setInterval(20)
    seen: list[str] = []
    panel.timeline.changed.connect(lambda: seen.append(main.compare.heads[1].name.whole))
    QTest.mouseClick(panel.play, LEFT)
    wait_until(lambda: {"step-0.safetensors", "step-90.safetensors", "step-500.safetensors"} <= set(seen))
    QTest.mouseClick(panel.play, LEFT)
    assert not panel.playing
    driver.settle()
    assert list(main.compare.tiles.values()) == tiles  # no view was made anew
    assert main.compare.heads[0].name.whole == "small.safetensors"
    key = main.store.session.active
    opened = main.compare.columns[1].opened
    assert main.compare.tiles[1, key].view.picture.partition.network is opened.network
    assert main.commands["undo"].text().startswith("&Undo Go to step-")


def test_a_folder_that_grows_is_followed(training: tuple[Driver, Path]) -> None:
    driver, folder = training
    panel = driver.window.timeline
    os.replace(write(folder.parent, 800), folder / "step-700.safetensors")
    write(folder, 2000)
    wait_until(lambda: len(panel.timeline.steps) == 6 and panel.timeline.ready == 6)
    assert names(driver)[-2:] == ["step-1000.safetensors", "step-2000.safetensors"]
    assert not panel.timeline.steps[3].gap
    assert driver.window.store.session.opened.name == "step-1000.safetensors"  # what is looked at stays
    wait_until(lambda: panel.timeline.steps[5].changed)
    assert np.isfinite(panel.timeline.steps[5].measures["rms"])
    driver.settle()


def test_a_session_keeps_its_timeline(training: tuple[Driver, Path]) -> None:
    driver, folder = training
    main = driver.window
    press(driver, "Alt+PgUp")
    driver.settle()
    path = folder.parent / "work.json"
    main.keeper.save_to(path)
    wait_until(lambda: main.keeper.path == path)
    main.commands["end timeline"].trigger()
    assert not main.timeline.isVisible()
    driver.open(path)
    assert main.store.session.timeline == folder
    assert main.timeline.isVisible()
    assert main.timeline.timeline.steps[main.timeline.timeline.at].name == "step-500.safetensors"


def test_all_steps_are_seen_in_one_frame_and_within_the_budget(training: tuple[Driver, Path]) -> None:
    driver, _ = training
    main, timeline = driver.window, driver.window.timeline.timeline
    main.store.do(actions.FrameNetwork(main.store.session.opened, 0.5 * DOMAIN, 0.05))
    wait_until(lambda: timeline.ready == 4 and timeline.steps[1].changed)
    driver.settle()
    timeline.go(1)
    driver.settle()
    opened = main.store.session.opened
    assert (opened.name, opened.level) == ("step-90.safetensors", 0.05)
    np.testing.assert_array_equal(opened.domain, 0.5 * DOMAIN)
    main.slices.cache.budget = 1000.0  # no slice is kept
    main.store.do(actions.MovePlane(main.store.session.active, SlicePlane.from_axis("z", 0.21)))
    driver.settle()
    assert timeline.finished
