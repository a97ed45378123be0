"""How work is cut into pieces."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.errors import Cancelled
from engine.machine.workers import Workers, equal_ends


@given(count=st.integers(0, 10_000), grain=st.integers(1, 500))
def test_pieces_cover_all_are_equal_and_never_empty(count: int, grain: int) -> None:
    ends = equal_ends(count, grain)
    sizes = [stop - start for start, stop in pairwise(ends)]
    assert (ends[0], ends[-1]) == (0, count)
    assert sum(sizes) == count
    assert all(1 <= size <= grain for size in sizes)
    assert max(sizes, default=1) - min(sizes, default=1) <= 1


def test_results_come_in_order_one_for_each_piece() -> None:
    with Workers(2) as workers:
        found = workers.run(lambda lo, hi: list(range(lo, hi)), 7, 1)
    assert found == [[i] for i in range(7)]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("watched", [False, True])
def test_what_any_piece_raises_reaches_the_caller_and_no_thread_stays(threads: int, watched: bool) -> None:
    before = threading.active_count()
    done: list[int] = []

    def work(lo: int, hi: int, *stop: object) -> int:
        if lo == 3:
            raise ZeroDivisionError(f"piece {lo}")
        done.append(lo)
        return lo

    with Workers(threads) as workers:
        run = workers.run_watched if watched else workers.run_pieces
        assert run(work, [0, 1, 2, 3]) == [0, 1, 2]
        with pytest.raises(ZeroDivisionError, match="piece 3"):
            run(work, range(9))
        assert run(work, [4, 5, 6]) == [4, 5]
    assert {0, 1, 2} <= set(done)
    assert threading.active_count() == before


def test_long_pieces_are_told_to_stop_when_the_caller_cancels() -> None:
    begun = threading.Event()

    def work(lo: int, hi: int, stop: NDArray[np.uint8]) -> None:
        begun.set()
        while not stop[0]:
            time.sleep(0.001)

    with Workers(2, begun.is_set) as workers, pytest.raises(Cancelled):
        workers.run_watched(work, range(9))
