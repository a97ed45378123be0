"""Undoing and redoing: the property that makes it trustworthy, for any sequence of actions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.jobs.opening import open_module
from app.state import actions, history
from app.state.look import Fill, SceneLook
from app.state.session import OpenNetwork, Session, same, same_picture
from app.state.store import Store
from engine import Neuron, SlicePlane
from tests.app.conftest import DOMAIN, random_module


@pytest.fixture(scope="module")
def networks() -> list[OpenNetwork]:
    boxes = [DOMAIN, DOMAIN + 5.0, DOMAIN * 0.5]
    return [open_module(random_module(seed), box, f"network {seed}") for seed, box in enumerate(boxes)]


def any_action(draw: st.DrawFn, session: Session, networks: list[OpenNetwork]) -> actions.Action | None:
    """An action that makes sense now."""
    if session.opened is None:
        return actions.Open(networks[draw(st.integers(0, len(networks) - 1))], np.zeros(3))
    keys = [part.key for part in session.slices]
    plane = SlicePlane.from_axis(draw(st.sampled_from("xyz")), draw(st.floats(-0.4, 0.4)))
    kind = draw(st.integers(0, 14))
    if kind == 0:
        missing = [known for known in networks if all(known is not other for other in session.networks)]
        return actions.Open(missing[draw(st.integers(0, len(missing) - 1))], np.zeros(3)) if missing else None
    if kind == 1:
        return actions.ShowNetwork(session.networks[draw(st.integers(0, len(session.networks) - 1))])
    if kind == 2:
        return actions.CloseNetwork(session.networks[draw(st.integers(0, len(session.networks) - 1))])
    if kind == 3:
        look = replace(SceneLook(), creases=draw(st.booleans()), clip=draw(st.booleans()))
        return actions.ChangeLook(look.with_hidden(frozenset(draw(st.sets(st.integers(0, 2))))))
    if kind == 4:
        return actions.ChangeFill(draw(st.sampled_from(list(Fill))))
    if kind == 5:
        return actions.SelectNeuron(draw(st.sampled_from([None, Neuron(0, 1), Neuron(2, 7)])))
    if kind == 6:
        return actions.TileSlices(draw(st.booleans()))
    if kind == 7 or not keys:
        return actions.AddSlice(plane)
    key = draw(st.sampled_from(keys))
    others = (
        actions.MovePlane(key, plane, draw(st.booleans())),
        actions.DuplicateSlice(key),
        actions.RenameSlice(key, draw(st.text("ab ", max_size=3))),
        actions.ShowSlice(key, draw(st.booleans())),
        actions.RemoveSlice(key),
        actions.ActivateSlice(key),
        actions.AddStack((plane, SlicePlane.from_axis("y", 0.1), plane)[: draw(st.integers(0, 3))], "stack"),
    )
    return others[kind - 8]


@given(data=st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_undone_wholly_it_is_the_start_and_redone_the_end(networks: list[OpenNetwork], data: st.DataObject) -> None:
    store = Store()
    start = store.session
    draw = data.draw
    for _ in range(draw(st.integers(1, 25))):
        action = any_action(draw, store.session, networks)
        if action is not None:
            store.do(action)
        if draw(st.integers(0, 5)) == 0:
            store.undo()
        if draw(st.integers(0, 5)) == 0:
            store.history.pause()
    end, seen = store.session, []
    while store.history.next_undone is not None:
        seen.append((store.history.next_undone, store.session))
        store.undo()
        assert store.history.next_redone == seen[-1][0]
    assert same(store.session, start)
    for name, session in reversed(seen):
        assert store.history.next_redone == name
        store.redo()
        assert same_picture(store.session, session)
    if seen:
        assert same_picture(store.session, end)
        assert (store.session.next_key, store.session.slices) == (end.next_key, end.slices)


def opened_store(networks: list[OpenNetwork]) -> Store:
    store = Store()
    store.do(actions.Open(networks[0], np.zeros(3)))
    return store


def test_a_drag_is_one_step_and_so_is_a_run_of_small_ones(networks: list[OpenNetwork]) -> None:
    store = opened_store(networks)
    start = store.session
    for offset in (0.1, 0.2, 0.3):
        store.do(actions.MovePlane(0, SlicePlane.from_axis("x", offset), live=True))
    store.do(actions.MovePlane(0, SlicePlane.from_axis("x", 0.3)))  # the hand lets go
    dragged = store.session
    for offset in (0.31, 0.32):  # wheel
        store.do(actions.MovePlane(0, SlicePlane.from_axis("x", offset), live=True))
    store.history.pause()
    store.do(actions.MovePlane(0, SlicePlane.from_axis("x", 0.33), live=True))
    store.do(actions.MovePlane(1, SlicePlane.from_axis("x", 0.33), live=True))
    assert store.history.next_undone == "Move plane y"
    offsets = []
    while store.history.next_undone != "Open network 0":
        store.undo()
        offsets.append(float(store.session.slice(0).plane.origin[0]))
        if len(offsets) == 3:
            assert same(store.session, dragged)
    assert offsets == [0.33, 0.32, 0.3, 0.0]
    assert same(store.session, start)


def test_choosing_a_slice_is_a_step_where_the_picture_changes_with_it(networks: list[OpenNetwork]) -> None:
    store = opened_store(networks)
    store.do(actions.ActivateSlice(0))
    assert store.history.next_undone == "Open network 0"
    for on, off in (
        (actions.ChangeLook(replace(store.session.look, clip=True)), actions.ChangeLook(store.session.look)),
        (actions.TileSlices(False), actions.TileSlices(True)),
    ):
        store.do(on)
        store.do(actions.ActivateSlice(1))
        assert store.history.next_undone == "Choose slice y"
        store.do(actions.ChangeFill(Fill.AREA))
        store.undo()
        assert store.session.active == 1  # the cut stays where it is
        store.undo()
        assert store.session.active == 0
        store.redo()
        assert store.session.active == 1
        store.undo()
        store.do(off)


def test_undoing_leaves_the_slice_that_is_worked_on_the_active_one(networks: list[OpenNetwork]) -> None:
    store = opened_store(networks)
    assert store.session.active == 2
    store.do(actions.ActivateSlice(0))
    store.do(actions.MovePlane(0, SlicePlane.from_axis("x", 0.3)))
    store.undo()
    assert store.session.active == 0
    store.do(actions.ActivateSlice(1))
    store.redo()
    assert store.session.active == 1
    store.do(actions.RemoveSlice(1))
    store.do(actions.ActivateSlice(0))
    store.undo()
    assert store.session.active == 1  # what comes back is what was worked on
    store.redo()
    assert store.session.active == 0


def test_a_new_step_after_undoing_forgets_the_future(networks: list[OpenNetwork]) -> None:
    store = opened_store(networks)
    store.do(actions.ChangeFill(Fill.AREA))
    store.undo()
    assert store.history.next_redone == "Fill with area"
    store.do(actions.ActivateSlice(0))
    assert store.history.next_redone == "Fill with area"
    store.do(actions.ChangeFill(Fill.AREA))
    store.undo()
    store.do(actions.ShowSlice(1, False))
    assert store.history.next_redone is None


def test_what_changes_nothing_is_no_step(networks: list[OpenNetwork]) -> None:
    store = opened_store(networks)
    part = store.session.slices[0]
    for action in (
        actions.RenameSlice(part.key, "  "),
        actions.RenameSlice(part.key, part.name),
        actions.MovePlane(part.key, SlicePlane(part.plane.origin.copy(), part.plane.axes.copy())),
        actions.ActivateSlice(part.key),
        actions.ShowSlice(part.key, True),
        actions.ChangeFill(Fill.NONE),
        actions.ShowNetwork(networks[0]),
    ):
        store.do(action)
        assert store.history.next_undone == "Open network 0"


def test_steps_bring_closed_networks_back_up_to_a_size(
    networks: list[OpenNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [history._bytes_of(opened) for opened in networks]
    parameters = 8 * sum(parameter.numel() for parameter in random_module(0).parameters())
    assert all(parameters < size < 1 << 20 for size in sizes)
    for limit, kept in ((sum(sizes), 6), (sum(sizes) - 1, 4), (sizes[1] + sizes[2], 4), (sizes[2], 2), (0, 1)):
        monkeypatch.setattr(history, "_MOST_CLOSED_BYTES", limit)
        store, seen = Store(), []
        for opened in networks:
            for action in (actions.Open(opened, np.zeros(3)), actions.CloseNetwork(opened)):
                seen.append(store.session)
                store.do(action)
        for session in seen[::-1][:kept]:
            store.undo()
            assert same(store.session, session)
        assert store.history.next_undone is None


def test_a_file_read_again_is_the_new_one_in_every_step(networks: list[OpenNetwork]) -> None:
    store = opened_store(networks)
    store.do(actions.MovePlane(0, SlicePlane.from_axis("x", 0.3)))
    store.undo()
    store.do(actions.ReloadNetwork(networks[0], networks[2]))
    assert store.session.opened is networks[2]
    assert store.history.next_undone == "Open network 0"
    store.redo()
    assert store.session.opened is networks[2]
    assert float(store.session.slice(0).plane.origin[0]) == 0.3
    store.undo()
    store.undo()
    store.redo()
    assert store.session.opened is networks[2]
    assert store.session.networks == (networks[2],)


def test_planes_stay_where_they_meet_the_domain_of_another_network(networks: list[OpenNetwork]) -> None:
    store = opened_store(networks)
    plane = SlicePlane.from_normal([0.1, 0.2, 0.3], [1.0, 2.0, 3.0], [1.0, 0.0, 0.0])
    store.do(actions.MovePlane(0, plane))
    store.do(actions.MovePlane(1, SlicePlane.from_axis("y", 0.9)))
    store.do(actions.Open(networks[2], np.zeros(3)))  # half as large
    assert store.session.slice(0).plane is plane
    assert store.session.slice(1).plane.describe() == "y = 0"
    store.do(actions.ShowNetwork(networks[0]))
    assert store.session.slice(0).plane is plane
    assert store.session.networks == (networks[0], networks[2])
    store.do(actions.CloseNetwork(networks[0]))
    assert store.session.opened is networks[2]


def test_the_widths_of_lines_are_one_step_for_each_visit_of_a_field(networks: list[OpenNetwork]) -> None:
    store = opened_store(networks)

    def widen(live: bool = True, **widths: int) -> None:
        look = store.session.look
        store.do(actions.ChangeLook(replace(look, style=replace(look.style, **widths)), live))

    for lines in (125, 150, 175):
        widen(lines=lines)
    widen(level=200)
    widen(level=225)
    store.history.pause()
    widen(level=250)
    widen(lines=200)
    store.do(actions.ChangeFill(Fill.AREA))
    widen(lines=225)
    found = []
    while store.history.next_undone != "Open network 0":
        style = store.session.look.style
        found.append((store.history.next_undone, style.lines, style.level))
        store.undo()
    widths = "Change line widths"
    assert found == [
        (widths, 225, 250), ("Fill with area", 200, 250), (widths, 200, 250), (widths, 175, 250), (widths, 175, 225),
        (widths, 175, 100),
    ]  # fmt: skip
