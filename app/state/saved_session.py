"""A session as it is saved: with the files and the regions that it needs, without what was computed."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.state.comparison import Compared
from app.state.geometry.viewpoint import Viewpoint
from app.state.session import Pin, Session

if TYPE_CHECKING:
    from engine import SlicePlane
    from sdf_models import Reading

LAST_KEY: Final = 1_000_000
"""The largest key of a slice."""
SIDES: Final = ("", "inspector", "neurons")
"""The panels that may stand at the right of the views, or none."""


class SessionFileError(ValueError):
    """A text is no session; one line: what is wrong in it."""


Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """path: absolute; sha256: of the file when it was saved, hexadecimal; domain: None for the file's own."""

    path: Path
    sha256: str
    reading: Reading | None
    domain: tuple[Point, Point] | None = None
    level: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class SavedPin:
    """What is needed to find a pinned region again.

    checkpoint: the place of its network in the list; key: of its slice, None for a facet of the surface; plane: of the
    slice when it was pinned; point: that was clicked; middle: the mean of the region's corners.
    """

    number: int
    checkpoint: int
    key: int | None
    plane: SlicePlane | None
    point: Point
    middle: Point


@dataclass(frozen=True, slots=True)
class Layout:
    """Of the window, in pixels: its size, the widths of the 3D view and of the slices; which of SIDES is shown, and its
    width, 0: the usual one; flat: the 3D view is hidden; linked: 2D views act as one."""

    size: tuple[int, int]
    widths: tuple[int, int]
    side: str = ""
    side_width: int = 0
    flat: bool = False
    linked: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class SavedSession:
    """shown: the place in `checkpoints` of the one that is shown; session: everything else, without networks and
    pins."""

    checkpoints: tuple[SavedCheckpoint, ...]
    shown: int
    session: Session
    viewpoint: Viewpoint | None
    layout: Layout | None
    pins: tuple[SavedPin, ...] = ()


def saved_session(session: Session, viewpoint: Viewpoint | None, layout: Layout | None) -> SavedSession:
    """Raises ValueError when something shown comes from no file."""
    checkpoints = []
    for opened in session.networks:
        if opened.path is None:
            raise ValueError(f"{opened.name} comes from no file, so that a session cannot bring it back")
        low, high = ((x, y, z) for x, y, z in opened.domain.tolist())
        domain = (low, high) if opened.framed else None
        path = Path(os.path.abspath(opened.path))
        checkpoints.append(SavedCheckpoint(path, opened.sha256, opened.reading, domain, opened.level))
    if session.opened is None:
        raise ValueError("nothing is open")
    at = session.networks.index(session.opened)
    pins = tuple(_saved_pin(pin, session) for pin in session.pins)
    return SavedSession(
        tuple(checkpoints), at, replace(session, pins=(), comparison=_tidy(session)), viewpoint, layout, pins
    )


def _saved_pin(pin: Pin, session: Session) -> SavedPin:
    facts = pin.facts
    x, y, z = facts.point.tolist()
    u, v, w = facts.corners.mean(axis=0).tolist()
    return SavedPin(pin.number, session.networks.index(pin.opened), pin.key, facts.plane, (x, y, z), (u, v, w))


def numbered_anew(saved: SavedSession) -> SavedSession:
    """With keys from 0: a session that has used up most of them has room for more slices, and can be saved again."""
    session = saved.session
    new = {part.key: key for key, part in enumerate(session.slices)}
    slices = tuple(replace(part, key=new[part.key]) for part in session.slices)
    active = None if session.active is None else new[session.active]
    return replace(
        saved,
        session=replace(session, slices=slices, active=active, next_key=len(new), comparison=_with_keys(session, new)),
        pins=tuple(pin if pin.key is None else replace(pin, key=new[pin.key]) for pin in saved.pins),
    )


def _with_keys(session: Session, new: dict[int, int]) -> Compared | None:
    compared = session.comparison
    if compared is None:
        return None
    return replace(compared, apart=tuple(replace(part, key=new[part.key]) for part in compared.apart))


def _tidy(session: Session) -> Compared | None:
    """The comparison without planes of slices that are gone."""
    compared, keys = session.comparison, {part.key for part in session.slices}
    if compared is None:
        return None
    return replace(compared, apart=tuple(part for part in compared.apart if part.key in keys))
