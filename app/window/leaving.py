"""The question whether changes of a named session are saved, before it is left."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMessageBox, QWidget

from app.control.session_keeper import SessionKeeper
from app.window.parts.controls import breakable

_Button = QMessageBox.StandardButton


class Leaving:
    """asks: a person is there to answer; dialog: the question while it is asked."""

    def __init__(self, keeper: SessionKeeper, window: QWidget) -> None:
        self._keeper, self._window = keeper, window
        self.asks = self._discarding = False
        self.dialog: QMessageBox | None = None

    @property
    def open_question(self) -> bool:
        """Changes would be lost, and a person can say whether they matter."""
        return self.asks and self._keeper.changed and not self._discarding

    def leave(self, go_on: Callable[[], object], stay: Callable[[], object]) -> None:
        """Go on at once where nothing is lost; else when the changes are saved, or discarded by the person."""
        path = self._keeper.path
        if not self.open_question or path is None:
            go_on()
            return
        if self.dialog is not None:  # one question at a time
            stay()
            return
        box = self.dialog = QMessageBox(self._window)
        box.setWindowTitle("SplineScope")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"{breakable(path.name)} has changes that are not saved.")
        box.setInformativeText("Save them before the session is left?")
        box.setStandardButtons(_Button.Save | _Button.Discard | _Button.Cancel)
        for made in box.buttons():
            made.setIcon(QIcon())  # words alone, as in other dialogs
        box.setDefaultButton(_Button.Save)
        box.setEscapeButton(_Button.Cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def answer(_: int) -> None:
            pressed = box.standardButton(box.clickedButton())
            self.dialog = None
            if pressed == _Button.Save:
                self._keeper.save_to(path, go_on, stay)
            elif pressed == _Button.Discard:
                self._discarding = True
                go_on()
                self._discarding = False
            else:
                stay()

        box.finished.connect(answer)
        box.open()
