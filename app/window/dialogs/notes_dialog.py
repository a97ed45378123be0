"""Everything that is known of an open checkpoint, to read and to copy."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.state.session import OpenNetwork
from app.state.texts.notes import full_notes, notes_text
from app.window.parts.controls import closing, label, message_label, without_icons

_WIDTH, _HEIGHT = 620, 460


class NotesDialog(QDialog):
    """Does not stop the program; Copy gives the notes as lines of text."""

    def __init__(self, opened: OpenNetwork, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Notes on {opened.name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(_WIDTH, _HEIGHT)
        notes = full_notes(opened)
        self.text = notes_text(opened)
        table = QWidget(self)
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        for line, (name, text) in enumerate(notes):
            value = QLabel(text, table)
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setWordWrap(True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(label(name, "muted"), line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, line, 1)
        grid.setRowStretch(len(notes), 1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setWidget(table)
        buttons = without_icons(QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self))
        copy = QPushButton("C&opy", self)
        copy.setToolTip("The notes as lines of text")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text))
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        closing(buttons)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(message_label(opened.name, "title"))
        layout.addWidget(area, 1)
        layout.addWidget(buttons)
