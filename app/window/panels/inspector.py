"""The inspector: a card for every pinned region, the newest first."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.control.live_slices import LiveSlices
from app.control.live_surface import LiveSurface
from app.control.pins import Pins
from app.state import actions
from app.state.session import Pin
from app.state.store import Change, Store
from app.window.commands.commands import Commands
from app.window.panels.pin_card import PinCard
from app.window.parts.controls import ScrollArea, command_button, keep_in, label

HINT = (
    "Click inside a region of a slice, in 2D or 3D, or on a facet of the surface: it is pinned here, with its "
    "activation pattern, its affine map and its neighbours.\n\nWith Shift a click in a slice pins "
    "the region also beside a line."
)


class Inspector(QWidget):
    """menu_wanted(Pin, place): a menu is called on its card, at a place of the screen."""

    menu_wanted = Signal(object, QPoint)

    def __init__(
        self, store: Store, pins: Pins, slices: LiveSlices, surface: LiveSurface, commands: Commands,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._store, self._pins = store, pins
        self.cards: list[PinCard] = []
        self._expanded: set[int] = set()
        self._list = QVBoxLayout()
        self._list.setSpacing(6)
        self.hint = QLabel(HINT, self)
        self.hint.setWordWrap(True)
        self.hint.setObjectName("muted")
        self.clear = command_button(commands["unpin all"])
        self._count = label("", "muted")
        top = QHBoxLayout()
        top.addWidget(self._count)
        top.addStretch(1)
        top.addWidget(self.clear)
        inner = QWidget(self)
        inner.setObjectName("panel")
        column = QVBoxLayout(inner)
        column.setContentsMargins(2, 2, 4, 6)
        column.setSpacing(8)
        column.addWidget(self.hint)
        column.addLayout(top)
        column.addLayout(self._list)
        column.addStretch(1)
        self.area = ScrollArea(self)
        self.area.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.area)
        store.listen(self._changed)
        pins.pinned.connect(self._reveal)
        slices.computed.connect(lambda *_: self._show_states())
        surface.computed.connect(lambda *_: self._show_states())
        self._show()

    def _changed(self, change: Change) -> None:
        before, after = change.before, change.after
        if before.pins is not after.pins or before.opened is not after.opened:
            self._show()
        elif after.pins:
            self._show_states()

    def _show(self) -> None:
        shown = self._store.session.shown_pins[::-1]
        known = {id(card.pin): card for card in self.cards}
        numbers = {card.pin.number for card in self.cards}
        self._expanded &= {pin.number for pin in self._store.session.pins}
        fresh = [pin.number for pin in shown if pin.number not in numbers]
        if fresh:
            self._expanded = {fresh[0]}
        kept = [known.get(id(pin)) or self._card(pin) for pin in shown]
        keep_in(self._list, self.cards, kept)
        self.cards = kept
        self.hint.setVisible(not kept)
        self.clear.setVisible(len(kept) > 1)
        self._count.setVisible(len(kept) > 1)
        self._count.setText(f"{len(kept)} pins")
        self._show_states()

    def _card(self, pin: Pin) -> PinCard:
        card = PinCard(pin, self._store.session, self)
        card.removed.connect(lambda: self._store.do(actions.Unpin(pin.number)))
        card.neighbour_wanted.connect(lambda region: self._pins.go(pin, region))
        card.neuron_chosen.connect(lambda neuron: self._store.do(actions.SelectNeuron(neuron)))
        card.return_wanted.connect(lambda: self._pins.bring_back(pin))
        card.toggled.connect(lambda: self._toggle(pin.number))
        card.menu_wanted.connect(lambda place: self.menu_wanted.emit(pin, place))
        return card

    def _show_states(self) -> None:
        session = self._store.session
        for card in self.cards:
            card.show_state(session, self._pins.can_go(card.pin), card.pin.number in self._expanded)

    def _toggle(self, number: int) -> None:
        self._expanded ^= {number}
        self._show_states()

    def _reveal(self, number: int) -> None:
        """A hand has just pinned it: its card is to be seen."""
        self._expanded = {number}
        self._show_states()
        card = next((card for card in self.cards if card.pin.number == number), None)
        if card is not None:  # once it has its place
            QTimer.singleShot(0, card, lambda: self.area.verticalScrollBar().setValue(card.y()))
