"""What a worker delivers, and what it does not."""

from __future__ import annotations

import threading
from typing import Any

from app.application import application
from app.jobs.worker import Context, Job, Worker
from engine import Cancelled
from tests.app.on_screen import wait_until
from tests.app.waiting import let_run


def test_what_is_withdrawn_is_not_delivered_however_far_it_came() -> None:
    application()
    worker, heard, failed = Worker("test"), list[Any](), list[Exception]()
    finished = threading.Event()

    def work(context: Context) -> str:
        context.publish("part")
        return "whole"

    def last(_: Context) -> None:
        finished.set()

    try:
        worker.submit(Job("one", work, heard.append, failed.append))
        worker.submit(Job("two", last, heard.append, failed.append))
        assert finished.wait(300)  # the first is done as well, and waits in the queue of events
        worker.withdraw("one")
        wait_until(lambda: heard)
        let_run(1)
    finally:
        worker.close()
    assert heard == [None]
    assert [type(error) for error in failed] == [Cancelled]
