"""Level and domain of the network that is shown, to be typed."""

from __future__ import annotations

import math
import re

import numpy as np
from PySide6.QtWidgets import QFormLayout, QLineEdit, QWidget

from app.state import actions
from app.state.store import Change, Store
from app.window.parts.controls import label, restyle
from app.window.parts.number_field import NumberField

_LARGEST = 1e12
_LEVEL = "level: f on the surface and on the heavy line of every slice"
_DOMAIN = "domain: the box, as a range for all axes (-1, 1), or its lower corner and then its upper one (6 numbers)"


class FrameFields(QWidget):
    """Fields for level and domain; what is typed is a step to undo."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.level, self.domain = NumberField("level", self), QLineEdit(self)
        self.level.step = 1e-6
        self.domain.setAccessibleName("domain")
        self.domain.setMinimumWidth(50)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.setHorizontalSpacing(12)
        form.addRow(label("level", "muted"), self.level)
        form.addRow(label("domain", "muted"), self.domain)
        self.level.entered.connect(self._set_level)
        self.domain.editingFinished.connect(self._set_domain)
        self.domain.textEdited.connect(lambda: restyle(self.domain, "wrong", False))
        store.listen(self._changed)
        self._show()

    def _changed(self, change: Change) -> None:
        if change.after.opened is not change.before.opened:
            self._show()

    def _show(self) -> None:
        opened = self._store.session.opened
        self.setVisible(opened is not None)
        if opened is None:
            return
        self.level.show_value(opened.level)
        self.level.setToolTip(_LEVEL)
        low, high = opened.domain.tolist()
        same = len(set(low)) == len(set(high)) == 1
        numbers = [low[0], high[0]] if same else [*low, *high]
        self.domain.setText(", ".join(repr(number + 0.0).removesuffix(".0") for number in numbers))
        self.domain.setCursorPosition(0)
        self.domain.setModified(False)
        self.domain.setToolTip(_DOMAIN)
        restyle(self.domain, "wrong", False)

    def _set_level(self, level: float) -> None:
        opened = self._store.session.opened
        if opened is not None and level != opened.level:
            self._store.do(actions.FrameNetwork(opened, None, level))

    def _set_domain(self) -> None:
        opened = self._store.session.opened
        if opened is None or not self.domain.isModified():
            return
        box = parse_box(self.domain.text())
        restyle(self.domain, "wrong", box is None)
        if box is None:
            return
        self.domain.setModified(False)
        if np.array_equal(box, opened.domain):
            self._show()
        else:
            self._store.do(actions.FrameNetwork(opened, box, opened.level))


def parse_box(text: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]] | None:
    """Lower and upper corner (2, 3) from two numbers or six; None where they are no box."""
    words = [word for word in re.split(r"[\s,;]+", text.replace("\N{MINUS SIGN}", "-")) if word]
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return None
    if len(numbers) == 2:
        numbers = [numbers[0]] * 3 + [numbers[1]] * 3
    if len(numbers) != 6 or not all(math.isfinite(number) and abs(number) <= _LARGEST for number in numbers):
        return None
    box = np.array(numbers).reshape(2, 3)
    return box if (box[0] < box[1]).all() else None
