"""The driver: a slice is cut as a whole, layer by layer, or in tiles, after what is given was checked."""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from engine.arrays import Float
from engine.errors import EngineError
from engine.machine import memory
from engine.machine.workers import Cancel, Workers, single_threaded_blas
from engine.network.network import Network
from engine.planar_map.planar_map import Partition
from engine.plane import SlicePlane, convex_polygon, plane_box_polygon
from engine.slices.gluing import SeamError
from engine.slices.tiling import is_wide, partition_in_tiles
from engine.slices.walk import Progress, Walk

Report = Callable[[Progress], None]

_TOLD_SECONDS = 0.2  # between two tellings of how many decisions were examined
_FIRST_REGIONS = 10_000  # by first layers: enough to look at while tiles are cut
_SHARE_OF_FIRST_LAYERS = 0.02


def partition_slice(
    network: Network,
    plane: SlicePlane,
    domain: Float,
    level: float | None = 0.0,
    progress: Report | None = None,
    cancel: Cancel | None = None,
    threads: int | None = None,
    examined: int | None = None,
) -> Partition:
    """The exact partition of the slice plane cut by a box into the network's linear regions.

    domain: (2, D) float64, lower and upper corner.  The other arguments and errors are those of partition_polygon; a
    plane that misses the box is a PlaneError.  The method is that of Humayun, Balestriero and Baraniuk, "Exact
    Visualization of Neural Network Geometry and Decision Boundary" (2022; SplineCam, CVPR 2023), by evaluation on
    vertices.
    """
    _check_dimensions(network, plane)
    return _partition(network, plane, plane_box_polygon(plane, domain), level, progress, cancel, threads, examined)


def partition_polygon(
    network: Network,
    plane: SlicePlane,
    polygon: Float,
    level: float | None = 0.0,
    progress: Report | None = None,
    cancel: Cancel | None = None,
    threads: int | None = None,
    examined: int | None = None,
) -> Partition:
    """The exact partition of a convex polygon of a slice plane into the network's linear regions.

    polygon: (M, 2) float64, corners in the plane's coordinates, in order.  level: the regions are also cut
    where an output component equals it; None leaves that out.  progress is called after each layer, on the calling
    thread; cancel is asked often, from several threads; once it has said True this raises Cancelled.  threads: how
    many to use, all cores when None.  examined: how many decisions that rounding leaves in doubt are made with exact
    numbers, all when None; others are counted as unexamined.  Raises EngineError when the network's input does not fit
    the plane, MemoryLimitError before memory runs out.
    """
    _check_dimensions(network, plane)
    return _partition(network, plane, convex_polygon(polygon), level, progress, cancel, threads, examined)


def _check_dimensions(network: Network, plane: SlicePlane) -> None:
    if network.input_size != len(plane.origin):
        raise EngineError(
            f"the network takes {network.input_size} inputs and the plane lies in {len(plane.origin)} dimensions; "
            "use a plane of the network's input space"
        )


def _partition(
    network: Network,
    plane: SlicePlane,
    polygon: Float,
    level: float | None,
    progress: Report | None,
    cancel: Cancel | None,
    threads: int | None,
    examined: int | None,
) -> Partition:
    try:
        finite = level is None or math.isfinite(level)
    except (TypeError, ValueError, OverflowError):
        finite = False
    if not finite:
        raise EngineError(f"the level must be a finite number, not {level!r}")
    _check_number(threads, 1, "threads")
    _check_number(examined, 0, "decisions to examine")
    polygon = np.ascontiguousarray(polygon, np.float64)
    with Workers(threads, cancel) as workers, single_threaded_blas(), memory.refusing():
        if is_wide(network):
            with suppress(SeamError):
                return in_tiles(network, plane, polygon, level, progress, examined, workers)
        return _whole(network, plane, polygon, level, progress, examined, workers)


def _whole(
    network: Network, plane: SlicePlane, polygon: Float, level: float | None, progress: Report | None,
    examined: int | None, workers: Workers,
) -> Partition:  # fmt: skip
    """Cut a polygon by one layer after the other."""
    latest: Progress | None = None
    told = time.perf_counter()

    def examining(decisions: int) -> None:
        nonlocal told
        workers.check()
        if decisions and latest and progress is not None and time.perf_counter() - told > _TOLD_SECONDS:
            progress(replace(latest, examined=decisions))
            told = time.perf_counter()

    walk = Walk(network, plane, polygon, level, examined, examining, workers)
    for layer, segment in enumerate(walk.segments):
        walk.cut(layer, segment)
        if progress is not None:
            latest = walk.progress(layer + 1)
            progress(latest)
    return walk.finish()


def in_tiles(
    network: Network, plane: SlicePlane, polygon: Float, level: float | None, progress: Report | None,
    examined: int | None, workers: Workers,
) -> Partition:  # fmt: skip
    """Cut a polygon tile by tile; first by a few layers, where progress is told.  Raises SeamError, see glued."""
    latest = None if progress is None else _first_layers(network, plane, polygon, level, progress, workers)

    def cut_whole(part: Float) -> Partition:
        return _whole(network, plane, part, level, None, examined, workers)

    def told(share: float) -> None:
        workers.check()
        if progress is not None and latest is not None:
            progress(replace(latest, share=latest.share + (1.0 - latest.share) * share))

    return partition_in_tiles(network, plane, polygon, level, cut_whole, told, workers)


def _first_layers(
    network: Network, plane: SlicePlane, polygon: Float, level: float | None, progress: Report, workers: Workers
) -> Progress:
    """Cut a polygon by its first layers, for people to see while more is made; decisions in doubt are left there."""
    walk = Walk(network, plane, polygon, level, 0, lambda _: workers.check(), workers)
    for layer, segment in enumerate(walk.segments[:-2]):
        walk.cut(layer, segment)
        latest = replace(walk.progress(layer + 1), share=_SHARE_OF_FIRST_LAYERS)
        progress(latest)
        if walk.map.faces > _FIRST_REGIONS:
            break
    return latest


def _check_number(number: int | None, least: int, what: str) -> None:
    try:
        enough = number is None or operator.index(number) >= least
    except TypeError:
        enough = False
    if not enough:
        raise EngineError(f"the number of {what} must be an integer of at least {least}, not {number!r}")
