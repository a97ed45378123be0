"""What a person can do to a session, and what each does: pure functions from session to session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Final, assert_never

import numpy as np

from app.state.comparison import Compared
from app.state.geometry.planes import kept_in, same_plane
from app.state.look import Fill, SceneLook
from app.state.palette import ACCENTS
from app.state.session import OpenNetwork, Pin, Session, Slice, without_controls
from engine import Neuron, SlicePlane

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from engine import RegionFacts

_LONGEST_NAME: Final = 200  # characters


@dataclass(frozen=True, eq=False, slots=True)
class Open:
    """Add a network to the list, in the place of one from the same file, and show it.

    The planes stay where they meet its domain; when there are none, three
    are made across the axes, through `centre` (3,).
    """

    opened: OpenNetwork
    centre: NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class ShowNetwork:
    """Show another one of the list; the planes stay where they meet its domain."""

    opened: OpenNetwork


@dataclass(frozen=True, eq=False, slots=True)
class CloseNetwork:
    """Take a network off the list; when it was shown, the one beside it is."""

    opened: OpenNetwork


@dataclass(frozen=True, eq=False, slots=True)
class ReloadNetwork:
    """The file of a network of the list has been read again."""

    old: OpenNetwork
    new: OpenNetwork


@dataclass(frozen=True, eq=False, slots=True)
class FrameNetwork:
    """Show a network in another box (2, 3), None for the one it is in, and at another level; its pins go."""

    opened: OpenNetwork
    domain: NDArray[np.float64] | None
    level: float


@dataclass(frozen=True, eq=False, slots=True)
class Restore:
    """Go to a session as a whole; why: for people."""

    session: Session
    why: str


@dataclass(frozen=True, eq=False, slots=True)
class MovePlane:
    """live: the hand has not let go; the next move will follow soon.  A plane with the pose of the slice's own leaves
    that where it is, so that what was computed for it stays.  column: the place in the list of the network in whose
    column it is moved, alone where planes of a comparison are not linked; None: that of the session."""

    key: int
    plane: SlicePlane
    live: bool = False
    column: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class AddSlice:
    plane: SlicePlane
    name: str | None = None


@dataclass(frozen=True, eq=False, slots=True)
class AddStack:
    """Several slices at once, named `name` and a number; the one in the middle becomes the active one."""

    planes: tuple[SlicePlane, ...]
    name: str


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
    """live: as of MovePlane, of a number that is stepped through."""

    look: SceneLook
    live: bool = False


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


@dataclass(frozen=True, eq=False, slots=True)
class Compare:
    """Show several networks beside each other; None: one alone, again."""

    compared: Compared | None


@dataclass(frozen=True, slots=True)
class FollowFolder:
    """Take the checkpoints of a folder for the steps of a training; None: no more."""

    folder: Path | None


@dataclass(frozen=True, eq=False, slots=True)
class ShowStep:
    """Let another step of a training take the place of one in the list; live: as of MovePlane."""

    old: OpenNetwork
    new: OpenNetwork
    live: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class PinRegion:
    """Keep a region of slice `key` in view, of the surface when that is None; number: of the pin that goes there, a new
    one when None.  The region belongs to the network shown."""

    key: int | None
    facts: RegionFacts
    number: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class PinInColumns:
    """Keep the region of each network at a point of slice `key` in view."""

    key: int
    found: tuple[tuple[OpenNetwork, RegionFacts], ...]


@dataclass(frozen=True, slots=True)
class Unpin:
    """number: of one pin; all of the network shown when None."""

    number: int | None


Action = (
    Open
    | ShowNetwork
    | CloseNetwork
    | ReloadNetwork
    | FrameNetwork
    | Restore
    | MovePlane
    | AddSlice
    | AddStack
    | DuplicateSlice
    | RenameSlice
    | ShowSlice
    | RemoveSlice
    | ActivateSlice
    | ChangeLook
    | ChangeFill
    | SelectNeuron
    | TileSlices
    | Compare
    | FollowFolder
    | ShowStep
    | PinRegion
    | PinInColumns
    | Unpin
)


def applied(session: Session, action: Action) -> Session:
    """The session after an action.  Raises KeyError for a slice that is not there."""
    match action:
        case Open():
            return _opened(session, action)
        case ShowNetwork():
            return shown(session, action.opened)
        case CloseNetwork():
            return _closed(session, action.opened)
        case ReloadNetwork():
            return reloaded(session, action.old, action.new)
        case FrameNetwork(opened=opened):
            return _exchanged(session, {id(opened): opened.in_frame(action.domain, action.level)})
        case Restore():
            return action.session
        case MovePlane(column=column) if column is not None and apart(session):
            part, compared = session.slice(action.key), session.comparison
            assert compared is not None
            if compared.has_own_plane(column, part.key):
                return replace(session, comparison=compared.with_plane(column, part.key, action.plane))
            return _with(session, replace(part, plane=action.plane))
        case MovePlane():
            part = session.slice(action.key)
            return _with(session, part if same_plane(part.plane, action.plane) else replace(part, plane=action.plane))
        case AddSlice():
            return _added(session, action.plane, action.name)
        case AddStack():
            return _stack_added(session, action.planes, action.name)
        case DuplicateSlice():
            part = session.slice(action.key)
            return _added(session, part.plane, _name_of_copy(session, part.name))
        case RenameSlice():
            name = _name(action.name)
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
        case Compare(compared=compared):
            return replace(session, comparison=compared)
        case FollowFolder(folder=folder):
            return replace(session, timeline=folder)
        case ShowStep(old=old, new=new):
            return _exchanged(session, {id(old): new.in_frame(old.domain if old.framed else None, old.level)})
        case PinRegion():
            return _pinned(session, session.opened, action.key, action.facts, action.number)
        case PinInColumns(key=key, found=found):
            for opened, facts in found:
                session = _pinned(session, opened, key, facts, None)
            return session
        case Unpin(number=number):
            gone = session.shown_pins if number is None else [pin for pin in session.pins if pin.number == number]
            return replace(session, pins=tuple(pin for pin in session.pins if pin not in gone))
        case _:
            assert_never(action)


def apart(session: Session) -> bool:
    """Planes of a comparison are moved in each column alone."""
    return session.comparison is not None and not session.comparison.planes


def _opened(session: Session, action: Open) -> Session:
    opened = action.opened
    old = next((known for known in session.networks if opened.path is not None and known.path == opened.path), None)
    if old is None:
        networks = (*session.networks, opened)
    else:
        networks = tuple(opened if known is old else known for known in session.networks)
    session = _without_lost_pins(replace(session, networks=networks))
    if session.slices:
        return shown(session, opened)
    first = session.next_key
    slices = tuple(
        Slice(first + i, axis, SlicePlane.from_axis(axis, float(action.centre[i])), i) for i, axis in enumerate("xyz")
    )
    return shown(replace(session, slices=slices, active=first + 2, next_key=first + 3), opened)


def shown(session: Session, opened: OpenNetwork | None) -> Session:
    """With another network, and of the planes, hidden layers and the neuron what makes sense for it."""
    if opened is None:
        return replace(session, opened=None, slices=(), active=None, neuron=None, pins=(), comparison=None)
    slices = tuple(replace(part, plane=kept_in(part.plane, opened.domain)) for part in session.slices)
    hidden = session.look.hidden_depths
    if session.opened is not None and session.opened.layers != opened.layers:
        hidden = frozenset()
    look = session.look.with_hidden(hidden)
    after = replace(session, opened=opened, slices=slices, look=look)
    return after if after.has_neuron(after.neuron) else replace(after, neuron=None)


def _closed(session: Session, opened: OpenNetwork) -> Session:
    at = session.networks.index(opened)
    rest = session.networks[:at] + session.networks[at + 1 :]
    compared = None if session.comparison is None else session.comparison.after_closing(at)
    session = _without_lost_pins(replace(session, networks=rest, comparison=compared))
    if session.opened is not opened:
        return session
    return shown(session, rest[min(at, len(rest) - 1)] if rest else None)


def reloaded(session: Session, old: OpenNetwork, new: OpenNetwork) -> Session:
    """With `new` wherever `old` was, in whatever frame."""
    framed = {
        id(known): new.in_frame(known.domain if known.framed else None, known.level)
        for known in session.networks
        if known.network is old.network
    }
    return _exchanged(session, {**framed, id(old): new})


def _exchanged(session: Session, new: Mapping[int, OpenNetwork]) -> Session:
    """With other networks in the places of some, by their ids."""
    networks = tuple(new.get(id(known), known) for known in session.networks)
    shown_now = new.get(id(session.opened), session.opened)
    session = _without_lost_pins(replace(session, networks=networks))
    return session if shown_now is session.opened else shown(session, shown_now)


def _with(session: Session, changed: Slice) -> Session:
    return replace(session, slices=tuple(changed if part.key == changed.key else part for part in session.slices))


def _added(session: Session, plane: SlicePlane, name: str | None) -> Session:
    used = [part.colour % len(ACCENTS) for part in session.slices]
    colour = min(range(len(ACCENTS)), key=lambda k: (used.count(k), k))
    key = session.next_key
    part = Slice(key, _name(name or "") or f"slice {key + 1}", plane, colour)
    return replace(session, slices=(*session.slices, part), active=key, next_key=key + 1)


def _name(text: str) -> str:
    """What of a text is taken as a name."""
    return without_controls(" ".join(text.split()))[:_LONGEST_NAME]


def _name_of_copy(session: Session, name: str) -> str:
    """A name that no slice has."""
    names, copy = {part.name for part in session.slices}, f"{name} copy"
    return next(tried for k in count(1) if (tried := copy if k == 1 else f"{copy} {k}") not in names)


def _stack_added(session: Session, planes: tuple[SlicePlane, ...], name: str) -> Session:
    first, names = session.next_key, {part.name for part in session.slices}
    start = max((k for k in range(1, len(names) + 1) if f"{name} {k}" in names), default=0) + 1
    for number, plane in enumerate(planes, start=start):
        session = _added(session, plane, f"{name} {number}")
    return replace(session, active=first + len(planes) // 2) if planes else session


def _removed(session: Session, part: Slice) -> Session:
    at = session.slices.index(part)
    rest = session.slices[:at] + session.slices[at + 1 :]
    active = session.active
    if active == part.key:
        active = rest[min(at, len(rest) - 1)].key if rest else None
    return _without_lost_pins(replace(session, slices=rest, active=active))


def _pinned(
    session: Session, opened: OpenNetwork | None, key: int | None, facts: RegionFacts, number: int | None
) -> Session:
    assert opened is not None
    used = {pin.number for pin in session.pins}
    fresh = next(number for number in range(1, len(used) + 2) if number not in used)
    pin = Pin(fresh if number is None else number, opened, key, facts)
    if number is None:
        return replace(session, pins=(*session.pins, pin))
    return replace(session, pins=tuple(pin if old.number == pin.number else old for old in session.pins))


def _without_lost_pins(session: Session) -> Session:
    """A pin goes with its network, and with its slice."""
    keys = {part.key for part in session.slices}
    pins = tuple(
        pin
        for pin in session.pins
        if any(pin.opened is known for known in session.networks) and (pin.key is None or pin.key in keys)
    )
    return replace(session, pins=pins)
