"""Distances between two sets of segments in a plane: the largest, exactly, and the mean one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from engine.arrays import Float
from engine.facts.level_set import LevelSet

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

_ROUNDING = 1e-14  # of the sets' extent, to which the largest distance is found
_MEAN_ERROR = 1e-9  # of the same, to which mean ones are
_NEIGHBOURS = 8
_BLOCK = 1 << 15
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(3)


@dataclass(frozen=True, slots=True)
class PolylineDistances:
    """Distances between two sets of polylines, in the plane's unit; nan where one of them is empty and not the other.

    to_second, to_first  the largest distance of a point of the first set from the second, and the other way round
    mean_to_second, mean_to_first  the mean ones, by length
    """

    to_second: float
    to_first: float
    mean_to_second: float
    mean_to_first: float

    @property
    def hausdorff(self) -> float:
        """The larger one of both directions."""
        return max(self.to_second, self.to_first)

    @property
    def mean(self) -> float:
        """The mean of both directions."""
        return 0.5 * (self.mean_to_second + self.mean_to_first)


def segments_of(level_set: LevelSet) -> Float:
    """Return the segments (N, 2, 2) of a level set."""
    parts = [np.stack([line[:-1], line[1:]], axis=1) for line in level_set.polylines]
    return np.concatenate([np.empty((0, 2, 2)), *parts])


def polyline_distances(first: Float, second: Float) -> PolylineDistances:
    """Measure how far two sets of segments (N, 2, 2) and (M, 2, 2) are apart, up to rounding; means to about
    1e-9 of their extent.  Equal sets are at distance 0.
    """
    if np.array_equal(first, second):
        return PolylineDistances(0.0, 0.0, 0.0, 0.0)
    if not len(first) or not len(second):
        return PolylineDistances(math.nan, math.nan, math.nan, math.nan)
    extent = float(np.ptp(np.concatenate([first, second]).reshape(-1, 2), axis=0).max())
    to_second, to_first = Distances.to(second), Distances.to(first)
    return PolylineDistances(
        _largest(first, to_second, extent),
        _largest(second, to_first, extent),
        _mean(first, to_second, extent),
        _mean(second, to_first, extent),
    )


@dataclass(frozen=True, eq=False, slots=True)
class Distances:
    """Distances from a set of segments: those (M, 2, 2), long ones in parts, and a tree of the middles of all.

    reach: half the length of the longest part.
    """

    ends: Float
    tree: cKDTree
    reach: float

    @classmethod
    def to(cls, segments: Float) -> Distances:
        from scipy.spatial import cKDTree  # noqa: PLC0415  takes longer to import than small slices to make

        lengths = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)
        limit = max(2.0 * float(lengths.mean()), float(lengths.max()) / 1024.0, 1e-300)
        parts = np.maximum(np.ceil(lengths / limit), 1).astype(int)
        owner = np.repeat(np.arange(len(segments)), parts)
        step = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
        start, end = segments[owner].transpose(1, 0, 2)
        low, high = (step / parts[owner])[:, None], ((step + 1) / parts[owner])[:, None]
        ends = np.stack([start + low * (end - start), start + high * (end - start)], axis=1)
        ends[step + 1 == parts[owner], 1] = end[step + 1 == parts[owner]]
        reach = 0.5 * float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).max())
        return cls(ends, cKDTree(ends.mean(axis=1)), reach)

    def nearest(self, points: Float) -> tuple[Float, np.ndarray]:
        """Return the distance (N,) of points (N, 2) from the segments, and which one is the nearest."""
        distance, number = np.empty(len(points)), np.empty(len(points), np.int64)
        left, neighbours = np.arange(len(points)), min(_NEIGHBOURS, len(self.ends))
        while len(left):
            beyond = []
            for lo in range(0, len(left), _BLOCK):
                at = left[lo : lo + _BLOCK]
                middle, found = self.tree.query(points[at], neighbours)
                middle, found = middle.reshape(len(at), -1), found.reshape(len(at), -1)
                apart = point_distances(points[at, None], self.ends[found])
                best = apart.argmin(axis=1)
                row = np.arange(len(at))
                distance[at], number[at] = apart[row, best], found[row, best]
                # one farther off may still be nearer if its middle is within its half length of being so
                beyond.append(at[middle[:, -1] - self.reach < distance[at]])
            if neighbours == len(self.ends):
                break
            left, neighbours = np.concatenate(beyond), min(4 * neighbours, len(self.ends))
        return distance, number

    def come_within(self, segments: Float, reach: float) -> np.ndarray:
        """(N,) bool: a point of a segment (N, 2, 2) is at most `reach` from the set, which it does not cross."""
        middle = segments.mean(axis=1)
        half = 0.5 * np.hypot(*(segments[:, 1] - segments[:, 0]).T)
        candidates = self.tree.query_ball_point(middle, reach + half + self.reach)
        counts = np.array([len(found) for found in candidates], np.int64)
        owner = np.repeat(np.arange(len(segments)), counts)
        others = self.ends[np.fromiter(chain.from_iterable(candidates), np.int64, int(counts.sum()))]
        own = segments[owner]
        # where segments that do not cross are nearest, one of them ends
        pairs = [(own[:, 0], others), (own[:, 1], others), (others[:, 0], own), (others[:, 1], own)]
        near = np.any([point_distances(points, lines) <= reach for points, lines in pairs], axis=0)
        return np.bincount(owner[near], minlength=len(segments)) > 0


def point_distances(points: Float, segments: Float) -> Float:
    """Return the distances (...) of points (..., 2) from segments (..., 2, 2)."""
    start, along = segments[..., 0, :], segments[..., 1, :] - segments[..., 0, :]
    square = (along**2).sum(axis=-1)
    t = ((points - start) * along).sum(axis=-1) / np.where(square > 0.0, square, 1.0)
    x, y = np.moveaxis(points - (start + np.clip(t, 0.0, 1.0)[..., None] * along), -1, 0)
    return np.asarray(np.hypot(x, y))


def _largest(segments: Float, others: Distances, extent: float) -> float:
    """Return the largest distance of a point of the segments from the others, by halving (branch and bound).

    The distance from one of the others is convex along a segment: its largest value is at an end, and bounds that from
    all of them.  A part is left when its bound is not larger than what was found, up to rounding.
    """
    start, end = segments.transpose(1, 0, 2)
    found, at_start = others.nearest(start)
    also, at_end = others.nearest(end)
    largest = float(max(found.max(), also.max()))
    while len(start):
        bound = np.minimum(
            np.maximum(found, point_distances(end, others.ends[at_start])),
            np.maximum(also, point_distances(start, others.ends[at_end])),
        )
        kept = bound > largest + _ROUNDING * extent
        start, end, found, also, at_start, at_end = (
            array[kept] for array in (start, end, found, also, at_start, at_end)
        )
        middle = 0.5 * (start + end)
        distance, number = others.nearest(middle)
        largest = max(largest, float(distance.max(initial=0.0)))
        start, end = np.concatenate([start, middle]), np.concatenate([middle, end])
        found, also = np.concatenate([found, distance]), np.concatenate([distance, also])
        at_start, at_end = np.concatenate([at_start, number]), np.concatenate([number, at_end])
    return largest


def _mean(segments: Float, others: Distances, extent: float) -> float:
    """Return the mean distance of the points of the segments from the others, by Gauss's rule of three points on parts
    that are halved until it agrees with itself.
    """
    start, end = segments.transpose(1, 0, 2)
    total = float(np.linalg.norm(end - start, axis=1).sum())
    if total == 0.0:
        return float(others.nearest(start)[0].mean())
    whole, integral = _by_gauss(start, end, others), 0.0
    allowed = _MEAN_ERROR * extent * total / len(start)  # of a part; as many of them are halved as there are segments
    while len(start):
        middle = 0.5 * (start + end)
        left, right = _by_gauss(start, middle, others), _by_gauss(middle, end, others)
        open_ = np.abs(left + right - whole) > allowed
        integral += float((left + right)[~open_].sum())
        start = np.concatenate([start[open_], middle[open_]])
        end = np.concatenate([middle[open_], end[open_]])
        whole = np.concatenate([left[open_], right[open_]])
    return integral / total


def _by_gauss(start: Float, end: Float, others: Distances) -> Float:
    """Return the integrals (N,) of the distance along segments."""
    half, middle = 0.5 * (end - start), 0.5 * (start + end)
    points = middle[:, None] + _NODES[:, None] * half[:, None]
    distances = others.nearest(points.reshape(-1, 2))[0].reshape(len(start), -1)
    return np.asarray(distances @ _WEIGHTS * np.linalg.norm(half, axis=1))
