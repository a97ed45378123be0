"""A named session with changes: its title, and the question before it is left."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from app.state import actions
from app.state.look import Fill
from app.state.saved_session import saved_session
from app.state.session_file import read_session, write_session
from tests.app.on_screen import LEFT, Driver, press, wait_until

Button = QMessageBox.StandardButton


@pytest.fixture
def named(window: Driver, tmp_path: Path) -> Iterator[Path]:
    """A session that was saved, in a window that asks."""
    path = tmp_path / "work.session.json"
    window.window.leaving.asks = True
    window.window.keeper.save_to(path)
    wait_until(lambda: window.window.keeper.path == path)
    yield path
    window.window.leaving.asks = False


def answer(driver: Driver, button: Button) -> None:
    dialog = driver.window.leaving.dialog
    assert dialog is not None
    QTest.mouseClick(dialog.button(button), LEFT)
    wait_until(lambda: driver.window.leaving.dialog is None)


def test_the_title_shows_the_name_and_a_mark_for_changes(window: Driver, named: Path) -> None:
    shown = window.window
    assert shown.windowTitle() == "work.session.json[*] \N{EM DASH} small.safetensors \N{EM DASH} SplineScope"
    assert not shown.isWindowModified()
    shown.store.do(actions.ChangeFill(Fill.AREA))
    assert shown.isWindowModified()
    shown.store.undo()
    assert not shown.isWindowModified()
    shown.scene_view.look_from((1.0, 0.0, 0.0))
    other = shown.store.session.slices[0].key
    shown.store.do(actions.ActivateSlice(other))
    assert not shown.isWindowModified()  # nothing else is shown


def test_closing_asks_and_cancel_stays(window: Driver, named: Path) -> None:
    shown = window.window
    shown.store.do(actions.ChangeFill(Fill.AREA))
    press(window, "Ctrl+Q")
    assert shown.isVisible()
    assert named.name in shown.leaving.dialog.text()
    assert not shown.close()  # again: the same question
    QTest.keyClick(shown.leaving.dialog, Qt.Key.Key_Escape)
    wait_until(lambda: shown.leaving.dialog is None)
    assert shown.isVisible()
    assert shown.isWindowModified()
    press(window, "Ctrl+Q")
    answer(window, Button.Discard)
    assert not shown.isVisible()
    assert read_session(named).session.fill is Fill.NONE


def test_closing_with_save_has_saved(window: Driver, named: Path) -> None:
    shown = window.window
    shown.store.do(actions.ChangeFill(Fill.AREA))
    shown.close()
    answer(window, Button.Save)
    wait_until(lambda: not shown.isVisible())
    assert read_session(named).session.fill is Fill.AREA


def test_what_cannot_be_saved_stays_open(window: Driver, named: Path) -> None:
    shown = window.window
    shown.store.do(actions.ChangeFill(Fill.AREA))
    shutil.rmtree(named.parent)
    shown.close()
    answer(window, Button.Save)
    wait_until(lambda: shown.file_dialogs.error_dialog is not None)
    assert shown.isVisible()
    shown.file_dialogs.error_dialog.accept()
    assert shown.isWindowModified()


def test_another_session_is_opened_after_the_question(window: Driver, named: Path) -> None:
    shown = window.window
    other = named.with_name("other.session.json")
    shutil.copy(named, other)
    shown.store.do(actions.ChangeFill(Fill.AREA))
    shown.open_path(other)
    wait_until(lambda: shown.leaving.dialog is not None)
    answer(window, Button.Cancel)
    assert (shown.keeper.path, shown.store.session.fill) == (named, Fill.AREA)
    shown.open_path(other)
    wait_until(lambda: shown.leaving.dialog is not None)
    answer(window, Button.Discard)
    window.settle()
    assert (shown.keeper.path, shown.store.session.fill) == (other, Fill.NONE)
    assert not shown.isWindowModified()


def test_undoing_the_opening_of_a_session_leads_back_to_the_name_before(window: Driver, named: Path) -> None:
    shown = window.window
    shown.store.do(actions.ChangeFill(Fill.AREA))
    shown.keeper.save_to(named)
    wait_until(lambda: not shown.keeper.changed)
    other = named.with_name("other.session.json")
    shutil.copy(named, other)
    shown.store.do(actions.ChangeFill(Fill.RANDOM))
    shown.open_path(other)
    wait_until(lambda: shown.leaving.dialog is not None)
    answer(window, Button.Discard)
    window.settle()
    assert shown.windowTitle().startswith("other.session.json[*]")
    content = other.read_bytes()
    press(window, "Ctrl+Z")
    window.settle()
    assert (shown.keeper.path, shown.store.session.fill) == (named, Fill.RANDOM)
    assert shown.windowTitle().startswith("work.session.json[*]")
    assert shown.isWindowModified()
    press(window, "Ctrl+S")
    wait_until(lambda: not shown.keeper.changed)
    assert read_session(named).session.fill is Fill.RANDOM
    assert other.read_bytes() == content
    press(window, "Ctrl+Shift+Z")
    window.settle()
    assert (shown.keeper.path, shown.store.session.fill) == (other, Fill.AREA)
    assert not shown.isWindowModified()


def test_undoing_the_opening_of_a_session_leads_back_to_none(window: Driver, tmp_path: Path) -> None:
    """What had no name before has none again."""
    shown, path = window.window, tmp_path / "work.session.json"
    write_session(path, saved_session(shown.store.session, None, None))
    for _ in range(2):
        window.open(path)
        assert shown.keeper.path == path
    press(window, "Ctrl+Z")
    assert shown.keeper.path == path
    press(window, "Ctrl+Z")
    window.settle()
    assert shown.keeper.path is None
    assert shown.windowTitle() == "small.safetensors \N{EM DASH} SplineScope"
    assert not shown.isWindowModified()


def test_a_session_without_changes_or_a_name_is_left_at_once(window: Driver) -> None:
    window.window.leaving.asks = True
    window.window.store.do(actions.ChangeFill(Fill.AREA))
    assert window.window.close()


def test_the_first_save_starts_in_the_documents(
    window: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def choose(parent: object, title: str, proposed: str, kinds: str) -> tuple[str, str]:
        asked.append(Path(proposed))
        return str(tmp_path / "mine.json"), kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    press(window, "Ctrl+S")
    wait_until(lambda: window.window.keeper.path is not None)
    documents = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
    assert asked == [documents / "small.session.json"]
    assert window.window.settings.session_folder == tmp_path
