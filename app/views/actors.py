"""Ways of drawing VTK data that the scene's parts share."""

from __future__ import annotations

from typing import Final

from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from app.state.palette import RGB

# Lines in a plane and on the surface win over what they lie on: units of the depth buffer, towards the eye.
ON_SURFACE: Final = -20.0
ON_TOP: Final = -120.0


def line_actor(data: vtkPolyData | None, color: RGB, width: float, towards_eye: float = 0.0) -> vtkActor:
    """Lines of one colour, unlit; width in pixels."""
    mapper = vtkPolyDataMapper()
    mapper.ScalarVisibilityOff()
    if data is not None:
        mapper.SetInputData(data)
    mapper.SetResolveCoincidentTopologyToPolygonOffset()
    mapper.SetRelativeCoincidentTopologyLineOffsetParameters(0.0, towards_eye)
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.PickableOff()
    look = actor.GetProperty()
    look.SetColor(*color)
    look.SetLineWidth(width)
    look.LightingOff()
    return actor


def set_data(actor: vtkActor, data: vtkPolyData) -> None:
    mapper = actor.GetMapper()
    assert isinstance(mapper, vtkPolyDataMapper)
    mapper.SetInputData(data)
