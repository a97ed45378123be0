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
_BEFORE: Final = 0.2  # of the depth of what is seen in parallel: so far before it the eye is


def orbit(viewpoint: Viewpoint, dx: float, dy: float, height: int, up: Float) -> Viewpoint:
    """Turn about the centre as a drag by (dx, dy) pixels asks for, the vertical kept upright."""
    degrees = _DEGREES_PER_HEIGHT / max(height, 1)
    focus, position = np.array(viewpoint.focus), np.array(viewpoint.position)
    arm = _off_the_pole(position - focus, up, np.array(viewpoint.up))
    arm = _turned(arm, up, -np.radians(dx * degrees))
    right = np.cross(up, arm)
    raised = _turned(arm, right / np.linalg.norm(right), -np.radians(dy * degrees))
    if abs(float(raised @ up)) < _STEEPEST * np.linalg.norm(raised):
        arm = raised
    if viewpoint.centre is not None:
        turn = _axes(arm, up).T @ _axes(position - focus, np.array(viewpoint.up))
        centre = np.array(viewpoint.centre)
        focus = centre + turn @ (focus - centre)
    return viewpoint.moved(focus + arm, focus, up)


def _axes(arm: Float, up: Float) -> Float:
    """(3, 3): unit vectors to the right, upwards and forward of an eye at the end of an arm from what it looks at."""
    forward = -arm / np.linalg.norm(arm)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(right, forward), forward])


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
    up = np.array(viewpoint.up)
    right, upwards, _ = _axes(position - focus, up)
    step = unit * (-dx * right + dy * upwards)
    return viewpoint.moved(position + step, focus + step, up)


def zoom(viewpoint: Viewpoint, factor: float, size: float, point: Float | None = None) -> Viewpoint:
    """Come nearer to a point (3,), None for the focus, by a factor above 1; the point is seen at the same pixel.

    As far as a box of some size is still to be seen, and up to the point, not beyond.
    """
    focus, position = np.array(viewpoint.focus), np.array(viewpoint.position)
    point = focus if point is None else point
    distance, reach = (float(np.linalg.norm(position - end)) for end in (focus, point))
    least, most = NEAREST * size / distance, FARTHEST * size / distance
    if not viewpoint.parallel:
        least = max(least, min(NEAREST * size / max(reach, 1e-300), 1.0))
    share = min(max(1.0 / factor, least), most)
    return viewpoint.moved(point + share * (position - point), point + share * (focus - point), np.array(viewpoint.up))


def _turned(vector: Float, axis: Float, angle: float) -> Float:
    """About a unit axis, by Rodrigues' formula."""
    c, s = np.cos(angle), np.sin(angle)
    turned: Float = vector * c + np.cross(axis, vector) * s + axis * (axis @ vector) * (1 - c)
    return turned


def towards_eye(viewpoint: Viewpoint, point: Float) -> Float:
    """(3,): a direction from a point (3,) to the eye."""
    end = np.array(viewpoint.focus) if viewpoint.parallel else point
    away: Float = np.array(viewpoint.position) - end
    return away


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

    eye, focus (3,); axes (3, 3): unit vectors to the right, upwards and forward; distance: from the viewpoint to the
    focus; focal: pixels of a unit length that is at distance 1; centre (2,): the pixel that the eye looks at; near,
    far: distances from the eye along the line of sight between which something is seen.

    parallel: everything is as large as it is at that distance; the eye is before the whole box then.
    """

    width: int
    height: int
    eye: Float
    focus: Float
    axes: Float
    distance: float
    focal: float
    centre: Float
    near: float
    far: float
    parallel: bool

    @classmethod
    def of(cls, viewpoint: Viewpoint, domain: Float, width: int, height: int) -> Self:
        """The lens of a picture of a box (2, 3) from a viewpoint."""
        width, height = max(width, 1), max(height, 1)
        eye, focus = np.array(viewpoint.position), np.array(viewpoint.focus)
        distance = float(np.linalg.norm(focus - eye))
        axes = _axes(eye - focus, np.array(viewpoint.up))
        forward = axes[2]
        focal = 0.5 * min(width, height) / np.tan(np.radians(VIEW_ANGLE / 2))
        box = domain + _AROUND * np.ptp(domain, axis=0) * np.array([[-1.0], [1.0]])
        corners = np.array(list(product(*box.T)))
        if viewpoint.parallel:
            ahead = (corners - focus) @ forward
            eye = focus + (float(ahead.min()) - _BEFORE * float(np.ptp(ahead))) * forward
        depths = (corners - eye) @ forward
        near = max(float(depths.min()), 0.0 if viewpoint.parallel else _NEAR * distance)
        far, centre = max(float(depths.max()), 2 * near), 0.5 * np.array([width, height])
        return cls(width, height, eye, focus, axes, distance, float(focal), centre, near, far, viewpoint.parallel)

    def enlarged(self, factor: int) -> Self:
        """The lens of the same picture with `factor` times as many pixels along each side."""
        return replace(
            self, width=factor * self.width, height=factor * self.height, focal=factor * self.focal,
            centre=factor * self.centre,
        )  # fmt: skip

    @property
    def forward(self) -> Float:
        """(3,): the direction of the line of sight."""
        found: Float = self.axes[2]
        return found

    @property
    def pixel_angle(self) -> float:
        """By how much a pixel is longer for each unit of distance."""
        return 0.0 if self.parallel else 1.0 / self.focal

    def homography(self, plane: SlicePlane) -> Float:
        """(3, 3): the plane's point (u, v) is seen at (X / W, Y / W), (X, Y, W) = homography (u, v, 1).

        W is the distance along the line of sight, or that of everything.
        """
        (x, y), screen = self.centre, np.diag([self.focal, -self.focal, 1.0])
        screen[:2, 2] = x, y
        seen = self.axes @ np.column_stack([plane.axes.T, plane.origin - self.eye])
        if self.parallel:
            seen[2] = 0.0, 0.0, self.distance
        found: Float = screen @ seen
        return found

    def ray_to(self, point: Float) -> Float:
        """The direction (3,) in which a point (3,) is seen."""
        way = self.forward if self.parallel else point - self.eye
        return way / max(float(np.linalg.norm(way)), 1e-300)

    def to_pixels(self, points: Float) -> Float:
        """(N, 2): where points (N, 3) are seen."""
        right, upwards, ahead = self.axes @ (points - self.eye).T
        scale = np.full(len(points), self.distance) if self.parallel else ahead
        pixels: Float = self.centre + self.focal * np.stack([right, -upwards], axis=1) / scale[:, None]
        return pixels

    def ray(self, px: float, py: float) -> tuple[Float, Float]:
        """A point (3,) on the line of sight through a pixel, and its direction (3,)."""
        x, y = (np.array([px, py]) - self.centre) / self.focal
        if self.parallel:
            return self.eye + np.array(
                [x, -y, 0.0]
            ) @ self.axes * self.distance + self.near * self.forward, self.forward
        way = np.array([x, -y, 1.0]) @ self.axes
        return self.eye + self.near * way, way / np.linalg.norm(way)

    def pixel_length(self, point: Float) -> float:
        """How long a pixel is at a point (3,), across the line of sight."""
        distance = self.distance if self.parallel else abs(float(self.forward @ (point - self.eye)))
        return distance / self.focal
