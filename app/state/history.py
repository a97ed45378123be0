"""The steps that led to the session, to be undone and redone.

Sessions are frozen, so a step is a name and the session to go to.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from app.state.action_names import action_name
from app.state.actions import Action, ChangeLook, MovePlane, ShowStep, reloaded
from app.state.session import OpenNetwork, Session, same_picture

_MOST_STEPS: Final = 500
_WIDTHS: Final = ("lines", "level")  # of a style
_OPACITY: Final = "opacity"
_STEP: Final = "step"  # of a training
_MOST_CLOSED_BYTES: Final = 256 << 20
"""Of networks that are not open any more, and are kept for steps that would bring them back."""


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """name: for people, as "Move plane x"; session: where undoing, or redoing, the step leads."""

    name: str
    session: Session


class History:
    """What can be undone and redone.

    Moves of one plane that follow each other while the hand has not let go are one step, and so are changes of one
    width, and of the surface's opacity.  Choosing another slice is a step only where the picture changes with it.

    The newest steps are kept: a number of them, and only as many as bring back closed networks of no more than some
    size; the last step always is.
    """

    def __init__(self, start: Session) -> None:
        self._past: list[Step] = []
        self._future: list[Step] = []
        self._settled = start  # at the end of the last step
        self._held: int | str | None = None  # the plane, or the width, whose changes still belong to the last step

    @property
    def next_undone(self) -> str | None:
        """The name of the step that would be undone; None when there is none."""
        return self._past[-1].name if self._past else None

    @property
    def next_redone(self) -> str | None:
        return self._future[-1].name if self._future else None

    def record(self, action: Action, before: Session, after: Session) -> None:
        held = _held(action, before)
        continued = held is not None and held == self._held
        changed = not same_picture(before, after)
        if continued:
            self._settled = after
        elif changed:
            self._past = [*self._past[1 - _MOST_STEPS :], Step(action_name(action, before), self._settled)]
            self._future = []
            if before.networks is not after.networks:
                self._past = _light_enough(self._past, after)
            self._settled = after
        live = isinstance(action, MovePlane | ChangeLook | ShowStep) and action.live and (changed or continued)
        self._held = held if live else None

    def pause(self) -> None:
        """The hand has let go: the next move is a step of its own."""
        self._held = None

    def undo(self, now: Session) -> Step | None:
        if not self._past:
            return None
        step = self._past.pop()
        self._future.append(Step(step.name, now))
        return self._gone_to(step, now)

    def take_back(self, now: Session) -> Step | None:
        """As `undo`, of a step that was not meant: it cannot be redone."""
        step = self.undo(now)
        if step is not None:
            self._future.pop()
        return step

    def redo(self, now: Session) -> Step | None:
        if not self._future:
            return None
        step = self._future.pop()
        self._past.append(Step(step.name, self._settled))
        return self._gone_to(step, now)

    def _gone_to(self, step: Step, now: Session) -> Step:
        self._settled, self._held = _with_active_of(now, step.session), None
        return replace(step, session=self._settled)

    def reload(self, old: OpenNetwork, new: OpenNetwork) -> None:
        """A file was read again: what it held before cannot come back, in no step."""
        self._past = [_with_reloaded(step, old, new) for step in self._past]
        self._future = [_with_reloaded(step, old, new) for step in self._future]
        self._settled = reloaded(self._settled, old, new)


def _held(action: Action, before: Session) -> int | str | None:
    """The plane that an action moves, by its key, or the name of what else it changes little by little."""
    if isinstance(action, MovePlane):
        return action.key
    if isinstance(action, ShowStep):
        return _STEP
    if not isinstance(action, ChangeLook):
        return None
    old, new = before.look, action.look
    if replace(old, opacity=new.opacity) == new:
        return _OPACITY if old.opacity != new.opacity else None
    changed = [width for width in _WIDTHS if getattr(old.style, width) != getattr(new.style, width)]
    alone = replace(old, style=new.style) == new and old.style.palette is new.style.palette
    return changed[0] if len(changed) == 1 and alone else None


def _with_active_of(now: Session, there: Session) -> Session:
    """A session in which the slice that is worked on stays the active one, if it is there and nothing else is seen."""
    same_slices = {part.key for part in now.slices} == {part.key for part in there.slices}
    return replace(there, active=now.active) if same_slices and not there.shows_active else there


def _with_reloaded(step: Step, old: OpenNetwork, new: OpenNetwork) -> Step:
    return replace(step, session=reloaded(step.session, old, new))


def _light_enough(past: list[Step], now: Session) -> list[Step]:
    """The newest of the steps, without the networks that only older ones would bring back."""
    known, closed = {id(opened.network) for opened in now.networks}, 0
    for at in reversed(range(len(past))):
        fresh = [opened for opened in past[at].session.networks if id(opened.network) not in known]
        known |= {id(opened.network) for opened in fresh}
        closed += sum(_bytes_of(opened) for opened in fresh)
        if closed > _MOST_CLOSED_BYTES and at < len(past) - 1:
            return past[at + 1 :]
    return past


def _bytes_of(opened: OpenNetwork) -> int:
    """Of the arrays that a network holds."""
    values = (getattr(part, field.name) for part in (opened.preview, *opened.network.steps) for field in fields(part))
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))
