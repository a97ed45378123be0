"""Lines of slices that cross each other in space, in the order in which they are to be painted: the farthest first.

Planes cut each other into pieces, no two of which hide each other both ways.  A piece has a side of every plane; of
two pieces the one goes first that lies beyond the first plane, in the order of the slices, that parts them (Fuchs,
Kedem and Naylor 1980).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from app.views.camera import Lens
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
    """Cut the lines (S, 2, 3) of each plane at all the others; in each piece their order is kept."""
    return [piece for own, ends in enumerate(lines) for piece in _pieces_of(own, ends, planes)]


def whole_pieces(lines: list[Float]) -> list[Piece]:
    """The lines (S, 2, 3) of each plane, on no known side of the others."""
    return [Piece(own, (), ends, np.arange(len(ends))) for own, ends in enumerate(lines) if len(ends)]


def _pieces_of(own: int, ends: Float, planes: list[SlicePlane]) -> list[Piece]:
    found = [Piece(own, (), ends, np.arange(len(ends)))] if len(ends) else []
    for other, plane in enumerate(planes):
        if other == own:
            found = [replace(piece, sides=(*piece.sides, 0)) for piece in found]
        else:
            found = [part for piece in found for part in _parted(piece, plane)]
    return found


def _parted(piece: Piece, plane: SlicePlane) -> list[Piece]:
    """Return what of a piece lies on each side of a plane, and in it."""
    heights = (piece.ends - plane.origin) @ plane.normal
    parts = []
    for side in (-1, 0, 1):
        on_it = (side * heights).max(axis=1) > 0 if side else ~heights.any(axis=1)
        if on_it.any():
            ends = _clipped(piece.ends[on_it], side * heights[on_it])
            parts.append(replace(piece, sides=(*piece.sides, side), ends=ends, line=piece.line[on_it]))
    return parts


def _clipped(ends: Float, heights: Float) -> Float:
    """Lines (S, 2, 3) as far as heights (S, 2) over a plane are not negative; this changes and returns `ends`."""
    for near, far in ((0, 1), (1, 0)):
        below = np.flatnonzero(heights[:, near] < 0)
        share = heights[below, near] / (heights[below, near] - heights[below, far])
        ends[below, near] += share[:, None] * (ends[below, far] - ends[below, near])
    return ends


def eye_sides(planes: list[SlicePlane], lens: Lens) -> list[int]:
    """Return on which side of each plane the eye is, as in a piece, but never 0."""
    return [1 if float(lens.ray_to(plane.origin) @ plane.normal) <= 0 else -1 for plane in planes]


def nearness(piece: Piece, sides: list[int]) -> tuple[int, ...]:
    """Sort pieces by this: the farthest from an eye on these sides of the planes first."""
    return tuple(side * own for side, own in zip(sides, piece.sides, strict=True))
