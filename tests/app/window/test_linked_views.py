"""2D views that act as one, the point of the mouse in all of them, and what a click in space takes."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from app.state import actions
from engine import SlicePlane
from tests.app.on_screen import LEFT, Driver, move, press
from tests.app.waiting import let_run

NONE = Qt.KeyboardModifier.NoModifier


def focus(driver: Driver, key: int) -> tuple[np.ndarray, float]:
    """The point (3,) in the middle of a slice's view, and its scale."""
    view, plane = driver.window.board.tiles[key].view, driver.window.slice_link.plane(key)
    return plane.to_input(np.array([view.framing.centre]))[0], view.framing.scale


def link(driver: Driver) -> None:
    press(driver, "L")
    driver.settle()


def test_linked_views_pan_and_zoom_as_one(window: Driver) -> None:
    main = window.window
    x, y, z = (part.key for part in main.store.session.slices)
    views = main.slice_link.views
    before = views[x].framing
    window.wheel(views[y], QPoint(90, 60), 3)
    assert views[x].framing == before  # until they are linked, each goes its own way
    views[y].fit()
    link(window)
    button = next(b for b in main.strip.findChildren(type(main.strip.switches["box"])) if b.text() == "Link")
    assert button.isChecked()
    assert main.commands["link"].isChecked()
    window.wheel(views[z], QPoint(120, 50), 3)
    window.drag(views[z], np.array([120.0, 60.0]), [np.array([135.0, 52.0])])
    QTest.mouseRelease(views[z], LEFT, NONE, QPoint(135, 52))
    window.settle()
    (at_x, scale_x), (at_y, scale_y), (at_z, scale_z) = (focus(window, key) for key in (x, y, z))
    assert scale_x == scale_y == scale_z > before.scale
    np.testing.assert_allclose(at_x[1:], [at_z[1], 0.0], atol=1e-12)  # the slices x share y with those z
    np.testing.assert_allclose(at_y[[0, 2]], [at_z[0], 0.0], atol=1e-12)
    QTest.mouseDClick(views[x], LEFT, NONE, QPoint(100, 60))  # fits it, and so all
    assert all(view.fitted_whole for view in views.values())
    link(window)
    assert not button.isChecked()
    window.wheel(views[z], QPoint(90, 60), 3)
    assert views[x].fitted_whole


def test_a_stack_moves_as_one_and_new_slices_join(window: Driver) -> None:
    main, store = window.window, window.window.store
    key = store.session.active
    link(window)
    view = main.slice_link.views[key]
    window.wheel(view, QPoint(130, 40), 4)
    store.do(actions.AddSlice(SlicePlane.from_axis("z", 0.25)))
    window.settle()
    added = main.slice_link.views[store.session.active]
    assert added is not view
    assert (added.framing.centre, added.framing.scale) == (view.framing.centre, view.framing.scale)
    QTest.keyClick(added, Qt.Key.Key_Plus)
    assert (added.framing.centre, added.framing.scale) == (view.framing.centre, view.framing.scale)
    for shortcut in ("Ctrl+2", "Ctrl+4", "Ctrl+3"):  # in other sizes as well
        press(window, shortcut)
        window.settle()
        let_run(50)
        assert (added.framing.centre, added.framing.scale) == (view.framing.centre, view.framing.scale)


def test_the_mouse_in_one_view_is_marked_in_all_others(window: Driver) -> None:
    main = window.window
    x, y, z = (part.key for part in main.store.session.slices)
    views = main.slice_link.views
    move(views[z], QPoint(120, 60))
    assert all(view.crosshair is None for view in [*views.values(), main.scene_view])
    link(window)
    before = views[x].grab().toImage(), main.scene_view.grab().toImage()
    at, plane_x = views[z].position_of(0.2, 0.4).toPoint(), main.slice_link.plane(x)
    move(views[z], at)
    u, v = views[z].at(QPointF(at))
    place = main.slice_link.plane(z).to_input(np.array([[u, v]]))[0]
    assert views[z].crosshair is None  # there the mouse is
    np.testing.assert_allclose(views[x].crosshair.point, place[[1, 2]], atol=1e-12)
    np.testing.assert_allclose(views[y].crosshair.point, place[[2, 0]], atol=1e-12)
    assert float(views[x].crosshair.away.replace("\N{MINUS SIGN}", "-")) == np.round(place[0] - plane_x.origin[0], 3)
    np.testing.assert_array_equal(main.scene_view.crosshair.point, place)
    assert views[x].grab().toImage() != before[0]
    assert main.scene_view.grab().toImage() != before[1]
    main.store.do(actions.MovePlane(x, SlicePlane.from_axis("x", float(place[0]))))
    window.settle()
    move(views[z], at)
    assert views[x].crosshair.away == ""
    move(views[z], views[z].position_of(1.1, 0.0).toPoint())  # beside the slice
    assert all(view.crosshair is None for view in [*views.values(), main.scene_view])


def test_the_mouse_in_space_is_marked_in_slices_and_what_a_click_takes_in_space(window: Driver) -> None:
    main, scene = window.window, window.window.scene_view
    link(window)
    kinds = set()
    for share in np.linspace(0.25, 0.75, 41):
        at = QPoint(round(share * scene.width()), round(0.45 * scene.height()))
        move(scene, at)
        found, pointed = scene.slice_point(QPointF(at)), scene.pointed
        if scene.cursor().shape() is Qt.CursorShape.SizeAllCursor:
            assert pointed is None  # a click takes hold of the plane
        elif found is not None:
            key, u, v, _ = found
            place = main.slice_link.plane(key).to_input(np.array([[u, v]]))[0]
            crosshair = main.slice_link.views[key].crosshair
            np.testing.assert_allclose(crosshair.point, [u, v], atol=1e-9)
            assert crosshair.away == ""
            np.testing.assert_allclose(pointed.at, place, atol=1e-12)
            kinds.add("line" if pointed.corners is None else "region")
        elif pointed is not None:
            assert pointed.mesh is scene.scene.mesh
            flat = np.linalg.svd(pointed.corners - pointed.at)[1]
            assert flat[-1] < 1e-6 * flat[0]  # the point lies in the facet's plane
            kinds.add("facet")
        if pointed is not None:
            np.testing.assert_allclose(scene.lens.to_pixels(pointed.at[None])[0], [at.x(), at.y()], atol=1e-6)
            marked = scene.grab().toImage()
            scene.show_pointed(None)
            assert scene.grab().toImage() != marked
    assert {"line", "region"} <= kinds
    scene.leaveEvent(None)
    assert scene.pointed is None
    assert all(view.crosshair is None for view in main.slice_link.views.values())


def test_linking_is_kept_in_sessions_and_between_windows(window: Driver) -> None:
    main = window.window
    link(window)
    press(window, "Ctrl+4")
    layout = main.layouts.now
    assert layout.linked
    assert layout.flat
    press(window, "Ctrl+3")
    link(window)
    main.layouts.lay_out(layout)
    let_run(30)
    assert main.slice_link.linked.on
    assert main.commands["link"].isChecked()
    assert main.arrangement.flat
    assert main.commands["3D hidden"].isChecked()
