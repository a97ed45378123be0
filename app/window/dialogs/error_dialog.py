"""An error: one sentence, and detail that can be copied."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from app.window.parts.controls import message_label, without_icons


class ErrorDialog(QDialog):
    """action: the text of a further button, which closes the dialog, and what it does then."""

    def __init__(
        self,
        heading: str,
        message: str,
        detail: str,
        parent: QWidget | None = None,
        action: tuple[str, Callable[[], None]] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("SplineScope")
        self.setMinimumWidth(520)
        self.detail = detail
        icon = QLabel(self)
        standard = self.style().standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning)
        icon.setPixmap(standard.pixmap(36, 36))
        title = message_label(heading, "title")
        self.message = message_label(message)
        self.message.setMinimumWidth(430)
        self.text = QPlainTextEdit(detail, self)
        self.text.setReadOnly(True)
        self.text.setMinimumHeight(110)
        self.text.setVisible(detail not in message)  # nothing twice
        self.text.setAccessibleName("detail")
        self.copy = QPushButton("&Copy detail", self)
        self.copy.setToolTip("For a bug report")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(detail))
        buttons = without_icons(QDialogButtonBox(QDialogButtonBox.StandardButton.Ok, self))
        buttons.accepted.connect(self.accept)
        buttons.addButton(self.copy, QDialogButtonBox.ButtonRole.ActionRole)
        self.action: QPushButton | None = None
        if action is not None:
            text, do = action
            self.action = QPushButton(text, self)
            buttons.addButton(self.action, QDialogButtonBox.ButtonRole.ActionRole)
            self.action.clicked.connect(self.accept)
            self.action.clicked.connect(do)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(title)
        column.addWidget(self.message)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(icon)
        top.addLayout(column, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(14)
        layout.addLayout(top)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
