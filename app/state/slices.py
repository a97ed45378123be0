"""A computed slice, as views and exports receive it, and the names that people read on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine import LevelSet, Partition, SlicePlane

_AXES = "xyz"


@dataclass(frozen=True, eq=False, slots=True)
class SliceResult:
    """The partition of one slice of a checkpoint, and the level set in it."""

    checkpoint: str
    partition: Partition
    level_set: LevelSet

    @property
    def label(self) -> str:
        return plane_label(self.partition.plane)


def plane_label(plane: SlicePlane) -> str:
    """`z = 0.25` for an axis plane in 3D; else a point of the plane and, in 3D, its unit normal."""
    if len(plane.origin) == 3:
        normal = np.cross(*plane.axes)
        if (axis := _axis(normal)) is not None:
            return f"{_AXES[axis]} = {_number(plane.origin[axis])}"
        return f"through {_tuple(plane.origin)}, normal {_tuple(normal)}"
    if len(plane.origin) <= 8:
        return f"through {_tuple(plane.origin)}"
    return f"plane in {len(plane.origin)} dimensions"


def axis_labels(plane: SlicePlane) -> tuple[str, str]:
    """Names of the slice's coordinates: those of the input's axes where they are the same, else u and v."""
    along = [_axis(direction) if len(direction) <= 3 else None for direction in plane.axes]
    through_zero = not any(plane.origin @ direction for direction in plane.axes)
    first, second = (
        _AXES[axis] if axis is not None and plane.axes[row, axis] > 0 and through_zero else "uv"[row]
        for row, axis in enumerate(along)
    )
    return first, second


def _axis(direction: NDArray[np.float64]) -> int | None:
    """The index of the coordinate axis that a unit vector lies on, or None."""
    axis = int(np.argmax(np.abs(direction)))
    return axis if abs(direction[axis]) == 1.0 else None


def _number(value: float) -> str:
    return f"{value + 0.0:.6g}".replace("-", "\N{MINUS SIGN}")


def _tuple(values: NDArray[np.float64]) -> str:
    return f"({', '.join(f'{value + 0.0:.3g}' for value in values)})".replace("-", "\N{MINUS SIGN}")
