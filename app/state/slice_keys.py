"""Keys of slices in session files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.state.saved_session import SavedSession

LAST_KEY: Final = 1_000_000


def numbered_anew(saved: SavedSession) -> SavedSession:
    """With keys from 0: a session that has used up most of them has room for more slices, and can be saved again."""
    session = saved.session
    new = {part.key: key for key, part in enumerate(session.slices)}
    slices = tuple(replace(part, key=new[part.key]) for part in session.slices)
    active = None if session.active is None else new[session.active]
    return replace(
        saved,
        session=replace(session, slices=slices, active=active, next_key=len(new)),
        pins=tuple(pin if pin.key is None else replace(pin, key=new[pin.key]) for pin in saved.pins),
    )
