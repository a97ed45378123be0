"""Actions that commands mean in a session in which they mean something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from app.state import actions
from app.state.actions import Action
from app.state.columns import compared_at_first, let_go_of_planes
from app.state.columns import link_planes as linked_planes
from app.state.comparison import Between, Compared
from app.state.geometry.planes import centre_in, flipped, rotated, snapped
from app.state.session import OpenNetwork, Session, Slice
from engine import SlicePlane

_CLEAR: Final = 40  # percent

Meaning = Callable[[Session], Action]


def add_slice(session: Session) -> Action:
    """Add a slice through the middle of the box: the first one across z, others oblique."""
    middle = _opened(session).domain.mean(axis=0)
    oblique = SlicePlane.from_normal(middle, (1.0, 1.0, 1.0))
    return actions.AddSlice(oblique if session.active is not None else SlicePlane.from_axis("z", float(middle[2])))


def duplicate_slice(session: Session) -> Action:
    return actions.DuplicateSlice(_active(session).key)


def delete_slice(session: Session) -> Action:
    return actions.RemoveSlice(_active(session).key)


def hide_slice(session: Session) -> Action:
    """Hide the active slice, or show it."""
    part = _active(session)
    return actions.ShowSlice(part.key, not part.visible)


def choose_slice(steps: int) -> Meaning:
    """Choose the slice so many places after the active one, round and round."""

    def meaning(session: Session) -> Action:
        keys = [part.key for part in session.slices]
        return actions.ActivateSlice(keys[(keys.index(_active(session).key) + steps) % len(keys)])

    return meaning


def snap(axis: str) -> Meaning:
    """Turn the plane across an axis, where it is."""
    return _moved(lambda plane, opened: snapped(axis, centre_in(plane, opened.domain)))


def turn(degrees: float) -> Meaning:
    """Turn the axes of the slice in its plane."""
    return _moved(lambda plane, _: rotated(plane, degrees))


def flip(session: Session) -> Action:
    """Turn the plane round."""
    part = _active(session)
    return actions.MovePlane(part.key, flipped(part.plane))


def switch(name: str) -> Meaning:
    """Show something in the 3D view, or no more."""
    return lambda session: actions.ChangeLook(session.look.switched(name))


def see_through(session: Session) -> Action:
    """Make the surface clear, or opaque again."""
    look = session.look
    return actions.ChangeLook(replace(look, opacity=_CLEAR if look.opacity == 100 else 100))


def tile(session: Session) -> Action:
    """Show all slices, or the active one."""
    return actions.TileSlices(not session.tiled)


def clear_neuron(session: Session) -> Action:
    return actions.SelectNeuron(None)


def unpin_all(session: Session) -> Action:
    return actions.Unpin(None)


def next_network(session: Session) -> Action:
    at = session.networks.index(_opened(session))
    return actions.ShowNetwork(session.networks[(at + 1) % len(session.networks)])


def close_network(session: Session) -> Action:
    return actions.CloseNetwork(_opened(session))


def compare(session: Session) -> Action:
    """Show the checkpoints of the list beside each other, or one alone again."""
    return actions.Compare(None if session.comparison is not None else compared_at_first(session))


def end_comparison(session: Session) -> Action:
    return actions.Compare(None)


def end_timeline(session: Session) -> Action:
    return actions.FollowFolder(None)


def between(wanted: Between) -> Meaning:
    """Draw something between two checkpoints; where none are compared yet, compare those of the list."""
    return _compared(lambda compared, _: replace(compared, between=wanted))


def swap_pair(session: Session) -> Action:
    return _compared(lambda compared, _: compared.swapped())(session)


def link_planes(session: Session) -> Action:
    """Let planes move in all columns, or in each one alone."""

    def way(compared: Compared, session: Session) -> Compared:
        return let_go_of_planes(session, compared) if compared.planes else linked_planes(compared)

    return _compared(way)(session)


def turn_in_comparison(name: str) -> Meaning:
    """Turn a switch of the comparison."""

    def way(compared: Compared, _: Session) -> Compared:
        turned: dict[str, Any] = {name: not getattr(compared, name)}
        return replace(compared, **turned)

    return _compared(way)


def _compared(way: Callable[[Compared, Session], Compared]) -> Meaning:
    def meaning(session: Session) -> Action:
        now = session.comparison or compared_at_first(session)
        return actions.Compare(way(now, session))

    return meaning


def _moved(way: Callable[[SlicePlane, OpenNetwork], SlicePlane]) -> Meaning:
    def meaning(session: Session) -> Action:
        part = _active(session)
        return actions.MovePlane(part.key, way(part.plane, _opened(session)))

    return meaning


def _active(session: Session) -> Slice:
    part = session.active_slice
    assert part is not None
    return part


def _opened(session: Session) -> OpenNetwork:
    assert session.opened is not None
    return session.opened
