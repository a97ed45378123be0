"""Fields for numbers and vectors that are typed."""

from __future__ import annotations

import math
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.state.texts.numbers import number_text
from app.window.parts.controls import restyle


class NumberField(QLineEdit):
    """step: numbers so far apart are shown as different ones.

    entered(value): a finite number was typed and confirmed; anything else turns the field red and is not taken."""

    entered = Signal(float)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setMinimumWidth(50)
        self._value, self.step = 0.0, 1e-3
        self.editingFinished.connect(self._finish)
        self.textEdited.connect(lambda: self._mark(False))

    @property
    def value(self) -> float:
        return self._value

    @property
    def typed(self) -> float:
        """What stands in the field, confirmed or not; nan when it is no number."""
        if not self.isModified():
            return self._value
        try:
            return float(self.text().replace(",", ".").replace("\N{MINUS SIGN}", "-"))
        except ValueError:
            return math.nan

    def show_value(self, value: float) -> None:
        self._value = value
        if not (self.hasFocus() and self.isModified()):
            text = number_text(value, self.step)
            if text != self.text():
                self.setText(text)
            self.setModified(False)
            self.setCursorPosition(0)
            self.setToolTip(f"{self.accessibleName()}: {value!r}")
            self._mark(False)

    def _finish(self) -> None:
        if not self.isModified():
            return
        value = self.typed
        if not math.isfinite(value) or abs(value) > 1e12:
            self._mark(True)
            return
        self._mark(False)
        self.setModified(False)
        self._value = value
        self.entered.emit(value)

    def _mark(self, wrong: bool) -> None:
        restyle(self, "wrong", wrong)


class VectorField(QWidget):
    """Three numbers; entered(place, value): one of them was typed."""

    entered = Signal(int, float)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields = [NumberField(f"{name} {axis}", self) for axis in "xyz"]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for place, field in enumerate(self.fields):
            layout.addWidget(field)
            field.entered.connect(partial(self.entered.emit, place))

    def show_values(self, values: list[float]) -> None:
        for field, value in zip(self.fields, values, strict=True):
            field.show_value(value + 0.0)
