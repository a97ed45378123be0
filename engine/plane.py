"""Slice planes in an input space of any dimension, and the convex polygons on them that are partitioned.

A polygon is an (M, 2) float64 read-only array of corners in the plane's coordinates, counter-clockwise and strictly
convex.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Float
from engine.errors import PlaneError
from engine.tolerances import COORDINATE, FULL_TURN, LARGEST, ORTHONORMAL, PARALLEL, SMALLEST

Points = list[tuple[float, float]]

_AXES = "xyz"
_DISTANCE_ITERATIONS = 1000


@dataclass(frozen=True, eq=False, slots=True)
class SlicePlane:
    """The plane origin + u axes[0] + v axes[1], with coordinates (u, v), in a space of D >= 2 dimensions.

    origin (D,) float64; axes (2, D) float64, orthonormal; both read-only copies.  Raises PlaneError when they are not.
    """

    origin: Float
    axes: Float

    def __post_init__(self) -> None:
        origin, axes = _vector("origin", self.origin), np.array(self.axes, dtype=np.float64)
        if len(origin) < 2 or axes.shape != (2, len(origin)):
            raise PlaneError(f"a plane needs an origin (D,) and axes (2, D), not {origin.shape} and {axes.shape}")
        if not np.allclose(axes @ axes.T, np.eye(2), rtol=0.0, atol=ORTHONORMAL):
            raise PlaneError(f"the axes of a plane must be orthonormal, not {axes.tolist()}")
        axes.setflags(write=False)
        object.__setattr__(self, "origin", origin)
        object.__setattr__(self, "axes", axes)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are made anew, so that their arrays are read-only too."""
        return type(self), (self.origin, self.axes)

    @classmethod
    def from_axis(cls, axis: str, offset: float = 0.0) -> Self:
        """The plane x, y or z = offset in 3D.

        Its axes are (y, z) for x, (z, x) for y and (x, y) for z, so that first x second axis = normal, the named axis.
        Coordinates pass through unrounded.
        """
        if axis not in tuple(_AXES):
            raise PlaneError(f"'{axis}' is not an axis; choose x, y or z")
        normal = _AXES.index(axis)
        unit = np.eye(3)
        origin = np.where(unit[normal] == 1.0, _vector("offset", [offset])[0] + 0.0, 0.0)  # no negative zeros
        return cls(origin, unit[[(normal + 1) % 3, (normal + 2) % 3]])

    @classmethod
    def parse(cls, text: str) -> Self:
        """The axis plane that a text such as "z=0.25" names."""
        axis, equals, offset = text.partition("=")
        try:
            value = float(offset)
        except ValueError:
            equals = ""
        if not equals:
            raise PlaneError(f"'{text}' is not a plane; write it as x=NUMBER, y=NUMBER or z=NUMBER, such as z=0.25")
        return cls.from_axis(axis.strip().lower(), value)

    @classmethod
    def from_normal(cls, origin: ArrayLike, normal: ArrayLike, first_axis: ArrayLike | None = None) -> Self:
        """The plane in 3D through `origin` (3,) across `normal` (3,), of any length; first x second axis = normal.

        first_axis (3,): its projection on the plane is the first axis.  Without one it is the coordinate axis that
        follows, in the order x, y, z, x, the one nearest to the normal: the same axes as from_axis.
        """
        point, across = _vector("origin", origin), _unit("normal", normal)
        if point.shape != (3,) or across.shape != (3,):
            raise PlaneError(f"a normal needs three dimensions, not {len(across)} (the origin has {len(point)})")
        follower = np.eye(3)[(int(np.argmax(np.abs(across))) + 1) % 3]
        along = follower if first_axis is None else _unit("first axis", first_axis)
        if along.shape != (3,):
            raise PlaneError(f"the first axis needs three dimensions, not {len(along)}")
        first = _perpendicular(along, across[None], "the first axis is parallel to the normal; choose another one")
        return cls(point, np.stack([first, _cross(across, first)]))

    @classmethod
    def from_points(cls, p0: ArrayLike, p1: ArrayLike, p2: ArrayLike) -> Self:
        """The plane through three points (D,): origin p0, first axis towards p1, second axis on the side of p2."""
        points = [_vector("point", p) for p in (p0, p1, p2)]
        if len({len(p) for p in points}) > 1:
            raise PlaneError(f"the three points have {', '.join(str(len(p)) for p in points)} coordinates")
        problem = "the three points lie on one line, which gives no plane; move one of them"
        sides = [p - points[0] for p in points[1:]]
        if not all(side.any() for side in sides):
            raise PlaneError(problem)
        first = _unit("point", sides[0])
        second = _perpendicular(_unit("point", sides[1]), first[None], problem)
        return cls(points[0], np.stack([first, second]))

    @classmethod
    def random(cls, centre: ArrayLike, seed: int) -> Self:
        """A plane through `centre` (D,), D >= 2, its orientation uniformly distributed and fixed by the seed."""
        origin = _vector("centre", centre)
        if len(origin) < 2:
            raise PlaneError("a plane needs at least two dimensions")
        first, second = np.random.default_rng(seed).standard_normal((2, len(origin)))
        first = _unit("axis", first)
        return cls(origin, np.stack([first, _perpendicular(_unit("axis", second), first[None], "unlucky seed")]))

    @classmethod
    def identity(cls) -> Self:
        """The whole of a two-dimensional input space, in its own coordinates."""
        return cls(np.zeros(2), np.eye(2))

    @property
    def dimension(self) -> int:
        """The number D of dimensions of the space."""
        return len(self.origin)

    @property
    def normal(self) -> Float:
        """(3,) first x second axis; 3D only."""
        if self.dimension != 3:
            raise PlaneError(f"a plane in {self.dimension} dimensions has no normal")
        return _cross(self.axes[0], self.axes[1])

    def to_input(self, coordinates: ArrayLike) -> Float:
        """The points (N, D) of the input space with the given coordinates (N, 2) on the plane."""
        uv = np.asarray(coordinates, dtype=np.float64)
        # Products before sums, element by element: exact for axis planes and the same on every machine.
        points: Float = self.origin + (uv[..., :1] * self.axes[0] + uv[..., 1:] * self.axes[1])
        return points

    def to_plane(self, points: ArrayLike) -> Float:
        """The coordinates (N, 2) of the orthogonal projections of points (N, D) on the plane."""
        offset: Float = np.asarray(points, dtype=np.float64) - self.origin
        coordinates: Float = offset @ self.axes.T
        return coordinates

    def describe(self) -> str:
        """A short text such as "z = 0.25", or "through (0, 0, 0.5), normal (0.6, 0, 0.8)"."""
        if self.dimension == 2 and np.array_equal(self.axes, np.eye(2)):
            return "the input plane"
        if self.dimension != 3:
            return f"plane in {self.dimension} dimensions through {_text(self.origin)}"
        unit = np.eye(3)
        for k, name in enumerate(_AXES):
            if np.array_equal(unit[[(k + 1) % 3, (k + 2) % 3]], self.axes) and not np.delete(self.origin, k).any():
                return f"{name} = {self.origin[k]:.6g}"
        return f"through {_text(self.origin)}, normal {_text(self.normal)}"

    def to_json(self) -> dict[str, Any]:
        """The plane in types that JSON knows, exactly; SlicePlane(**value) brings it back."""
        return {"origin": self.origin.tolist(), "axes": self.axes.tolist()}


def plane_box_polygon(plane: SlicePlane, domain: ArrayLike) -> Float:
    """The polygon (M, 2) in which a plane meets a box; domain (2, D) holds the box's lower and upper corner.

    The box is cut on the plane, as the half-planes lower <= origin + u a + v b <= upper, so D is free.  The corners of
    an axis plane's polygon are exact.  Raises PlaneError when plane and box do not meet in an area.
    """
    lower, upper = checked_box(domain, plane.dimension)
    radius = float(np.linalg.norm(upper - lower))
    tolerance = COORDINATE * max(radius, float(np.abs(domain).max()), float(np.abs(plane.origin).max()))
    a, b = plane.to_plane([(lower + upper) / 2])[0].tolist()
    points = [(a + i * radius, b + j * radius) for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    sides = ((lower - plane.origin).tolist(), (upper - plane.origin).tolist())
    for (dx, dy), low, high in zip(plane.axes.T.tolist(), *sides, strict=True):
        points = _clipped(points, (dx, dy), high, tolerance)
        points = _clipped(points, (-dx, -dy), -low, tolerance)
    corners = _without_repeats(np.array(points, np.float64).reshape(-1, 2), tolerance)
    if len(corners) < 3 or _area(corners) <= tolerance * float(np.ptp(corners, axis=0).max()):
        distance, smallest = _distance(plane, lower, upper), float((upper - lower).min())
        if distance > tolerance:
            problem = f"it misses it by {distance:.3g}; move the plane into the box"
        elif smallest <= 4.0 * tolerance:
            problem = f"its side of {smallest:.3g} is lost in rounding beside the others; use sides that are more alike"
        else:
            problem = "it only touches its border; move the plane into the box"
        raise PlaneError(
            f"the plane ({plane.describe()}) does not cut the box from {_text(lower)} to {_text(upper)}: {problem}"
        )
    return _read_only(corners)


def checked_box(domain: ArrayLike, dimension: int) -> tuple[Float, Float]:
    """The lower and upper corner (D,) of a box given as (2, D); raises PlaneError when it is not one."""
    box = np.array(domain, dtype=np.float64)
    if box.shape != (2, dimension):
        raise PlaneError(f"the domain must be an array (2, {dimension}) of the box's corners, not of shape {box.shape}")
    if not (np.isfinite(box).all() and (box[0] < box[1]).all()):
        raise PlaneError(f"the domain from {_text(box[0])} to {_text(box[1])} is not a box of positive size")
    _check_range(f"the domain from {_text(box[0])} to {_text(box[1])}", box)
    return box[0], box[1]


def _check_range(what: str, corners: Float) -> None:
    """Refuse corners (N, D) of which nothing that is measured in float64 would be right."""
    if np.abs(corners).max() > LARGEST or float(np.ptp(corners, axis=0).max()) < SMALLEST:
        raise PlaneError(
            f"{what} has a size beyond what float64 can measure; scale it, and the network's first layer, so that its "
            f"sides are from {SMALLEST:g} to {LARGEST:g}"
        )


def square_polygon(half_width: float) -> Float:
    """The square (4, 2) around the plane's origin with sides of length 2 half_width, along the axes."""
    if not (np.isfinite(half_width) and half_width > 0):
        raise PlaneError(f"the half width of a square must be positive, not {half_width:g}")
    corners = half_width * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    _check_range(f"a square of half width {half_width:g}", corners)
    return _read_only(corners)


def convex_polygon(points: ArrayLike) -> Float:
    """A convex polygon (M, 2) from its corners (N, 2) in either orientation.

    Repeated corners and corners inside a straight side are left out; raises PlaneError when what remains is not the
    boundary of a convex polygon.
    """
    corners = np.array(points, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3 or not np.isfinite(corners).all():
        raise PlaneError("a polygon needs at least three corners with two finite coordinates each")
    if (corners != corners[0]).any():
        _check_range("the polygon", corners)
    size = float(np.ptp(corners, axis=0).max())
    tolerance = COORDINATE * size
    if _area(corners) < 0:
        corners = corners[::-1]
    previous = -1
    while len(corners) != previous:
        previous = len(corners)
        corners = _without_repeats(corners, tolerance)
        cross, dot = _turns(corners)
        straight = (np.abs(cross) <= COORDINATE * np.hypot(cross, dot)) & (dot > 0)
        corners = corners[~straight]
    cross, dot = _turns(corners)
    if len(corners) < 3 or _area(corners) <= tolerance * size:
        raise PlaneError("the polygon has no area")
    # A star turns left everywhere too, but more than once around.
    if (cross <= 0).any() or not np.isclose(np.arctan2(cross, dot).sum(), 2 * np.pi, rtol=0.0, atol=FULL_TURN):
        raise PlaneError("the polygon is not convex; give its corners in order, or split it into convex parts")
    return _read_only(corners)


def _clipped(points: Points, direction: tuple[float, float], offset: float, tolerance: float) -> Points:
    """The part of a convex polygon with direction . p <= offset (Sutherland and Hodgman)."""
    dx, dy = direction
    length = math.hypot(dx, dy)
    if length <= COORDINATE:
        return points if offset >= -tolerance else []
    excess = [(x * dx + y * dy - offset) / length for x, y in points]
    sign = [0 if abs(value) <= tolerance else (1 if value > 0 else -1) for value in excess]
    kept: Points = []
    for i, point in enumerate(points):
        j = (i + 1) % len(points)
        if sign[i] <= 0:
            kept.append(point)
        if sign[i] * sign[j] < 0:
            t = excess[i] / (excess[i] - excess[j])
            # Interpolation rounds, but a line along an axis itself says where it is.
            x = offset / dx if dy == 0 else point[0] + t * (points[j][0] - point[0])
            y = offset / dy if dx == 0 else point[1] + t * (points[j][1] - point[1])
            kept.append((x, y))
    return kept


def _without_repeats(corners: Float, tolerance: float) -> Float:
    if len(corners) == 0:
        return corners
    step = corners - np.roll(corners, 1, axis=0)
    return corners[np.hypot(step[:, 0], step[:, 1]) > tolerance]


def _turns(corners: Float) -> tuple[Float, Float]:
    """Cross and dot product of the sides before and after every corner."""
    before, after = corners - np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0) - corners
    return before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0], (before * after).sum(axis=1)


def _area(corners: Float) -> float:
    """Signed area, positive when counter-clockwise; relative to the first corner, which keeps it accurate far away."""
    x, y = (corners - corners[0]).T
    return 0.5 * float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())


def _distance(plane: SlicePlane, lower: Float, upper: Float) -> float:
    """Distance between a plane and a box, by alternating projections on the two convex sets."""
    point = plane.origin
    for _ in range(_DISTANCE_ITERATIONS):
        nearest = np.clip(point, lower, upper)
        point = plane.to_input(plane.to_plane(nearest))
    return float(np.linalg.norm(point - nearest))


def _vector(what: str, values: ArrayLike) -> Float:
    vector = np.array(values, dtype=np.float64)
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise PlaneError(f"the {what} must be finite numbers, one for each dimension, not {vector.tolist()}")
    vector.setflags(write=False)
    return vector


def _unit(what: str, values: ArrayLike) -> Float:
    vector = _vector(what, values)
    largest = float(np.abs(vector).max(initial=0.0))
    if largest == 0:
        raise PlaneError(f"the {what} is zero and has no direction")
    vector = vector / largest  # squares of very long and very short vectors would overflow or vanish
    return vector / float(np.linalg.norm(vector))


def _perpendicular(vector: Float, units: Float, problem: str) -> Float:
    """The unit vector along the part of a unit vector that is perpendicular to orthonormal ones."""
    rest = vector - units.T @ (units @ vector)
    length = float(np.linalg.norm(rest))
    if length < PARALLEL:
        raise PlaneError(problem)
    rest = rest / length
    rest = rest - units.T @ (units @ rest)  # once more: the first difference may have cancelled
    return rest / float(np.linalg.norm(rest))


def _cross(a: Float, b: Float) -> Float:
    """The cross product, without the negative zeros that a text would show."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]) + 0.0


def _text(vector: Float) -> str:
    return "(" + ", ".join(f"{value + 0.0:.4g}" for value in vector) + ")"


def _read_only(corners: Float) -> Float:
    corners = np.array(corners, dtype=np.float64)
    corners.setflags(write=False)
    return corners
