"""From where a scene is seen, moved by hand, and what lies at which pixel: plain geometry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from app.state.geometry.viewpoint import Viewpoint

if TYPE_CHECKING:
    from engine import SlicePlane

Float = NDArray[np.float64]

VIEW_ANGLE: Final = 30.0
"""Degrees, spanned by the shorter side of a picture: a box is seen whole in pictures of any shape."""
NEAREST, FARTHEST = 1e-5, 1e3
"""The distances from the eye to the point that it looks at, in sizes of the box: rounding draws nonsense beyond."""
_DEGREES_PER_HEIGHT = 260.0
_STEEPEST = 0.996  # cosine between the line of sight and the vertical: no tumbling over the pole
_NEAR: Final = 0.02  # of the distance to the focus: what is nearer to the eye is not seen
_AROUND: Final = 0.2  # of the box's sides, that much around it is seen, too: letters


def orbit(viewpoint: Viewpoint, dx: float, dy: float, height: int, up: Float) -> Viewpoint:
    """Turn about the focus as a drag by (dx, dy) pixels asks for, the vertical kept upright."""
    degrees = _DEGREES_PER_HEIGHT / max(height, 1)
    focus, position = np.array(viewpoint.focus), np.array(viewpoint.position)
    arm = _off_the_pole(position - focus, up, np.array(viewpoint.up))
    arm = _turned(arm, up, -np.radians(dx * degrees))
    right = np.cross(up, arm)
    raised = _turned(arm, right / np.linalg.norm(right), -np.radians(dy * degrees))
    if abs(float(raised @ up)) < _STEEPEST * np.linalg.norm(raised):
        arm = raised
    return Viewpoint.at(focus + arm, focus, up)


def _off_the_pole(arm: Float, up: Float, seen_up: Float) -> Float:
    """The arm itself; seen from straight above or below, where there is no upright, so far off that there is one.

    What was upwards in the picture, `seen_up`, stays so.
    """
    length = float(np.linalg.norm(arm))
    if abs(float(arm @ up)) <= _STEEPEST * length:
        return arm
    side = 1.0 if float(arm @ up) > 0 else -1.0
    away = np.cross(np.cross(up, seen_up), up)
    if not np.linalg.norm(away) > 1e-9:
        away = np.roll(up, 1) - (np.roll(up, 1) @ up) * up
    steep = 0.999 * _STEEPEST
    off: Float = side * length * (steep * up - np.sqrt(1 - steep * steep) * away / np.linalg.norm(away))
    return off


def pan(viewpoint: Viewpoint, dx: float, dy: float, side: int) -> Viewpoint:
    """Move sideways so that the focus follows a drag by (dx, dy) pixels; side: the picture's shorter one, in pixels."""
    focus, position = np.array(viewpoint.focus), np.array(viewpoint.position)
    distance = float(np.linalg.norm(position - focus))
    unit = 2 * distance * np.tan(np.radians(VIEW_ANGLE / 2)) / max(side, 1)
    forward = (focus - position) / distance
    right = np.cross(forward, np.array(viewpoint.up))
    right /= np.linalg.norm(right)
    step = unit * (-dx * right + dy * np.cross(right, forward))
    return Viewpoint.at(position + step, focus + step, np.array(viewpoint.up))


def zoom(viewpoint: Viewpoint, factor: float, size: float) -> Viewpoint:
    """Come nearer to the focus by a factor above 1, as far as a box of some size is still to be seen."""
    focus, position = np.array(viewpoint.focus), np.array(viewpoint.position)
    distance = float(np.linalg.norm(position - focus))
    wanted = min(max(distance / factor, NEAREST * size), FARTHEST * size)
    return Viewpoint.at(focus + (position - focus) * (wanted / distance), focus, np.array(viewpoint.up))


def _turned(vector: Float, axis: Float, angle: float) -> Float:
    """About a unit axis, by Rodrigues' formula."""
    c, s = np.cos(angle), np.sin(angle)
    turned: Float = vector * c + np.cross(axis, vector) * s + axis * (axis @ vector) * (1 - c)
    return turned


def whole_box(domain: Float, direction: Float, up: Float) -> Viewpoint:
    """The viewpoint in a direction (3,) from the middle of a box (2, 3), the whole of which is in view."""
    middle, radius = domain.mean(axis=0), 0.5 * float(np.linalg.norm(np.ptp(domain, axis=0)))
    distance = radius / np.sin(np.radians(VIEW_ANGLE / 2))
    return Viewpoint.at(middle + distance * direction / np.linalg.norm(direction), middle, up)


def in_sight(viewpoint: Viewpoint, domain: Float) -> bool:
    """Say if a box (2, 3) can be seen from there; else a file asks for it, made by hand, or of another network."""
    size, middle = float(np.linalg.norm(np.ptp(domain, axis=0))), domain.mean(axis=0)
    focus = np.array(viewpoint.focus)
    distance = float(np.linalg.norm(np.array(viewpoint.position) - focus))
    return NEAREST <= distance / size <= FARTHEST and float(np.linalg.norm(focus - middle)) <= FARTHEST * size


@dataclass(frozen=True, eq=False, slots=True)
class Lens:
    """Between space and the pixels of a picture, the row at the top first.

    eye (3,); axes (3, 3): unit vectors to the right, upwards and forward; distance: to the focus; focal: pixels of a
    unit length that is at distance 1; centre (2,): the pixel that the eye looks at; near, far: distances along the line
    of sight between which something is seen.
    """

    width: int
    height: int
    eye: Float
    axes: Float
    distance: float
    focal: float
    centre: Float
    near: float
    far: float

    @classmethod
    def of(cls, viewpoint: Viewpoint, domain: Float, width: int, height: int) -> Self:
        """The lens of a picture of a box (2, 3) from a viewpoint."""
        width, height = max(width, 1), max(height, 1)
        eye, focus = np.array(viewpoint.position), np.array(viewpoint.focus)
        distance = float(np.linalg.norm(focus - eye))
        forward = (focus - eye) / distance
        right = np.cross(forward, np.array(viewpoint.up))
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(right, forward), forward])
        focal = 0.5 * min(width, height) / np.tan(np.radians(VIEW_ANGLE / 2))
        box = domain + _AROUND * np.ptp(domain, axis=0) * np.array([[-1.0], [1.0]])
        depths = (np.array(list(product(*box.T))) - eye) @ forward
        near = max(float(depths.min()), _NEAR * distance)
        centre = 0.5 * np.array([width, height])
        return cls(width, height, eye, axes, distance, float(focal), centre, near, max(float(depths.max()), 2 * near))

    def enlarged(self, factor: int) -> Self:
        """The lens of the same picture with `factor` times as many pixels along each side."""
        return replace(
            self, width=factor * self.width, height=factor * self.height, focal=factor * self.focal,
            centre=factor * self.centre,
        )  # fmt: skip

    def same(self, other: Lens) -> bool:
        """Both see everything at the same pixel."""
        return (self.width, self.height, self.focal) == (other.width, other.height, other.focal) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in ("eye", "axes", "centre")
        )

    @property
    def forward(self) -> Float:
        """(3,): the direction of the line of sight."""
        found: Float = self.axes[2]
        return found

    @property
    def pixel_angle(self) -> float:
        """The length of a pixel at distance 1."""
        return 1.0 / self.focal

    def homography(self, plane: SlicePlane) -> Float:
        """(3, 3): the plane's point (u, v) is seen at (X / W, Y / W), (X, Y, W) = homography (u, v, 1).

        W is the distance along the line of sight.
        """
        (x, y), screen = self.centre, np.diag([self.focal, -self.focal, 1.0])
        screen[:2, 2] = x, y
        found: Float = screen @ self.axes @ np.column_stack([plane.axes.T, plane.origin - self.eye])
        return found

    def ray_to(self, point: Float) -> Float:
        """The direction (3,) from the eye to a point (3,)."""
        way = point - self.eye
        return way / max(float(np.linalg.norm(way)), 1e-300)

    def to_pixels(self, points: Float) -> Float:
        """(N, 2): where points (N, 3) are seen."""
        right, upwards, ahead = self.axes @ (points - self.eye).T
        pixels: Float = self.centre + self.focal * np.stack([right, -upwards], axis=1) / ahead[:, None]
        return pixels

    def ray(self, px: float, py: float) -> tuple[Float, Float]:
        """A point (3,) on the line of sight through a pixel, and its direction (3,)."""
        x, y = (np.array([px, py]) - self.centre) / self.focal
        way = np.array([x, -y, 1.0]) @ self.axes
        return self.eye + self.near * way, way / np.linalg.norm(way)

    def pixel_length(self, point: Float) -> float:
        """How long a pixel is at a point (3,), across the line of sight."""
        return abs(float(self.forward @ (point - self.eye))) / self.focal
