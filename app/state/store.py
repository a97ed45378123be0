"""The one place where the session changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.state.actions import Action, applied
from app.state.session import Session


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """What was done, and the session before and after it."""

    action: Action
    before: Session
    after: Session


Listener = Callable[[Change], None]


class Store:
    """Holds the session; whoever shows some of it listens to changes."""

    def __init__(self) -> None:
        self._session = Session()
        self._listeners: list[Listener] = []

    @property
    def session(self) -> Session:
        return self._session

    def listen(self, listener: Listener) -> None:
        """Call `listener` after every change, in the order of these calls."""
        self._listeners.append(listener)

    def do(self, action: Action) -> None:
        before, self._session = self._session, applied(self._session, action)
        change = Change(action, before, self._session)
        for listener in self._listeners:
            listener(change)
