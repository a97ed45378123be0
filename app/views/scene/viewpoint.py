"""Between a camera and the viewpoint that describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.state.geometry.viewpoint import Viewpoint
from app.views.camera import FARTHEST, NEAREST

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from vtkmodules.vtkRenderingCore import vtkCamera


def viewpoint_of(camera: vtkCamera) -> Viewpoint:
    return Viewpoint(camera.GetPosition(), camera.GetFocalPoint(), camera.GetViewUp())


def in_sight(viewpoint: Viewpoint, domain: NDArray[np.float64]) -> bool:
    """Whether a box (2, 3) can be seen from there; else a file asks for it, made by hand, or of another network."""
    size, middle = float(np.linalg.norm(np.ptp(domain, axis=0))), domain.mean(axis=0)
    focus = np.array(viewpoint.focus)
    distance = float(np.linalg.norm(np.array(viewpoint.position) - focus))
    return NEAREST <= distance / size <= FARTHEST and float(np.linalg.norm(focus - middle)) <= FARTHEST * size


def look_from(camera: vtkCamera, viewpoint: Viewpoint) -> None:
    camera.SetPosition(*viewpoint.position)
    camera.SetFocalPoint(*viewpoint.focus)
    camera.SetViewUp(*viewpoint.up)
