"""From where the 3D scene is seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """position: of the eye; focus: the point it looks at; up: the direction that is upwards in the picture.

    parallel: all lines of sight are; what is at the focus is as large as it is otherwise.  centre: the point that the
    camera turns about, None for the focus.
    """

    position: Point
    focus: Point
    up: Point
    parallel: bool = False
    centre: Point | None = None

    @classmethod
    def at(cls, position: NDArray[np.float64], focus: NDArray[np.float64], up: NDArray[np.float64]) -> Self:
        """From arrays (3,)."""
        return cls(_point(position), _point(focus), _point(up))

    def moved(self, position: NDArray[np.float64], focus: NDArray[np.float64], up: NDArray[np.float64]) -> Self:
        """Return the same camera elsewhere, from arrays (3,)."""
        return replace(self, position=_point(position), focus=_point(focus), up=_point(up))

    def turning_about(self, centre: NDArray[np.float64] | None) -> Self:
        """Return the same view, turned about a point (3,) from now on, None for the focus."""
        return replace(self, centre=None if centre is None else _point(centre))


def _point(place: NDArray[np.float64]) -> Point:
    x, y, z = place.tolist()
    return x, y, z
