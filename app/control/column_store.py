"""A store that shows the session as one column of a comparison does: what serves one network serves each column."""

from __future__ import annotations

from dataclasses import replace

from app.state.actions import Action, MovePlane, Restore, ShowStep
from app.state.columns import seen_in_column
from app.state.session import OpenNetwork, Session
from app.state.store import Store


class ColumnStore(Store):
    """Passes what is done here on to the session; the one who made this calls `follow` after each change of it."""

    def __init__(self, main: Store, opened: OpenNetwork) -> None:
        super().__init__()
        self._main, self.opened = main, opened
        self.history = main.history

    def follow(self, action: Action) -> None:
        """Tell the listeners what an action on the session changed here, if anything."""
        before, after = self._session, seen_in_column(self._main.session, self.opened, self._session)
        if isinstance(action, MovePlane) and before.slice(action.key).plane is after.slice(action.key).plane:
            if not action.live and action.column is None:
                self._change(action, after)  # the hand has let go
            return
        if not isinstance(action, MovePlane | ShowStep):
            action = Restore(after, "follow the session")
        self._change(action, after)

    def begin(self) -> None:
        """Show the session to those who listen by now."""
        after = seen_in_column(self._main.session, self.opened, Session())
        self._change(Restore(after, "begin"), after)

    def do(self, action: Action) -> None:
        if isinstance(action, MovePlane):
            action = replace(action, column=self._main.session.networks.index(self.opened))
        self._main.do(action)

    def undo(self) -> None:
        self._main.undo()

    def take_back(self) -> None:
        self._main.take_back()

    def redo(self) -> None:
        self._main.redo()
