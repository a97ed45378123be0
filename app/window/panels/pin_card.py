"""One pinned region in the inspector: everything that is known of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.state.session import Pin, Session
from app.state.texts.facts_text import across, facts_json, facts_text, kind, pattern_lines, title
from app.views.slice.pattern_view import PatternView
from app.window.commands.row_button import row_button, row_link
from app.window.parts.chip import Chip
from app.window.parts.controls import ElidedLabel, ToolButton, button, label
from engine import BEYOND

if TYPE_CHECKING:
    import numpy as np


class PinCard(QFrame):
    """removed; neighbour_wanted(region); neuron_chosen(Neuron); return_wanted: the plane is to go back; toggled: more
    or less of it is to be seen; menu_wanted(place): a menu is called at a place of the screen."""

    removed = Signal()
    neighbour_wanted = Signal(int)
    neuron_chosen = Signal(object)
    return_wanted = Signal()
    toggled = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(self, pin: Pin, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(f"pin {pin.number}")
        self.pin = pin
        facts = pin.facts
        self._name = "" if pin.key is None else session.slice(pin.key).name
        self.badge = QLabel(str(pin.number), self)
        self.badge.setObjectName("badge")
        self.badge.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.badge.setFixedHeight(18)
        self.badge.setMinimumWidth(18)
        self.heading = ElidedLabel(self)
        self.heading.setObjectName("heading")
        self.heading.show_text(title(facts))
        self.copy, self.copy_as_json = row_link("copy facts"), row_link("copy facts as JSON")
        self.copy.clicked.connect(self.copy_text)
        self.copy_as_json.clicked.connect(self.copy_json)
        self.close_button = row_button("unpin")
        self.close_button.clicked.connect(self.removed)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.badge)
        top.addWidget(self.heading, 1)
        top.addWidget(self.copy)
        top.addWidget(self.copy_as_json)
        top.addWidget(self.close_button)
        place = QHBoxLayout()
        place.setSpacing(6)
        self.place = ElidedLabel(self)
        self.place.setObjectName("muted")
        if pin.key is not None:
            place.addWidget(Chip(session.slice(pin.key).accent))
        place.addWidget(self.place, 1)
        self.back = row_link("go back")
        self.back.clicked.connect(self.return_wanted)
        place.addWidget(self.back)
        self.short = ElidedLabel(self)
        self.short.setObjectName("muted")
        self.short.show_text(_minus(f"f = {facts.value:.4g} · |A| = {facts.slope:.4g} · area {facts.area:.3g}"))
        self.body = QWidget(self)
        self._fill_body()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 6, 6, 8)
        layout.setSpacing(3)
        layout.addLayout(top)
        layout.addLayout(place)
        layout.addWidget(self.short)
        layout.addWidget(self.body)

    def _fill_body(self) -> None:
        facts, opened = self.pin.facts, self.pin.opened
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 3, 4, 0)
        column.setSpacing(5)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        lines = (
            ("point", _vector(facts.point), "Where it was clicked, in the network's input space"),
            ("f", f"{facts.value:.9g}", "The network's output at the point"),
            ("A", _vector(facts.gradient), "In the whole region f(x) = A x + b, x in the network's input space"),
            ("b", f"{facts.offset:.9g}", "In the whole region f(x) = A x + b, x in the network's input space"),
            ("|A|", f"{facts.slope:.9g}", "The gradient's Euclidean norm: 1 for a distance"),
            ("area", f"{facts.area:.6g}", f"Of the {kind(facts)}, in the units of the input space"),
            ("centroid", _vector(facts.centroid), f"The {kind(facts)}'s centre of mass"),
        )
        for line, (name, text, tip) in enumerate(lines):
            value = selectable(_minus(text))
            value.setToolTip(tip)
            grid.addWidget(label(name, "muted"), line, 0)
            grid.addWidget(value, line, 1)
        column.addLayout(grid)
        column.addSpacing(3)
        active = sum(len(pattern.active) for pattern in facts.layers)
        neurons = sum(pattern.neurons for pattern in facts.layers)
        heading = QHBoxLayout()
        heading.setSpacing(4)
        caption = label("ACTIVATION PATTERN", "section")
        caption.setToolTip(
            "A neuron is active where its pre-activation is above its breakpoint; click one to follow it"
        )
        heading.addWidget(caption)
        counted = ElidedLabel(self)
        counted.setObjectName("muted")
        counted.show_text(f"{active:,} of {neurons:,} active")
        heading.addWidget(counted, 1)
        self.list_button = ToolButton(self)
        self.list_button.setText("List")
        self.list_button.setObjectName("link")
        self.list_button.setCheckable(True)
        self.list_button.setToolTip("The numbers of the active neurons of each layer")
        heading.addWidget(self.list_button)
        column.addLayout(heading)
        self.pattern = PatternView(opened, facts, self)
        self.pattern.chosen.connect(self.neuron_chosen)
        column.addWidget(self.pattern)
        self.list = selectable("\n".join(pattern_lines(facts, opened)))
        self.list.setWordWrap(True)
        self.list.setObjectName("muted")
        self.list.hide()
        self.list_button.toggled.connect(self.list.setVisible)
        column.addWidget(self.list)
        column.addSpacing(3)
        beyond = label("NEIGHBOURS", "section")
        beyond.setToolTip("What is beyond each edge, and the neuron whose line separates them")
        column.addWidget(beyond)
        self.neighbours: list[QToolButton] = []
        names = QVBoxLayout()
        names.setSpacing(0)
        for neighbour in facts.neighbours:
            if neighbour.region == BEYOND:
                names.addWidget(label("the border of the domain", "muted"))
                continue
            text = across(neighbour, opened)
            link = button(f"{neighbour.region:,}   {text}", "", partial(self.neighbour_wanted.emit, neighbour.region))
            link.setObjectName("link")
            self.neighbours.append(link)
            names.addWidget(link)
        column.addLayout(names)

    def show_state(self, session: Session, can_go: bool, expanded: bool) -> None:
        """Where its plane is now, and how much of the card is to be seen."""
        pin = self.pin
        in_place = session.in_place(pin)
        if pin.key is None or pin.facts.plane is None:
            self.place.show_text("on the surface")
        else:
            self._name = session.slice(pin.key).name
            where = pin.facts.plane.describe().replace("-", "\N{MINUS SIGN}")
            self.place.show_text(
                f"slice {self._name} · {where}" if in_place else f"slice {self._name} · was at {where}, has moved on"
            )
            if not in_place:
                self.place.setToolTip(
                    f"These are the values at {where}, where the plane was when this was pinned; they stay as they are"
                )
        self.back.setVisible(not in_place)
        for link in self.neighbours:
            link.setEnabled(can_go)
            link.setToolTip(
                "Go there: this pin moves to it (Ctrl+Z comes back)" if can_go else "Known once the plane is back there"
            )
        self.pattern.show_state(session.neuron, session.look.style.palette)
        self.body.setVisible(expanded)
        self.short.setVisible(not expanded)

    def copy_text(self) -> None:
        QGuiApplication.clipboard().setText(facts_text(self.pin, self._name))

    def copy_json(self) -> None:
        QGuiApplication.clipboard().setText(facts_json(self.pin, self._name))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if event.position().y() <= self.body.y() or not self.body.isVisible():
            self.toggled.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Space):
            self.toggled.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.removed.emit()
        else:
            super().keyPressEvent(event)


def selectable(text: str) -> QLabel:
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    made.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # the card's menu, which copies all of it
    made.setMinimumWidth(20)
    return made


def _vector(values: np.ndarray) -> str:
    return ", ".join(f"{value:.6g}" for value in values.tolist())


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")
