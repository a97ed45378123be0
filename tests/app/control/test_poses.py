"""Copy and paste of planes, and the recipes for the same slice elsewhere."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PySide6.QtGui import QGuiApplication
from torch import nn

from app.state import actions
from app.state.geometry.planes import rotated, same_plane
from app.state.line_style import LineStyle
from app.state.palette import Palette
from engine import Partition, SlicePlane
from sdf_models import Reading
from tests.app.on_screen import Driver, press
from tests.engine.sameness import assert_same_numbers, assert_same_partition

OBLIQUE = rotated(SlicePlane.from_normal([0.1, 0.02, 1 / 3], [1, 2, 0.7], [1, 0, 0]), 27.0)


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


def active_partition(driver: Driver) -> Partition:
    driver.settle()
    return driver.window.slices.result(driver.window.store.session.active).answer.partition


def test_a_pose_is_copied_and_pasted(window: Driver) -> None:
    store = window.window.store
    store.do(actions.MovePlane(store.session.active, OBLIQUE))
    press(window, "Ctrl+C")
    assert clipboard().startswith("origin=")
    store.do(actions.ActivateSlice(store.session.slices[0].key))
    press(window, "Ctrl+V")
    assert same_plane(store.session.slices[0].plane, OBLIQUE)
    press(window, "Ctrl+Shift+V")
    assert len(store.session.slices) == 4
    assert same_plane(store.session.slices[3].plane, OBLIQUE)
    before = store.session
    for text in ("hello", "z=7"):
        QGuiApplication.clipboard().setText(text)
        press(window, "Ctrl+V")
        assert window.window.notice.isVisible()
        assert "was not pasted" in window.window.notice.text.text()
        assert store.session is before
    window.window.notice.dismiss.click()
    assert not window.window.notice.isVisible()


def test_the_copied_command_makes_the_same_slice(empty_window: Driver, splinescope, checkpoint, tmp_path: Path) -> None:
    odd = tmp_path / "it's a $HOME; file.safetensors"
    shutil.copy(checkpoint, odd)
    empty_window.open(odd)
    store = empty_window.window.store
    store.do(actions.MovePlane(store.session.active, OBLIQUE))
    partition = active_partition(empty_window)
    press(empty_window, "Ctrl+Shift+C")
    assert "--palette" not in clipboard()
    store.do(actions.ChangeLook(replace(store.session.look, style=LineStyle(Palette.DUSK))))
    press(empty_window, "Ctrl+Shift+C")
    assert "--palette=dusk" in clipboard()
    name, *arguments = shlex.split(clipboard())
    assert name == "splinescope"
    ran = splinescope(*arguments[:-2], "--out", tmp_path / "same.npz")
    assert ran.code == 0, ran.err
    with np.load(tmp_path / "same.npz") as data:
        for array in ("vertices", "edges", "edge_layer", "edge_neuron", "face_offsets", "face_vertices", "axes"):
            expected = getattr(partition.plane, array) if array == "axes" else getattr(partition, array)
            compare = assert_same_numbers if array == "vertices" else np.testing.assert_array_equal
            compare(data[array], expected)


@pytest.mark.parametrize("reading", [{"last_activation": "sigmoid"}, {"last_activation": "none", "flip_sign": True}])
def test_the_copied_command_draws_the_level_that_is_seen(
    empty_window: Driver, splinescope, tmp_path: Path, reading: dict[str, Any]
) -> None:
    """Also where the file's own output is another function of the values that are shown."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    with torch.no_grad():
        module[-1].weight *= 60
    torch.save(module.state_dict(), tmp_path / "net.pth")
    window = empty_window.window
    window.open_path(tmp_path / "net.pth", Reading(activation="relu", bounds=(-1.0, 1.0), **reading))
    empty_window.settle()
    store = window.store
    partition = active_partition(empty_window)
    level = float(np.quantile(partition.values, 0.8))
    assert abs(level) > 0.5
    store.do(actions.FrameNetwork(store.session.opened, None, level))
    partition = active_partition(empty_window)
    assert (partition.edge_on_level).any()
    press(empty_window, "Ctrl+Shift+C")
    ran = splinescope(*shlex.split(clipboard())[1:-2], "--out", tmp_path / "same.npz", "--json")
    assert ran.code == 0, ran.err
    facts = json.loads(ran.out)
    assert (facts["level"], facts["level_in_file"]) == (level, None)
    with np.load(tmp_path / "same.npz") as data:
        for array in ("edges", "edge_layer", "edge_neuron", "edge_on_level", "face_offsets", "face_vertices"):
            np.testing.assert_array_equal(data[array], getattr(partition, array))
        assert_same_numbers(data["vertices"], partition.vertices)


def test_the_copied_python_makes_the_same_slice(window: Driver) -> None:
    store = window.window.store
    store.do(actions.MovePlane(store.session.active, OBLIQUE))
    partition = active_partition(window)
    window.window.poses.copy_python()
    assert len(clipboard().splitlines()) == 4
    names: dict[str, Partition] = {}
    exec(clipboard(), names)
    assert_same_partition(names["partition"], partition)


def test_a_good_paste_takes_back_what_was_told_of_a_bad_one(window: Driver) -> None:
    notice = window.window.notice
    QGuiApplication.clipboard().setText("hello")
    press(window, "Ctrl+V")
    assert notice.isVisible()
    QGuiApplication.clipboard().setText("z=0.1")
    press(window, "Ctrl+V")
    assert not notice.isVisible()
    QGuiApplication.clipboard().setText("hello")
    press(window, "Ctrl+V")
    notice.tell("something else")
    QGuiApplication.clipboard().setText("z=0.2")
    press(window, "Ctrl+V")
    assert notice.text.text() == "something else"
