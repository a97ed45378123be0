"""A computed slice, as views and exports receive it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine import LevelSet, Partition, SlicePlane

_AXES = "xyz"


@dataclass(frozen=True, eq=False, slots=True)
class SliceResult:
    """The partition of one slice of a checkpoint, and the level set in it.

    approximation: how the network differs from the checkpoint's own, in words to be shown; "" when it does not.
    """

    checkpoint: str
    partition: Partition
    level_set: LevelSet
    approximation: str = ""


def axis_labels(plane: SlicePlane) -> tuple[str, str]:
    """Names of the slice's two coordinates: x, y or z where they are the input's own, else u and v."""
    first, second = (_own_name(plane, row) or "uv"[row] for row in (0, 1))
    return first, second


def _own_name(plane: SlicePlane, row: int) -> str | None:
    direction = plane.axes[row]
    axis = int(np.argmax(direction))
    own = plane.dimension <= len(_AXES) and direction[axis] == 1.0 and plane.origin[axis] == 0.0
    return _AXES[axis] if own else None
