"""Signals end the window, and a picture of one that is not finished, as they end every command."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer

from tests.app.conftest import Ran
from tests.app.on_screen import check_nothing_left

CODES = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.mark.parametrize(("number", "code"), CODES)
@pytest.mark.parametrize("picture", [False, True])
def test_a_signal_closes_the_window(
    number: signal.Signals, code: int, picture: bool, tmp_path: Path, checkpoint: Path, command: Callable[..., Ran]
) -> None:  # fmt: skip
    """Nothing is left on the screen, nothing is written, and there is one line about it."""
    file = tmp_path / "window.png"
    timer = QTimer()
    timer.setSingleShot(True)
    timer.timeout.connect(lambda: signal.raise_signal(number))
    timer.start(0)  # before anything is computed
    ran = command("open", checkpoint, *(["--screenshot", file] if picture else []))
    assert ran.code == code
    told = ran.err.splitlines()
    assert len(told) == 1
    assert told[0].startswith("splinescope: ")
    assert not file.exists()
    check_nothing_left()
