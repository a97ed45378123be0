"""The right mouse button over a slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from app.window.commands.table import TILE_MENU
from tests.app.on_screen import Driver, wait_until


def call_menu(driver: Driver, at: QPoint) -> None:
    """Over the view of the first slice, as the display does."""
    window = driver.window
    view = window.board.tiles[window.store.session.slices[0].key].view
    QTest.mousePress(view, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier, at)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.mapToGlobal(at))
    QApplication.sendEvent(view, event)
    assert window.tile_menu.menu.isVisible()


def choose(driver: Driver, name: str) -> None:
    driver.window.commands[name].trigger()
    driver.window.tile_menu.menu.close()


def test_the_menu_is_that_of_the_table_and_of_the_slice_under_the_mouse(window: Driver) -> None:
    shown = window.window
    first = shown.store.session.slices[0]
    assert shown.store.session.active != first.key
    view = shown.board.tiles[first.key].view
    centre = view.rect().center()
    call_menu(window, centre)
    assert shown.store.session.active == first.key
    made = shown.tile_menu.menu.actions()
    for entry, action in zip(TILE_MENU.entries, made, strict=True):
        assert action.isSeparator() if entry is None else action is shown.commands[entry.name]
    framing = view.framing
    QTest.mouseMove(view, centre + QPoint(40, 20))
    assert view.framing is framing  # the right button moves nothing
    choose(window, "copy value")
    point = first.plane.to_input(np.array([view.at(centre.toPointF())]))
    value = float(shown.store.session.opened.network.forward(point).ravel()[0])
    assert float(QGuiApplication.clipboard().text()) == pytest.approx(value, abs=1e-12)


def test_the_picture_is_copied_and_saved_as_it_is_seen(
    window: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = window.window
    view = shown.board.tiles[shown.store.session.slices[0].key].view
    call_menu(window, view.rect().center())
    choose(window, "copy picture")
    seen = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    assert QGuiApplication.clipboard().image().convertToFormat(QImage.Format.Format_RGB32) == seen
    assert shown.statusBar().currentMessage() == "copied: picture"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "x"), ""))
    choose(window, "save slice picture")
    assert QImage(str(tmp_path / "x.png")).convertToFormat(QImage.Format.Format_RGB32) == seen
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no" / "x.png"), ""))
    choose(window, "save slice picture")
    wait_until(lambda: shown.file_dialogs.error_dialog is not None)
    assert "was not saved" in shown.file_dialogs.error_dialog.windowTitle() + str(
        [label.text() for label in shown.file_dialogs.error_dialog.findChildren(type(shown.approximation))]
    )
    shown.file_dialogs.error_dialog.accept()


def test_beside_the_slice_there_is_no_value(window: Driver) -> None:
    call_menu(window, QPoint(1, 1))
    choose(window, "copy value")
    assert window.window.statusBar().currentMessage() == "There is no value to copy here."
