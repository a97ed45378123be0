"""Moving a camera by hand: plain geometry on VTK's camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from vtkmodules.vtkRenderingCore import vtkCamera

    from engine import SlicePlane

Float = NDArray[np.float64]

_DEGREES_PER_HEIGHT = 260.0
NEAREST, FARTHEST = 1e-5, 1e3
"""The distances from the eye to the point that it looks at, in sizes of the box: rounding draws nonsense beyond."""
_STEEPEST = 0.996  # cosine between the line of sight and the vertical: no tumbling over the pole


def orbit(camera: vtkCamera, dx: float, dy: float, height: int, up: Float) -> None:
    """Turn about the focal point as a drag by (dx, dy) pixels asks for, the vertical kept upright."""
    degrees = _DEGREES_PER_HEIGHT / max(height, 1)
    focus, position = np.array(camera.GetFocalPoint()), np.array(camera.GetPosition())
    arm = _off_the_pole(position - focus, up, np.array(camera.GetViewUp()))
    arm = _turned(arm, up, -np.radians(dx * degrees))
    right = np.cross(up, arm)
    raised = _turned(arm, right / np.linalg.norm(right), -np.radians(dy * degrees))
    if abs(float(raised @ up)) < _STEEPEST * np.linalg.norm(raised):
        arm = raised
    camera.SetPosition(*(focus + arm))
    camera.SetViewUp(*up)


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


def pan(camera: vtkCamera, dx: float, dy: float, side: int) -> None:
    """Move sideways so that the focal point follows a drag by (dx, dy) pixels; side: in pixels, the one that the view
    angle spans."""
    focus, position = np.array(camera.GetFocalPoint()), np.array(camera.GetPosition())
    distance = float(np.linalg.norm(position - focus))
    unit = 2 * distance * np.tan(np.radians(camera.GetViewAngle() / 2)) / max(side, 1)
    forward = (focus - position) / distance
    right = np.cross(forward, np.array(camera.GetViewUp()))
    right /= np.linalg.norm(right)
    step = unit * (-dx * right + dy * np.cross(right, forward))
    camera.SetFocalPoint(*(focus + step))
    camera.SetPosition(*(position + step))


def zoom(camera: vtkCamera, factor: float, size: float) -> None:
    """Come nearer to the focal point by a factor above 1, as far as a box of some size is still to be seen."""
    focus, position = np.array(camera.GetFocalPoint()), np.array(camera.GetPosition())
    distance = float(np.linalg.norm(position - focus))
    wanted = min(max(distance / factor, NEAREST * size), FARTHEST * size)
    camera.SetPosition(*(focus + (position - focus) * (wanted / distance)))


def _turned(vector: Float, axis: Float, angle: float) -> Float:
    """About a unit axis, by Rodrigues' formula."""
    c, s = np.cos(angle), np.sin(angle)
    turned: Float = vector * c + np.cross(axis, vector) * s + axis * (axis @ vector) * (1 - c)
    return turned


class Lens:
    """Between space and pixels, for one camera and one size of picture (in pixels, the row at the top first)."""

    def __init__(self, camera: vtkCamera, width: int, height: int) -> None:
        self.width, self.height = max(width, 1), max(height, 1)
        matrix = camera.GetCompositeProjectionTransformMatrix(self.width / self.height, -1, 1)
        self._matrix = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
        self._inverse = np.linalg.inv(self._matrix)
        self.eye: Float = np.array(camera.GetPosition())
        self.forward: Float = np.array(camera.GetDirectionOfProjection())
        self.near: float = camera.GetClippingRange()[0]
        projection = camera.GetProjectionTransformMatrix(self.width / self.height, -1, 1)
        self._vertical: float = projection.GetElement(1, 1)
        self._depth = projection.GetElement(2, 2), projection.GetElement(2, 3)

    def same(self, other: Lens) -> bool:
        """Both see everything at the same pixel."""
        return (self.width, self.height) == (other.width, other.height) and np.array_equal(self._matrix, other._matrix)

    @property
    def depth_to_inverse(self) -> tuple[float, float]:
        """(a, b): what lies at depth d of the depth buffer, from 0 to 1, is 1 / (a d + b) away along the view."""
        shift, factor = self._depth
        return 2.0 / factor, (shift - 1.0) / factor

    @property
    def pixel_angle(self) -> float:
        """The length of a pixel at distance 1."""
        return 2.0 / (self._vertical * self.height)

    def homography(self, plane: SlicePlane) -> Float:
        """(3, 3): the plane's point (u, v) is seen at (X / W, Y / W), (X, Y, W) = homography (u, v, 1).

        W is the distance along the line of sight.
        """
        basis = np.zeros((4, 3))
        basis[:3, :2], basis[:3, 2], basis[3, 2] = plane.axes.T, plane.origin, 1.0
        found: Float = self.to_screen @ basis
        return found

    @property
    def to_screen(self) -> Float:
        """(3, 4): a point p (3,) is seen at (X / W, Y / W), (X, Y, W) = to_screen (p, 1)."""
        half_width, half_height = self.width / 2, self.height / 2
        screen = np.array([[half_width, 0.0, half_width], [0.0, -half_height, half_height], [0.0, 0.0, 1.0]])
        found: Float = screen @ self._matrix[[0, 1, 3]]
        return found

    def ray_to(self, point: Float) -> Float:
        """The direction (3,) from the eye to a point (3,)."""
        way = point - self.eye
        return way / max(float(np.linalg.norm(way)), 1e-300)

    def to_pixels(self, points: Float) -> Float:
        """(N, 2): where points (N, 3) are seen."""
        clip = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ self._matrix.T
        view = clip[:, :2] / clip[:, 3:]
        pixels: Float = (view * np.array([1.0, -1.0]) + 1) / 2 * np.array([self.width, self.height])
        return pixels

    def ray(self, px: float, py: float) -> tuple[Float, Float]:
        """A point (3,) on the line of sight through a pixel, and its direction (3,)."""
        x, y = 2 * px / self.width - 1, 1 - 2 * py / self.height
        ends = np.array([[x, y, -1.0, 1.0], [x, y, 1.0, 1.0]]) @ self._inverse.T
        near, far = ends[:, :3] / ends[:, 3:]
        return near, (far - near) / np.linalg.norm(far - near)

    def at_depth(self, px: float, py: float, depth: float) -> Float:
        """The point (3,) seen at a pixel that has a depth in [0, 1] in the depth buffer."""
        clip = np.array([2 * px / self.width - 1, 1 - 2 * py / self.height, 2 * depth - 1, 1.0]) @ self._inverse.T
        point: Float = clip[:3] / clip[3]
        return point

    def pixel_length(self, point: Float) -> float:
        """How long a pixel is at a point (3,), across the line of sight."""
        clip = self._matrix @ np.array([*point, 1.0])
        a, b = (
            self._inverse @ np.array([clip[0] + shift * 2 * clip[3] / self.width, clip[1], clip[2], clip[3]])
            for shift in (0.0, 1.0)
        )
        return float(np.linalg.norm(b[:3] / b[3] - a[:3] / a[3]))
