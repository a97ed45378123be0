"""Workers: what they deliver, and what not."""

from __future__ import annotations

import threading
import time
from functools import partial
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


def test_what_is_preferred_goes_first_and_the_patient_give_way() -> None:
    application()
    worker, done, failed = Worker("test"), list[str](), list[Exception]()
    begun, release = threading.Event(), threading.Event()

    def wait(context: Context) -> str:
        begun.set()
        while not (release.is_set() or context.cancelled()):
            time.sleep(0.001)
        if context.cancelled():
            raise Cancelled("cancelled")
        return "held"

    def job(key: str, urgent: bool = False) -> Job:
        return Job(key, lambda _: key, done.append, failed.append, urgent=urgent)

    try:
        worker.submit(Job("held", wait, done.append, failed.append))
        assert begun.wait(300)
        for key in ("a", "b", "c", "d"):
            worker.submit(job(key))
        worker.submit(job("e", urgent=True))
        worker.prefer(("c", "nothing", "b"))
        release.set()
        wait_until(lambda: len(done) == 6)
        assert done == ["held", "e", "c", "b", "a", "d"]
        for way in (lambda: worker.submit(job("c")), lambda: (worker.submit(job("d")), worker.prefer(("d",)))):
            begun.clear()
            release.clear()
            worker.submit(Job("held", wait, done.append, failed.append, patient=True))
            assert begun.wait(300)
            way()
            wait_until(lambda: not worker.busy)
        wait_until(lambda: len(done) == 8)
        assert done[6:] == ["c", "d"]
        assert len(failed) == 2
    finally:
        release.set()
        worker.close()


def test_the_last_act_is_done_on_the_thread() -> None:
    """Also when nothing was ever asked for, and after the job that runs."""
    application()
    for jobs in (0, 1):
        acts: list[tuple[str, str]] = []

        def note(act: str, acts: list[tuple[str, str]] = acts) -> None:
            acts.append((act, threading.current_thread().name))

        worker = Worker("last", None, partial(note, "end"))
        begun = threading.Event()
        if jobs:
            worker.submit(Job("work", lambda _, begun=begun: (begun.set(), note("work")), lambda _: None, print))
            assert begun.wait(60)
        worker.close()
        assert [act for act, _ in acts] == ["work", "end"][1 - jobs :]
        assert {name for _, name in acts} == {"splinescope-last"}
