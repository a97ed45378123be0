"""What a person can do to a session, and what each does: pure functions from session to session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

import numpy as np

from app.state.look import Fill, SceneLook
from app.state.palette import ACCENTS
from app.state.session import Neuron, OpenNetwork, Session, Slice
from engine import SlicePlane

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, slots=True)
class Open:
    """Show a network, by three slices across the axes through `centre` (3,)."""

    opened: OpenNetwork
    centre: NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class MovePlane:
    """live: the hand has not let go; the next move will follow soon."""

    key: int
    plane: SlicePlane
    live: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class AddSlice:
    plane: SlicePlane
    name: str | None = None


@dataclass(frozen=True, slots=True)
class DuplicateSlice:
    key: int


@dataclass(frozen=True, slots=True)
class RenameSlice:
    key: int
    name: str


@dataclass(frozen=True, slots=True)
class ShowSlice:
    key: int
    visible: bool


@dataclass(frozen=True, slots=True)
class RemoveSlice:
    key: int


@dataclass(frozen=True, slots=True)
class ActivateSlice:
    key: int


@dataclass(frozen=True, slots=True)
class ChangeLook:
    look: SceneLook


@dataclass(frozen=True, slots=True)
class ChangeFill:
    fill: Fill


@dataclass(frozen=True, slots=True)
class SelectNeuron:
    """None: no neuron is highlighted any more."""

    neuron: Neuron | None


@dataclass(frozen=True, slots=True)
class TileSlices:
    """All slices side by side, or the active one alone."""

    tiled: bool


Action = (
    Open
    | MovePlane
    | AddSlice
    | DuplicateSlice
    | RenameSlice
    | ShowSlice
    | RemoveSlice
    | ActivateSlice
    | ChangeLook
    | ChangeFill
    | SelectNeuron
    | TileSlices
)


def applied(session: Session, action: Action) -> Session:
    """The session after an action.  Raises KeyError for a slice that is not there."""
    match action:
        case Open():
            return _opened(session, action)
        case MovePlane():
            return _with(session, replace(session.slice(action.key), plane=action.plane))
        case AddSlice():
            return _added(session, action.plane, action.name)
        case DuplicateSlice():
            part = session.slice(action.key)
            return _added(session, part.plane, f"{part.name} copy")
        case RenameSlice():
            name = " ".join(action.name.split())
            return _with(session, replace(session.slice(action.key), name=name)) if name else session
        case ShowSlice():
            return _with(session, replace(session.slice(action.key), visible=action.visible))
        case RemoveSlice():
            return _removed(session, session.slice(action.key))
        case ActivateSlice():
            return replace(session, active=session.slice(action.key).key)
        case ChangeLook():
            return replace(session, look=action.look)
        case ChangeFill():
            return replace(session, fill=action.fill)
        case SelectNeuron():
            return replace(session, neuron=action.neuron)
        case TileSlices():
            return replace(session, tiled=action.tiled)
        case _:
            assert_never(action)


def _opened(session: Session, action: Open) -> Session:
    first = session.next_key
    slices = tuple(
        Slice(first + i, axis, SlicePlane.from_axis(axis, float(action.centre[i])), i) for i, axis in enumerate("xyz")
    )
    look = replace(session.look, hidden_depths=frozenset())
    return replace(
        session, opened=action.opened, slices=slices, active=first + 2, look=look, neuron=None, next_key=first + 3
    )


def _with(session: Session, changed: Slice) -> Session:
    return replace(session, slices=tuple(changed if part.key == changed.key else part for part in session.slices))


def _added(session: Session, plane: SlicePlane, name: str | None) -> Session:
    used = [part.colour % len(ACCENTS) for part in session.slices]
    colour = min(range(len(ACCENTS)), key=lambda k: (used.count(k), k))
    key = session.next_key
    part = Slice(key, name or f"slice {key + 1}", plane, colour)
    return replace(session, slices=(*session.slices, part), active=key, next_key=key + 1)


def _removed(session: Session, part: Slice) -> Session:
    at = session.slices.index(part)
    rest = session.slices[:at] + session.slices[at + 1 :]
    active = session.active
    if active == part.key:
        active = rest[min(at, len(rest) - 1)].key if rest else None
    return replace(session, slices=rest, active=active)
