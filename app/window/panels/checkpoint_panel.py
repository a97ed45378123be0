"""The list of open checkpoints, with notes on the one that is shown."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.control.drawn_slice import DrawnSlice
from app.control.live_slices import LiveSlices
from app.state import actions
from app.state.session import OpenNetwork
from app.state.store import Change, Store
from app.state.texts.notes import architecture, network_notes
from app.window.commands.commands import Commands
from app.window.commands.row_button import row_button
from app.window.dialogs.notes_dialog import NotesDialog
from app.window.parts.controls import (
    ElidedLabel,
    Tick,
    as_tip,
    command_button,
    keep_in,
    label,
    message_label,
    restyle,
)
from app.window.parts.tab_order import bring_in_sight

_MOST_NOTES = 5
_LONGEST_WORD = 20  # characters, in the card's narrow column


class CheckpointCard(QFrame):
    """chosen, closed, reload_wanted: a click, and its buttons; menu_wanted(place): a menu is called at a place of the
    screen."""

    chosen = Signal()
    closed = Signal()
    reload_wanted = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(self, opened: OpenNetwork, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(f"checkpoint {opened.name}")
        self.setToolTip(as_tip(str(opened.path or "a module of the calling program")))
        self.opened = opened
        self.name = ElidedLabel(self)
        self.name.setObjectName("heading")
        self.name.show_text(opened.name)
        self.reload = row_button("reload checkpoint")
        self.reload.clicked.connect(self.reload_wanted)
        self.reload.setVisible(opened.path is not None)
        self.details = row_button("checkpoint notes")
        self.details.clicked.connect(self._show_details)
        self.close_button = row_button("close this checkpoint")
        self.close_button.clicked.connect(self.closed)
        self.short = label(architecture(opened), "muted")
        top = QHBoxLayout()
        top.setSpacing(2)
        top.addWidget(self.name, 1)
        top.addWidget(self.details)
        top.addWidget(self.reload)
        top.addWidget(self.close_button)
        self.notes = QWidget(self)
        grid = QGridLayout(self.notes)
        grid.setContentsMargins(0, 0, 4, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        notes = network_notes(opened)
        for line, (name, text) in enumerate(notes[:_MOST_NOTES]):
            self._add_note(grid, line, name, text)
        self.regions = ElidedLabel(self)  # in one line, whatever the numbers: a hand may be on what is below
        grid.addWidget(label("regions", "muted"), len(notes), 0)
        grid.addWidget(self.regions, len(notes), 1)
        if len(notes) > _MOST_NOTES:
            self.notes.setToolTip(as_tip("\n".join(f"{name}: {text}" for name, text in notes)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 4, 4, 6)
        layout.setSpacing(1)
        layout.addLayout(top)
        layout.addWidget(self.short)
        layout.addWidget(self.notes)

    def _show_details(self) -> None:
        NotesDialog(self.opened, self).open()

    def _add_note(self, grid: QGridLayout, line: int, name: str, text: str) -> None:
        value = message_label(text, longest=_LONGEST_WORD)
        value.setToolTip(as_tip(text))
        grid.addWidget(label(name, "muted"), line, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(value, line, 1)

    def show_state(self, active: bool) -> None:
        restyle(self, "active", active)
        self.notes.setVisible(active)
        self.short.setVisible(not active)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Space):
            self.chosen.emit()
        else:
            super().keyPressEvent(event)


class CheckpointPanel(QWidget):
    """reload_wanted(OpenNetwork): its button; menu_wanted(OpenNetwork, place): a menu is called on its card."""

    reload_wanted = Signal(object)
    menu_wanted = Signal(object, QPoint)

    def __init__(self, store: Store, slices: LiveSlices, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self._store, self._slices = store, slices
        self.cards: list[CheckpointCard] = []
        self.automatic = Tick("Reload changed files", self)
        self.automatic.setToolTip("When a file changes on disk, as in a training run: read it again at once")
        self.add = command_button(commands["open"], words=False)
        heading = QHBoxLayout()
        heading.addWidget(label("CHECKPOINTS", "section"))
        heading.addStretch(1)
        heading.addWidget(self.add)
        self._list = QVBoxLayout()
        self._list.setSpacing(5)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 6)
        layout.setSpacing(8)
        layout.addLayout(heading)
        layout.addLayout(self._list)
        layout.addWidget(self.automatic)
        self._reveal = QTimer(self)  # once the cards have their places
        self._reveal.setSingleShot(True)
        self._reveal.timeout.connect(self._show_active)
        store.listen(self._changed)
        slices.computed.connect(lambda *_: self._show_regions())
        slices.failed.connect(lambda *_: self._show_regions())
        self._show()

    def _changed(self, change: Change) -> None:
        if change.before.networks != change.after.networks or change.before.opened is not change.after.opened:
            self._show()
        if change.before.opened is not change.after.opened:
            self._reveal.start()
        if not isinstance(change.action, actions.MovePlane):
            self._show_regions()

    def _show(self) -> None:
        session = self._store.session
        known = {id(card.opened): card for card in self.cards}
        kept = [known.get(id(opened)) or self._card(opened) for opened in session.networks]
        keep_in(self._list, self.cards, kept)
        self.cards = kept
        for card in kept:
            card.show_state(card.opened is session.opened)
        self.automatic.setVisible(bool(kept))

    def _show_active(self) -> None:
        """Scroll to the card of the network that is shown."""
        for card in self.cards:
            if card.opened is self._store.session.opened:
                bring_in_sight(card)

    def _card(self, opened: OpenNetwork) -> CheckpointCard:
        card = CheckpointCard(opened, self)
        card.chosen.connect(lambda: self._choose(opened))
        card.closed.connect(lambda: self._store.do(actions.CloseNetwork(opened)))
        card.reload_wanted.connect(lambda: self.reload_wanted.emit(opened))
        card.menu_wanted.connect(lambda place: self.menu_wanted.emit(opened, place))
        return card

    def _choose(self, opened: OpenNetwork) -> None:
        if opened is not self._store.session.opened:
            self._store.do(actions.ShowNetwork(opened))

    def _show_regions(self) -> None:
        session = self._store.session
        card = next((card for card in self.cards if card.opened is session.opened), None)
        if card is None or self._slices.idle:  # while checkpoints are compared it stays as it was
            return
        found = [(part.name, self._slices.result(part.key)) for part in session.slices]
        counts = [f"{name} {_count(drawn)}" for name, drawn in found if drawn is not None]
        card.regions.show_text(" · ".join(counts))


def _count(drawn: DrawnSlice) -> str:
    """Of regions; more will come where it is of the first layers."""
    return f"{drawn.answer.partition.regions:,}" + ("" if drawn.answer.complete else "\N{HORIZONTAL ELLIPSIS}")
