"""Planes at points of the surface, and measuring, with clicks in the real window."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from app.control.picker import Task
from app.state import actions
from app.state.geometry.picking import surface_point
from app.state.session import same
from tests.app.control.test_planes import active_plane, check_slice_is_exact, lens
from tests.app.on_screen import LEFT, Driver, move, press

NONE = Qt.KeyboardModifier.NoModifier


def click(driver: Driver, at: QPoint) -> None:
    view = driver.window.scene_view
    move(view, at)
    QTest.mouseClick(view, LEFT, NONE, at)


def on_surface(driver: Driver, count: int) -> list[QPoint]:
    """Pixels at which the surface is seen, well apart."""
    view, surface = driver.window.scene_view, driver.window.surface.drawn.surface
    generator, found = np.random.default_rng(0), []
    while len(found) < count:
        x, y = generator.integers([40, 40], [view.width() - 40, view.height() - 40]).tolist()
        far = all(abs(x - p.x()) + abs(y - p.y()) > 60 for p in found)
        if far and surface_point(surface, *lens(driver).ray(x, y)) is not None:
            found.append(QPoint(x, y))
    return found


def value(driver: Driver, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return driver.window.store.session.opened.network.forward(points).ravel()


def test_a_plane_through_three_points_of_the_surface(window: Driver) -> None:
    before, bar, picker = window.window.store.session, window.window.task_bar, window.window.picker
    picker.begin(Task.THREE_POINTS)
    assert "three points" in bar.hint.text()
    assert bar.isVisible()
    places = on_surface(window, 3)
    for place in places[:2]:
        click(window, place)
    points = np.array(picker.points)
    np.testing.assert_allclose(lens(window).to_pixels(points), [[p.x(), p.y()] for p in places[:2]], atol=1e-6)
    assert np.abs(value(window, points)).max() < 1e-12
    assert same(window.window.store.session, before)
    click(window, places[2])
    assert picker.task is None
    assert not bar.isVisible()
    plane = active_plane(window)
    assert window.window.store.session.active_slice.name == "three points"
    assert np.abs((points - plane.origin) @ plane.normal).max() < 1e-12
    start, direction = lens(window).ray(places[2].x(), places[2].y())
    third = surface_point(window.window.surface.drawn.surface, start, direction).point
    assert abs(float((third - plane.origin) @ plane.normal)) < 1e-12
    check_slice_is_exact(window)
    assert window.window.commands["undo"].text() == "&Undo Add slice"
    window.window.commands["undo"].trigger()
    assert same(window.window.store.session, before)


@pytest.mark.parametrize("task", [Task.UPRIGHT, Task.TANGENT])
def test_a_plane_at_a_point_of_the_surface(window: Driver, task: Task) -> None:
    window.window.picker.begin(task)
    place = on_surface(window, 1)[0]
    hit = surface_point(window.window.surface.drawn.surface, *lens(window).ray(place.x(), place.y()))
    click(window, place)
    plane = active_plane(window)
    np.testing.assert_allclose(plane.origin, hit.point, rtol=0.0, atol=1e-12)
    across = abs(float(plane.normal @ hit.normal))
    assert across == pytest.approx(0.0 if task is Task.UPRIGHT else 1.0, abs=1e-12)
    if task is Task.UPRIGHT:
        np.testing.assert_allclose(plane.axes[1], hit.normal, atol=1e-12)
    step = 1e-7 * hit.normal
    inside, outside = value(window, np.stack([hit.point - step, hit.point + step]))
    assert inside < 0 < outside
    check_slice_is_exact(window)


def test_clicks_beside_the_surface_say_so_and_escape_leaves(window: Driver) -> None:
    before, picker = window.window.store.session, window.window.picker
    picker.begin(Task.TANGENT)
    click(window, QPoint(3, 3))
    assert "not there" in window.window.task_bar.hint.text()
    window.window.strip.switches["surface"].click()
    click(window, on_surface(window, 1)[0])
    assert "hidden" in window.window.task_bar.hint.text()
    window.window.commands["undo"].trigger()
    QTest.keyClick(window.window.scene_view, Qt.Key.Key_Escape)
    assert picker.task is None
    assert not window.window.task_bar.isVisible()
    assert window.window.scene_view.cursor().shape() is Qt.CursorShape.ArrowCursor
    assert same(window.window.store.session, before)


def test_dragging_while_picking_turns_the_camera_only(window: Driver) -> None:
    view, before = window.window.scene_view, window.window.store.session
    window.window.picker.begin(Task.MEASURE)
    seen = view.scene.viewpoint.position
    foot = lens(window).to_pixels(view.scene.handle.points)[0]
    window.drag(view, foot, [foot + np.array([20.0, 10.0])])
    QTest.mouseRelease(view, LEFT, NONE, QPoint(*(foot + np.array([20.0, 10.0])).astype(int).tolist()))
    assert view.scene.viewpoint.position != seen
    assert same(window.window.store.session, before)
    assert window.window.picker.points == []


def test_measuring_in_a_slice_takes_vertices_exactly(window: Driver) -> None:
    press(window, "M")
    view, partition = window.tile.view, window.window.slices.result(window.tile.key).answer.partition
    chosen = apart(np.array([view.position_of(*uv).toTuple() for uv in partition.vertices.tolist()]), 3)
    for vertex in chosen:
        at = view.position_of(*partition.vertices[vertex].tolist()).toPoint() + QPoint(2, -1)
        move(view, at)
        place = active_plane(window).to_plane(partition.points[vertex][None])[0]
        np.testing.assert_allclose(view.marks.candidate, place, rtol=0.0, atol=1e-12)
        QTest.mouseClick(view, LEFT, NONE, at)
    points = np.array(window.window.picker.points)
    np.testing.assert_array_equal(points, partition.points[chosen])
    text = window.window.task_bar.result.text()
    a, b, c = points
    expected = np.degrees(np.arccos((a - b) @ (c - b) / np.linalg.norm(a - b) / np.linalg.norm(c - b)))
    assert float(re.search(r"angle at 2: ([\d.]+)", text)[1]) == pytest.approx(expected, rel=1e-4)
    assert f"{np.linalg.norm(a - b):.6g}" in text
    QTest.mouseClick(window.window.task_bar.copy, LEFT)
    copied = QGuiApplication.clipboard().text().splitlines()
    np.testing.assert_array_equal([float(x) for x in copied[0].split(": ")[1].split(",")], a)
    assert float(copied[3].split(": ")[1]) == pytest.approx(np.linalg.norm(b - a), rel=1e-14)
    QTest.mouseClick(view, LEFT, NONE, at)
    assert len(window.window.picker.points) == 1


def apart(places: NDArray[np.float64], count: int) -> list[int]:
    """Vertices whose places in a view are well inside and far from all others."""
    inside = np.flatnonzero(((places > [60, 20]) & (places < places.max(axis=0) - 20)).all(axis=1))
    far = [k for k in inside.tolist() if np.sort(np.hypot(*(places - places[k]).T))[1] > 9]
    assert len(far) >= count
    return far[:: max(len(far) // count, 1)][:count]


def test_measuring_in_space_takes_vertices_of_the_surface_exactly(window: Driver) -> None:
    for part in window.window.store.session.slices:
        window.window.store.do(actions.ShowSlice(part.key, False))
    window.settle()
    press(window, "M")
    view, surface = window.window.scene_view, window.window.surface.drawn.surface
    snap = window.window.picker._snapping
    seen = []
    for k, place in enumerate(np.round(lens(window).to_pixels(surface.vertices)).tolist()):
        found = snap.vertex_in_space(QPointF(*place), window.window.store.session)
        if found is not None and np.array_equal(found, surface.vertices[k]):
            seen.append(k)
    assert len(seen) > 20
    chosen = [seen[0], seen[len(seen) // 2]]
    for vertex in chosen:
        click(window, QPoint(*np.round(lens(window).to_pixels(surface.vertices[vertex][None])[0]).astype(int).tolist()))
    np.testing.assert_array_equal(window.window.picker.points, surface.vertices[chosen])
    a, b = surface.vertices[chosen]
    assert f"distance {np.linalg.norm(a - b):.6g}" in window.window.task_bar.result.text()
    assert view.marks.joints[0][:2] == (0, 1)


def test_another_network_ends_the_task(window: Driver) -> None:
    press(window, "M")
    click(window, on_surface(window, 1)[0])
    assert len(window.window.picker.points) == 1
    window.window.commands["undo"].trigger()
    assert window.window.picker.task is None
    assert not window.window.scene_view.picking


def test_vertices_near_a_pixel_are_found_as_if_all_were_looked_at(window: Driver) -> None:
    view, snapping, session = window.window.scene_view, window.window.picker._snapping, window.window.store.session
    points = [window.window.surface.drawn.surface.vertices]
    points += [window.window.slices.result(part.key).answer.partition.points for part in session.slices]
    everything, generator, met = np.concatenate(points), np.random.default_rng(5), 0
    for direction in ((1.0, 0.62, 1.35), (1.0, 0.0, 0.0), (0.05, 1.0, 0.02)):  # the second one sees two slices edge-on
        view.look_from(direction)
        window.settle()
        pixels = lens(window).to_pixels(everything)
        for x, y in generator.uniform([0, 0], [view.width(), view.height()], (200, 2)).tolist():
            apart = np.hypot(*(pixels - [x, y]).T)
            near = [
                vertex
                for vertex in np.argsort(apart, kind="stable")[:50].tolist()
                if apart[vertex] <= 9.0 and not view.hidden(QPointF(*pixels[vertex]), everything[vertex], 10.0)
            ]
            found = snapping.vertex_in_space(QPointF(x, y), session)
            assert (found is None) == (not near)
            if near:
                met += 1
                assert np.hypot(*(lens(window).to_pixels(found[None])[0] - [x, y])) == pytest.approx(apart[near[0]])
                assert np.abs(everything - found).sum(axis=1).min() == 0.0
    assert met > 20
