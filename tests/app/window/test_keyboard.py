"""The window and its dialogs without a mouse: names that are read out, mnemonics, the way of the Tab key."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAccessible, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTableView,
    QWidget,
)

from app.window.dialogs.about_dialog import AboutDialog
from app.window.dialogs.error_dialog import ErrorDialog
from app.window.dialogs.figure_dialog import FigureDialog
from app.window.dialogs.notes_dialog import NotesDialog
from app.window.dialogs.picture_dialog import PictureDialog
from app.window.dialogs.preferences_dialog import PreferencesDialog
from app.window.dialogs.stack_dialog import StackDialog
from tests.app.on_screen import Driver, menus

CONTROLS: Final = (
    QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, QTableView,
)  # fmt: skip


def controls(root: QWidget) -> list[QWidget]:
    """What can be operated and is in sight, without the parts that Qt makes of them."""
    found = [widget for widget in root.findChildren(QWidget) if isinstance(widget, CONTROLS) and widget.isVisible()]
    return [
        widget
        for widget in found
        if not isinstance(widget, QScrollBar)
        and not isinstance(widget.parent(), QAbstractSpinBox | QLineEdit | QTableView | QComboBox)
        and not widget.objectName().startswith("qt_")
        and widget.window() is root.window()
    ]


def spoken(widget: QWidget) -> str:
    """What a screen reader says of a control."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def unnamed(root: QWidget) -> list[tuple[str, str]]:
    return [
        (type(widget).__name__, widget.toolTip())
        for widget in controls(root)
        if not re.search(r"\w\w", spoken(widget)) and spoken(widget) not in ("x", "y", "z")
    ]


DIALOGS: Final[dict[str, Callable[[Driver], QDialog]]] = {
    "preferences": lambda driver: PreferencesDialog(
        driver.window.settings, driver.window.store, lambda: None, driver.window
    ),
    "stack": lambda driver: StackDialog(driver.window.store, driver.window.store.session.active_slice, driver.window),
    "picture": lambda driver: PictureDialog(
        driver.window.scene_view,
        driver.window.scene_link.submit,
        driver.window.scene_link.draw_still,
        driver.window.file_dialogs.show_problem,
        driver.window,
    ),
    "figure": lambda driver: FigureDialog(
        driver.window.exporter, driver.window.settings, None, lambda: None, driver.window
    ),
    "error": lambda driver: ErrorDialog("It went wrong", "This is why.", "in detail", driver.window),
    "about": lambda driver: AboutDialog("llvmpipe", driver.window),
    "notes": lambda driver: NotesDialog(driver.window.store.session.opened, driver.window),
}


def tab(root: QWidget, key: Qt.Key = Qt.Key.Key_Tab) -> QWidget:
    """Where the focus of a window goes, whether the display gives it the keyboard or not."""
    focus = root.focusWidget() or root
    QApplication.sendEvent(focus, QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier))
    return root.focusWidget()


@pytest.mark.parametrize("name", DIALOGS)
def test_dialogs_are_operated_by_keys(window: Driver, name: str) -> None:
    dialog = DIALOGS[name](window)
    dialog.show()
    assert QTest.qWaitForWindowExposed(dialog, 60_000)
    everything = controls(dialog)
    assert unnamed(dialog) == []
    bare = [spoken(widget) for widget in everything if not widget.toolTip()]
    boxes = dialog.findChildren(QDialogButtonBox)
    standard = [spoken(button) for box in boxes for button in box.buttons() if box.standardButton(button)]
    assert set(bare) - set(standard) <= {"detail", "Add"}

    first = dialog.focusWidget() or tab(dialog)
    way = [first]
    while (following := tab(dialog)) is not first:
        assert following not in way
        way.append(following)
    assert {
        widget for widget in everything if widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    } <= set(way)
    back = [tab(dialog, Qt.Key.Key_Backtab) for _ in way]
    assert back == [*way[:0:-1], first]
    rows = [widget.mapTo(dialog, QPoint(0, widget.height() // 2)).y() for widget in way if widget in everything]
    top = rows.index(min(rows))
    assert (np.diff([*rows[top:], *rows[:top]]) > -20).all()  # from the top to the bottom, wherever it starts

    words = [widget.text() for widget in dialog.findChildren(QWidget) if isinstance(widget, QAbstractButton | QLabel)]
    keys = [found[1].lower() for word in words if (found := re.search(r"&(\w)", word.replace("&&", ""))) is not None]
    assert len(keys) == len(set(keys))
    for label in dialog.findChildren(QLabel):
        if "&" in label.text().replace("&&", ""):
            assert label.buddy() is not None, label.text()
    dialog.close()
    dialog.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_every_control_of_the_window_has_a_name(window: Driver) -> None:
    running = window.window
    running.notice.tell("something", ("Do it", lambda: None))
    for panel in (running.inspector, running.neurons):
        running.side.open(panel)
        running.pins.pin(running.store.session.active, 0.1, 0.1)
        window.settle()
        assert unnamed(running) == []


def test_every_entry_of_the_menus_has_a_letter_of_its_own(window: Driver) -> None:
    for menu in menus(window.window):
        texts = [action.text() for action in menu.actions() if not action.isSeparator()]
        letters = [re.search(r"&(\w)", text.replace("&&", "")) for text in texts]
        assert [text for text, letter in zip(texts, letters, strict=True) if letter is None] == []
        names = [letter[1].lower() for letter in letters]
        assert sorted(set(names)) == sorted(names), (menu.title(), sorted(names))


def test_the_tab_key_leads_through_the_whole_window_and_back(window: Driver) -> None:
    running = window.window
    running.side.open(running.inspector)
    running.pins.pin(running.store.session.active, 0.1, 0.1)
    window.settle()
    running.strip.search.setFocus()
    first = running.focusWidget()
    way = [first]
    while (following := tab(running)) is not first:
        assert following not in way
        way.append(following)
    missed = [
        (type(widget).__name__, spoken(widget))
        for widget in controls(running)
        if widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget not in way
    ]
    assert missed == []
    assert all(re.search(r"\w", spoken(widget)) for widget in way)
    back = [tab(running, Qt.Key.Key_Backtab) for _ in way]
    assert back == [*way[:0:-1], first]
    for place in (running.strip, running.checkpoints, running.panel, running.legend, running.side):
        inside = [place is widget or place.isAncestorOf(widget) for widget in way]
        left = sum(a and not b for a, b in zip(inside, [*inside[1:], inside[0]], strict=True))
        assert left == 1, place  # only when all of it was passed
