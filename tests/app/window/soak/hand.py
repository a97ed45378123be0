"""A seeded hand at a window: it acts at random, remembers what it did last, and answers whatever dialogs come."""

from __future__ import annotations

import os
import random
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QWidget,
)  # fmt: skip

from app.jobs.opening_process import OpeningProcess
from app.jobs.watching import _stamp
from app.jobs.worker import Worker
from app.state.session import Session
from app.window.main_window import MainWindow
from app.window.panels.slice_tile import SliceTile
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, random_module
from tests.app.on_screen import LEFT, Driver, check_nothing_left, wait_until
from tests.app.waiting import let_run

NONE: Final = Qt.KeyboardModifier.NoModifier
MOST_SLICES: Final = 9
_DIALOGS: Final = 6  # one after the other, each the answer to the one before


class Hand:
    """Does one thing after another to a window; `told` are the last of them, `errors` what slots raised."""

    def __init__(self, chance: random.Random, folder: Path, errors: list[BaseException]) -> None:
        self.chance, self.folder, self.errors = chance, folder, errors
        self.told: deque[str] = deque(maxlen=25)
        self.files = [folder / name for name in ("one.safetensors", "two.safetensors", "three.safetensors")]
        for seed, path in enumerate(self.files):
            save_checkpoint(path, random_module(seed, depth=2 + seed % 2), DOMAIN * (1.0 + 0.2 * seed))
        self.broken = folder / "broken.npz"
        self.broken.write_bytes(b"this is not a checkpoint")
        self._log = (folder / "actions.txt").open("w")  # for crashes that Python does not survive
        self._opening = OpeningProcess()
        self.driver = Driver(self._new_window())

    @property
    def window(self) -> MainWindow:
        return self.driver.window

    @property
    def session(self) -> Session:
        return self.window.store.session

    @property
    def tiles(self) -> list[SliceTile]:
        """In sight, in the order of the slices."""
        known = self.window.board.tiles
        return [known[part.key] for part in self.session.slices if known[part.key].isVisible()]

    def act(self, name: str, way: Callable[[Hand], str | None]) -> None:
        """One action, the dialogs that it brings, and a pause of some milliseconds, or until more is drawn."""
        self._log.write(f"{name}\n")
        self._log.flush()
        done = way(self)
        answers = self.answer_dialogs()
        self.told.append(f"{name}: {done or 'nothing to do'}{answers}")
        self.wait(self.chance.choice([0, 0, 1, 10, 60, 250]))

    def wait(self, milliseconds: int) -> None:
        let_run(milliseconds)
        self.check()

    def wait_until(self, condition: Callable[[], bool], seconds: float = 300.0) -> None:
        def met() -> bool:
            self.check()
            return condition()

        wait_until(met, seconds)

    def check(self) -> None:
        """Raises what a slot raised."""
        if self.errors:
            raise self.errors[0]

    def settle(self) -> None:
        self.window.player.stop()
        self.wait_until(lambda: not self.window.opener.busy and self._files_seen() and not self.window.reloader.busy)
        self.answer_dialogs()
        self.wait_until(lambda: (self.session.opened is None or self.window.settled) and not self._busy_workers())

    def _busy_workers(self) -> list[Worker]:
        """Some may still be ending what was cancelled, or drawing what is closed."""
        return [worker for worker in self.window.findChildren(Worker) if worker.busy]

    def _files_seen(self) -> bool:
        """Whether the window has noticed every change of its files: some hundred milliseconds after it."""
        known = self.window.reloader._watch._stamps
        return all(stamp == _stamp(path) for path, stamp in known.items() if path.exists())

    # Dialogs

    def answer_dialogs(self) -> str:
        """Play with every dialog in sight, then accept or leave it; what was done, for `told`."""
        told = ""
        for _ in range(_DIALOGS):
            while (popup := QApplication.activePopupWidget()) is not None:
                popup.close()
            dialog = self.dialog
            if dialog is None:
                return told
            told += f"; {type(dialog).__name__} {self._answer(dialog)}"
            self.wait_until(lambda gone=dialog: self.dialog is not gone)
        raise AssertionError("dialogs do not come to an end")

    @property
    def dialog(self) -> QDialog | None:
        """The one in front."""
        shown = [widget for widget in self.window.findChildren(QDialog) if widget.isVisible()]
        assert not [widget for widget in shown if isinstance(widget, QFileDialog)], "a dialog that nobody can answer"
        return shown[-1] if shown else None

    def _answer(self, dialog: QDialog) -> str:
        done = [self._play_with(dialog) for _ in range(self.chance.randint(0, 3))]
        if self.dialog is dialog:
            done.append(self._end(dialog))
        return ", ".join(done)

    def _play_with(self, dialog: QDialog) -> str:
        """Something in it is changed, that leaves it open."""
        fields = [
            field
            for kind in (QComboBox, QAbstractSpinBox, QLineEdit)
            for field in dialog.findChildren(kind)
            if field.isEnabled() and field.isVisible()
        ]
        if not fields:
            QTest.keyClick(dialog, Qt.Key.Key_Tab)
            return "tab"
        field = self.chance.choice(fields)
        if isinstance(field, QComboBox):
            at = self.chance.randrange(max(field.count(), 1))
            field.setCurrentIndex(at)
            field.activated.emit(at)
        elif isinstance(field, QAbstractSpinBox):
            field.stepBy(self.chance.randint(-3, 3))
        elif field.isReadOnly() or not isinstance(field.parent(), QAbstractSpinBox):
            QTest.keyClicks(field, self.chance.choice(["7", "0.1", "a b", " "]))
        return type(field).__name__

    def _end(self, dialog: QDialog) -> str:
        buttons = [button for button in dialog.findChildren(QAbstractButton) if button.isVisible()]
        usable = [button for button in buttons if button.isEnabled() and button.text() not in ("Copy", "JSON")]
        if usable and self.chance.random() < 0.6:
            button = self.chance.choice(usable)
            name = button.text()
            button.click()
            self.wait(5)
            if self.dialog is not dialog or not dialog.isEnabled():
                return name
        if self._at_work(dialog):
            return "at work"
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        return "left"

    def _at_work(self, dialog: QDialog) -> bool:
        """A picture is on its way: the dialog closes when it is there."""
        buttons = getattr(dialog, "_buttons", None)
        return isinstance(buttons, QWidget) and not buttons.isEnabled()

    # The window

    def close(self) -> None:
        """The window, and nothing of it is left."""
        self.driver.close()
        check_nothing_left()

    def reopen(self) -> None:
        self.close()
        self.driver = Driver(self._new_window())

    def end(self) -> None:
        """Of everything, whether it went well or not."""
        self._log.close()
        if hasattr(self.driver, "window"):
            self.driver.window.close()
        self._opening.close()

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        QTest.mouseClick(widget, LEFT, NONE, widget.rect().center() if at is None else at)

    def replace(self, path: Path, seed: int) -> None:
        """A training run writes a newer network."""
        part = path.with_name(f"part-{path.name}")
        save_checkpoint(part, random_module(seed, depth=2 + seed % 2), DOMAIN)
        os.replace(part, path)

    def _new_window(self) -> MainWindow:
        window = MainWindow(open_file=self._opening.open_file)
        window.slices.cache.budget = 4e6  # full soon: what grows is something else
        window.resize(1200, 800)
        window.show()
        assert QTest.qWaitForWindowExposed(window, 60_000)
        return window
