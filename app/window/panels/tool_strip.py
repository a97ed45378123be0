"""The strip above the views: what is shown, fills, the search for a neuron, pictures."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QWidget

from app.state import actions
from app.state.look import CLEAREST, Fill
from app.state.session import Session
from app.state.store import Change, Store
from app.window.arrangement import Shape
from app.window.commands.commands import Commands
from app.window.commands.table import SWITCHES
from app.window.parts.controls import Choice, Slider, command_button, label, restyle
from engine import Neuron

_OPACITY_WIDTHS: Final = 34, 76  # pixels
_FILLS: Final = (
    (Fill.NONE, "No fill"),
    (Fill.SIGN, "Inside/outside"),
    (Fill.VALUE, "Value f"),
    (Fill.GRADIENT, "Gradient |A|"),
    (Fill.AREA, "Area"),
    (Fill.RANDOM, "Random"),
)


class ToolStrip(QFrame):
    """refused(why): what was searched for is not there."""

    refused = Signal(str)

    def __init__(self, store: Store, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self._store = store
        self.switches = {command.name: command_button(commands[command.name]) for command in SWITCHES}
        self.opacity = Slider(self)
        self.opacity.setRange(CLEAREST, 100)
        self.opacity.setPageStep(10)
        self.opacity.setMinimumWidth(_OPACITY_WIDTHS[0])
        self.opacity.setMaximumWidth(_OPACITY_WIDTHS[1])
        self.opacity.setAccessibleName("opacity of the surface")
        self.opacity.setToolTip("Opacity of the surface, in percent")
        self.opacity.valueChanged.connect(self._set_opacity)
        self.opacity.sliderReleased.connect(store.history.pause)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(4)
        layout.addWidget(command_button(commands["open"]))
        layout.addSpacing(4)
        for name, switch in self.switches.items():
            layout.addWidget(switch)
            if name == "surface":
                layout.addWidget(self.opacity)
        layout.addSpacing(4)
        layout.addWidget(label("2D fill", "muted"))
        self.fill = Choice(self)
        for fill, text in _FILLS:
            self.fill.addItem(text, fill)
        self.fill.setToolTip("What the regions of the slices are filled with, in their 2D views")
        self.fill.setAccessibleName("fill")
        self.fill.activated.connect(lambda _: store.do(actions.ChangeFill(self.fill.currentData())))
        layout.addWidget(self.fill)
        layout.addStretch(1)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Neuron 5/17")
        self.search.setAccessibleName("neuron")
        self.search.setToolTip(commands["find"].toolTip())
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(84)
        self.search.setMaximumWidth(178)
        self.search.returnPressed.connect(self._search)
        self.search.textChanged.connect(self._cleared)
        layout.addWidget(self.search)
        layout.addWidget(command_button(commands["link"], words=False))
        layout.addLayout(self._shapes(commands))
        compare = command_button(commands["compare"], words=False)
        compare.setObjectName("slim")
        layout.addWidget(compare)
        layout.addWidget(command_button(commands["picture"], words=False))
        store.listen(self._changed)
        self._show(store.session)

    def _shapes(self, commands: Commands) -> QHBoxLayout:
        """A button for each arrangement of the window."""
        side_by_side = QHBoxLayout()
        side_by_side.setSpacing(1)
        for shape in Shape:
            made = command_button(commands[shape.value], words=False)
            made.setObjectName("narrow")
            side_by_side.addWidget(made)
        return side_by_side

    def _changed(self, change: Change) -> None:
        if not isinstance(change.action, actions.MovePlane):
            self._show(change.after)

    def _set_opacity(self, percent: int) -> None:
        self._store.do(actions.ChangeLook(replace(self._store.session.look, opacity=percent), live=True))

    def _show(self, session: Session) -> None:
        with QSignalBlocker(self.opacity):
            self.opacity.setValue(session.look.opacity)
        self.opacity.setEnabled(session.opened is not None and session.look.surface)
        self.fill.setEnabled(session.opened is not None)
        self.fill.setCurrentIndex([fill for fill, _ in _FILLS].index(session.fill))
        neuron = session.neuron
        text = "" if neuron is None else f"{neuron.layer}/{neuron.index}"
        if not self.search.hasFocus() or neuron is not None:
            self.search.setText(text)
            restyle(self.search, "wrong", False)

    def _search(self) -> None:
        neuron = parse_neuron(self.search.text(), self._store.session)
        empty = not self.search.text().strip()
        restyle(self.search, "wrong", neuron is None and not empty)
        if neuron is None and not empty:
            self.refused.emit(_why_none(self.search.text(), self._store.session))
        if neuron is not None or empty:
            self._store.do(actions.SelectNeuron(neuron))

    def _cleared(self, text: str) -> None:
        restyle(self.search, "wrong", False)
        if not text and self._store.session.neuron is not None:
            self._store.do(actions.SelectNeuron(None))


def _why_none(text: str, session: Session) -> str:
    """Return why a text names no neuron, and what would."""
    found = " ".join(text.split())
    if session.opened is None:
        return f"No neuron {found}: open a checkpoint first."
    counts = [len(kink.breakpoints) for kink in session.opened.network.kinks]
    if not counts:
        return f"No neuron {found}: this network has none."
    layer = re.match(r"\s*(\d{1,6})", text)
    if layer is not None and int(layer[1]) < len(counts):
        return f"No neuron {found}: those of layer {int(layer[1])} are 0 to {counts[int(layer[1])] - 1}."
    return f"No neuron {found}: write layer/neuron; layers are 0 to {len(counts) - 1}."


def parse_neuron(text: str, session: Session) -> Neuron | None:
    """The neuron that "5/17" or "5 17" names; None when there is none such."""
    numbers = re.fullmatch(r"\s*(\d{1,6})\s*[/ ,:]\s*(\d{1,6})\s*", text)
    if numbers is None or session.opened is None:
        return None
    layer, index = int(numbers[1]), int(numbers[2])
    kinks = session.opened.network.kinks
    return Neuron(layer, index) if layer < len(kinks) and index < len(kinks[layer].breakpoints) else None
