"""Hours at the window in short: random actions by a seeded hand, with a look at everything in between.

SPLINESCOPE_SOAK_SECONDS=3600 SPLINESCOPE_SOAK_SEED=7 make soak

Every round starts with an empty window and ends there, by undoing all that was done.  A failure tells the seed and the
last actions.  Memory is judged in runs of ten minutes and more, after a warm-up of five.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from app.application import application
from app.state import actions
from app.state.look import Fill
from app.state.session import Neuron, Session, same, same_picture
from app.widgets.main_window import MainWindow
from app.widgets.picker import Task
from app.widgets.stack_dialog import StackDialog
from app.widgets.theme import dress
from sdf_models import save_checkpoint
from tests.app.conftest import DOMAIN, random_module
from tests.app.window.conftest import LEFT, Driver, check_nothing_left, wait_until
from tests.app.window.test_undo import check_shows_the_session

SECONDS: Final = float(os.environ.get("SPLINESCOPE_SOAK_SECONDS", "20"))
SEED: Final = int(os.environ.get("SPLINESCOPE_SOAK_SEED", "1"))
WARM_UP: Final = 300.0
MOST_GROWTH: Final = 50.0  # MB
ROUND: Final = 60  # actions; fewer than the steps that can be undone
SHORTCUTS: Final = (
    "Ctrl+N", "Ctrl+D", "Del", "H", "N", "Shift+N", "X", "Y", "Z", "C", "F", "[", "]", "Home", "1", "2", "3", "T", "F5",
    "Ctrl+Tab", "Ctrl+C", "Ctrl+V", "Ctrl+Shift+V", "Ctrl+Shift+C",
)  # fmt: skip
NONE: Final = Qt.KeyboardModifier.NoModifier


class Hand:
    """Does one thing after another to a window; `told` are the last of them."""

    def __init__(self, chance: random.Random, folder: Path) -> None:
        self.chance = chance
        self.told: deque[str] = deque(maxlen=25)
        self.files = [folder / name for name in ("one.safetensors", "two.safetensors", "three.safetensors")]
        for seed, path in enumerate(self.files):
            save_checkpoint(path, random_module(seed, depth=2 + seed % 2), DOMAIN * (1.0 + 0.2 * seed))
        self.broken = folder / "broken.npz"
        self.broken.write_bytes(b"this is not a checkpoint")
        self._log = (folder / "actions.txt").open("w")  # for crashes that Python does not survive
        self.driver = Driver(new_window())
        self._ways: list[tuple[int, Callable[[], str | None]]] = [
            (8, self.drag_in_space), (4, self.drag_slider), (4, self.keys), (3, self.wheel), (6, self.shortcut),
            (4, self.rename), (3, self.hide), (2, self.remove), (5, self.undo), (3, self.redo), (3, self.open),
            (1, self.open_broken), (3, self.show_another), (1, self.close_checkpoint), (1, self.rewrite),
            (3, self.fill), (3, self.switch), (3, self.neuron), (2, self.layer), (3, self.click_in_slice),
            (2, self.pan_slice), (2, self.resize), (2, self.click_title), (1, self.theme), (1, self.dialog),
            (1, self.stack), (2, self.play), (3, self.pick), (2, self.measure_in_slice),
        ]  # fmt: skip

    @property
    def window(self) -> MainWindow:
        return self.driver.window

    @property
    def session(self) -> Session:
        return self.window.store.session

    def act(self) -> None:
        """One of the ways, drawn by chance; then a pause of some milliseconds, or until all is drawn."""
        ways, weights = zip(*((way, weight) for weight, way in self._ways), strict=True)
        way = self.chance.choices(ways, weights)[0] if self.session.opened is not None else self.open
        self._log.write(f"{way.__name__}\n")
        self._log.flush()
        done = way()
        self.told.append(f"{way.__name__}: {done or 'nothing to do'}")
        pause = self.chance.choice([0, 0, 1, 10, 60, 250])
        QTest.qWait(pause)

    def settle(self) -> None:
        self.window.player.stop()
        wait_until(lambda: not self.window.opener.busy and not self.window.reloader.busy, 20)
        if self.session.opened is not None:
            self.driver.settle()

    # With the mouse and keys

    def drag_in_space(self) -> str:
        """From anywhere, often from a frame or the handle of a plane: planes move, or the camera."""
        view = self.window.scene_view
        at = self._place_in_space()
        button = self.chance.choice([LEFT, LEFT, LEFT, Qt.MouseButton.RightButton])
        modifier = self.chance.choice([NONE, NONE, Qt.KeyboardModifier.ShiftModifier])
        QTest.mousePress(view, button, modifier, at)
        for _ in range(self.chance.randint(0, 6)):
            at = at + QPoint(self.chance.randint(-25, 25), self.chance.randint(-25, 25))
            QTest.mouseMove(view, at)
            QTest.qWait(self.chance.choice([0, 5, 20]))
        QTest.mouseRelease(view, button, modifier, at)
        return f"to {at.x()}, {at.y()}"

    def _place_in_space(self) -> QPoint:
        view = self.window.scene_view
        assert view.scene is not None
        places = [(self.chance.uniform(0, view.width()), self.chance.uniform(0, view.height()))]
        if view.scene.handle_shown and view.rendered:
            places += view._lens().to_pixels(view.scene.handle.points).tolist()
        x, y = self.chance.choice(places)
        return QPoint(round(x), round(y))

    def drag_slider(self) -> str | None:
        slider = self.window.panel.slider
        if not slider.isEnabled():
            return None
        at = [QPoint(self.chance.randint(8, slider.width() - 8), slider.height() // 2) for _ in range(3)]
        QTest.mousePress(slider, LEFT, NONE, at[0])
        for place in at[1:]:
            QTest.mouseMove(slider, place)
            QTest.qWait(5)
        QTest.mouseRelease(slider, LEFT, NONE, at[-1])
        return str([place.x() for place in at])

    def keys(self) -> str:
        key = self.chance.choice(
            [Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Escape]
        )
        for _ in range(self.chance.randint(1, 5)):
            QTest.keyClick(self.window.scene_view, key)
        return key.name

    def wheel(self) -> str:
        views = [self.window.scene_view, *(tile.view for tile in self.window.board.tiles.values())]
        view, notches, control = (
            self.chance.choice(views),
            self.chance.choice([-3, -1, 1, 2]),
            self.chance.random() < 0.5,
        )
        self.driver.wheel(view, QPoint(view.width() // 2, view.height() // 2), notches, control)
        return f"{notches} {control}"

    def shortcut(self) -> str:
        wanted = self.chance.choice(SHORTCUTS)
        found = [act for act in self.window.findChildren(QAction) if act.shortcut().toString() == wanted]
        assert len(found) == 1, wanted
        if not (wanted in ("Ctrl+N", "Ctrl+D", "Ctrl+Shift+V") and len(self.session.slices) >= 8):
            found[0].trigger()
        return wanted

    def rename(self) -> str | None:
        if not self.session.slices:
            return None
        row = self.window.panel.rows[self.chance.choice(self.session.slices).key]
        name = self.chance.choice(["front", "a b", "", "x", "middle of it"])
        row.name.selectAll()
        QTest.keyClicks(row.name, name or " ")
        QTest.keyClick(row.name, Qt.Key.Key_Return)
        return name

    def hide(self) -> str | None:
        if not self.session.slices:
            return None
        row = self.window.panel.rows[self.chance.choice(self.session.slices).key]
        QTest.mouseClick(row.eye, LEFT)
        return str(row.key)

    def remove(self) -> str | None:
        if len(self.session.slices) < 2:
            return None
        row = self.window.panel.rows[self.chance.choice(self.session.slices).key]
        QTest.mouseClick(row.delete, LEFT)
        return str(row.key)

    def click_in_slice(self) -> str | None:
        """With everything in place, so that the same seed hits the same line."""
        self.settle()
        tiles = [tile for tile in self.window.board.tiles.values() if tile.isVisible()]
        if not tiles:
            return None
        view = self.chance.choice(tiles).view
        at = QPoint(self.chance.randint(45, view.width() - 5), self.chance.randint(5, view.height() - 30))
        if self.chance.random() < 0.2:
            QTest.mouseDClick(view, LEFT, NONE, at)
        else:
            QTest.mouseClick(view, LEFT, NONE, at)
        return f"{at.x()}, {at.y()}"

    def pan_slice(self) -> str | None:
        tiles = [tile for tile in self.window.board.tiles.values() if tile.isVisible()]
        if not tiles:
            return None
        view = self.chance.choice(tiles).view
        self.driver.drag(view, np.array([80.0, 50.0]), [np.array([120.0, 60.0]), np.array([90.0, 90.0])])
        QTest.mouseRelease(view, LEFT, NONE, QPoint(90, 90))
        return "done"

    def click_title(self) -> str | None:
        tiles = [tile for tile in self.window.board.tiles.values() if tile.isVisible()]
        if not tiles:
            return None
        QTest.mouseDClick(self.chance.choice(tiles), LEFT, NONE, QPoint(30, 12))
        return "one large, or all"

    # By menus and panels

    def undo(self) -> str:
        steps = self.chance.randint(1, 4)
        for _ in range(steps):
            self.window.menus.undo.trigger()
        return f"{steps}"

    def redo(self) -> str:
        steps = self.chance.randint(1, 4)
        for _ in range(steps):
            self.window.menus.redo.trigger()
        return f"{steps}"

    def open(self) -> str:
        path = self.chance.choice(self.files)
        self.window.open_path(path)
        wait_until(lambda: not self.window.opener.busy)
        return path.name

    def open_broken(self) -> str:
        before = self.session.networks
        self.window.open_path(self.broken)
        wait_until(lambda: self.window.opener.error_dialog is not None and self.window.opener.error_dialog.isVisible())
        self.window.opener.error_dialog.accept()
        assert self.session.networks is before
        return "refused"

    def show_another(self) -> str:
        card = self.chance.choice(self.window.checkpoints.cards)
        QTest.mouseClick(card, LEFT)
        return card.opened.name

    def close_checkpoint(self) -> str:
        card = self.chance.choice(self.window.checkpoints.cards)
        QTest.mouseClick(card.close_button, LEFT)
        return card.opened.name

    def rewrite(self) -> str:
        """A training run writes a newer network."""
        self.window.checkpoints.automatic.setChecked(self.chance.random() < 0.7)
        path = self.chance.choice(self.files)
        part = path.with_name(f"part-{path.name}")
        save_checkpoint(part, random_module(self.chance.randint(0, 9), depth=self.chance.choice([2, 3])), DOMAIN)
        os.replace(part, path)
        return path.name

    def fill(self) -> str:
        fill = self.chance.choice(list(Fill))
        self.window.store.do(actions.ChangeFill(fill))
        return fill.value

    def switch(self) -> str:
        name = self.chance.choice(list(self.window.strip.switches))
        self.window.strip.switches[name].click()
        return name

    def neuron(self) -> str:
        neuron = self.chance.choice([None, Neuron(0, 3), Neuron(1, 5), Neuron(1, 2)])
        self.window.store.do(actions.SelectNeuron(neuron))
        return str(neuron)

    def layer(self) -> str:
        depth = self.chance.randint(0, 1)
        self.chance.choice([self.window.hand.toggle_depth, self.window.hand.isolate_depth])(depth)
        return str(depth)

    def resize(self) -> str:
        width, height = self.chance.randint(900, 1500), self.chance.randint(600, 950)
        self.window.resize(width, height)
        if self.chance.random() < 0.5:
            share = self.chance.randint(250, 900)
            self.window.splitter.setSizes([share, 1200 - share])
        return f"{width} x {height}"

    def theme(self) -> str:
        wanted = self.chance.choice(["light", "dark", "system"])
        running = QApplication.instance()
        assert isinstance(running, QApplication)
        dress(running, wanted)
        return wanted

    def dialog(self) -> str:
        helper = self.window.helper
        show = self.chance.choice([helper.show_preferences, helper.show_about])
        show()
        assert isinstance(helper.dialog, QDialog)
        QTest.qWait(20)
        helper.dialog.reject()
        return show.__name__

    def stack(self) -> str | None:
        self.window.helper.show_stack()
        dialog = self.window.helper.dialog
        if not isinstance(dialog, StackDialog):
            return None
        dialog.count.setValue(self.chance.randint(2, 4))
        dialog.place.setCurrentIndex(self.chance.randint(0, 2))
        dialog.place.activated.emit(0)
        if len(self.session.slices) > 6 or not dialog.add.isEnabled():
            dialog.reject()
            return "no room"
        dialog.add.click()
        return f"{dialog.count.value()} slices"

    def play(self) -> str:
        self.window.player.toggle()
        return "on" if self.window.player.playing else "off"

    def pick(self) -> str:
        """A task, and some clicks for it."""
        view, task = self.window.scene_view, self.chance.choice(list(Task))
        self.window.picker.begin(task)
        for _ in range(self.chance.randint(0, 4)):
            at = QPoint(self.chance.randint(0, view.width()), self.chance.randint(0, view.height()))
            QTest.mouseMove(view, at)
            QTest.mouseClick(view, LEFT, NONE, at)
        if self.chance.random() < 0.5:
            QTest.keyClick(view, Qt.Key.Key_Escape)
        return task.value

    def measure_in_slice(self) -> str | None:
        if self.window.picker.task is not Task.MEASURE:
            self.window.picker.begin(Task.MEASURE)
        done = self.click_in_slice()
        return self.window.task_bar.result.text() or done

    # From round to round

    def round(self, end_at: float) -> None:
        """Ends where it started, after a look at whether the end comes back too.

        end_at: no new action after this time."""
        store, start = self.window.store, self.session
        assert start.opened is None
        for k in range(ROUND):
            if time.monotonic() > end_at:
                break
            self.act()
            if k % 12 == 11:
                self.look()
        self.settle()
        QTest.qWait(1000)  # reloads of the files that were written last
        self.settle()
        self.all_steps(self.window.menus.redo)  # of what was undone last
        end = self.session
        self.all_steps(self.window.menus.undo)
        assert same_but_keys(store.session, start)
        self.all_steps(self.window.menus.redo)
        assert same_picture(store.session, end)  # which slice is worked on is no step
        assert store.session.next_key == end.next_key
        self.look()
        self.all_steps(self.window.menus.undo)
        assert same_but_keys(store.session, start)

    def look(self) -> None:
        """All views show what the session says."""
        self.settle()
        if self.session.opened is not None:
            check_shows_the_session(self.driver)

    def all_steps(self, action: QAction) -> None:
        while action.isEnabled():
            action.trigger()
            if self.chance.random() < 0.2:
                QTest.qWait(5)

    def close(self) -> None:
        """The window, and nothing of it is left."""
        window = self.driver.window
        del self.driver
        window.close()
        window.deleteLater()
        del window
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        application().processEvents()
        check_nothing_left()

    def end(self) -> None:
        self.close()
        self._log.close()

    def reopen(self) -> None:
        self.close()
        self.driver = Driver(new_window())


def same_but_keys(one: Session, other: Session) -> bool:
    """Slices that were made and undone have used their keys up in no session: all is the same."""
    return same(replace(one, next_key=0), replace(other, next_key=0)) and one.next_key == other.next_key


def new_window() -> MainWindow:
    window = MainWindow()
    window.resize(1200, 800)
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    return window


def megabytes() -> float:
    """Resident, of this process, without what the allocator holds on to between its pieces."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_random_actions_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _type, error, _trace: errors.append(error))
    application()
    chance = random.Random(SEED)
    hand = Hand(chance, tmp_path)
    start, rounds = time.monotonic(), 0
    sizes: list[tuple[float, float]] = []
    act = hand.act

    def watched() -> None:
        act()
        if errors:
            raise errors[0]

    hand.act = watched  # type: ignore[method-assign]
    try:
        while not rounds or time.monotonic() - start < SECONDS:
            hand.round(start + SECONDS)
            rounds += 1
            if errors:
                raise errors[0]
            if chance.random() < 0.2:
                hand.reopen()
            sizes.append((time.monotonic() - start, megabytes()))
            print(f"round {rounds}: {sizes[-1][0]:.0f} s, {sizes[-1][1]:.0f} MB", flush=True)
        hand.end()
    except BaseException as error:
        told, waiting = "\n  ".join(hand.told), unsettled(hand.window)
        hand.window.close()
        raise AssertionError(f"seed {SEED}, round {rounds + 1}; {waiting}the last actions:\n  {told}") from error
    check_growth(sizes)


def unsettled(window: MainWindow) -> str:
    """What the window was still waiting for, if anything."""
    waiting = {
        "opening": window.opener.busy,
        "reading again": window.reloader.busy,
        "the surface": not window.surface.finished,
        "slices": not all(window.slices.finished(part.key) for part in window.store.session.slices),
        "their pictures": not window.board.settled,
        "the scene": not window.scene_view.settled,
    }
    names = ", ".join(name for name, is_so in waiting.items() if is_so)
    return f"waiting for {names}; " if names else ""


def check_growth(sizes: list[tuple[float, float]]) -> None:
    """sizes: (seconds, MB) after each round."""
    warm = [size for second, size in sizes if WARM_UP * 0.7 <= second <= WARM_UP]
    later = [size for second, size in sizes if second > WARM_UP]
    if SECONDS >= 2 * WARM_UP and warm and later:
        assert float(np.median(later[-max(len(later) // 4, 1) :])) - max(warm) < MOST_GROWTH, sizes
