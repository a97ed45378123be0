"""The session as one column of a comparison shows it."""

from __future__ import annotations

from dataclasses import replace

from app.state.comparison import MOST_COLUMNS, Apart, Between, Compared
from app.state.geometry.planes import kept_in, same_plane
from app.state.session import OpenNetwork, Session, Slice


def compared_at_first(session: Session, between: Between = Between.SIDE) -> Compared:
    """Compare the network shown with those behind it in the list, round and round; there are two or more."""
    count = len(session.networks)
    at = 0 if count <= MOST_COLUMNS or session.opened is None else session.networks.index(session.opened)
    return Compared(tuple(sorted((at + k) % count for k in range(min(count, MOST_COLUMNS)))), between)


def let_go_of_planes(session: Session, compared: Compared) -> Compared:
    """Unlink the planes: each column but the first gets its own, where they are."""
    apart = tuple(Apart(network, part.key, part.plane) for network in compared.columns[1:] for part in session.slices)
    return replace(compared, planes=False, apart=apart)


def link_planes(compared: Compared) -> Compared:
    """All columns take the session's planes, which are the first one's."""
    return replace(compared, planes=True, apart=())


def seen_in_column(session: Session, opened: OpenNetwork, before: Session) -> Session:
    """The session with another network shown, in its column; before: as it was, whose planes stay where they are."""
    compared = session.comparison
    at = session.networks.index(opened)
    known = {part.key: part.plane for part in before.slices}

    def placed(part: Slice) -> Slice:
        plane = part.plane if compared is None else compared.plane_of(at, part.key, part.plane)
        plane = kept_in(plane, opened.domain)
        old = known.get(part.key)
        if old is not None and same_plane(old, plane):
            plane = old
        return part if plane is part.plane else replace(part, plane=plane)

    shown = replace(session, opened=opened, slices=tuple(placed(part) for part in session.slices))
    return shown if shown.has_neuron(shown.neuron) else replace(shown, neuron=None)
