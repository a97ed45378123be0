"""From a plane that moved to its slice shown in both views, and pictures while the camera turns, on the real window:
`make bench` prints the tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

pytest.importorskip("PySide6.QtWidgets", reason="the window needs Qt", exc_type=ImportError)

from PySide6.QtCore import QEvent, QEventLoop, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.application import application
from app.state import actions
from app.window.main_window import MainWindow
from engine import SlicePlane
from tests.app.waiting import let_run
from tests.benchmarks.cases import CHECKPOINTS, FOX

_ROUNDS = 25
_SECONDS = 5.0


@pytest.fixture
def window() -> Iterator[MainWindow]:
    running = application()
    made = MainWindow()
    made.resize(1600, 1000)
    made.show()
    QTest.qWaitForWindowExposed(made)
    yield made
    made.close()
    made.deleteLater()
    running.processEvents()


class Heart(QObject):
    """Beats on the thread of the window; it stops while something else runs there."""

    def __init__(self) -> None:
        super().__init__()
        self._last = self._worst = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(2)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self._last, self._worst = perf_counter(), 0.0
        self._timer.start()

    def stop(self) -> float:
        """The longest time between two beats since the start, in seconds."""
        self._beat()
        self._timer.stop()
        return self._worst

    def _beat(self) -> None:
        now = perf_counter()
        self._worst, self._last = max(self._worst, now - self._last), now


def settle(window: MainWindow) -> None:
    while not window.settled:
        let_run(20)


def shown(window: MainWindow, key: int, plane: SlicePlane) -> bool:
    """The slice at this plane is drawn in 2D and in space."""
    drawn = window.slices.result(key)
    view = window.board.tiles[key].view
    return (
        drawn is not None
        and drawn.plane is plane
        and view.picture is drawn.picture
        and view.settled
        and window.scene_view.rendered
    )


@pytest.mark.parametrize("path", [FOX, CHECKPOINTS / "spot.safetensors"], ids=["fox", "spot"])
def test_a_moved_plane(window: MainWindow, benchmark: BenchmarkFixture, path: Path, window_rows) -> None:
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    renderer: list[str] = []
    window.scene_link.renderer_known.connect(renderer.append)
    window.scene_link.prepare(lambda: None)
    start = perf_counter()
    window.open_path(path)
    while window.store.session.opened is None or not window.scene_view.rendered:
        let_run(5)
    usable = perf_counter() - start
    settle(window)
    exact = perf_counter() - start
    key = window.store.session.active
    planes = [SlicePlane.from_axis("z", z) for z in np.linspace(-0.2, 0.2, _ROUNDS)]
    engine, computing, seconds, longest = [], [], [], []

    def move(plane: SlicePlane) -> None:
        window.store.do(actions.MovePlane(key, plane, live=True))
        while not shown(window, key, plane):
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        QApplication.processEvents()  # what was drawn is painted on the screen

    def timed_move(plane: SlicePlane) -> None:
        begin = perf_counter()
        move(plane)
        seconds.append(perf_counter() - begin)
        answer = window.slices.result(key).answer
        computing.append(answer.seconds)
        engine.append(sum(answer.partition.seconds.values()))

    remaining = iter([planes[0], *planes])
    benchmark.pedantic(lambda: timed_move(next(remaining)), rounds=_ROUNDS, warmup_rounds=1)
    heart = Heart()  # it wakes the cores hundreds of times a second: not while the moves are timed
    for plane in planes:
        heart.start()
        move(plane)
        longest.append(heart.stop())
    drawn = window.slices.result(key)
    window_rows.append(
        {
            "network": path.stem,
            "usable": f"{usable:.1f} s",
            "all exact": f"{exact:.1f} s",
            "moved to shown, median": f"{1000 * median(seconds):.0f} ms",
            "of it computing": f"{1000 * median(computing):.0f} ms",
            "in the engine's slice": f"{1000 * median(engine):.0f} ms",
            "layers while moving": f"{drawn.answer.done} of {drawn.answer.layers}",
            "longest on the GUI thread, median": f"{1000 * median(longest):.0f} ms",
            "of all moves": f"{1000 * max(longest):.0f} ms",
            "drawn by": renderer[0],
        }
    )


@pytest.mark.parametrize("size", [(1440, 900), (3840, 2160)], ids=["1440x900", "3840x2160"])
def test_a_turned_camera(window: MainWindow, benchmark: BenchmarkFixture, turn_rows, size: tuple[int, int]) -> None:
    """Pictures of Spot with three slices on the screen each second, while a hand turns the camera."""
    view, renderer, shown = window.scene_view, [], []
    window.scene_link.renderer_known.connect(renderer.append)
    window.prepare()
    window.open_path(CHECKPOINTS / "spot.safetensors")
    view.setMinimumSize(*size)
    settle(window)
    show, start, heart = view.show_drawing, QPointF(60.0, 60.0), Heart()
    view.show_drawing = lambda *of: (shown.append(perf_counter()), show(*of))  # what the link calls for each picture

    def turn(seconds: float) -> None:
        begin = perf_counter()
        while (after := perf_counter() - begin) < seconds:
            mouse(view, QEvent.Type.MouseMove, start + QPointF(40.0 * np.sin(3.0 * after), 0.0))
            let_run(4)

    mouse(view, QEvent.Type.MouseButtonPress, start)
    turn(1.0)  # how much is drawn has been found out
    shown.clear()
    heart.start()
    benchmark.pedantic(turn, args=(_SECONDS,), rounds=1)
    longest = heart.stop()
    mouse(view, QEvent.Type.MouseButtonRelease, start)
    turn_rows.append(
        {
            "size": f"{size[0]}x{size[1]}",
            "drawn by": renderer[0],
            "pictures each second": f"{len(shown) / _SECONDS:.1f}",
            "longest on the GUI thread": f"{1000 * longest:.0f} ms",
        }
    )
    assert shown


def mouse(view: QWidget, kind: QEvent.Type, at: QPointF) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind is QEvent.Type.MouseMove else left
    held = none if kind is QEvent.Type.MouseButtonRelease else left
    everywhere = QPointF(view.mapToGlobal(at.toPoint()))
    QApplication.sendEvent(view, QMouseEvent(kind, at, everywhere, button, held, Qt.KeyboardModifier.NoModifier))
