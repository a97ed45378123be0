"""Distances and angles between points in space, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from app.state.geometry.poses import numbers_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]


def distance(a: Float, b: Float) -> float:
    return float(np.linalg.norm(b - a))


def angle(a: Float, corner: Float, b: Float) -> float:
    """At `corner`, between the ways to `a` and `b`, in degrees from 0 to 180; nan when one of them has no length.

    By the half angle's tangent (W. Kahan, How Futile are Mindless Assessments of Roundoff, section 12): as exact for
    small angles as for others.
    """
    one, other = a - corner, b - corner
    lengths = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    if 0.0 in lengths:
        return math.nan
    one, other = one / lengths[0], other / lengths[1]
    return 2 * math.degrees(math.atan2(float(np.linalg.norm(one - other)), float(np.linalg.norm(one + other))))


def short_text(points: Sequence[Float]) -> str:
    """What two or three points measure, for a line of the window; "" for fewer."""
    if len(points) < 2:
        return ""
    text = f"distance {distance(points[0], points[1]):.6g}"
    if len(points) > 2:
        text = f"distances {distance(points[0], points[1]):.6g} and {distance(points[1], points[2]):.6g}"
        text += f", angle at 2: {angle_text(points, 5)}"
    return text


def angle_text(points: Sequence[Float], digits: int) -> str:
    """At the second of three points, in degrees."""
    found = angle(points[0], points[1], points[2])
    return "none" if math.isnan(found) else f"{found:.{digits}g}°"


def full_text(points: Sequence[Float]) -> str:
    """Points and measures with all their digits, a line for each."""
    lines = [f"point {k}: {numbers_text(point.tolist())}" for k, point in enumerate(points, start=1)]
    for k in range(1, len(points)):
        lines.append(f"distance {k}-{k + 1}: {distance(points[k - 1], points[k])!r}")
    if len(points) > 2:
        lines.append(f"angle at 2: {angle(points[0], points[1], points[2])!r} degrees")
    return "\n".join(lines)
