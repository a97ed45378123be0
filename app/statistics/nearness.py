"""The length of lines that is near a level set, exact but for rounding.

The points of a line within a distance of one segment are an interval, as the distance from a convex set is convex; what
is near a level set is the union of those of its segments.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine import inline, kernel

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_CELLS: Final = 256  # along the longer side: more take longer to fill than they save


def lengths_within(lines: Float, segments: Float, distance: float) -> Float:
    """Return the length (E,) of each line (E, 2, 2) that is within a distance of any of the segments (M, 2, 2)."""
    if not len(segments) or not len(lines):
        return np.zeros(len(lines))
    corners = np.concatenate([lines.reshape(-1, 2), segments.reshape(-1, 2)])
    low, size = corners.min(axis=0) - distance, np.ptp(corners, axis=0) + 2.0 * distance
    cell = max(distance, float(size.max()) / _CELLS)
    columns, rows = (int(side / cell) + 1 for side in size)
    where = (low[0], low[1], cell, columns, rows)
    boxes = np.concatenate([segments.min(axis=1) - distance, segments.max(axis=1) + distance], axis=1)
    offsets = np.zeros(columns * rows + 1, np.int64)
    _count_in_cells(boxes, *where, offsets)
    np.cumsum(offsets, out=offsets)
    members = np.empty(offsets[-1], np.int64)
    _fill_cells(boxes, *where, offsets[:-1].copy(), members)
    found = np.empty(len(lines))
    fullest = int(np.diff(offsets).max())
    _measure(
        np.ascontiguousarray(lines), np.ascontiguousarray(segments), distance, *where, offsets, members,
        np.empty((4 * fullest, 2)), found,
    )  # fmt: skip
    return found


@inline
def _cell_of(place: float, low: float, cell: float, count: int) -> int:
    return min(max(int((place - low) / cell), 0), count - 1)


@kernel
def _count_in_cells(
    boxes: Float, x_low: float, y_low: float, cell: float, columns: int, rows: int, offsets: Int
) -> None:
    """Count, in offsets[1:], the boxes (M, 4) that each cell meets."""
    for m in range(len(boxes)):
        for row in range(_cell_of(boxes[m, 1], y_low, cell, rows), _cell_of(boxes[m, 3], y_low, cell, rows) + 1):
            for column in range(
                _cell_of(boxes[m, 0], x_low, cell, columns), _cell_of(boxes[m, 2], x_low, cell, columns) + 1
            ):
                offsets[row * columns + column + 1] += 1


@kernel
def _fill_cells(
    boxes: Float, x_low: float, y_low: float, cell: float, columns: int, rows: int, next_free: Int, members: Int
) -> None:
    for m in range(len(boxes)):
        for row in range(_cell_of(boxes[m, 1], y_low, cell, rows), _cell_of(boxes[m, 3], y_low, cell, rows) + 1):
            for column in range(
                _cell_of(boxes[m, 0], x_low, cell, columns), _cell_of(boxes[m, 2], x_low, cell, columns) + 1
            ):
                members[next_free[row * columns + column]] = m
                next_free[row * columns + column] += 1


@inline
def _interval(ax: float, ay: float, dx: float, dy: float, segment: Float, distance: float) -> tuple[float, float]:
    """The t in [0, 1] for which (ax, ay) + t (dx, dy) is within a distance of a segment (2, 2); (1, 0) when none is.

    Within the distance are two discs about the ends and a rectangle between them; together they are convex.
    """
    low, high = 1.0, 0.0
    square = dx * dx + dy * dy
    for end in range(2):
        x, y = ax - segment[end, 0], ay - segment[end, 1]
        half = x * dx + y * dy
        root = half * half - square * (x * x + y * y - distance * distance)
        if root >= 0.0:
            root = np.sqrt(root)
            first, last = max((-half - root) / square, 0.0), min((root - half) / square, 1.0)
            if first <= last:
                low, high = min(low, first), max(high, last)
    wx, wy = segment[1, 0] - segment[0, 0], segment[1, 1] - segment[0, 1]
    length = np.sqrt(wx * wx + wy * wy)
    if length > 0.0:
        wx, wy = wx / length, wy / length
        x, y = ax - segment[0, 0], ay - segment[0, 1]
        first, last = 0.0, 1.0
        # along it from 0 to its length, and across it from -distance to distance
        for start, step, least, most in (
            (x * wx + y * wy, dx * wx + dy * wy, 0.0, length),
            (x * wy - y * wx, dx * wy - dy * wx, -distance, distance),
        ):
            if step == 0.0:
                if start < least or start > most:
                    last = -1.0
            else:
                one, other = (least - start) / step, (most - start) / step
                first, last = max(first, min(one, other)), min(last, max(one, other))
        if first <= last:
            low, high = min(low, first), max(high, last)
    return low, high


@kernel
def _measure(
    lines: Float,
    segments: Float,
    distance: float,
    x_low: float,
    y_low: float,
    cell: float,
    columns: int,
    rows: int,
    offsets: Int,
    members: Int,
    intervals: Float,
    found: Float,
) -> None:
    """Lines are measured in pieces no longer than a cell, which meet four of them at most."""
    for e in range(len(lines)):
        found[e] = 0.0
        length = np.hypot(lines[e, 1, 0] - lines[e, 0, 0], lines[e, 1, 1] - lines[e, 0, 1])
        if length == 0.0:
            continue
        pieces = int(length / cell) + 1
        dx, dy = (lines[e, 1, 0] - lines[e, 0, 0]) / pieces, (lines[e, 1, 1] - lines[e, 0, 1]) / pieces
        for piece in range(pieces):
            ax, ay = lines[e, 0, 0] + piece * dx, lines[e, 0, 1] + piece * dy
            left, right = (
                _cell_of(min(ax, ax + dx), x_low, cell, columns),
                _cell_of(max(ax, ax + dx), x_low, cell, columns),
            )
            lower, upper = _cell_of(min(ay, ay + dy), y_low, cell, rows), _cell_of(max(ay, ay + dy), y_low, cell, rows)
            count, whole = 0, False
            for row in range(lower, upper + 1):
                for column in range(left, right + 1):
                    here = row * columns + column
                    for i in range(offsets[here], offsets[here + 1]):
                        low, high = _interval(ax, ay, dx, dy, segments[members[i]], distance)
                        if low <= 0.0 and high >= 1.0:
                            whole = True
                            break
                        if low < high:
                            intervals[count, 0], intervals[count, 1] = low, high
                            count += 1
                    if whole:
                        break
                if whole:
                    break
            share = 1.0
            if not whole:
                share, reached = 0.0, 0.0
                order = np.argsort(intervals[:count, 0])
                for i in order:
                    low, high = max(intervals[i, 0], reached), intervals[i, 1]
                    if high > low:
                        share += high - low
                        reached = high
            found[e] += share * length / pieces
