"""What a mouse does in the views: planes and the camera dragged, slices panned, regions and points clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from app.control.picker import Task
from tests.app.on_screen import LEFT, move
from tests.app.window.soak.hand import NONE

if TYPE_CHECKING:
    from app.views.scene.scene_view import SceneView
    from app.views.slice.slice_view import SliceView
    from tests.app.window.soak.hand import Hand


def drag_in_space(hand: Hand) -> str:
    """From anywhere, often from a frame or the handle of a plane: planes move, or the camera."""
    chance, view = hand.chance, hand.window.scene_view
    at = place_in_space(hand)
    button = chance.choice([LEFT, LEFT, LEFT, Qt.MouseButton.RightButton])
    modifier = chance.choice([NONE, NONE, Qt.KeyboardModifier.ShiftModifier])
    QTest.mousePress(view, button, modifier, at)
    for _ in range(chance.randint(0, 6)):
        at = at + QPoint(chance.randint(-25, 25), chance.randint(-25, 25))
        move(view, at, button)
        hand.wait(chance.choice([0, 5, 20]))
    QTest.mouseRelease(view, button, modifier, at)
    return f"to {at.x()}, {at.y()}"


def place_in_space(hand: Hand) -> QPoint:
    view = hand.window.scene_view
    assert view.scene is not None
    places = [[hand.chance.uniform(0, view.width()), hand.chance.uniform(0, view.height())]]
    if view.scene.handle_shown and view.lens is not None:
        places += view.lens.to_pixels(view.scene.handle.points).tolist()
    x, y = hand.chance.choice(places)
    return QPoint(round(x), round(y))


def hover(hand: Hand) -> str:
    """Over any view, and away from it; a session that opens meanwhile takes slices away."""
    view = hand.chance.choice(_views(hand))
    name = type(view).__name__
    for _ in range(hand.chance.randint(1, 5)):
        if view not in _views(hand):
            return f"{name}, which went"
        move(view, QPoint(hand.chance.randint(0, view.width() - 1), hand.chance.randint(0, view.height() - 1)))
        hand.wait(hand.chance.choice([0, 10]))
    return name


def _views(hand: Hand) -> list[SceneView | SliceView]:
    return [hand.window.scene_view, *(tile.view for tile in hand.tiles)]


def drag_slider(hand: Hand) -> str | None:
    slider = hand.window.panel.slider
    if not slider.isEnabled() or not slider.isVisible():
        return None
    at = [QPoint(hand.chance.randint(8, slider.width() - 8), slider.height() // 2) for _ in range(3)]
    QTest.mousePress(slider, LEFT, NONE, at[0])
    for place in at[1:]:
        move(slider, place, LEFT)
        hand.wait(5)
    QTest.mouseRelease(slider, LEFT, NONE, at[-1])
    return str([place.x() for place in at])


def wheel(hand: Hand) -> str:
    view = hand.chance.choice(_views(hand))
    notches, control = hand.chance.choice([-3, -1, 1, 2]), hand.chance.random() < 0.5
    hand.driver.wheel(view, QPoint(view.width() // 2, view.height() // 2), notches, control)
    return f"{notches} {control}"


def click_in_slice(hand: Hand) -> str | None:
    """With everything in place, so that the same seed hits the same line or region."""
    hand.settle()
    if not hand.tiles:
        return None
    view = hand.chance.choice(hand.tiles).view
    at = QPoint(hand.chance.randint(45, view.width() - 5), hand.chance.randint(5, view.height() - 30))
    how = hand.chance.choice(["once", "once", "shift", "twice"])
    if how == "twice":
        QTest.mouseDClick(view, LEFT, NONE, at)
    else:
        modifier = Qt.KeyboardModifier.ShiftModifier if how == "shift" else NONE
        QTest.mouseClick(view, LEFT, modifier, at)
    return f"{how} at {at.x()}, {at.y()}"


def click_in_space(hand: Hand) -> str:
    """On the surface or a slice, where one is: pins, and neurons."""
    hand.settle()
    at = place_in_space(hand)
    hand.click(hand.window.scene_view, at)
    return f"{at.x()}, {at.y()}"


def context_menu(hand: Hand) -> str | None:
    """Call one anywhere, and choose an entry of it, or none."""
    hand.settle()
    window, chance = hand.window, hand.chance
    widgets = [*_views(hand), *window.panel.rows.values(), *window.checkpoints.cards, *window.inspector.cards]
    widget = chance.choice([made for made in widgets if made.isVisible()])
    at = QPoint(chance.randint(0, widget.width() - 1), chance.randint(0, widget.height() - 1))
    QTest.mousePress(widget, Qt.MouseButton.RightButton, NONE, at)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, widget.mapToGlobal(at))
    QApplication.sendEvent(widget, event)
    QTest.mouseRelease(widget, Qt.MouseButton.RightButton, NONE, at)
    menu = QApplication.activePopupWidget()
    if not isinstance(menu, QMenu):
        return None
    away = (window.commands["show in folder"],)  # another program
    entries = [entry for entry in menu.actions() if entry.isEnabled() and entry.text() and entry not in away]
    entry = chance.choice([None, *entries])
    if entry is None or entry.menu() is not None:
        menu.close()
        return "none"
    text = entry.text()
    QTest.mouseClick(menu, LEFT, NONE, menu.actionGeometry(entry).center())
    return text


def pan_slice(hand: Hand) -> str | None:
    if not hand.tiles:
        return None
    view = hand.chance.choice(hand.tiles).view
    hand.driver.drag(view, np.array([80.0, 50.0]), [np.array([120.0, 60.0]), np.array([90.0, 90.0])])
    QTest.mouseRelease(view, LEFT, NONE, QPoint(90, 90))
    return "done"


def click_title(hand: Hand) -> str | None:
    if not hand.tiles:
        return None
    QTest.mouseDClick(hand.chance.choice(hand.tiles), LEFT, NONE, QPoint(30, 12))
    return "one large, or all"


def pick(hand: Hand) -> str:
    """A task, and some clicks for it."""
    view, task = hand.window.scene_view, hand.chance.choice(list(Task))
    hand.window.picker.begin(task)
    for _ in range(hand.chance.randint(0, 4)):
        at = QPoint(hand.chance.randint(0, view.width() - 1), hand.chance.randint(0, view.height() - 1))
        move(view, at)
        hand.click(view, at)
    if hand.chance.random() < 0.5:
        QTest.keyClick(view, Qt.Key.Key_Escape)
    return task.value


def measure_in_slice(hand: Hand) -> str | None:
    if hand.window.picker.task is not Task.MEASURE:
        hand.window.picker.begin(Task.MEASURE)
    done = click_in_slice(hand)
    if hand.chance.random() < 0.4 and hand.window.task_bar.isVisible():
        hand.window.task_bar.copied.emit()
    return hand.window.task_bar.result.text() or done
