"""A file that leaves a question open is asked about in the window, once; an approximation is called one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox
from torch import nn

from app.state.texts.notes import full_notes
from app.window.dialogs.question_dialog import QuestionDialog
from sdf_models import Reading
from tests.app.on_screen import Driver, wait_until

OPEN, LEFT = QDialogButtonBox.StandardButton.Open, Qt.MouseButton.LeftButton


@pytest.fixture
def state_dict(tmp_path: Path) -> Path:
    """Weights that do not say what is between them."""
    torch.manual_seed(0)
    path = tmp_path / "weights.pth"
    torch.save(
        nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1)).state_dict(), path
    )
    return path


def answer(driver: Driver, wanted: dict[str, str]) -> dict[str, str]:
    """Answer every question with the mouse until the file is opened; returns the choices made."""
    window, before = driver.window, driver.window.store.session.opened
    made = {}
    while window.store.session.opened is before:
        wait_until(lambda: window.file_dialogs.question_dialog is not None or window.store.session.opened is not before)
        dialog = window.file_dialogs.question_dialog
        if dialog is None:
            break
        choice = dialog._choice
        assert not dialog.buttons.button(OPEN).isEnabled()
        made[choice] = wanted[choice]
        button = next((b for b, value in dialog.answers if value == wanted[choice]), None)
        if button is None:
            QTest.keyClicks(dialog.other, wanted[choice])
        else:
            button.setChecked(True)
        assert dialog.text == wanted[choice]
        QTest.mouseClick(dialog.buttons.button(OPEN), LEFT)
        wait_until(lambda dialog=dialog: window.file_dialogs.question_dialog is not dialog)
    return made


def test_an_open_question_is_asked_and_its_answer_remembered(empty_window: Driver, state_dict: Path) -> None:
    window = empty_window.window
    window.open_path(state_dict)
    made = answer(empty_window, {"activation": "relu", "last_activation": "none", "bounds": "-1,1"})
    assert made["activation"] == "relu"
    first = window.store.session.opened
    assert first.path == state_dict
    assert first.approximation == ""
    assert not window.approximation.isVisible()
    window.open_path(state_dict)  # again: no question
    wait_until(lambda: window.store.session.opened is not first)
    assert window.file_dialogs.question_dialog is None


def test_what_comes_after_a_question_is_opened_without_an_answer_too(
    empty_window: Driver, state_dict: Path, checkpoint: Path
) -> None:
    opener, dialogs = empty_window.window.opener, empty_window.window.file_dialogs
    opener.open_paths([state_dict, checkpoint])
    wait_until(lambda: dialogs.question_dialog is not None)
    dialogs.question_dialog.reject()
    wait_until(lambda: empty_window.window.store.session.opened is not None)
    assert empty_window.window.store.session.opened.path == checkpoint
    empty_window.settle()


def test_what_comes_after_a_broken_file_is_told_to_be_left_out(
    window: Driver, tmp_path: Path, checkpoint: Path
) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"")
    window.window.opener.open_paths([broken, checkpoint, tmp_path / "more.npz"])
    wait_until(lambda: window.window.file_dialogs.error_dialog is not None)
    text = window.window.file_dialogs.error_dialog.message.text()
    assert text.endswith(f"Not opened either: {checkpoint.name}, more.npz. {checkpoint.name} stays open.")
    window.window.file_dialogs.error_dialog.close()


def test_a_question_that_is_not_answered_changes_nothing(window: Driver, state_dict: Path) -> None:
    before = window.window.store.session
    window.window.open_path(state_dict)
    wait_until(lambda: window.window.file_dialogs.question_dialog is not None)
    window.window.file_dialogs.question_dialog.reject()
    wait_until(lambda: window.window.file_dialogs.question_dialog is None)
    assert window.window.store.session is before


def test_a_file_is_asked_about_once_and_files_one_after_the_other(
    empty_window: Driver, state_dict: Path, tmp_path: Path
) -> None:
    opener, store = empty_window.window.opener, empty_window.window.store
    dialogs = empty_window.window.file_dialogs
    other = tmp_path / "other.pth"
    other.write_bytes(state_dict.read_bytes())
    refused: list[str] = []
    opener.refused.connect(refused.append)
    for count, path in enumerate((state_dict, state_dict, other, state_dict), start=1):
        opener.open_path(path)
        wait_until(lambda count=count: len(refused) == count)
        assert [dialog.name for dialog in empty_window.window.findChildren(QuestionDialog)] == [state_dict.name]
    dialogs.question_dialog.reject()
    wait_until(lambda: dialogs.question_dialog is not None)
    assert dialogs.question_dialog.name == other.name
    made = answer(empty_window, {"activation": "relu", "last_activation": "none", "bounds": "-1,1"})
    assert made["activation"] == "relu"
    assert [opened.path for opened in store.session.networks] == [other]
    assert dialogs.question_dialog is None
    empty_window.settle()


def test_a_relu_limit_is_called_an_approximation(empty_window: Driver, state_dict: Path) -> None:
    reading = Reading(activation="softplus:100", last_activation="none", bounds=(-1.0, 1.0), relu_limit=True)
    window = empty_window.window
    window.open_path(state_dict, reading)
    wait_until(lambda: window.store.session.opened is not None)
    assert window.approximation.isVisible()
    assert "approximation" in window.approximation.text()


def test_a_softplus_network_offers_its_relu_limit(empty_window: Driver, state_dict: Path) -> None:
    window = empty_window.window
    window.open_path(state_dict, Reading(activation="softplus:100", last_activation="none"))
    wait_until(lambda: window.file_dialogs.error_dialog is not None)
    dialog = window.file_dialogs.error_dialog
    assert "--" not in dialog.message.text()
    assert "its ReLU limit can be drawn, an approximation" in dialog.message.text()
    assert dialog.action.text() == "Draw its ReLU limit"
    QTest.mouseClick(dialog.action, LEFT)
    wait_until(lambda: window.store.session.opened is not None)
    assert window.approximation.isVisible()
    assert window.store.session.opened.reading.relu_limit
    assert window.file_dialogs.error_dialog is None
    assert all("--" not in text for _, text in full_notes(window.store.session.opened))
    empty_window.settle()


def test_an_error_with_no_way_on_has_no_such_button(empty_window: Driver, tmp_path: Path) -> None:
    opener, dialogs = empty_window.window.opener, empty_window.window.file_dialogs
    torch.save({"0.weight": torch.ones(4, 3), "2.weight": torch.ones(1, 4), "gain": torch.ones(4)}, tmp_path / "a.pth")
    opener.open_path(tmp_path / "a.pth")
    wait_until(lambda: dialogs.error_dialog is not None)
    assert dialogs.error_dialog.action is None
    assert "'gain' (4 numbers beside the layers) is not used by this reading" in dialogs.error_dialog.message.text()
    assert "--" not in dialogs.error_dialog.message.text()
    dialogs.error_dialog.close()


def test_options_answer_what_a_file_leaves_open(command, state_dict: Path, tmp_path: Path) -> None:
    ran = command("open", state_dict, "--screenshot", tmp_path / "a.png")
    assert ran.code == 2
    assert "--activation" in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "a.png").exists()
    answers = ("--activation", "relu", "--last-activation", "none", "--bounds=-1,1")
    picture = tmp_path / "b.png"
    ran = command(state_dict, *answers, "--screenshot", picture, "--size", "1000x700")
    assert (ran.code, ran.out) == (0, f"wrote {picture}\n"), ran.err
    assert picture.exists()
