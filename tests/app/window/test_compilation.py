"""While kernels are compiled, the window says so, in the place of pictures that are not there yet."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from numba.core.event import end_event, start_event

from app.window.panels.status_line import COMPILING
from tests.app.on_screen import Driver, wait_until
from tests.app.waiting import let_run

KIND = "numba:compile"


def on_a_thread(begin: bool) -> None:
    thread = threading.Thread(target=lambda: (start_event if begin else end_event)(KIND))
    thread.start()
    thread.join()


def test_the_window_tells_while_kernels_are_compiled(empty_window: Driver) -> None:
    window = empty_window.window
    blank = window.scene_view.grab().toImage()
    on_a_thread(begin=True)
    wait_until(window.status.compiling.isVisible)
    found = re.fullmatch(rf"{COMPILING}: (\d+) of (\d+) are ready …", window.status.compiling.text())
    assert found is not None
    assert 0 < int(found[1]) <= int(found[2])
    assert "already work" in window.scene_view.waiting
    assert window.scene_view.grab().toImage() != blank
    on_a_thread(begin=True)  # a kernel that the first one calls
    on_a_thread(begin=False)
    let_run(600)
    assert window.status.compiling.isVisible()
    on_a_thread(begin=False)
    wait_until(lambda: not window.status.compiling.isVisible())
    assert window.scene_view.grab().toImage() == blank


def test_a_note_on_compiling_leaves_pictures_and_the_slice_alone(window: Driver, checkpoint: Path) -> None:
    main = window.window
    images = [view.grab().toImage() for view in (main.scene_view, window.tile.view)]
    told = main.status.left.whole
    on_a_thread(begin=True)
    wait_until(main.status.compiling.isVisible)
    assert [view.grab().toImage() for view in (main.scene_view, window.tile.view)] == images
    assert main.status.left.whole == told
    on_a_thread(begin=False)
    wait_until(lambda: not main.status.compiling.isVisible())
