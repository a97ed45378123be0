"""From a session file to a session: its checkpoints opened and compared with what they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.jobs.opening import OpeningError, open_file
from app.state.actions import shown
from app.state.saved_session import SessionFileError
from app.state.session_file import read_session

if TYPE_CHECKING:
    from app.jobs.worker import Context
    from app.state.saved_session import Layout
    from app.state.session import Session
    from app.state.viewpoint import Viewpoint


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


def open_session(path: Path, context: Context, moved: Mapping[Path, Path | None]) -> LoadedSession:
    """moved: where files are that were missing; None: leave one out.  Raises OpeningError, MissingFileError."""
    try:
        saved = read_session(path)
    except (OSError, SessionFileError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise OpeningError(
            f"{path}: this session cannot be opened: {reason}; open its checkpoints one by one"
        ) from error
    networks, notices = [], []
    for part in saved.checkpoints:
        where = moved.get(part.path, part.path)
        if where is None:
            continue
        if not where.is_file():
            raise MissingFileError(
                f"{path}: {where.name} of this session is not at {where}; say where it is, or put it there", part.path
            )
        networks.append((part, open_file(where, context.cancelled, part.reading)))
        if part.sha256 and networks[-1][1].sha256 != part.sha256:
            notices.append(f"{where.name} has changed since the session was saved.")
    if not networks:
        raise OpeningError(f"{path}: nothing of this session is left to open; open another file")
    kept = saved.checkpoints[saved.shown]
    current = next((opened for part, opened in networks if part is kept), networks[0][1])
    session = replace(saved.session, networks=tuple(opened for _, opened in networks))
    hidden = frozenset(depth for depth in session.look.hidden_depths if depth < current.layers)
    session = shown(replace(session, look=session.look.with_hidden(hidden)), current)
    if any(a.plane is not b.plane for a, b in zip(session.slices, saved.session.slices, strict=True)):
        notices.append("Planes that do not meet the domain any more were moved to its middle.")
    return LoadedSession(path, session, saved.viewpoint, saved.layout, tuple(notices))
