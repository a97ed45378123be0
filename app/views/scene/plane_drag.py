"""A hand that holds a plane in space: where the plane goes when the hand does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from app.state.geometry.planes import shifted, tilted
from app.views.scene.plane_handle import LENGTH, Grip

if TYPE_CHECKING:
    from app.views.camera import Lens
    from engine import SlicePlane

Float = NDArray[np.float64]
Pixel = tuple[float, float]

_STEP: Final = 0.05  # of the box's diagonal: whose image tells the way of the normal on the screen
_UNSEEN: Final = 4.0  # pixels: a normal with a shorter image points at the eye


@dataclass(frozen=True, eq=False, slots=True)
class Hold:
    """What the hand took hold of: a plane as it was, by which grip, at which pixel; anchor (3,): the handle's foot."""

    grip: Grip
    key: int
    plane: SlicePlane
    pixel: Pixel
    anchor: Float


def dragged(hold: Hold, lens: Lens, at: Pixel, domain: Float) -> SlicePlane:
    """The plane when the hand is at a pixel; domain: (2, 3)."""
    diagonal = float(np.linalg.norm(np.ptp(domain, axis=0)))
    if hold.grip is Grip.TILT:
        return tilted(hold.plane, _on_ball(hold, lens, at, LENGTH * diagonal), hold.anchor)
    return shifted(hold.plane, _along_normal(hold, lens, at, _STEP * diagonal), domain)


def _along_normal(hold: Hold, lens: Lens, at: Pixel, unit: float) -> float:
    """How far along its normal the plane goes: by the image of a step of length `unit` at the anchor."""
    a, b = lens.to_pixels(np.stack([hold.anchor, hold.anchor + unit * hold.plane.normal]))
    way, drag = b - a, np.array(at) - np.array(hold.pixel)
    if np.hypot(*way) < _UNSEEN:  # there is no image to follow: up and down move it
        return unit * float(-drag[1]) / 20.0
    return unit * float(drag @ way / (way @ way))


def _on_ball(hold: Hold, lens: Lens, at: Pixel, radius: float) -> Float:
    """The direction (3,) from the anchor to where the line of sight meets the ball around it, or passes it nearest."""
    start, direction = lens.ray(*at)
    to_start = start - hold.anchor
    along = float(to_start @ direction)
    gap = float(to_start @ to_start) - along * along
    depth = np.sqrt(max(radius * radius - gap, 0.0))
    near = to_start + (-along - depth) * direction
    far = to_start + (-along + depth) * direction
    # the sheet of the ball on which the tip is
    chosen: Float = near if float(hold.plane.normal @ direction) <= 0 else far
    return chosen / np.linalg.norm(chosen)
