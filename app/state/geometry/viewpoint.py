"""From where the 3D scene is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """position: of the eye; focus: the point it looks at; up: the direction that is upwards in the picture."""

    position: Point
    focus: Point
    up: Point

    @classmethod
    def at(cls, position: NDArray[np.float64], focus: NDArray[np.float64], up: NDArray[np.float64]) -> Self:
        """From arrays (3,)."""
        return cls(*(tuple(point.tolist()) for point in (position, focus, up)))
