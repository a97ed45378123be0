"""Help and other dialogs, and what is said at the first start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QWidget

from app.jobs.log_file import LOG
from app.window.commands.table import keys_by_menu

if TYPE_CHECKING:
    from app.control.notices import Notices
    from app.control.settings import Settings
    from app.state.store import Store

HINT: Final = (
    "Drag a plane by its frame: its exact slice follows, in 3D and beside it.\n"
    "Hover over a line to see which neuron made it; click to follow that neuron everywhere.\n"
    "All keys and gestures: F1."
)


class Helper:
    """log_folder: where the log is written; None: nowhere; renderer: of what draws the 3D view, "" until that is
    known."""

    def __init__(
        self, store: Store, settings: Settings, notices: Notices, take: Callable[[], None], window: QWidget
    ) -> None:
        """take: what follows a change of preferences that are not in the session."""
        self._store, self._settings, self._notices = store, settings, notices
        self._take, self._window = take, window
        self.log_folder: Path | None = None
        self.renderer = ""
        self.dialog: QDialog | None = None

    def calls(self) -> dict[str, Callable[[], object]]:
        """By the names of the commands."""
        return {
            "stack": self.show_stack,
            "preferences": self.show_preferences,
            "keys": self.show_shortcuts,
            "first steps": self.hint,
            "log": self.show_log,
            "about": self.show_about,
        }

    def note_renderer(self, renderer: str) -> None:
        self.renderer = renderer
        LOG.info("3D drawn by %s", renderer)

    def hint(self) -> None:
        self._notices.tell(HINT, ("Got it", self._greeted))

    def hint_once(self) -> None:
        """At the first start, unless there is something more urgent to tell."""
        if not (self._settings.greeted or self._notices.told):
            self.hint()

    def show_shortcuts(self) -> None:
        from app.window.dialogs.shortcuts_dialog import ShortcutsDialog

        self._open(ShortcutsDialog(keys_by_menu(), self._window))

    def show_about(self) -> None:
        from app.window.dialogs.about_dialog import AboutDialog

        self._open(AboutDialog(self.renderer, self._window))

    def show_preferences(self) -> None:
        from app.window.dialogs.preferences_dialog import PreferencesDialog

        self._open(PreferencesDialog(self._settings, self._store, self._take, self._window))

    def show_stack(self) -> None:
        from app.window.dialogs.stack_dialog import StackDialog

        part = self._store.session.active_slice
        if part is not None and self._store.session.opened is not None:
            self._open(StackDialog(self._store, part, self._window))

    def show_log(self) -> None:
        if self.log_folder is None:
            self._notices.tell("No log is written in this window.")
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.log_folder))):
            self._notices.tell(f"The log is in {self.log_folder}.")

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.destroyed.connect(self._gone)
        self.dialog = dialog
        dialog.open()

    def _gone(self) -> None:
        self.dialog = None

    def _greeted(self) -> None:
        self._settings.greeted = True
