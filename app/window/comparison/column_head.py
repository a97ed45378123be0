"""The title of a column: its checkpoint, and what is at the point of the mouse there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from app.window.parts.chip import Chip
from app.window.parts.controls import ElidedLabel, icon_button, label
from app.window.parts.icons import icon

if TYPE_CHECKING:
    from app.state.palette import RGB


class ColumnHead(QFrame):
    """left: the column is to go."""

    left = Signal()

    def __init__(self, name: str, letter: str, accent: RGB, tip: str, removable: bool, parent: QWidget) -> None:
        """letter: "A" or "B", "" for neither."""
        super().__init__(parent)
        self.name, self.readout = ElidedLabel(self), ElidedLabel(self)
        self.name.setObjectName("heading")
        self.name.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.show_name(name, tip)
        self.readout.setObjectName("muted")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 2, 4, 2)
        layout.setSpacing(7)
        layout.addWidget(Chip(accent, self))
        if letter:
            layout.addWidget(label(letter, "heading"))
        layout.addWidget(self.name)
        layout.addWidget(self.readout, 1)
        self.close_button = icon_button(icon("cross"), "Take this column out of the comparison", 12)
        self.close_button.setVisible(removable)
        self.close_button.clicked.connect(self.left)
        layout.addWidget(self.close_button)

    def show_name(self, name: str, tip: str) -> None:
        self.name.show_text(name, tip)
