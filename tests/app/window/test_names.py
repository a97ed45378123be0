"""Names come from files: however long, and whatever is in them, the window shows them as they are, in its own room."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import Qt as QtOfText
from PySide6.QtGui import QTextDocumentFragment
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.state import actions
from app.window.dialogs.error_dialog import ErrorDialog
from app.window.dialogs.notes_dialog import NotesDialog
from app.window.dialogs.question_dialog import QuestionDialog
from app.window.dialogs.stack_dialog import StackDialog
from app.window.parts.controls import as_tip, breakable, shortened
from sdf_models import Alternative, Question, Reading
from tests.app.on_screen import Driver, wait_until

LONG = "n" * 170
MARKED = "<h1>big<b>x"


def test_a_shortened_text_keeps_its_ends() -> None:
    for most in range(3, 20):
        short = shortened("abcdefghijklmnop", most)
        assert len(short) == min(most, 16)
        assert (short[0], short[-1]) == ("a", "p")
    assert shortened("abcdef", 6) == "abcdef"


def test_a_breakable_text_is_the_same_to_the_eye() -> None:
    text = f"could not read /some/{LONG}/weights.npz: no layers"
    broken = breakable(text)
    assert broken.replace("\N{ZERO WIDTH SPACE}", "") == text
    assert max(len(part) for part in broken.replace("\N{ZERO WIDTH SPACE}", " ").replace("/", " ").split()) <= 40
    assert breakable("/short/names.npz, as they are") == "/short/names.npz, as they are"


@pytest.mark.parametrize("name", [MARKED, "a < b & c", "<b>&amp;</b>\nsecond", "plain"])
def test_a_tip_says_the_name_itself(name: str) -> None:
    tip = as_tip(name)
    shown = QTextDocumentFragment.fromHtml(tip).toPlainText() if QtOfText.mightBeRichText(tip) else tip
    assert shown == name


@pytest.mark.parametrize("name", [LONG, MARKED])
def test_a_checkpoint_with_an_odd_name_fits(empty_window: Driver, checkpoint: Path, tmp_path: Path, name: str) -> None:
    main, odd = empty_window.window, tmp_path / f"{name}{checkpoint.suffix}"
    shutil.copy(checkpoint, odd)
    main.resize(1100, 700)
    least = main.minimumSizeHint().width()
    empty_window.open(odd)
    QApplication.processEvents()
    assert main.width() == 1100
    assert main.minimumSizeHint().width() <= max(least, 1100)
    assert shortened(odd.name, 40) in main.status.network.whole
    assert main.recent.sizeHint().width() < 1000
    assert main.commands["undo"].text().startswith("&Undo Open ")
    assert len(main.commands["undo"].text()) < 80
    check_plain(main)


@pytest.mark.parametrize("name", [LONG, MARKED, f"{MARKED}{LONG}"])
def test_dialogs_with_odd_names_fit(window: Driver, name: str) -> None:
    main = window.window
    question = Question("activation", f"{name} does not say", (Alternative(name, name),))
    main.store.do(actions.RenameSlice(main.store.session.active, name))
    dialogs = [
        ErrorDialog(f"{name} could not be opened", f"no layers in {name}", name, main),
        QuestionDialog(name, question, Reading(), main),
        StackDialog(main.store, main.store.session.active_slice, main),
    ]
    for dialog in dialogs:
        dialog.show()
        QApplication.processEvents()
        assert dialog.width() < 900
        check_plain(dialog)
        dialog.close()
        dialog.deleteLater()
    main.notice.tell(f"{name} has changed on disk.", ("Reload", lambda: None))
    main.notice.withdraw(f"{name} has changed on disk.")
    assert not main.notice.isVisible()


def test_notes_on_an_odd_name_are_plain(empty_window: Driver, checkpoint: Path, tmp_path: Path) -> None:
    odd = tmp_path / f"{MARKED}{LONG}{checkpoint.suffix}"
    shutil.copy(checkpoint, odd)
    empty_window.open(odd)
    dialog = NotesDialog(empty_window.window.store.session.opened, empty_window.window)
    dialog.show()
    QApplication.processEvents()
    assert dialog.width() < 900
    check_plain(dialog)
    dialog.close()


def test_a_refused_file_with_an_odd_name_is_told_plainly(empty_window: Driver, tmp_path: Path) -> None:
    path = tmp_path / f"{MARKED}.npz"
    path.write_bytes(b"no")
    empty_window.window.open_path(path)
    wait_until(lambda: empty_window.window.file_dialogs.error_dialog is not None)
    check_plain(empty_window.window.file_dialogs.error_dialog)
    empty_window.window.file_dialogs.error_dialog.accept()


def check_plain(parent: QObject) -> None:
    """No label takes the name for HTML, nor does a tip."""
    for label in parent.findChildren(QLabel):
        assert label.textFormat() is Qt.TextFormat.PlainText or not QtOfText.mightBeRichText(label.text()), label.text()
    for widget in parent.findChildren(QWidget):
        tip = widget.toolTip()
        assert not QtOfText.mightBeRichText(tip) or tip.startswith("<p style="), tip


def test_a_slice_with_a_long_name_leaves_the_controls_in_sight(window: Driver) -> None:
    main = window.window
    main.store.do(actions.RenameSlice(main.store.session.active, f"{MARKED} of the {LONG}"))
    QApplication.processEvents()
    panel = main.panel
    assert panel._heading.whole == f"PLANE OF {MARKED} OF THE {LONG}".upper()
    for control in (panel.offset, panel.normal, panel.to_camera, panel.right, panel.add):
        assert control.mapTo(panel, control.rect().topRight()).x() < panel.width()
    check_plain(panel)
