"""Figures from the window: chosen by keys and clicks, seen before they are written, and remade by the command line."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from app.control import figure_maker
from app.control.figure_choices import CONTENTS, FigureChoices
from app.figures.spec import SlicePanel, SurfacePanel
from app.figures.spec_text import spec_of_text
from app.provenance.carriers import read_carried
from app.provenance.record import Provenance
from app.state import actions
from app.state.look import Fill
from app.window.dialogs.figure_dialog import FigureDialog
from engine import SlicePlane
from tests.app.conftest import Ran
from tests.app.on_screen import LEFT, Driver, press, wait_until

Run = Callable[..., Ran]


@pytest.fixture
def dialog(empty_window: Driver, checkpoint: Path, tmp_path: Path) -> Iterator[FigureDialog]:
    """Of a checkpoint in the folder into which figures are written."""
    file = tmp_path / "small.safetensors"
    shutil.copy(checkpoint, file)
    empty_window.open(file)
    empty_window.window.settings.figure = ""
    oblique = SlicePlane.from_normal([0.1, 0.2, 0.1], [1, 2, 3], [0.3, 1, 0])
    empty_window.window.store.do(actions.MovePlane(empty_window.tile.key, oblique))
    empty_window.settle()
    yield opened(empty_window)
    for left in empty_window.window.findChildren(FigureDialog):
        left.reject()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def opened(driver: Driver) -> FigureDialog:
    press(driver, "Ctrl+E")
    (found,) = driver.window.findChildren(FigureDialog)
    wait_until(lambda: found.settled)
    return found


def choose(dialog: FigureDialog, name: str) -> None:
    """As a hand does that goes through a list by keys."""
    dialog.content.setCurrentIndex(dialog.content.findData(name))
    dialog.content.activated.emit(dialog.content.currentIndex())
    wait_until(lambda: dialog.settled)


def save(dialog: FigureDialog, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    QTest.mouseClick(dialog.save, LEFT)


def saved(dialog: FigureDialog, driver: Driver, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(dialog, path, monkeypatch)
    wait_until(lambda: driver.window.statusBar().currentMessage() == f"saved {path}")


@pytest.mark.parametrize(("content", "kind"), [("slice", "svg"), ("grid", "pdf"), ("stack", "png"), ("zoom", "svg")])
def test_a_figure_is_the_file_of_its_command_and_made_again(
    dialog: FigureDialog, empty_window: Driver, splinescope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    content: str, kind: str,
) -> None:  # fmt: skip
    choose(dialog, content)
    dialog.dpi.setValue(60)
    wait_until(lambda: dialog.settled)
    QTest.mouseClick(dialog.copy_command, LEFT)
    command = shlex.split(QGuiApplication.clipboard().text())
    path = tmp_path / f"a.{kind}"
    saved(dialog, empty_window, path, monkeypatch)
    ran = splinescope("again", path, "--check")
    assert (ran.code, ran.err) == (0, "")
    assert "the same to the byte" in ran.out
    other = tmp_path / f"b.{kind}"
    assert splinescope(*command[1:-1], other).code == 0
    spec = Provenance.from_text(read_carried(path)).settings["figure"]
    assert spec_of_text(str(spec)).panels == spec_of_text(command[3].removeprefix("--spec=")).panels
    assert Provenance.from_text(read_carried(other)).settings["figure"] == spec


def test_every_content_is_shown_in_its_true_proportions(dialog: FigureDialog) -> None:
    for name in CONTENTS:
        choose(dialog, name)
        if name == "comparison":
            assert dialog.warning.text() == "one checkpoint is open; open another one to compare it with."
            assert not dialog.save.isEnabled()
            continue
        assert dialog.warning.text() == ""
        assert dialog.save.isEnabled()
        image, spec = dialog.paper.image, dialog._spec
        assert spec is not None
        height = float(dialog.size_line.text().split()[2])
        assert image.width() / image.height() == pytest.approx(spec.width / height, rel=0.01)
        pixels = image.constBits()
        assert len(np.unique(np.frombuffer(pixels, np.uint8))) > 8  # something is drawn


def test_the_figure_is_what_the_window_shows(dialog: FigureDialog, empty_window: Driver) -> None:
    dialog.reject()
    store = empty_window.window.store
    store.do(actions.ChangeFill(Fill.SIGN))
    store.do(actions.ChangeLook(store.session.look.with_hidden(frozenset({1}))))
    empty_window.settle()
    now = opened(empty_window)
    choose(now, "method")
    assert now._spec is not None
    surface, first, *_ = now._spec.panels
    assert isinstance(surface, SurfacePanel)
    assert isinstance(first, SlicePanel)
    assert (first.fill, first.hidden) == (Fill.SIGN, (1,))
    view = empty_window.window.scene_view.scene.viewpoint
    arm = np.array(view.position) - np.array(view.focus)
    np.testing.assert_allclose(np.array(surface.camera) / np.linalg.norm(surface.camera), arm / np.linalg.norm(arm))


def test_the_3d_view_s_menu_begins_with_the_surface(dialog: FigureDialog, empty_window: Driver) -> None:
    dialog.reject()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    empty_window.window.commands["export scene"].trigger()
    (found,) = empty_window.window.findChildren(FigureDialog)
    wait_until(lambda: found.settled)
    assert (found.content.currentData(), found.page.currentData()) == ("method", "page")
    assert found.size_line.text().startswith("180 ")


def test_choices_are_remembered(dialog: FigureDialog, empty_window: Driver) -> None:
    choose(dialog, "growth")
    QTest.mouseClick(dialog.letters, LEFT, pos=QPoint(8, dialog.letters.height() // 2))
    assert dialog.letters.isChecked()
    chosen = dialog.choices
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert opened(empty_window).choices == chosen
    for broken in ("{", "[]", '{"content": "cube", "dpi": "many", "page": 3, "letters": 1}'):
        assert FigureChoices.from_text(broken) == FigureChoices()


def test_an_empty_figure_says_why(dialog: FigureDialog, empty_window: Driver) -> None:
    dialog.reject()
    store = empty_window.window.store
    store.do(actions.FrameNetwork(store.session.opened, None, 1e6))
    store.do(actions.ChangeLook(store.session.look.switched("lines")))
    empty_window.settle()
    now = opened(empty_window)
    choose(now, "slice")
    assert now.warning.text() == "panel 1 is empty: lines are switched off, and no level set is here."


def test_all_checkpoints_are_columns(
    dialog: FigureDialog, empty_window: Driver, checkpoint: Path, tmp_path: Path
) -> None:
    dialog.reject()
    other = tmp_path / "other.safetensors"
    shutil.copy(checkpoint, other)
    empty_window.open(other)
    empty_window.settle()
    now = opened(empty_window)
    choose(now, "comparison")
    assert now.size_line.text().endswith("2 panels")
    assert now._spec is not None
    assert [panel.title.split(" ")[0] for panel in now._spec.panels] == ["other.safetensors", "small.safetensors"]


def test_copied_and_closed_while_it_is_drawn(dialog: FigureDialog, empty_window: Driver) -> None:
    QTest.mouseClick(dialog.copy_picture, LEFT)
    assert QGuiApplication.clipboard().image().size() == dialog.paper.image.size()
    dialog.content.setCurrentIndex(dialog.content.findData("method"))
    wait_until(lambda: not dialog._timer.isActive())
    QTest.keyClick(dialog, Qt.Key.Key_Escape)  # what is drawn then has nobody to go to
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    empty_window.settle()


def test_a_figure_that_cannot_be_written_says_why_and_stays(
    dialog: FigureDialog, empty_window: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = empty_window.window.file_dialogs
    for path, told in (
        (tmp_path / "no" / "x.svg", "choose another folder"),
        (tmp_path / "small.safetensors", "choose another name"),
    ):
        before = set(tmp_path.iterdir())
        monkeypatch.setattr(files, "choose_export", lambda _, path=path: path)
        QTest.mouseClick(dialog.save, LEFT)
        wait_until(lambda: files.error_dialog is not None)
        assert told in files.error_dialog.message.text()
        files.error_dialog.accept()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        wait_until(lambda: files.error_dialog is None)
        assert dialog.isVisible()
        assert dialog.save.isEnabled()
        assert set(tmp_path.iterdir()) == before


def test_existing_files_are_asked_about(
    dialog: FigureDialog, empty_window: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "a.pdf"
    kept.write_text("mine")
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.No)
    save(dialog, tmp_path / "a", monkeypatch)
    assert kept.read_text() == "mine"
    assert dialog.isVisible()
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    save(dialog, tmp_path / "a", monkeypatch)
    wait_until(lambda: empty_window.window.statusBar().currentMessage() == f"saved {kept}")
    assert kept.read_bytes().startswith(b"%PDF")


def test_a_movement_is_recorded_or_stopped(
    dialog: FigureDialog, empty_window: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure_maker, "_PICTURES", 4)
    dialog.dpi.setValue(30)
    path = tmp_path / "a.webp"
    save(dialog, path, monkeypatch)
    assert dialog.warning.text() == "Nothing moves: choose a movement first."
    before = set(tmp_path.iterdir())
    dialog.movement.setCurrentIndex(dialog.movement.findData("travel"))
    wait_until(lambda: dialog.settled)
    save(dialog, path, monkeypatch)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    empty_window.settle()
    assert set(tmp_path.iterdir()) <= before | {path}  # it may have been there already, whole
    again = opened(empty_window)
    assert again.movement.currentData() == "travel"
    saved(again, empty_window, path, monkeypatch)
    with Image.open(path) as movie:
        assert movie.n_frames == 4


@pytest.mark.parametrize("kind", ["npz", "csv"])
def test_data_of_the_slice_are_made_again(
    dialog: FigureDialog, empty_window: Driver, splinescope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:  # fmt: skip
    path = tmp_path / f"a.{kind}"
    saved(dialog, empty_window, path, monkeypatch)
    ran = splinescope("again", path, "--check")
    assert (ran.code, ran.err) == (0, "")
    assert "the same to the byte" in ran.out
