"""The controls of a comparison: what is drawn between two, which two, what is linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.state import actions
from app.state.comparison import MOST_COLUMNS, Between
from app.window.parts.controls import Choice, command_button, label, shortened

if TYPE_CHECKING:
    from app.state.session import Session
    from app.state.store import Change, Store
    from app.window.commands.commands import Commands

_MOST_OF_NAME = 24  # characters


class CompareStrip(QFrame):
    def __init__(self, store: Store, commands: Commands, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self._store = store
        self.buttons = {between: command_button(commands[between.value]) for between in Between}
        self.first, self.second = self._choice("A", 0), self._choice("B", 1)
        self.more = Choice(self)
        self.more.setToolTip("Add a checkpoint of the list as a column, up to six")
        self.more.setAccessibleName("add a column")
        self.more.activated.connect(self._add)
        self._swap = command_button(commands["swap pair"], words=False)
        self._of_pair = (label("A", "heading"), self.first, self._swap, label("B", "heading"), self.second)
        above, below = QHBoxLayout(), QHBoxLayout()
        for button in self.buttons.values():
            above.addWidget(button)
        above.addStretch(1)
        above.addWidget(command_button(commands["end comparison"], words=False))
        for part in self._of_pair:
            below.addWidget(part, 4 if isinstance(part, Choice) else 0)
        below.addWidget(self.more)
        below.addStretch(1)
        below.addWidget(label("linked", "muted"))
        for name in ("link planes", "link zoom", "link cameras"):
            below.addWidget(command_button(commands[name]))
        below.addSpacing(6)
        below.addWidget(command_button(commands["3D columns"]))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 0, 2, 0)
        layout.setSpacing(6)
        for line in (above, below):
            line.setSpacing(5)
            layout.addLayout(line)
        store.listen(self._changed)
        self._show(store.session)

    def _choice(self, letter: str, place: int) -> Choice:
        made = Choice(self)
        made.setToolTip(f"The checkpoint that is {letter}")
        made.setAccessibleName(letter)
        made.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        made.setMinimumContentsLength(6)
        made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        made.setMaximumWidth(200)
        made.activated.connect(lambda chosen: self._choose(place, chosen))
        return made

    def _choose(self, place: int, chosen: int) -> None:
        compared = self._store.session.comparison
        if compared is not None:
            pair = (chosen, compared.pair[1]) if place == 0 else (compared.pair[0], chosen)
            self._store.do(actions.Compare(compared.with_pair(*pair)))

    def _add(self, row: int) -> None:
        compared, network = self._store.session.comparison, self.more.itemData(row)
        if compared is not None and network is not None:
            self._store.do(actions.Compare(compared.adding(network)))
        self.more.setCurrentIndex(0)

    def _changed(self, change: Change) -> None:
        if not isinstance(change.action, actions.MovePlane):
            self._show(change.after)

    def _show(self, session: Session) -> None:
        compared = session.comparison
        pairs = compared is not None and compared.between is not Between.SIDE
        for part in self._of_pair:
            part.setVisible(pairs)
        self.more.setVisible(not pairs)
        if compared is None:
            return
        names = [shortened(session.networks[network].name, _MOST_OF_NAME) for network in compared.columns]
        for choice, place in ((self.first, compared.pair[0]), (self.second, compared.pair[1])):
            choice.clear()
            choice.addItems(names)
            choice.setCurrentIndex(place)
        self.more.clear()
        self.more.addItem("Add a column")
        for network, opened in enumerate(session.networks):
            if network not in compared.columns:
                self.more.addItem(shortened(opened.name, _MOST_OF_NAME), network)
        self.more.setEnabled(self.more.count() > 1 and len(compared.columns) < MOST_COLUMNS)
