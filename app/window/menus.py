"""The menus of the window, from what a person can do in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from app.control.picker import Task
from app.window.parts.controls import as_tip, shortened

if TYPE_CHECKING:
    from app.state.history import History
    from app.window.main_window import MainWindow

_MOST_OF_PATH: Final = 90  # characters
_MOST_OF_STEP: Final = 60

_Key = QKeySequence | QKeySequence.StandardKey | str | None


class Menus:
    """The window's menu bar, and the entries of it that change."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        bar = window.menuBar()
        self.recent = self._file(bar)
        self.undo, self.redo = self._edit(bar)
        self._slice(bar)
        self.sides = self._view(bar)
        self._help(bar)

    def _file(self, bar: QMenuBar) -> QMenu:
        window, menu = self._window, bar.addMenu("&File")
        add(menu, "&Open…", window.file_dialogs.choose, QKeySequence.StandardKey.Open)
        recent = menu.addMenu("Open &recent")
        recent.setToolTipsVisible(True)  # paths that are shown shortened
        add(menu, "Re&load from disk", window.reloader.reload_shown, "F5")
        add(menu, "Next c&heckpoint", window.hand.next_network, "Ctrl+Tab")
        add(menu, "&Close checkpoint", window.hand.close_network, QKeySequence.StandardKey.Close)
        menu.addSeparator()
        add(menu, "Open sess&ion…", window.file_dialogs.choose_session)
        menu.addSeparator()
        add(menu, "&Save session", window.file_dialogs.save, QKeySequence.StandardKey.Save)
        add(menu, "Save session &as…", window.file_dialogs.save_as, "Ctrl+Shift+S")
        menu.addSeparator()
        add(menu, "Save a &picture of the 3D view…", window.choose_picture, "Ctrl+P")
        menu.addSeparator()
        add(menu, "&Quit", window.close, QKeySequence.StandardKey.Quit)
        return recent

    def _edit(self, bar: QMenuBar) -> tuple[QAction, QAction]:
        store, menu = self._window.store, bar.addMenu("&Edit")
        undo = add(menu, "&Undo", store.undo, "Ctrl+Z")
        redo = add(menu, "&Redo", store.redo, "Ctrl+Shift+Z")
        for action in (undo, redo):
            action.setEnabled(False)
            action.setIconText(action.iconText())  # what it does in one word, whatever its text names
        menu.addSeparator()
        poses = self._window.poses
        add(menu, "&Copy pose of the plane", poses.copy, QKeySequence.StandardKey.Copy)
        add(menu, "&Paste pose", poses.paste, QKeySequence.StandardKey.Paste)
        add(menu, "Paste pose as a &new slice", poses.paste_new, "Ctrl+Shift+V")
        add(menu, "Copy as co&mmand", poses.copy_command, "Ctrl+Shift+C")
        add(menu, "Copy as P&ython", poses.copy_python)
        menu.addSeparator()
        add(menu, "Pre&ferences…", self._window.show_preferences, "Ctrl+,")
        return undo, redo

    def _slice(self, bar: QMenuBar) -> None:
        window, menu = self._window, bar.addMenu("&Slice")
        panel = window.panel
        add(menu, "&Add", panel.add.click, "Ctrl+N")
        add(menu, "&Duplicate", panel.duplicate.click, "Ctrl+D")
        add(menu, "D&elete", window.hand.delete, QKeySequence.StandardKey.Delete)
        add(menu, "&Hide or show", window.hand.hide, "H")
        add(menu, "&Next", lambda: window.hand.step(1), "N")
        add(menu, "Pre&vious", lambda: window.hand.step(-1), "Shift+N")
        menu.addSeparator()
        picker = window.picker
        add(menu, "Add a &stack…", window.helper.show_stack, "Ctrl+Shift+N")
        add(menu, "Through three &points…", lambda: picker.begin(Task.THREE_POINTS))
        add(menu, "Acr&oss the surface…", lambda: picker.begin(Task.UPRIGHT))
        add(menu, "Tan&gent to the surface…", lambda: picker.begin(Task.TANGENT))
        add(menu, "Play o&r stop", window.player.toggle, "P")
        menu.addSeparator()
        for axis, snap in panel.snaps.items():
            add(menu, f"Snap across &{axis}", snap.click, axis.upper())
        add(menu, "Snap to the &camera", window.hand.snap_to_camera, "C")
        add(menu, "&Flip", panel.flip.click, "F")
        add(menu, "Rotate &left", panel.left.click, "[")
        add(menu, "Rotate righ&t", panel.right.click, "]")

    def _view(self, bar: QMenuBar) -> dict[QWidget, QAction]:
        window, menu, view = self._window, bar.addMenu("&View"), self._window.scene_view
        add(menu, "&Home", lambda: view.set_up(view.up), "Home")
        add(menu, "From +&x", lambda: view.look_from((1.0, 0.0, 0.0)), "1")
        add(menu, "From +&y", lambda: view.look_from((0.0, 1.0, 0.0)), "2")
        add(menu, "From +&z", lambda: view.look_from((0.0, 0.0, 1.0)), "3")
        menu.addSeparator()
        upwards = {"x": "&upwards", "y": "u&pwards", "z": "up&wards"}
        for axis in "xyz":
            add(menu, f"{axis} {upwards[axis]}", window.hand.upwards(axis))
        menu.addSeparator()
        add(menu, "&Tiles or one slice", window.strip.tiled.click, "T")
        add(menu, "&Go to a neuron", window.strip.search.setFocus, QKeySequence.StandardKey.Find)
        add(menu, "&Measure distance and angle…", lambda: window.picker.begin(Task.MEASURE), "M")
        add(menu, "&No highlight\tEsc", window.hand.clear_neuron)
        menu.addSeparator()
        sides = {
            window.inspector: add(menu, "&Inspector", lambda: window.side.toggle(window.inspector), "Ctrl+I"),
            window.neurons: add(menu, "N&eurons", lambda: window.side.toggle(window.neurons), "Ctrl+T"),
        }
        for action in sides.values():
            action.setCheckable(True)
        return sides

    def _help(self, bar: QMenuBar) -> None:
        helper, menu = self._window.helper, bar.addMenu("&Help")
        add(
            menu, "&Keys and gestures", lambda: helper.show_shortcuts(self.all()), QKeySequence.StandardKey.HelpContents
        )
        add(menu, "&First steps", helper.hint)
        menu.addSeparator()
        add(menu, "Show the &log", helper.show_log)
        add(menu, "&About SplineScope", helper.show_about)

    def all(self) -> list[QMenu]:
        """The menus of the bar, in their order."""
        menus = [action.menu() for action in self._window.menuBar().actions()]
        return [menu for menu in menus if isinstance(menu, QMenu)]

    def show_side(self, shown: QWidget | None) -> None:
        """Tick the panel at the right of the views."""
        for panel, action in self.sides.items():
            action.setChecked(panel is shown)

    def show_steps(self, history: History) -> None:
        """What would be undone and redone."""
        for action, verb, name in (
            (self.undo, "&Undo", history.next_undone),
            (self.redo, "&Redo", history.next_redone),
        ):
            action.setText(verb if name is None else f"{verb} {_entry(name, _MOST_OF_STEP)}")
            action.setEnabled(name is not None)

    def show_recent(self, paths: list[Path], open_path: Callable[[Path], None]) -> None:
        self.recent.clear()
        for path in paths:
            entry = self.recent.addAction(_entry(str(path), _MOST_OF_PATH))
            entry.setToolTip(as_tip(str(path)))
            entry.triggered.connect(lambda _=False, path=path: open_path(path))
        self.recent.setEnabled(bool(paths))


def _entry(name: str, most: int) -> str:
    """A name in a menu, where & would underline a letter."""
    return shortened(name, most).replace("&", "&&")


def add(menu: QMenu, text: str, act: Callable[[], object], key: _Key = None) -> QAction:
    action = menu.addAction(text)
    action.triggered.connect(lambda _=False: act())
    if key is not None:
        action.setShortcut(QKeySequence(key))
    return action
