"""The real window, driven by real events; after each test nothing of it may be left."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("PySide6.QtWidgets", reason="the window needs Qt", exc_type=ImportError)

from PySide6.QtCore import QEvent, QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QAction, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from vtkmodules.vtkRenderingCore import vtkRenderWindow

from app.application import application
from app.commands.kernels import prepare_kernels, prepare_surface_kernels
from app.widgets.main_window import MainWindow
from tests.app.conftest import ROOT

if TYPE_CHECKING:
    from app.widgets.slice_tile import SliceTile

LEFT = Qt.MouseButton.LeftButton
_PATIENCE = 60.0


def wait_until(condition: Callable[[], Any], seconds: float = _PATIENCE) -> None:
    """Let the window work until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the window did not get there in time"
        QTest.qWait(10)


@dataclass
class Driver:
    """A window and a hand."""

    window: MainWindow

    def open(self, path: Path) -> None:
        self.window.open_path(path)
        self.settle()

    def settle(self) -> None:
        wait_until(lambda: self.window.settled)

    @property
    def tile(self) -> SliceTile:
        """Of the active slice."""
        active = self.window.store.session.active
        assert active is not None
        return self.window.board.tiles[active]

    def drag(self, widget: QWidget, start: NDArray[np.float64], steps: list[NDArray[np.float64]]) -> None:
        """Press at a pixel, move over others, and hold."""
        move(widget, point(start), Qt.MouseButton.NoButton)
        QTest.mousePress(widget, LEFT, Qt.KeyboardModifier.NoModifier, point(start))
        for step in steps:
            move(widget, point(step), LEFT)
            QTest.qWait(5)

    def wheel(self, widget: QWidget, at: QPoint, notches: int, control: bool = False) -> None:
        modifiers = Qt.KeyboardModifier.ControlModifier if control else Qt.KeyboardModifier.NoModifier
        event = QWheelEvent(
            QPointF(at), QPointF(widget.mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
            modifiers, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(widget, event)


def press(driver: Driver, shortcut: str) -> None:
    """The entry of a menu that has these keys, whichever window the display gives them to."""
    found = [action for action in driver.window.findChildren(QAction) if action.shortcut().toString() == shortcut]
    assert len(found) == 1
    found[0].trigger()


def move(widget: QWidget, at: QPoint, held: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
    """The mouse is at a pixel; arrived on return, which a pointer moved by the display may be much later."""
    modifiers = Qt.KeyboardModifier.NoModifier
    place, everywhere = QPointF(at), QPointF(widget.mapToGlobal(at))
    event = QMouseEvent(QEvent.Type.MouseMove, place, everywhere, Qt.MouseButton.NoButton, held, modifiers)
    QApplication.sendEvent(widget, event)


def point(pixel: NDArray[np.float64]) -> QPoint:
    return QPoint(round(float(pixel[0])), round(float(pixel[1])))


@pytest.fixture(scope="session", autouse=True)
def settings_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The user's own recent files stay out of it."""
    folder = str(tmp_path_factory.mktemp("settings"))
    os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = folder
    for format_ in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(format_, QSettings.Scope.UserScope, folder)


@pytest.fixture(scope="session", autouse=True)
def kernels(settings_elsewhere: None) -> None:
    """Compiled before a test waits for a window that needs them: those of the engine, and those that draw."""
    prepare_kernels()
    prepare_surface_kernels()
    running = application()
    window = MainWindow()
    window.show()
    window.open_path(ROOT / "resources" / "checkpoints" / "torus.safetensors")
    wait_until(lambda: window.settled, 240.0)
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    running.processEvents()


@pytest.fixture(autouse=True)
def no_error_in_a_slot(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Qt swallows what a slot raises, after telling sys.excepthook."""
    errors: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _type, error, _trace: errors.append(error))
    yield
    assert errors == []


@pytest.fixture
def empty_window() -> Iterator[Driver]:
    running = application()
    QSettings("SplineScope", "SplineScope").clear()
    window = MainWindow()
    window.resize(1200, 800)
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    driver = Driver(window)
    yield driver
    driver.window.close()
    driver.window.deleteLater()
    del driver, window
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    running.processEvents()
    check_nothing_left()


@pytest.fixture
def window(empty_window: Driver, checkpoint: Path) -> Driver:
    empty_window.open(checkpoint)
    return empty_window


def check_nothing_left() -> None:
    """No thread, no window, no object of VTK."""
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("splinescope")] == []
    gc.collect()
    QApplication.processEvents()
    assert [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()] == []
    assert [thing for thing in gc.get_objects() if issubclass(type(thing), vtkRenderWindow)] == []
