"""Ways to move a slice plane in a box; each gives a new plane."""

from __future__ import annotations

import math
from enum import Enum

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


def tangent(point: ArrayLike, normal: ArrayLike) -> SlicePlane:
    """The plane that touches a surface at a point (3,) where `normal` (3,) is its normal."""
    return SlicePlane.from_normal(point, normal)


def upright(point: ArrayLike, normal: ArrayLike, up: ArrayLike) -> SlicePlane:
    """The plane across a surface at a point (3,): it contains the surface's normal (3,) there, and the direction `up`.

    The normal is the second axis, so that outside is above; where it points along `up` itself, an axis of space takes
    the place of `up`.
    """
    outside = np.asarray(normal, np.float64)
    outside = outside / np.linalg.norm(outside)
    for direction in (np.asarray(up, np.float64), *np.eye(3)):
        first = direction - (direction @ outside) * outside
        if np.linalg.norm(first) > 1e-3 * np.linalg.norm(direction):
            break
    return SlicePlane.from_normal(point, np.cross(first, outside), first)


class StackPlace(Enum):
    """Where a stack of parallel planes is."""

    BOX = "through the whole box"
    AROUND = "around the plane"
    ALONG = "from the plane along its normal"


def stacked(plane: SlicePlane, domain: Float, count: int, spacing: float, place: StackPlace) -> tuple[SlicePlane, ...]:
    """`count` planes parallel to one, in the order of their offsets, without those that miss the box (2, 3).

    Through the whole box they are as far from each other as they can be, half of that from its ends, and `spacing` is
    not asked; else the plane itself is one of them, or, around it and `count` even, in the middle between two.
    """
    low, high = offset_range(plane, domain)
    steps = np.arange(count, dtype=np.float64)
    match place:
        case StackPlace.BOX:
            offsets = low + (high - low) * (steps + 0.5) / count
        case StackPlace.AROUND:
            offsets = offset(plane) + spacing * (steps - (count - 1) / 2)
        case StackPlace.ALONG:
            offsets = offset(plane) + spacing * steps
    here = offset(plane)
    planes = (plane if value == here else at_offset(plane, value) for value in offsets.tolist())
    return tuple(part for part in planes if meets(part, domain))


def meets(plane: SlicePlane, domain: Float) -> bool:
    """Whether a plane cuts the box (2, 3)."""
    try:
        plane_box_polygon(plane, domain)
    except PlaneError:
        return False
    return True


def travelled(value: float, direction: int, distance: float, low: float, high: float) -> tuple[float, int]:
    """Where a point that goes to and fro between `low` and `high` is after a distance, and in which direction it goes.

    direction: 1 or -1.
    """
    length = high - low
    start = min(max(value, low), high) - low
    phase = (start if direction > 0 else 2 * length - start) + distance
    phase %= 2 * length
    return (low + phase, 1) if phase < length else (high - (phase - length), -1)


def kept_in(plane: SlicePlane, domain: Float) -> SlicePlane:
    """The same plane where it meets the box (2, 3); else the parallel one through the middle of the box."""
    return plane if meets(plane, domain) else SlicePlane(domain.mean(axis=0), plane.axes)


def same_plane(one: SlicePlane, other: SlicePlane) -> bool:
    """Return whether two planes have the same origin and axes, to the last bit."""
    return one is other or (one.origin.tobytes() + one.axes.tobytes() == other.origin.tobytes() + other.axes.tobytes())


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
