"""How work is cut into pieces."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.workers import Workers, equal_ends


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
