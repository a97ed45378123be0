"""From a session file to a session: its checkpoints opened and compared with what they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.jobs.opening import OpeningError
from app.jobs.pin_finding import found_pins
from app.state.actions import shown
from app.state.saved_session import SessionFileError
from app.state.session_file import read_session

if TYPE_CHECKING:
    from app.jobs.opening import OpenFile
    from app.jobs.worker import Context
    from app.state.geometry.viewpoint import Viewpoint
    from app.state.saved_session import Layout, SavedCheckpoint, SavedSession
    from app.state.session import OpenNetwork, Pin, Session


class MissingFileError(OpeningError):
    """A checkpoint of a session is not where it was; path: where."""

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, eq=False, slots=True)
class LoadedSession:
    """notices: what is not as it was when the session was saved, in sentences."""

    path: Path
    session: Session
    viewpoint: Viewpoint | None
    layout: Layout | None
    notices: tuple[str, ...]


def open_session(path: Path, context: Context, moved: Mapping[Path, Path | None], open_file: OpenFile) -> LoadedSession:
    """moved: where files are that were missing; None: leave one out.  Raises OpeningError, MissingFileError."""
    try:
        saved = read_session(path)
    except (OSError, SessionFileError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise OpeningError(
            f"{path}: this session cannot be opened: {reason}; open its checkpoints one by one"
        ) from error
    networks: list[tuple[SavedCheckpoint, OpenNetwork]] = []
    notices: list[str] = []
    for part in saved.checkpoints:
        where = moved.get(part.path, part.path)
        if where is None:
            continue
        if not where.is_file():
            raise MissingFileError(
                f"{path}: {where.name} of this session is not at {where}; say where it is, or put it there", part.path
            )
        context.publish(f"{where.name}, {len(networks) + 1} of {len(saved.checkpoints)}")
        domain = None if part.domain is None else np.array(part.domain)
        networks.append((part, open_file(where, context.cancelled, part.reading).in_frame(domain, part.level)))
        if part.sha256 and networks[-1][1].sha256 != part.sha256:
            notices.append(f"{where.name} has changed since the session was saved.")
    if not networks:
        raise OpeningError(f"{path}: nothing of this session is left to open; open another file")
    kept = saved.checkpoints[saved.shown]
    current = next((opened for part, opened in networks if part is kept), networks[0][1])
    pins, lost = _pins(saved, networks, context)
    if lost:
        gone = "One pin was left out: its region is" if lost == 1 else f"{lost} pins were left out: their regions are"
        notices.append(f"{gone} not there any more.")
    compared, found = saved.session.comparison, [part for part, _ in networks]
    for network in reversed([at for at, part in enumerate(saved.checkpoints) if part not in found]):
        compared = None if compared is None else compared.after_closing(network)
    opened = tuple(network for _, network in networks)
    session = replace(saved.session, networks=opened, pins=pins, comparison=compared)
    hidden = frozenset(depth for depth in session.look.hidden_depths if depth < current.layers)
    session = shown(replace(session, look=session.look.with_hidden(hidden)), current)
    if any(a.plane is not b.plane for a, b in zip(session.slices, saved.session.slices, strict=True)):
        notices.append("Planes that do not meet the domain any more were moved to its middle.")
    return LoadedSession(path, session, saved.viewpoint, saved.layout, tuple(notices))


def _pins(
    saved: SavedSession, networks: Sequence[tuple[SavedCheckpoint, OpenNetwork]], context: Context
) -> tuple[tuple[Pin, ...], int]:
    """The pins in files that are as they were, and how many are lost."""
    found: list[Pin] = []
    for part, opened in networks:
        same = not part.sha256 or opened.sha256 == part.sha256
        own = [pin for pin in saved.pins if saved.checkpoints[pin.checkpoint] is part] if same else []
        found += found_pins(own, opened, context.cancelled) if own else []
    order = [pin.number for pin in saved.pins]
    return tuple(sorted(found, key=lambda pin: order.index(pin.number))), len(saved.pins) - len(found)
