"""The engine's regions are those of exact rational arithmetic, on degenerate networks as on generic ones.

SPLINESCOPE_NETWORKS sets the number of random networks for each pair of nonlinearity and kind; 4 when unset, one of
each form.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context

import pytest

from tests.oracle.comparison import differences, prepare_worker
from tests.oracle.nonlinearities import NONLINEARITIES
from tests.oracle.recipes import KINDS, NOISY

NETWORKS = int(os.environ.get("SPLINESCOPE_NETWORKS", "4"))
PAIRS = list(product(NONLINEARITIES, [*KINDS, *NOISY]))

Work = dict[tuple[str, str], Future[dict[int, str]]]


@pytest.fixture(scope="module")
def work(request: pytest.FixtureRequest) -> Iterator[Work]:
    """The differences of every pair that is to be tested, found by one process on each core."""
    chosen = [
        (str(item.callspec.params["kink"]), str(item.callspec.params["kind"]))
        for item in request.session.items
        if item.path == request.path and isinstance(item, pytest.Function)
    ]
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), initializer=prepare_worker) as pool:
        yield {(kink, kind): pool.submit(differences, kink, kind, range(_count(kind))) for kink, kind in chosen}
        pool.shutdown(cancel_futures=True)


def _count(kind: str) -> int:
    """Return how many networks of a kind are compared: a wide one takes as long as thirty others."""
    return -(-NETWORKS // 30) if kind == "wide" else NETWORKS


@pytest.mark.parametrize(("kink", "kind"), PAIRS)
def test_regions_and_sign_vectors_are_those_of_exact_arithmetic(kink: str, kind: str, work: Work) -> None:
    assert work[kink, kind].result() == {}
