"""What was seen comes back at once: slices of another checkpoint, and of planes that were left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QImage

from app.control.slice_cache import SliceCache
from app.jobs import slicing
from app.state import actions
from engine import SlicePlane
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, random_module
from tests.app.on_screen import Driver, press, wait_until


@pytest.fixture
def pair(window: Driver, tmp_path: Path) -> Driver:
    """Two checkpoints in the list; the second one is shown."""
    save_checkpoint(tmp_path / "other.safetensors", random_module(1), DOMAIN, {"target": "nothing"})
    window.open(tmp_path / "other.safetensors")
    return window


def pixels(image: QImage) -> np.ndarray:
    shown = image.convertToFormat(QImage.Format.Format_RGBX8888)
    return np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), shown.width(), 4)[..., :3].copy()


def test_a_checkpoint_that_was_seen_is_there_without_computing(pair: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    main = pair.window
    press(pair, "Ctrl+Tab")
    pair.settle()
    seen = {key: pixels(tile.view.grab().toImage()) for key, tile in main.board.tiles.items()}
    space = pixels(main.scene_view.grab().toImage())
    locations = {key: main.slices.location(key) for key in seen}
    press(pair, "Ctrl+Tab")
    pair.settle()
    with monkeypatch.context() as patch:
        patch.setattr(slicing, "partition_slice", None)  # nothing is cut
        press(pair, "Ctrl+Tab")
        QCoreApplication.sendPostedEvents(None, QEvent.Type.MetaCall)  # before anything is painted or drawn
        for key, tile in main.board.tiles.items():
            assert main.slices.current(key)
            assert main.slices.location(key) is locations[key]
            np.testing.assert_array_equal(pixels(tile.view.grab().toImage()), seen[key])
        np.testing.assert_array_equal(pixels(main.scene_view.grab().toImage()), space)
        pair.settle()


def test_planes_that_were_left_are_known_and_passed_ones_are_not(
    window: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, store, key = window.window, window.window.store, window.tile.key
    plane, count = store.session.slice(key).plane, len(main.slices.cache)
    for z in (0.1, 0.2, 0.3):
        store.do(actions.MovePlane(key, SlicePlane.from_axis("z", z), live=True))
        wait_until(lambda: not main.slices.computing(key))
    window.settle()
    assert len(main.slices.cache) == count + 1
    with monkeypatch.context() as patch:
        patch.setattr(slicing, "partition_slice", None)
        store.do(actions.MovePlane(key, SlicePlane(plane.origin.copy(), plane.axes.copy())))
        window.settle()
        assert main.slices.current(key)


def test_a_file_that_is_opened_again_finds_its_slices(pair: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    store = pair.window.store
    path = store.session.opened.path
    press(pair, "Ctrl+W")
    with monkeypatch.context() as patch:
        patch.setattr(slicing, "partition_slice", None)
        pair.open(path)
    for part in store.session.slices:
        drawn = pair.window.slices.result(part.key)
        assert drawn.picture.partition is drawn.answer.partition
        assert drawn.answer.partition.network is store.session.opened.network


def test_the_newest_slices_are_kept_within_a_budget(window: Driver) -> None:
    main = window.window
    opened, part = main.store.session.opened, main.store.session.slices[0]
    drawn = main.slices.result(part.key)
    alone = SliceCache()
    alone.keep(opened, drawn, None)
    planes = [SlicePlane.from_axis("x", x) for x in (0.0, 0.1, 0.2, 0.3)]
    cache = SliceCache(2.5 * alone.size)

    def keep(plane: SlicePlane) -> None:
        answer = replace(drawn.answer, request=replace(drawn.answer.request, plane=plane))
        cache.keep(opened, replace(drawn, answer=answer), None)

    for plane in planes[:2]:
        keep(plane)
    assert cache.find(opened, planes[0]) is not None
    keep(planes[2])  # in the place of the one that was asked for longest ago
    assert [cache.find(opened, plane) is not None for plane in planes] == [True, False, True, False]
    assert cache.size <= cache.budget
