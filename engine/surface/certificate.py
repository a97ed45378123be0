"""A proof that nothing of a level surface was missed: an octree whose boxes are empty, or known region by region.

Where bounds do not show a box to be empty, and few neurons change sign in it, it is cut into the network's regions, and
every one that the level set crosses must be one of the surface's facets (box_regions.py).  Other boxes are halved,
until none is left or the budget is spent.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Float
from engine.machine.workers import Cancel, Workers, never, single_threaded_blas
from engine.network.layers import layers_of
from engine.surface.box_regions import EMPTY, MISSED, OPEN, VISITED, examine_boxes
from engine.surface.region_table import rebuild_table
from engine.surface.surface import Surface
from engine.tolerances import CERTIFIED_SLACK

_FIRST = 8  # boxes along each side at the start
_BATCH = 512  # boxes between two reports
_PIECE = 16  # boxes between two looks at whether to stop: some milliseconds


@dataclass(frozen=True, eq=False, slots=True)
class Certificate:
    """What was proven of a surface.

    certified: every region that the level crosses was found.  open_edges: the surface's, beside that: rounding did not
    tell which facets meet there.  boxes: how many were looked at; empty, visited: of the octree's leaves; regions: that
    the visited ones were cut into.  missed, unproven (N, 2, 3) float64: lower and upper corners of the leaves with a
    region that the level crosses and the surface has not, and of those that nothing is known of: the first `tiny` of
    them are too small to be halved, others were left when the budget was spent.  proven: the share of the domain's
    volume in which nothing was missed.
    """

    certified: bool
    boxes: int
    empty: int
    visited: int
    regions: int
    missed: Float
    unproven: Float
    proven: float
    tiny: int = 0
    open_edges: int = 0

    def describe(self) -> str:
        """One line for people."""
        if self.certified:
            looked = f"({self.boxes:,} boxes, {self.regions:,} regions)"
            if self.open_edges:
                edges = f"{self.open_edges:,} edge{' is' if self.open_edges == 1 else 's are'}"
                return f"certified: every region that the level crosses was found {looked}; {edges} open, for rounding"
            return f"certified: nothing was missed {looked}"
        what = []
        if len(self.missed):
            where = ", ".join(f"{x:.3g}" for x in self.missed[0].mean(axis=0))
            what.append(
                f"the level crosses regions that the surface lacks in {len(self.missed):,} boxes, the first at "
                f"({where}); a grid sees only changes of sign between its points: raise the resolution, or start along "
                "segments through them (engine.Seeds)"
            )
        if len(self.unproven):
            share = min(math.floor(1e3 * self.proven), 999) / 10.0  # never 100%: something is left
            left = f"{share:.1f}% of the volume is proven to hold nothing that was missed"
            waiting = len(self.unproven) - self.tiny
            if waiting:
                left += f", {_boxes(waiting)} left after {self.boxes:,}; raise the budget"
            if self.tiny:
                left += f", {_boxes(self.tiny)} too small to be halved, as too much meets there for a proof"
            what.append(left)
        return f"not certified: {', and '.join(what)}"


def certify_surface(
    surface: Surface,
    budget: int = 50_000,
    progress: Callable[[int, int], None] | None = None,
    cancel: Cancel = never,
    threads: int | None = None,
) -> Certificate:
    """Try to prove that a surface has the whole level set in its domain.

    budget: boxes to look at.  progress is told the boxes looked at and those that wait; cancelling raises Cancelled.
    threads: how many to use, all cores when None.  What a relative rounding of CERTIFIED_SLACK could hide is not seen.
    """
    layers = layers_of(surface.network, surface.level)
    size = surface.domain[1] - surface.domain[0]
    corners = np.stack(np.meshgrid(*[np.arange(_FIRST)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    ends = np.stack([corners, corners + 1], axis=1) / _FIRST
    waiting = deque([(1.0 - ends) * surface.domain[0] + ends * surface.domain[1]])
    table = np.full(1 << (4 * surface.facets + 1).bit_length(), -1, np.int32)
    rebuild_table(surface.signatures, surface.facets, table)
    missed, hopeless = [np.empty((0, 2, 3))], [np.empty((0, 2, 3))]
    boxes = empty = visited = regions = 0
    with Workers(threads, cancel) as workers, single_threaded_blas():
        while waiting and boxes < budget:
            some, most = waiting.popleft(), min(_BATCH, budget - boxes)
            if len(some) > most:
                waiting.appendleft(some[most:])
                some = some[:most]
            found = workers.run(examine_boxes, len(some), _PIECE, layers, some, surface.signatures, table)
            verdicts = np.concatenate([piece[0] for piece in found])
            boxes += len(some)
            empty += int(np.count_nonzero(verdicts == EMPTY))
            visited += int(np.count_nonzero(verdicts == VISITED))
            regions += sum(int(piece[1].sum()) for piece in found)
            missed.append(some[verdicts == MISSED])
            left = some[verdicts == OPEN]
            tiny = (left[:, 1] - left[:, 0] < CERTIFIED_SLACK * size).any(axis=1)  # rounding would take over
            hopeless.append(left[tiny])
            if not tiny.all():
                waiting.append(_eighths(left[~tiny]))
            if progress is not None:
                progress(boxes, sum(map(len, waiting)))
    lost, unproven = np.concatenate(missed), np.concatenate([*hopeless, *waiting])
    rest = sum(float(np.prod((some[:, 1] - some[:, 0]) / size, axis=1).sum()) for some in (lost, unproven))
    for array in (lost, unproven):
        array.setflags(write=False)
    return Certificate(
        certified=len(lost) + len(unproven) == 0,
        boxes=boxes,
        empty=empty,
        visited=visited,
        regions=regions,
        missed=lost,
        unproven=unproven,
        proven=max(0.0, 1.0 - rest),
        tiny=sum(map(len, hopeless)),
        open_edges=surface.report.open_edges,
    )


def with_certificate(surface: Surface, certificate: Certificate) -> Surface:
    """The surface whose report says whether it is certified."""
    return replace(surface, report=replace(surface.report, certified=certificate.certified))


def _boxes(count: int) -> str:
    return "1 box was" if count == 1 else f"{count:,} boxes were"


def _eighths(boxes: Float) -> Float:
    middle = boxes.mean(axis=1)
    parts = []
    for octant in range(8):
        upper = np.array([(octant >> axis) & 1 for axis in range(3)], np.bool_)
        parts.append(np.stack([np.where(upper, middle, boxes[:, 0]), np.where(upper, boxes[:, 1], middle)], axis=1))
    return np.concatenate(parts)
