"""Between a camera and the viewpoint that describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.state.viewpoint import Viewpoint

if TYPE_CHECKING:
    from vtkmodules.vtkRenderingCore import vtkCamera


def viewpoint_of(camera: vtkCamera) -> Viewpoint:
    return Viewpoint(camera.GetPosition(), camera.GetFocalPoint(), camera.GetViewUp())


def look_from(camera: vtkCamera, viewpoint: Viewpoint) -> None:
    camera.SetPosition(*viewpoint.position)
    camera.SetFocalPoint(*viewpoint.focus)
    camera.SetViewUp(*viewpoint.up)
