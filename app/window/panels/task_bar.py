"""A line above the views while clicks mean something else than usual: what to do, what came out, and how to leave."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.window.parts.controls import button, label


class TaskBar(QFrame):
    """copied, left: its buttons."""

    copied = Signal()
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.hint, self.result = label("", "muted"), label("", "noticeText")
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy = button("Copy", "Copy points and measures with all their digits", self.copied.emit)
        self.leave = button("Leave", "Clicks mean what they usually do (Esc)", self.left.emit)
        for made in (self.copy, self.leave):
            made.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # keys stay with the view that was clicked
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 8, 4)
        layout.setSpacing(8)
        layout.addWidget(self.result)
        layout.addWidget(self.hint, 1)
        layout.addWidget(self.copy)
        layout.addWidget(self.leave)
        self.hide()

    def tell(self, hint: str, result: str = "") -> None:
        self.hint.setText(hint)
        self.result.setText(result)
        self.result.setVisible(bool(result))
        self.copy.setVisible(bool(result))
        self.show()
