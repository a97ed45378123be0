"""Ways to move a slice plane in a box; each gives a new plane."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine import PlaneError, SlicePlane, plane_box_polygon

Float = NDArray[np.float64]


def offset(plane: SlicePlane) -> float:
    """The signed distance of the plane from the origin of space, along its normal."""
    return float(plane.origin @ plane.normal)


def offset_range(plane: SlicePlane, domain: Float) -> tuple[float, float]:
    """The smallest and the largest offset at which a plane of this direction meets the box (2, 3)."""
    normal = plane.normal
    low = np.where(normal >= 0, domain[0], domain[1]) @ normal
    high = np.where(normal >= 0, domain[1], domain[0]) @ normal
    return float(low), float(high)


def at_offset(plane: SlicePlane, value: float) -> SlicePlane:
    """The parallel plane at an offset; on planes across an axis the coordinate is the offset itself, unrounded."""
    normal = plane.normal
    axis = int(np.argmax(np.abs(normal)))
    if abs(normal[axis]) == 1.0:
        origin = plane.origin.copy()
        origin[axis] = value * normal[axis]
    else:
        origin = plane.origin + (value - offset(plane)) * normal
    return SlicePlane(origin, plane.axes)


def shifted(plane: SlicePlane, distance: float, domain: Float) -> SlicePlane:
    """Along the normal, but not out of the box."""
    low, high = offset_range(plane, domain)
    margin = 1e-6 * (high - low)
    return at_offset(plane, min(max(offset(plane) + distance, low + margin), high - margin))


def flipped(plane: SlicePlane) -> SlicePlane:
    """The same plane seen from behind: the first axis stays, the second and the normal turn round."""
    return SlicePlane(plane.origin, plane.axes * np.array([[1.0], [-1.0]]))


def rotated(plane: SlicePlane, degrees: float) -> SlicePlane:
    """The same plane with its axes turned counter-clockwise."""
    c, s = _cos_sin(degrees)
    return SlicePlane(plane.origin, np.array([[c, s], [-s, c]]) @ plane.axes)


def tilted(plane: SlicePlane, normal: ArrayLike, centre: Float) -> SlicePlane:
    """Turned about `centre` (3,), by the shortest way, so that its normal points along `normal` (3,)."""
    new = np.asarray(normal, np.float64)
    new = new / np.linalg.norm(new)
    old = plane.normal
    axis = np.cross(old, new)
    sine, cosine = float(np.linalg.norm(axis)), float(old @ new)
    if sine < 1e-15:
        turned = plane.axes if cosine > 0 else flipped(plane).axes
        return SlicePlane(centre, turned)
    axis /= sine
    first = plane.axes[0]
    first = first * cosine + np.cross(axis, first) * sine + axis * (axis @ first) * (1 - cosine)  # Rodrigues
    return SlicePlane.from_normal(centre, new, first)


def snapped(axis: str, point: Float) -> SlicePlane:
    """The plane across x, y or z through a point (3,)."""
    return SlicePlane.from_axis(axis, float(point["xyz".index(axis)]))


def facing(normal: ArrayLike, up: ArrayLike, point: Float) -> SlicePlane:
    """The plane through a point (3,) that faces an eye in the direction `normal`, with `up` upwards."""
    towards, above = np.asarray(normal, np.float64), np.asarray(up, np.float64)
    right = np.cross(above, towards)
    return SlicePlane.from_normal(point, towards, right)


def kept_in(plane: SlicePlane, domain: Float) -> SlicePlane:
    """The same plane where it meets the box (2, 3); else the parallel one through the middle of the box."""
    try:
        plane_box_polygon(plane, domain)
    except PlaneError:
        return SlicePlane(domain.mean(axis=0), plane.axes)
    return plane


def centre_in(plane: SlicePlane, domain: Float) -> Float:
    """The point (3,) of the plane nearest to the middle of the box."""
    middle = domain.mean(axis=0)
    point: Float = middle + (offset(plane) - middle @ plane.normal) * plane.normal
    return point


def _cos_sin(degrees: float) -> tuple[float, float]:
    quarter = degrees / 90
    if quarter == round(quarter):
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[round(quarter) % 4]
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
