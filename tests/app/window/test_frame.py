"""Level and domain, typed in the window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from app.export.recipes import slice_python
from app.state import actions
from app.window.panels.frame_fields import parse_box
from engine import partition_slice
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, random_module
from tests.app.on_screen import Driver, wait_until
from tests.engine.sameness import assert_same_partition


def type_in(field: QLineEdit, text: str) -> None:
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def check_computed(driver: Driver) -> None:
    """Slices and surface are those of the session's box and level."""
    driver.settle()
    session = driver.window.store.session
    opened = session.opened
    for part in session.slices:
        partition = driver.window.slices.result(part.key).answer.partition
        assert partition.level == opened.level
        assert_same_partition(partition, partition_slice(opened.network, part.plane, opened.domain, opened.level))
    surface = driver.window.surface.drawn.surface
    assert surface.level == opened.level
    vertices = surface.vertices
    assert np.abs(opened.network.forward(vertices).ravel() - opened.level).max() < 1e-9
    assert (vertices >= opened.domain[0] - 1e-9).all()
    assert (vertices <= opened.domain[1] + 1e-9).all()


def test_a_typed_level_is_shown_everywhere_and_undone(window: Driver) -> None:
    shown = window.window
    before = shown.store.session.opened
    type_in(shown.frame.level, "0.05")
    check_computed(window)
    assert shown.store.session.opened.level == 0.05
    assert shown.store.session.opened.network is before.network
    assert shown.commands["undo"].text().endswith("Change level of small.safetensors")
    assert ", 0.05)" in slice_python(shown.store.session.opened, shown.store.session.slices[0].plane)
    shown.commands["undo"].trigger()
    assert shown.store.session.opened is before
    assert shown.frame.level.value == 0.0
    check_computed(window)


def test_a_typed_domain_is_shown_everywhere_and_undone(window: Driver) -> None:
    shown = window.window
    before = shown.store.session.opened
    assert shown.frame.domain.text() == "-1, 1"
    type_in(shown.frame.domain, "-0.5 -1 -1 1 1 1")
    check_computed(window)
    opened = shown.store.session.opened
    assert opened.domain.tolist() == [[-0.5, -1.0, -1.0], [1.0, 1.0, 1.0]]
    assert shown.scene_view.scene.domain.tolist() == opened.domain.tolist()
    type_in(shown.frame.domain, "1, -1")  # no box
    assert shown.frame.domain.property("wrong")
    assert shown.store.session.opened is opened
    shown.commands["undo"].trigger()
    assert shown.store.session.opened is before
    assert shown.frame.domain.text() == "-1, 1"
    assert not shown.frame.domain.property("wrong")
    check_computed(window)


def test_level_and_domain_survive_reading_the_file_again_and_the_session(empty_window: Driver, tmp_path: Path) -> None:
    file, session, shown = tmp_path / "net.safetensors", tmp_path / "work.json", empty_window.window
    save_checkpoint(file, random_module(), DOMAIN)
    empty_window.open(file)
    box = np.array([[-0.75, -1.0, -1.0], [1.0, 1.0, 0.5]])
    shown.store.do(actions.FrameNetwork(shown.store.session.opened, box, 0.0625))
    shown.store.do(actions.FrameNetwork(shown.store.session.opened, None, 0.125))
    shown.keeper.save_to(session)
    wait_until(lambda: shown.keeper.path == session)
    save_checkpoint(file, random_module(seed=3), DOMAIN)
    old = shown.store.session.opened
    shown.commands["reload"].trigger()
    wait_until(lambda: shown.store.session.opened.sha256 != old.sha256)
    new = shown.store.session.opened
    assert (new.level, new.domain.tolist()) == (0.125, box.tolist())
    shown.commands["undo"].trigger()  # never to what the file held before
    undone = shown.store.session.opened
    assert (undone.network, undone.level) == (new.network, 0.0625)
    shown.store.do(actions.CloseNetwork(undone))
    empty_window.open(session)
    found = shown.store.session.opened
    assert (found.level, found.domain.tolist(), found.framed) == (0.125, box.tolist(), True)
    check_computed(empty_window)


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("-1 1", [[-1, -1, -1], [1, 1, 1]]),
        ("\N{MINUS SIGN}1,1", [[-1, -1, -1], [1, 1, 1]]),
        ("0, 0, 0; 1, 2, 3e0", [[0, 0, 0], [1, 2, 3]]),
        ("1 -1", None),
        ("0 0 0 1 0 1", None),
        ("0 inf", None),
        ("0 nan", None),
        ("0 1 2", None),
        ("a b", None),
        ("", None),
    ],
)
def test_boxes_are_read_or_refused(text: str, box: list[list[float]] | None) -> None:
    found = parse_box(text)
    assert (None if found is None else found.tolist()) == box
