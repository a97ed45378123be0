"""Figures that follow each other: a plane that travels through the box and back, a camera that turns once around."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from app.figures.spec import FigureSpec, Panel, SlicePanel, SpecError, SurfacePanel
from app.state.geometry.planes import at_offset, offset_range
from app.state.geometry.poses import Pose, PoseError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIGITS: Final = 2
_REACH: Final = 0.96  # of the box, by a plane: at its very ends there is nothing to see


def moments_of(spec: FigureSpec, domain: NDArray[np.float64], count: int, travel: bool, turn: bool) -> list[FigureSpec]:
    """Return a figure for each moment of a movement that ends where it began.

    domain (2, 3): through which the plane of the first slice travels, in all panels that show it; turn: about what is
    upwards in panels of the surface.  Raises SpecError where there is nothing that could move so.
    """
    first = next((panel for panel in spec.panels if isinstance(panel, SlicePanel)), None)
    if travel and (first is None or not first.plane):
        raise SpecError("--travel moves a plane, and there is none; give --plane z=0")
    if turn and not any(isinstance(panel, SurfacePanel) for panel in spec.panels):
        raise SpecError("--turn moves the camera of a surface, and there is none; give --layout method")
    if not (travel or turn):
        raise SpecError("nothing moves; give --travel, --turn or both")
    moments = []
    for share in np.arange(count) / count:
        plane = _travelled(first.plane, domain, float(share)) if travel and first is not None else ""
        panels = tuple(
            _moved(panel, first.plane if first is not None else "", plane, float(share) if turn else 0.0)
            for panel in spec.panels
        )
        moments.append(replace(spec, panels=panels))
    return moments


def _moved(panel: Panel, before: str, plane: str, turned: float) -> Panel:
    if isinstance(panel, SlicePanel):
        return replace(panel, plane=plane) if plane and panel.plane == before else panel
    return replace(panel, camera=_turned(panel, turned)) if turned else panel


def _travelled(text: str, domain: NDArray[np.float64], share: float) -> str:
    """Return the plane at a share of the way from the lower end to the upper one and back."""
    try:
        pose = Pose.parse(text)
    except PoseError as error:
        raise SpecError(f"panels: {error}") from error
    low, high = offset_range(pose.plane, domain)
    swing = -_REACH * np.cos(2 * np.pi * share)
    decimals = _DIGITS - math.floor(math.log10(high - low))  # titles say where the plane is
    place = round(float((low + high) / 2 + swing * (high - low) / 2), decimals) + 0.0
    return str(Pose(at_offset(pose.plane, place), pose.half_width))


def _turned(panel: SurfacePanel, share: float) -> tuple[float, float, float]:
    """Return the direction to the eye, a share of a whole turn further about what is upwards (Rodrigues' formula)."""
    axis, arm = np.array(panel.up) / np.linalg.norm(panel.up), np.array(panel.camera)
    c, s = np.cos(2 * np.pi * share), np.sin(2 * np.pi * share)
    x, y, z = (arm * c + np.cross(axis, arm) * s + axis * (axis @ arm) * (1 - c)).tolist()
    return x, y, z
