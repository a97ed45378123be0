"""The title of a column: its checkpoint, and what is at the point of the mouse there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.window.parts.chip import Chip
from app.window.parts.controls import ElidedLabel, icon_button, label
from app.window.parts.icons import icon

if TYPE_CHECKING:
    from app.state.palette import RGB


_NARROW: Final = 260  # pixels


class ColumnHead(QFrame):
    """left: the column is to go."""

    left = Signal()

    def __init__(self, name: str, letter: str, accent: RGB, tip: str, removable: bool, parent: QWidget) -> None:
        """letter: "A" or "B", "" for neither."""
        super().__init__(parent)
        self.name, self.readout = ElidedLabel(self), label("", "small")
        self.name.setObjectName("heading")
        self.name.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.show_name(name, tip)
        self.readout.setWordWrap(True)
        self.readout.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        title = QHBoxLayout()
        title.setSpacing(7)
        title.addWidget(Chip(accent, self))
        if letter:
            title.addWidget(label(letter, "heading"))
        title.addWidget(self.name)
        title.addStretch(1)
        self.close_button = icon_button(icon("cross"), "Take this column out of the comparison", 12)
        self.close_button.setVisible(removable)
        self.close_button.clicked.connect(self.left)
        title.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 2, 4, 0)
        layout.setSpacing(0)
        layout.addLayout(title)
        layout.addWidget(self.readout)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Narrow, it has two lines for what is read, also while there is nothing: tiles stay where they are."""
        super().resizeEvent(event)
        lines = 1 if self.width() >= _NARROW else 2
        self.readout.setFixedHeight(lines * self.readout.fontMetrics().lineSpacing() + 1)

    def show_name(self, name: str, tip: str) -> None:
        self.name.show_text(name, tip)
