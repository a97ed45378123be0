"""All keys and gestures on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.window.parts.controls import ScrollArea, label, without_icons

Line = tuple[str, str]
_BAR, _AROUND = 12, 140  # pixels: a scroll bar, and what is around the sheet on a screen
Section = tuple[str, Sequence[Line]]

BY_HAND: Final[tuple[tuple[str, tuple[Line, ...]], ...]] = (
    (
        "Planes",
        (
            ("Drag its frame or knob", "move it along its normal"),
            ("Shift and drag", "the same, anywhere on it"),
            ("Drag the arrow's tip", "tilt it"),
            ("Ctrl and wheel", "move it in small steps"),
            ("Arrows, Page Up, Page Down", "move it; Shift 10 \N{MULTIPLICATION SIGN}, Ctrl \N{DIVISION SLASH} 10"),
        ),
    ),
    (
        "Views",
        (
            ("Drag", "turn the camera; pan a slice"),
            ("Right button, or the menu key", "a menu of what is there"),
            ("Right button and drag", "move the camera"),
            ("Alt and click", "turn about this point; beside everything: about the middle"),
            ("Click on an axis in the corner", "look from there"),
            ("Alt and arrows", "the same by keys; with Shift move the camera"),
            ("Wheel, or + and \N{MINUS SIGN}", "zoom, to what is under the mouse"),
            ("Enter, in a view", "a pointer: arrows move it, Enter clicks, Esc ends"),
            ("Double click in a slice, or 0", "all of it; again: a small slice alone"),
            ("Double click on its title", "this slice alone, and back"),
            ("Drag the line of a swipe, or < and >", "A at its left, B at its right"),
        ),
    ),
    (
        "Neurons and layers",
        (
            ("Hover", "what is under the mouse"),
            ("Click on a line", "follow its neuron everywhere"),
            ("Click inside a region or on a facet", "pin it in the inspector"),
            ("Shift and click in a slice", "pin, also beside a line"),
            ("Esc", "no highlight"),
            ("Click in the legend", "hide or show a layer"),
            ("Double click in the legend", "only this layer"),
        ),
    ),
)


class ShortcutsDialog(QDialog):
    """sections: the keys of each menu, with its title."""

    def __init__(self, sections: Sequence[Section], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and gestures")
        self.sections = tuple(sections)
        columns = QHBoxLayout()
        columns.setSpacing(34)
        for shared in _shared([*self.sections, *BY_HAND]):
            column = QVBoxLayout()
            column.setSpacing(4)
            for title, lines in shared:
                column.addWidget(label(title.upper(), "section"))
                column.addLayout(_table(lines))
                column.addSpacing(10)
            column.addStretch(1)
            columns.addLayout(column)
        buttons = without_icons(QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self))
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 16)
        layout.setSpacing(12)
        page = QWidget(self)
        page.setObjectName("panel")
        page.setLayout(columns)
        scroll = ScrollArea(self)  # where the screen is lower than the sheet
        scroll.setWidget(page)
        room, needed = self.screen().availableSize(), page.sizeHint()
        scroll.setMinimumSize(
            min(needed.width() + _BAR, room.width() - _AROUND), min(needed.height(), room.height() - _AROUND)
        )
        layout.addWidget(scroll)
        layout.addWidget(buttons)


def _shared(sections: Sequence[Section]) -> list[list[Section]]:
    """Over three columns, about equally long."""
    filled = [section for section in sections if section[1]]
    total = sum(len(lines) + 2 for _, lines in filled)
    columns: list[list[Section]] = [[], [], []]
    done = 0
    for section in filled:
        size = len(section[1]) + 2
        columns[min(3 * (2 * done + size) // (2 * total), 2)].append(section)
        done += size
    return columns


def _table(lines: Sequence[Line]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(3)
    grid.setColumnStretch(1, 1)
    for place, (key, text) in enumerate(lines):
        shown = QLabel(key)
        shown.setObjectName("heading")
        grid.addWidget(shown, place, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(label(text, "muted"), place, 1)
    return grid
