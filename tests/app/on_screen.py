"""The real window, driven by real events; after each test nothing of it may be left."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

pytest.importorskip("PySide6.QtWidgets", reason="the window needs Qt", exc_type=ImportError)

from PySide6.QtCore import QEvent, QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QAction, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from vtkmodules.vtkRenderingCore import vtkRenderWindow

from app.application import application
from app.commands.kernels import prepare_kernels, prepare_surface_kernels
from app.control import session_keeper
from app.jobs import watching
from app.jobs.opening import open_file
from app.state.session import OpenNetwork
from app.views.scene import scene_view
from app.window.main_window import MainWindow
from tests.app.conftest import ROOT, Ran
from tests.app.waiting import let_run

if TYPE_CHECKING:
    from app.window.panels.slice_tile import SliceTile
    from sdf_models import Reading

LEFT = Qt.MouseButton.LeftButton
_PATIENCE = float(os.environ.get("PATIENCE", "300"))


def wait_until(condition: Callable[[], Any], seconds: float = _PATIENCE) -> None:
    """Let the window work until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the window did not get there in time"
        let_run(10)


@dataclass
class Driver:
    """A window and a hand."""

    window: MainWindow

    def open(self, path: Path) -> None:
        self.window.open_path(path)
        self.settle()

    def settle(self) -> None:
        wait_until(lambda: self.window.settled)

    def close(self) -> None:
        """For good."""
        self.window.close()
        self.window.deleteLater()
        del self.window
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()

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
            let_run(5)

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


def menus(window: MainWindow) -> list[QMenu]:
    """Those of the menu bar."""
    return [action.menu() for action in window.menuBar().actions()]


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
    _prepare()


@cache
def _prepare() -> None:
    """Kernels are compiled before a test waits for a window that needs them: those of the engine, and those that draw.

    What is in memory then, mostly of libraries, is passed over when tests look for what is left: that took a fifth of
    the time of opening and closing a window.  Torch's threads spin while they wait for each other: on a machine that
    runs other tests beside these, they took half of it.
    """
    torch.set_num_threads(1)
    prepare_kernels()
    prepare_surface_kernels()
    application()
    driver = Driver(MainWindow())
    driver.window.show()
    driver.window.open_path(ROOT / "resources" / "checkpoints" / "torus.safetensors")
    wait_until(lambda: driver.window.settled)
    driver.close()
    check_nothing_left()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def soon() -> Iterator[None]:
    """Timers that wait for a moment without changes wait for a shorter one: tests wait for it, again and again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene_view, "_STILL_MILLISECONDS", 20)
        patch.setattr(session_keeper, "_AUTOSAVE_MILLISECONDS", 50)
        patch.setattr(watching, "_QUIET_MILLISECONDS", 60)
        yield


@pytest.fixture(autouse=True)
def no_error_in_a_slot(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Qt swallows what a slot raises, after telling sys.excepthook."""
    errors: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _type, error, _trace: errors.append(error))
    yield
    assert errors == []


@cache
def _read_once(path: Path) -> OpenNetwork:
    return open_file(path, lambda: False)


@pytest.fixture
def empty_window(checkpoint: Path) -> Iterator[Driver]:
    """As small as views and panels allow: pictures take time by their pixels."""

    def open_soon(path: Path, cancelled: Callable[[], bool], reading: Reading | None = None) -> OpenNetwork:
        """Nearly every test opens the same file, which does not change: it is read once."""
        return replace(_read_once(path)) if path == checkpoint else open_file(path, cancelled, reading)

    application()
    QSettings("SplineScope", "SplineScope").clear()
    window = MainWindow(open_file=open_soon)
    window.resize(1000, 700)
    window.show()
    assert QTest.qWaitForWindowExposed(window, 60_000)
    driver = Driver(window)
    del window
    yield driver
    driver.close()
    check_nothing_left()


@pytest.fixture
def window(empty_window: Driver, checkpoint: Path) -> Driver:
    empty_window.open(checkpoint)
    return empty_window


@pytest.fixture
def command(splinescope: Callable[..., Ran]) -> Iterator[Callable[..., Ran]]:
    """The command line inside this process, of which the window and the dialog about a refused file go at the end."""
    known = QApplication.topLevelWidgets()
    yield splinescope
    for widget in QApplication.topLevelWidgets():
        if widget not in known:
            widget.close()
            widget.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def check_nothing_left() -> None:
    """No thread, no window, no object of VTK."""
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("splinescope")] == []
    gc.collect()
    QApplication.processEvents()
    assert [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()] == []
    assert [thing for thing in gc.get_objects() if issubclass(type(thing), vtkRenderWindow)] == []
