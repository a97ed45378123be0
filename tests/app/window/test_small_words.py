"""Small things that hands expect: what is selected, what is said, where keys lead, where planes start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.state.geometry.surfaces import CoarseSurface
from tests.app.on_screen import Driver, press, wait_until


def test_a_typed_number_takes_the_place_of_that_of_a_stack(window: Driver) -> None:
    press(window, "Ctrl+Shift+N")
    dialog = window.window.helper.dialog
    wait_until(dialog.isVisible)
    assert dialog.focusWidget() is dialog.count
    QTest.keyClicks(dialog.count, "12")
    assert dialog.count.text() == "12"
    dialog.reject()


def test_copying_says_what_was_copied(window: Driver) -> None:
    shown = window.window
    press(window, "Ctrl+C")
    wait_until(lambda: shown.statusBar().currentMessage().startswith("copied: origin="))
    assert QGuiApplication.clipboard().text().startswith("origin=")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("1/99", "No neuron 1/99: those of layer 1 are 0 to 7."),
        ("9/0", "No neuron 9/0: write layer/neuron; layers are 0 to 2."),
        ("ear", "No neuron ear: write layer/neuron; layers are 0 to 2."),
    ],
)
def test_a_search_that_finds_nothing_says_so(window: Driver, typed: str, says: str) -> None:
    strip = window.window.strip
    QTest.keyClicks(strip.search, typed)
    QTest.keyClick(strip.search, Qt.Key.Key_Return)
    assert window.window.statusBar().currentMessage() == says
    assert window.window.store.session.neuron is None


def test_a_pane_key_goes_round_the_panes(window: Driver) -> None:
    shown = window.window
    shown.scene_view.setFocus()

    def pane() -> QWidget:
        panes = [shown.strip, shown.panel, shown.scene_view, shown.board, shown.side]
        return next(found for found in panes if found is shown.focusWidget() or found.isAncestorOf(shown.focusWidget()))

    def way(key: str) -> list[QWidget]:
        found = []
        for _ in range(4):
            press(window, key)
            found.append(pane())
        return found

    assert way("F6") == [shown.board, shown.strip, shown.panel, shown.scene_view]
    assert way("Shift+F6") == [shown.panel, shown.strip, shown.board, shown.scene_view]
    shown.side.open(shown.neurons)
    shown.scene_view.setFocus()
    assert way("F6")[:3] == [shown.board, shown.side, shown.strip]


@pytest.mark.parametrize("size", [1.0, 1e-6, 3e5])
def test_planes_start_at_round_places_near_the_middle(window: Driver, size: float) -> None:
    shown, middle = window.window, np.array([0.0137, -0.0082, 0.2461]) * size
    spread = np.array([[-0.4], [0.4], [-0.4]]) * size
    preview = CoarseSurface.from_triangles(middle + spread, np.array([[0, 1, 2]], np.int32))
    for part in shown.store.session.slices:
        shown.commands["delete"].trigger()
        del part
    opened = replace(
        shown.store.session.opened, path=Path("other"), preview=preview, domain=np.array([[-1.0] * 3, [1.0] * 3]) * size
    )
    shown.opener.show_network(opened)
    places = [float(part.plane.origin[axis]) for axis, part in enumerate(shown.store.session.slices)]
    assert all(abs(place - at) <= 0.08 * size for place, at in zip(places, middle, strict=True))
    assert all(len(f"{place:.15g}".strip("-").replace("0.", "").split("e")[0].strip("0")) <= 2 for place in places)


def test_a_picture_of_a_session_has_the_size_that_was_asked_for(window: Driver, command, tmp_path: Path) -> None:
    window.window.keeper.save_to(tmp_path / "work.json")
    wait_until(lambda: window.window.keeper.path is not None)
    ran = command("open", tmp_path / "work.json", "--screenshot", tmp_path / "a.png", "--size", "1100x720")
    assert ran.code == 0, ran.err
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (1100, 720)
