"""From where the 3D scene is seen."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """position: of the eye; focus: the point it looks at; up: the direction that is upwards in the picture."""

    position: Point
    focus: Point
    up: Point
