"""Hours at the window in short: random actions by a seeded hand, with a look at everything in between.

SPLINESCOPE_SOAK_SECONDS=3600 SPLINESCOPE_SOAK_SEED=7 make soak

Every round starts with an empty window and ends there, by undoing all that was done.  A failure tells the seed and the
last actions.  Memory is judged in runs of ten minutes and more, after a warm-up of five, and of eight rounds.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog

from app.application import application
from app.jobs.log_file import start_log, stop_log
from app.state.session import Session, same, same_picture
from app.window.parts.theme import dress
from tests.app.window.soak import by_mouse, by_panels, on_files
from tests.app.window.soak.hand import Hand
from tests.app.window.soak.looking import look, megabytes

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = float(os.environ.get("SPLINESCOPE_SOAK_SECONDS", "12"))
SEED: Final = int(os.environ.get("SPLINESCOPE_SOAK_SEED", "1"))
WARM_UP: Final = 300.0
WARM_ROUNDS: Final = 8
MOST_GROWTH: Final = 50.0  # MB
ROUND: Final = 60  # actions; fewer than the steps that can be undone
WAYS: Final[tuple[tuple[int, Callable[[Hand], str | None]], ...]] = (
    (8, by_mouse.drag_in_space), (4, by_mouse.drag_slider), (3, by_mouse.wheel), (3, by_mouse.hover),
    (3, by_mouse.click_in_slice), (2, by_mouse.click_in_space), (2, by_mouse.pan_slice), (2, by_mouse.click_title),
    (3, by_mouse.pick), (2, by_mouse.measure_in_slice), (4, by_mouse.context_menu),
    (6, by_panels.keys), (6, by_panels.menu), (5, by_panels.button), (2, by_panels.choice), (4, by_panels.field),
    (3, by_panels.row), (2, by_panels.table), (3, by_panels.pins), (5, by_panels.undo), (3, by_panels.redo),
    (2, by_panels.fill), (2, by_panels.neuron), (2, by_panels.layer), (2, by_panels.play), (2, by_panels.resize),
    (1, by_panels.theme), (3, by_panels.thin),
    (3, on_files.open_file), (1, on_files.drop_files), (1, on_files.open_broken), (3, on_files.show_another),
    (1, on_files.close_checkpoint), (1, on_files.rewrite), (1, on_files.save_session), (1, on_files.open_session),
    (1, on_files.picture),
)  # fmt: skip


def test_random_actions_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _type, error, _trace: errors.append(error))
    monkeypatch.setattr(threading, "excepthook", lambda told: errors.append(told.exc_value))
    application()
    chance = random.Random(SEED)
    hand = Hand(chance, tmp_path, errors)
    answer_file_dialogs(hand, monkeypatch)
    start, rounds = time.monotonic(), 0
    sizes: list[tuple[float, float]] = []
    with told_by_qt() as complaints, log_in(tmp_path / "log") as log:
        try:
            while not rounds or time.monotonic() - start < SECONDS:
                do_round(hand, start + SECONDS)
                rounds += 1
                assert complaints == []
                if chance.random() < 0.2:
                    hand.reopen()
                sizes.append((time.monotonic() - start, megabytes()))
                print(f"round {rounds}: {sizes[-1][0]:.0f} s, {sizes[-1][1]:.0f} MB", flush=True)
            hand.close()
            hand.check()
        except BaseException as error:
            told, waiting = "\n  ".join(hand.told), unsettled(hand)
            reasons = "".join(f"{raised!r} in a slot; " for raised in errors)
            raise AssertionError(
                f"seed {SEED}, round {rounds + 1}; {reasons}{waiting}the last actions:\n  {told}"
            ) from error
        finally:
            hand.end()
            dress(application())
    text = log.read_text()
    assert "ERROR" not in text
    assert "Traceback" not in text
    check_growth(sizes)


def do_round(hand: Hand, end_at: float) -> None:
    """Ends where it started, after a look at whether the end comes back too.

    end_at: no new action after this time."""
    store, commands, start = hand.window.store, hand.window.commands, hand.session
    assert start.opened is None
    weights = [weight for weight, _ in WAYS]
    for k in range(ROUND):
        if time.monotonic() > end_at:
            break
        _, way = hand.chance.choices(WAYS, weights)[0]
        if hand.session.opened is None:
            way = on_files.open_file
        hand.act(f"{way.__module__.rpartition('.')[2]}.{way.__name__}", way)
        if k % 12 == 11:
            look(hand)
    hand.settle()
    hand.wait(1000)  # reloads of the files that were written last
    hand.settle()
    all_steps(hand, commands["redo"])  # of what was undone last
    end = hand.session
    all_steps(hand, commands["undo"])
    assert same_but_keys(store.session, start)
    all_steps(hand, commands["redo"])
    assert same_picture(store.session, end)  # which slice is worked on is no step
    assert store.session.next_key == end.next_key
    look(hand)
    all_steps(hand, commands["undo"])
    assert same_but_keys(store.session, start)
    hand.wait(20)


def all_steps(hand: Hand, action: QAction) -> None:
    while action.isEnabled():
        action.trigger()
        if hand.chance.random() < 0.2:
            hand.wait(5)


def same_but_keys(one: Session, other: Session) -> bool:
    """Slices that were made and undone have used their keys up in no session: all is the same."""
    return same(replace(one, next_key=0), replace(other, next_key=0)) and one.next_key == other.next_key


def answer_file_dialogs(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the hand's, or none."""

    def opened(*_: Any) -> tuple[str, str]:
        return str(hand.chance.choice([*hand.files, ""])), ""

    def saved(_parent: Any, _title: Any, _folder: Any, kinds: str = "") -> tuple[str, str]:
        name = "saved.png" if "png" in kinds else "saved.session.json"
        return str(hand.chance.choice([hand.folder / name, ""])), ""

    def folder(*_: Any) -> str:
        return str(hand.chance.choice([hand.folder, ""]))

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", folder)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", opened)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", saved)


@contextmanager
def told_by_qt() -> Iterator[list[str]]:
    """What Qt complains of."""
    complaints: list[str] = []

    def hear(kind: QtMsgType, _: object, text: str) -> None:
        if kind in (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg):
            complaints.append(text)

    before = qInstallMessageHandler(hear)
    try:
        yield complaints
    finally:
        qInstallMessageHandler(before)


@contextmanager
def log_in(folder: Path) -> Iterator[Path]:
    handler = start_log(folder)
    try:
        yield Path(handler.baseFilename)
    finally:
        stop_log(handler)


def unsettled(hand: Hand) -> str:
    """What the window was still waiting for, if anything."""
    if not hasattr(hand.driver, "window"):
        return "closed; "
    window, slices = hand.window, hand.window.slices
    waiting = {
        "opening": window.opener.busy,
        "reading again": window.reloader.busy,
        "the surface": not window.surface.finished,
        "the neurons": not window.neurons.finished,
        "their pictures": not window.board.settled,
        "the scene": not window.scene_view.settled,
        "the comparison": not window.compare.settled,
        "the timeline": not window.timeline.settled,
    } | {
        f"slice {part.key} ({'computing' if slices.computing(part.key) else 'idle'}, moving {slices.moving})": True
        for part in window.store.session.slices
        if not slices.finished(part.key)
    }
    names = ", ".join(name for name, is_so in waiting.items() if is_so)
    return f"waiting for {names}; " if names else ""


def check_growth(sizes: list[tuple[float, float]]) -> None:
    """sizes: (seconds, MB) after each round.

    Kernels are loaded when they are first needed: a slow machine has not done that after five minutes, but after some
    rounds.
    """
    warm = next((at for at, (second, _) in enumerate(sizes) if second > WARM_UP and at >= WARM_ROUNDS), len(sizes))
    before, later = [[size for _, size in part] for part in (sizes[max(warm - 3, 0) : warm], sizes[warm:])]
    if SECONDS >= 2 * WARM_UP and later:
        assert float(np.median(later[-max(len(later) // 4, 1) :])) - max(before) < MOST_GROWTH, sizes
