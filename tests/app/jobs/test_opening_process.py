"""Files opened in a process of their own: the same as here, and nothing that happens to it reaches the caller."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.jobs.opening import OpeningError, UnansweredError, file_hash, open_file
from app.jobs.opening_process import OpeningProcess
from engine import Cancelled
from tests.app.conftest import ROOT
from tests.engine.sameness import assert_same_steps

TORUS = ROOT / "resources" / "checkpoints" / "torus.safetensors"
SPOT = TORUS.with_name("spot.safetensors")


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def opening() -> Iterator[OpeningProcess]:
    made = OpeningProcess()
    yield made
    made.close()


def pid(opening: OpeningProcess) -> int:
    assert opening._child is not None
    return opening._child.process.pid


def gone(number: int) -> bool:
    """Ended, maybe not yet collected by its parent."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def arrays(value: Any) -> list[np.ndarray]:
    """Every array in a value made of dataclasses and tuples, in order."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, tuple):
        return [array for part in value for array in arrays(part)]
    if dataclasses.is_dataclass(value):
        return [array for field in dataclasses.fields(value) for array in arrays(getattr(value, field.name))]
    return []


def test_it_gives_what_is_read_here(opening: OpeningProcess) -> None:
    there, here = opening.open_file(TORUS, never), open_file(TORUS, never)
    assert (there.name, there.path, there.facts, there.sha256, there.reading) == (
        here.name, here.path, here.facts, here.sha256, here.reading,
    )  # fmt: skip
    assert_same_steps(there.network, here.network)
    assert there.network.layer_names == here.network.layer_names
    mine, its = here.network.max_forward_error, there.network.max_forward_error
    assert its.native_dtype == mine.native_dtype
    assert max(its.double, mine.double) < 1e-12
    assert mine.native / 10 < its.native < 10 * mine.native < 1e-4  # what rounding makes of products of matrices
    pairs = list(zip(arrays(there), arrays(here), strict=True))
    assert len(pairs) > 20
    for a, b in pairs:
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=0.0, atol=1e-12 if a.dtype == np.float64 else 0.0)
        assert not a.flags.writeable


def test_a_file_is_read_once_it_is_recognised_and_known_by_what_was_read(tmp_path: Path) -> None:
    def never_asked() -> bool:
        raise AssertionError("it is being read")

    unknown = tmp_path / "unknown.bin"
    with unknown.open("wb") as file:
        file.truncate(64 << 30)  # a hole
    with pytest.raises(OpeningError, match=r"unknown\.bin"):
        open_file(unknown, never_asked)
    assert open_file(TORUS, never).sha256 == file_hash(TORUS, never) == hashlib.sha256(TORUS.read_bytes()).hexdigest()


def test_refusals_and_questions_are_the_same(opening: OpeningProcess, tmp_path: Path) -> None:
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 no archive")
    layers = (torch.nn.Linear(3, 8), torch.nn.Linear(8, 1))
    torch.save(
        {f"{i}.{k}": v for i, part in enumerate(layers) for k, v in part.state_dict().items()}, tmp_path / "a.pt"
    )
    for name, kind in (("broken.npz", OpeningError), ("missing.npz", OpeningError), ("a.pt", UnansweredError)):
        errors = []
        for way in (opening.open_file, open_file):
            with pytest.raises(OpeningError) as raised:
                way(tmp_path / name, never)
            errors.append(raised.value)
        there, here = errors
        assert type(there) is type(here) is kind
        assert str(there) == str(here)
        if isinstance(there, UnansweredError):
            assert there.question == here.question
            assert there.reading == here.reading
            choice = there.reading.answered(there.question.choice, "relu")
            assert opening.open_file(tmp_path / name, never, choice).reading == choice


def test_a_process_that_dies_is_told_of_and_replaced(opening: OpeningProcess, tmp_path: Path) -> None:
    opening.open_file(TORUS, never)
    for by, how in ((signal.SIGKILL, "was killed, as .* more memory"), (signal.SIGABRT, "was ended by SIGABRT")):
        before = pid(opening)
        os.kill(before, by)
        with pytest.raises(OpeningError, match=rf"torus\.safetensors: the process that was to read it {how}"):
            opening.open_file(TORUS, never)
        assert opening.open_file(TORUS, never).name == TORUS.name
        assert pid(opening) != before


def test_cancelled_before_and_while_it_reads(opening: OpeningProcess) -> None:
    opening.open_file(TORUS, never)
    before = pid(opening)
    with pytest.raises(Cancelled):
        opening.open_file(TORUS, lambda: True)
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        opening.open_file(SPOT, lambda: next(answers, True))
    assert opening.open_file(TORUS, never).name == TORUS.name  # not the answer to an earlier question
    os.kill(pid(opening), signal.SIGSTOP)  # it hears of nothing any more
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        opening.open_file(TORUS, lambda: next(answers, True))
    wait_until(lambda: gone(before))
    assert opening.open_file(TORUS, never).name == TORUS.name


def test_closing_ends_what_is_being_opened(tmp_path: Path) -> None:
    opening = OpeningProcess()
    opening.start()
    child = pid(opening)
    os.kill(child, signal.SIGSTOP)
    raised: list[BaseException] = []

    def read() -> None:
        try:
            opening.open_file(TORUS, never)
        except Cancelled as error:
            raised.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    opening.close()
    for thread in threads:
        thread.join()
    assert len(raised) == 3
    wait_until(lambda: gone(child))
    with pytest.raises(Cancelled):
        opening.open_file(TORUS, never)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_it_does_not_outlive_its_parent(tmp_path: Path) -> None:
    code = f"""
import os, signal, sys
from pathlib import Path
from app.jobs.opening_process import OpeningProcess
opening = OpeningProcess()
opening.open_file(Path({str(TORUS)!r}), lambda: False)
print(opening._child.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    wait_until(lambda: gone(int(ran.stdout)))
