"""While a file is read, the window says which, instead of asking for one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.jobs.opening import open_file
from app.state.session import OpenNetwork
from sdf_models import Reading
from tests.app.on_screen import Driver, wait_until


@pytest.fixture
def gate(empty_window: Driver, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Semaphore]:
    """A file is read once the test lets it."""
    let = threading.Semaphore(0)

    def read(path: Path, cancelled: Callable[[], bool], reading: Reading | None = None) -> OpenNetwork:
        let.acquire()
        return open_file(path, cancelled, reading)

    monkeypatch.setattr(empty_window.window.opener, "_open_file", read)
    yield let
    let.release(100)


def test_what_is_read_is_named_in_the_place_of_the_invitation(
    empty_window: Driver, gate: threading.Semaphore, checkpoint: Path
) -> None:
    window = empty_window.window
    invitation = window.board._empty.text()
    assert "Open a checkpoint" in invitation
    blank = window.scene_view.grab().toImage()
    window.opener.open_paths([checkpoint, checkpoint])
    told = window.status.busy.whole
    assert told.startswith("opening small.safetensors (")
    assert told.endswith(" kB), then 1 more file …")
    assert window.board._empty.text() == window.scene_view.waiting == told
    assert window.scene_view.grab().toImage() != blank
    gate.release()
    wait_until(lambda: window.store.session.opened is not None)
    assert window.scene_view.waiting == ""  # what is open is seen while the next file is read
    window.opener.stop()
    gate.release()
    empty_window.settle()


def test_a_session_says_how_far_it_is(
    empty_window: Driver, gate: threading.Semaphore, checkpoint: Path, tmp_path: Path
) -> None:
    window, session = empty_window.window, tmp_path / "work.json"
    gate.release()
    empty_window.open(checkpoint)
    window.keeper.save_to(session)
    wait_until(lambda: window.keeper.path == session)
    window.commands["close checkpoint"].trigger()
    window.open_path(session)
    wait_until(lambda: window.board._empty.text() == "opening work.json: small.safetensors, 1 of 1 …")
    window.opener.stop()
    assert "Open a checkpoint" in window.board._empty.text()
    gate.release()
