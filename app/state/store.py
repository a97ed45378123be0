"""The one place where the session changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.state.actions import Action, ReloadNetwork, Restore, applied
from app.state.history import History
from app.state.session import Session


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """What was done, and the session before and after it."""

    action: Action
    before: Session
    after: Session


Listener = Callable[[Change], None]


class Store:
    """Holds the session and the way it came to be; whoever shows some of it listens to changes."""

    def __init__(self, start: Session | None = None) -> None:
        self._session = Session() if start is None else start
        self.history = History(self._session)
        self._listeners: list[Listener] = []

    @property
    def session(self) -> Session:
        return self._session

    def listen(self, listener: Listener) -> None:
        """Call `listener` after every change, in the order of these calls."""
        self._listeners.append(listener)

    def do(self, action: Action) -> None:
        after = applied(self._session, action)
        if isinstance(action, ReloadNetwork):
            self.history.reload(action.old, action.new)
        else:
            self.history.record(action, self._session, after)
        self._change(action, after)

    def undo(self) -> None:
        """Go back to the session before the last step, if there is one."""
        step = self.history.undo(self._session)
        if step is not None:
            self._change(Restore(step.session, f"undo {step.name}"), step.session)

    def take_back(self) -> None:
        """Undo the last step for good: it was not meant."""
        step = self.history.take_back(self._session)
        if step is not None:
            self._change(Restore(step.session, f"take back {step.name}"), step.session)

    def redo(self) -> None:
        """Go forward again to the session after the step that was undone last, if there is one."""
        step = self.history.redo(self._session)
        if step is not None:
            self._change(Restore(step.session, f"redo {step.name}"), step.session)

    def _change(self, action: Action, after: Session) -> None:
        before, self._session = self._session, after
        change = Change(action, before, after)
        failed: Exception | None = None
        for listener in self._listeners:
            try:
                listener(change)
            except Exception as error:  # the others must hear of it, or views would show different sessions
                failed = failed or error
        if failed is not None:
            raise failed
