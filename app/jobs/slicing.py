"""Slices: all layers, or within the time of a frame the first of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engine import LevelSet, Location, Partition, Progress, SlicePlane, affine_maps, level_set, partition_slice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine import Network

LIVE_SECONDS: Final = 0.09
"""A slice that follows the hand stops after the layer in which this much time has passed."""
_PUBLISHING_SECONDS: Final = 0.25  # between two pictures of a long slice, or longer where pictures are slow


@dataclass(frozen=True, eq=False, slots=True)
class SliceRequest:
    """number: counts requests; the answer to a smaller one is older.  live: first layers are enough,
    after `budget` seconds."""

    number: int
    key: int
    network: Network
    plane: SlicePlane
    domain: NDArray[np.float64]
    live: bool
    budget: float = LIVE_SECONDS
    level: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class SliceAnswer:
    """The partition by the first `done` of `layers` layers, the level counted as one; level_set: when all are done.

    share: of all the work, what is done.  seconds: since the start of the computation.  A live one may leave decisions
    in doubt to rounding; it is complete
    when all layers are done and nothing was left.
    """

    request: SliceRequest
    partition: Partition
    done: int
    layers: int
    level_set: LevelSet | None
    seconds: float
    share: float

    @property
    def complete(self) -> bool:
        return self.done == self.layers and not (self.request.live and self.partition.tie_counts.unexamined)


def indexed(partition: Partition) -> Location:
    """The index of a partition.  A first question is asked here: it loads kernels, which would hold up the window."""
    location = Location.build(partition)
    corner = partition.vertices[:1].copy()
    location.region_at(corner)
    location.nearest_edge(corner)
    affine_maps(partition, np.zeros(1, np.int32))
    return location


class _Enough(Exception):  # noqa: N818  not an error: the time of a frame is over
    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress


def compute_slice(
    request: SliceRequest, cancelled: Callable[[], bool], publish: Callable[[SliceAnswer], None]
) -> SliceAnswer:
    """The answer to a request; publishes what is there every now and then.  Raises what partition_slice does."""
    start = time.perf_counter()
    published, pause = start, _PUBLISHING_SECONDS
    layers = len(request.network.kinks) + 1

    def answer(partition: Partition, done: int, share: float) -> SliceAnswer:
        found = level_set(partition) if done == layers else None
        return SliceAnswer(request, partition, done, layers, found, time.perf_counter() - start, share)

    def report(progress: Progress) -> None:
        nonlocal published, pause
        now = time.perf_counter()
        if progress.done == layers:
            return
        if request.live and now - start > request.budget:
            raise _Enough(progress)
        if not request.live and now - published > pause and not progress.examined:
            publish(answer(progress.snapshot(), progress.done, progress.share))
            published = time.perf_counter()
            pause = max(_PUBLISHING_SECONDS, 4 * (published - now))

    try:
        partition = partition_slice(
            request.network, request.plane, request.domain, request.level, progress=report, cancel=cancelled,
            examined=0 if request.live else None,
        )  # fmt: skip
        return answer(partition, layers, 1.0)
    except _Enough as enough:
        return answer(enough.progress.snapshot(), enough.progress.done, enough.progress.share)
