"""The commands as Qt's actions: what they do, when they are to be had, what is undone and redone next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from app.state import actions
from app.state.session import Session
from app.state.store import Change, Store
from app.window.commands.command import Command
from app.window.commands.table import COMMANDS, MENUS
from app.window.parts.controls import in_menu
from app.window.parts.icons import icon

_MOST_OF_STEP: Final = 60  # characters
_STEPS: Final = ("undo", "redo")


class Commands(QObject):
    """One QAction for each row of the table, by its name."""

    def __init__(self, store: Store, parent: QObject) -> None:
        super().__init__(parent)
        self._store = store
        self._actions = {name: self._made(command) for name, command in COMMANDS.items()}
        self._show(store.session)
        store.listen(self._changed)

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def attach(self, calls: Mapping[str, Callable[[], object]]) -> None:
        """Give all commands that are no actions on the session their calls; raises ValueError for other names."""
        wanted = {name for name, command in COMMANDS.items() if command.action is None}
        if calls.keys() != wanted:
            raise ValueError(f"calls for other commands than those of the table: {sorted(calls.keys() ^ wanted)}")
        for name, call in calls.items():
            self._actions[name].triggered.connect(partial(_call, call))

    def fill(self, bar: QMenuBar) -> dict[str, QMenu]:
        """The menus of the table; returns the submenus by their titles."""
        submenus: dict[str, QMenu] = {}
        for menu in MENUS:
            made = bar.addMenu(menu.title)
            for entry in menu.entries:
                if entry is None:
                    made.addSeparator()
                    continue
                made.addAction(self._actions[entry.name])
                if menu.submenu and menu.submenu not in submenus:
                    submenus[menu.submenu] = made.addMenu(menu.submenu)
        return submenus

    def _made(self, command: Command) -> QAction:
        action = QAction(command.text + (f"\t{command.elsewhere}" if command.elsewhere else ""), self)
        if command.icon:
            action.setIcon(icon(command.icon))
        action.setIconText(command.label or command.words)
        shown = QKeySequence(command.key).toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip((command.tip or command.words) + (f" ({shown})" if shown else ""))
        action.setShortcut(QKeySequence(command.key))
        action.setCheckable(command.checkable or command.checked is not None)
        meaning = command.action
        if meaning is not None:
            action.triggered.connect(lambda _=False: self._store.do(meaning(self._store.session)))
        return action

    def _changed(self, change: Change) -> None:
        self._show_steps()
        if not isinstance(change.action, actions.MovePlane):
            self._show(change.after)

    def _show(self, session: Session) -> None:
        for name, command in COMMANDS.items():
            action = self._actions[name]
            if name not in _STEPS:
                action.setEnabled(command.enabled(session))
            if command.checked is not None:
                action.setChecked(command.checked(session))
        self._show_steps()

    def _show_steps(self) -> None:
        """Name the steps that would be undone and redone."""
        history = self._store.history
        for name, step in zip(_STEPS, (history.next_undone, history.next_redone), strict=True):
            action, text = self._actions[name], COMMANDS[name].text
            action.setText(text if step is None else f"{text} {in_menu(step, _MOST_OF_STEP)}")
            action.setEnabled(step is not None)


def _call(call: Callable[[], object], checked: bool = False) -> None:
    call()
