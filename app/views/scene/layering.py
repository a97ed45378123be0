"""Lines of slices that cross each other in space, in the order in which they are to be painted: the farthest first.

Planes cut each other into pieces, no two of which hide each other both ways.  A piece has a side of every plane; of
two pieces the one goes first that lies beyond the first plane, in the order of the slices, that parts them (Fuchs,
Kedem and Naylor 1980).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine import SlicePlane

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """A part of a slice's lines.

    slice: the place of its slice; sides: of each plane, 1 where its normal points, -1 on the other side, 0 in it; ends
    (S, 2, 3); line (S,): which of the slice's lines each is a part of.
    """

    slice: int
    sides: tuple[int, ...]
    ends: Float
    line: NDArray[np.intp]


def pieces(planes: list[SlicePlane], lines: list[Float]) -> list[Piece]:
    """Cut the lines (S, 2, 3) of each plane at all the others; their order is kept."""
    return [piece for own, ends in enumerate(lines) for piece in _pieces_of(own, ends, planes)]


def _pieces_of(own: int, ends: Float, planes: list[SlicePlane]) -> list[Piece]:
    line = np.arange(len(ends))
    sides = np.zeros((len(ends), len(planes)), np.int8)
    for other, plane in enumerate(planes):
        if other == own or not len(ends):
            continue
        heights = (ends - plane.origin) @ plane.normal
        start, end = heights.T
        crossing = np.flatnonzero(start * end < 0)
        if len(crossing):
            share = start[crossing] / (start[crossing] - end[crossing])
            middle = ends[crossing, 0] + share[:, None] * (ends[crossing, 1] - ends[crossing, 0])
            beyond = np.stack([middle, ends[crossing, 1]], axis=1)
            ends = np.insert(ends, crossing + 1, beyond, axis=0)
            first = crossing + np.arange(len(crossing))
            ends[first, 1] = middle
            line = np.insert(line, crossing + 1, line[crossing])
            sides = np.insert(sides, crossing + 1, sides[crossing], axis=0)
            heights = np.insert(heights, crossing + 1, np.stack([0.0 * end[crossing], end[crossing]], axis=1), axis=0)
            heights[first, 1] = 0.0
        sides[:, other] = np.sign(heights.sum(axis=1))
    codes, members = np.unique(sides, axis=0, return_inverse=True)
    members = members.ravel()
    return [Piece(own, tuple(code.tolist()), ends[members == k], line[members == k]) for k, code in enumerate(codes)]


def nearness(piece: Piece, planes: list[SlicePlane], eye: Float) -> tuple[int, ...]:
    """Sort pieces by this: the farthest from an eye (3,) first."""
    sides = [1 if float((eye - plane.origin) @ plane.normal) >= 0 else -1 for plane in planes]
    return tuple(side * own for side, own in zip(sides, piece.sides, strict=True))
