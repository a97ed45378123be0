"""The handle of the active plane in the 3D scene: a knob to shift it along its normal, a tip to tilt it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from app.state.palette import RGB

if TYPE_CHECKING:
    from app.views.camera import Lens

Float = NDArray[np.float64]

LENGTH: Final = 0.13  # of the shaft, over the box's diagonal
_KNOB, _TIP = 0.0095, 0.016
_REACH = 11.0  # pixels within which the hand takes hold


class Grip(Enum):
    """What a hand on the plane does to it."""

    SHIFT = "shift along the normal"
    TILT = "tilt"


class PlaneHandle:
    """Stands at a point of the plane and points along its normal; drawn over everything else."""

    def __init__(self, diagonal: float) -> None:
        self._diagonal = diagonal
        self._points = np.zeros((2, 3))
        self.color: RGB = (0.0, 0.0, 0.0)

    @property
    def points(self) -> Float:
        """(2, 3): the foot in the plane and the tip."""
        return self._points

    def place(self, foot: Float, normal: Float, color: RGB) -> None:
        self._points = np.stack([foot, foot + LENGTH * self._diagonal * normal])
        self.color = color

    def radii(self, lens: Lens) -> tuple[float, float]:
        """Of the knob and of the tip, in pixels."""
        knob, tip = (
            size * self._diagonal / lens.pixel_length(point)
            for size, point in zip((_KNOB, _TIP), self._points, strict=True)
        )
        return max(knob, 3.0), max(tip, 4.0)

    def grip_at(self, lens: Lens, px: float, py: float) -> Grip | None:
        """What a hand at a pixel takes hold of."""
        foot, tip = lens.to_pixels(self._points)
        at = np.array([px, py])
        if np.hypot(*(at - tip)) <= _REACH:
            return Grip.TILT
        return Grip.SHIFT if distance_to_segment(at, foot, tip) <= _REACH else None


def distance_to_segment(point: Float, a: Float, b: Float) -> float:
    step = b - a
    length = float(step @ step)
    t = min(max(float((point - a) @ step) / length, 0.0), 1.0) if length > 0 else 0.0
    return float(np.hypot(*(point - a - t * step)))
