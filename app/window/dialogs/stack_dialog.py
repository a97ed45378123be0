"""How many parallel slices, how far from each other, and where."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from app.state import actions
from app.state.geometry.planes import StackPlace, offset, offset_range, stacked
from app.window.parts.controls import Choice, label, message_label, number_box, without_icons
from app.window.parts.number_field import NumberField

if TYPE_CHECKING:
    from app.state.session import Slice
    from app.state.store import Store
    from engine import SlicePlane

_MOST: Final = 64
_MOST_SLICES: Final = 256  # of a session


class StackDialog(QDialog):
    """Of slices parallel to `part`; accepted, they are there."""

    def __init__(self, store: Store, part: Slice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        opened = store.session.opened
        assert opened is not None
        self.setWindowTitle("Stack of slices")
        self.setMinimumWidth(400)
        self._store, self._plane, self._domain = store, part.plane, opened.domain
        self.count = number_box(self, 2, _MOST, 1, "", "How many slices are added")
        self.count.setValue(5)
        self.place = Choice(self)
        for place in StackPlace:
            self.place.addItem(place.value.capitalize(), place)
        self.place.setToolTip("Through the box, around this plane, or from it along its normal")
        self.spacing = NumberField("spacing", self)
        self.spacing.setToolTip("From one plane to the next, in the units of the input space")
        self.name = QLineEdit(f"{part.name} stack", self)
        self.name.setToolTip("Of all of them; each has a number after it")
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(10)
        form.addRow("&Slices", self.count)
        form.addRow("&Where", self.place)
        form.addRow("S&pacing", self.spacing)
        form.addRow("&Name", self.name)
        self.outcome = label("", "muted")
        self.outcome.setWordWrap(True)
        self.buttons = without_icons(QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self))
        self.add = self.buttons.addButton("&Add", QDialogButtonBox.ButtonRole.AcceptRole)
        self.add.setDefault(True)
        self.buttons.accepted.connect(self._add)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(14)
        layout.addWidget(message_label(f"Slices parallel to {part.name}", "title"))
        layout.addLayout(form)
        layout.addWidget(self.outcome)
        layout.addWidget(self.buttons)
        self.count.valueChanged.connect(lambda _: self._show())
        self.place.activated.connect(lambda _: self._show())
        self.spacing.textEdited.connect(lambda _: self._show())
        self._show()
        self.count.setFocus()
        self.count.selectAll()  # to be typed over

    @property
    def planes(self) -> tuple[SlicePlane, ...]:
        """Those that would be added; none when the spacing makes no sense."""
        place, spacing = self.place.currentData(), self.spacing.typed
        if place is not StackPlace.BOX and not (math.isfinite(spacing) and spacing > 0):
            return ()
        return stacked(self._plane, self._domain, self.count.value(), spacing, place)

    def _show(self) -> None:
        wanted, planes = self.count.value(), self.planes
        through = self.place.currentData() is StackPlace.BOX
        self.spacing.setEnabled(not through)
        if through:
            low, high = offset_range(self._plane, self._domain)
            self.spacing.step = 1e-3 * (high - low) / wanted
            self.spacing.show_value((high - low) / wanted)
        room = _MOST_SLICES - len(self._store.session.slices)
        self.add.setEnabled(0 < len(planes) <= room)
        if not planes:
            self.outcome.setText("The spacing is to be a number above 0.")
            return
        if len(planes) > room:
            self.outcome.setText(f"A session has at most {_MOST_SLICES} slices; there is room for {room} more.")
            return
        first, last = (f"{offset(plane) + 0.0:.4g}".replace("-", "\N{MINUS SIGN}") for plane in (planes[0], planes[-1]))
        text = f"Offsets {first} to {last}."
        if len(planes) > 1:
            text = f"Offsets {first} to {last}, {offset(planes[1]) - offset(planes[0]):.4g} apart."
        if len(planes) < wanted:
            text += f" {wanted - len(planes)} of {wanted} would miss the box and are left out."
        self.outcome.setText(text)

    def _add(self) -> None:
        name = " ".join(self.name.text().split()) or "stack"
        self._store.do(actions.AddStack(self.planes, name))
        self.accept()
