"""Checkpoints opened, shown, closed, read again; sessions and pictures saved; files that are no checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from app.window.dialogs.error_dialog import ErrorDialog

if TYPE_CHECKING:
    from pathlib import Path

    from tests.app.window.soak.hand import Hand


def open_file(hand: Hand) -> str:
    return _open(hand, hand.chance.choice(hand.files))


def _open(hand: Hand, path: Path) -> str:
    hand.window.open_path(path)
    hand.wait_until(lambda: not hand.window.opener.busy)
    return path.name


def drop_files(hand: Hand) -> str:
    paths = hand.chance.sample(hand.files, 2)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    copy = Qt.DropAction.CopyAction
    QApplication.sendEvent(hand.window, QDragEnterEvent(QPoint(50, 50), copy, data, left, none))
    QApplication.sendEvent(hand.window, QDropEvent(QPointF(50, 50), copy, data, left, none))
    hand.wait(hand.chance.choice([0, 20]))
    return ", ".join(path.name for path in paths)


def open_broken(hand: Hand) -> str:
    hand.wait_until(lambda: not hand.window.opener.busy)  # with what was dropped: it may be read already
    before = hand.session.networks
    hand.window.open_path(hand.broken)
    hand.wait_until(lambda: isinstance(hand.dialog, ErrorDialog))
    assert hand.session.networks is before
    return "refused"


def show_another(hand: Hand) -> str:
    card = hand.chance.choice(hand.window.checkpoints.cards)
    hand.click(card)
    return card.opened.name


def close_checkpoint(hand: Hand) -> str:
    card = hand.chance.choice(hand.window.checkpoints.cards)
    name = card.opened.name
    hand.click(card.close_button)
    return name


def rewrite(hand: Hand) -> str:
    """A file that may be open changes."""
    hand.window.checkpoints.automatic.setChecked(hand.chance.random() < 0.7)
    path = hand.chance.choice(hand.files)
    hand.replace(path, hand.chance.randint(0, 9))
    return path.name


def save_session(hand: Hand) -> str:
    path = hand.folder / hand.chance.choice(["a.session.json", "b.session.json"])
    hand.window.keeper.save_to(path)
    return path.name


def open_session(hand: Hand) -> str | None:
    found = sorted(hand.folder.glob("*.session.json"))
    return _open(hand, hand.chance.choice(found)) if found else None


def picture(hand: Hand) -> str:
    """The dialog; saved small, or left to whatever else is done with it."""
    from app.window.dialogs.picture_dialog import PictureDialog

    hand.window.pictures.choose()
    dialog = hand.dialog
    assert isinstance(dialog, PictureDialog)
    if hand.chance.random() < 0.5:
        return "open"
    dialog.width_field.setValue(hand.chance.randint(16, 700))
    dialog.height_field.setValue(hand.chance.randint(16, 500))
    dialog.save(hand.folder / "picture.png")
    hand.wait_until(lambda: hand.dialog is not dialog)
    return "saved"
