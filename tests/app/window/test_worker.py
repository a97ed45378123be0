"""The thread that works on requests: what it leaves behind when it rests."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

from app.application import application
from app.jobs.worker import Context, Job, Worker
from tests.app.window.conftest import wait_until


class Heavy:
    """Something that a job holds, or makes."""

    def __init__(self) -> None:
        self.array = np.zeros(1000)


def submit_and_forget(worker: Worker, done: list[int], fails: bool) -> list[weakref.ref[Any]]:
    """A job that holds something, and makes something or fails while it holds that; where both can be looked for."""
    held, known = Heavy(), []

    def work(_: Context) -> Heavy:
        made = Heavy()
        known.extend([weakref.ref(held), weakref.ref(made)])
        if fails:
            raise ValueError("not this one")
        return made

    worker.submit(Job("key", work, lambda _: done.append(1), lambda _: done.append(-1)))
    return known


@pytest.mark.parametrize("fails", [False, True])
def test_what_was_done_is_not_kept(fails: bool) -> None:
    application()
    worker, done = Worker("test"), []
    gc.disable()  # the last one who holds them is to let go: they do not wait for a collection
    try:
        known = submit_and_forget(worker, done, fails)
        wait_until(lambda: done and all(one() is None for one in known), 5.0)
    finally:
        gc.enable()
        worker.close()
    assert done == [-1 if fails else 1]
    assert len(known) == 2
    assert not [thread for thread in threading.enumerate() if thread.name == "splinescope-test"]
