"""A row of the table of commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.state.actions import Action
from app.state.session import Session


def always(session: Session) -> bool:
    return True


def opened(session: Session) -> bool:
    """A network is shown."""
    return session.opened is not None


def sliced(session: Session) -> bool:
    """There is an active slice of a network."""
    return session.opened is not None and session.active is not None


def several(session: Session) -> bool:
    """There are networks to be compared."""
    return session.opened is not None and len(session.networks) > 1


def comparing(session: Session) -> bool:
    """Networks are compared."""
    return session.comparison is not None


def stepping(session: Session) -> bool:
    """There is a timeline."""
    return session.timeline is not None


@dataclass(frozen=True, eq=False, slots=True)
class Command:
    """Something that a person can do, wherever it is offered.

    name: its own in the table; text: of an entry in a menu, with & before the letter that chooses it; key: as
    QKeySequence writes it, "" for none; tip: what a button of it says, without the key; label: text of a button, where
    it is not that of the menu; icon: its name, see `app.window.parts.icons`; elsewhere: a key that the views take
    themselves, to be shown beside the entry.

    enabled: whether it means something in a session.  action: what it does to the session; a command without one is
    a call, which the window knows (see `Commands.attach`).  checked: whether a tick is set, of one that has a tick;
    checkable without `checked`: the window sets the tick.
    """

    name: str
    text: str
    key: str = ""
    action: Callable[[Session], Action] | None = None
    enabled: Callable[[Session], bool] = always
    tip: str = ""
    label: str = ""
    icon: str = ""
    elsewhere: str = ""
    checked: Callable[[Session], bool] | None = None
    checkable: bool = False

    @property
    def words(self) -> str:
        """The text as it is read."""
        return self.text.replace("&", "").removesuffix("…")


@dataclass(frozen=True, slots=True)
class Menu:
    """entries: commands, and None for a line between them; `submenu`: one that is filled as the window goes on, after
    the first command."""

    title: str
    entries: tuple[Command | None, ...]
    submenu: str = ""
