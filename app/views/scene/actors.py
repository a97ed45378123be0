"""Actors of VTK: a surface, lines, and round points where lines bend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyvista
from vtkmodules.vtkCommonDataModel import vtkPlane
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from app.views.scene.polydata import NORMALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.state.palette import RGB
    from app.views.scene.polydata import Space

_AMBIENT, _DIFFUSE = 0.62, 0.42
_TOWARDS_EYE: Final = "towardsEye"  # a uniform of the vertex shader


def surface_actor(data: pyvista.PolyData) -> vtkActor:
    """Facets, each with its own colour, lit from the eye."""
    actor, mapper = _actor(data)
    mapper.SetScalarModeToUseCellFieldData()
    mapper.SelectColorArray(NORMALS)
    look = actor.GetProperty()
    look.SetInterpolationToFlat()
    look.SetAmbient(_AMBIENT)
    look.SetDiffuse(_DIFFUSE)
    look.SetSpecular(0.0)
    return actor


def lines_actor(data: pyvista.PolyData, opaque: bool, raised: bool = False) -> vtkActor:
    """Lines of one colour, unlit; opaque: what lies behind them is hidden, even if they are pale; raised: drawn nearer
    to the eye than they are, by what `set_height` says."""
    actor, mapper = _actor(data)
    mapper.ScalarVisibilityOff()
    actor.GetProperty().LightingOff()
    actor.SetForceOpaque(opaque)
    actor.SetForceTranslucent(not opaque)
    if raised:
        shift = f"//VTK::PositionVC::Impl\n  gl_Position.z += {_TOWARDS_EYE};\n"
        actor.GetShaderProperty().AddVertexShaderReplacement("//VTK::PositionVC::Impl", True, shift, False)
        set_height(actor, 0.0)
    return actor


def depth_lines_actor(data: pyvista.PolyData, opaque: bool, raised: bool) -> vtkActor:
    """Lines coloured by their cells' depth, unlit, once they have a table of colours."""
    actor = lines_actor(data, opaque, raised)
    mapper = actor.GetMapper()
    mapper.ScalarVisibilityOn()
    mapper.SetScalarModeToUseCellFieldData()
    mapper.SelectColorArray("depth")
    mapper.SetColorModeToMapScalars()
    mapper.UseLookupTableScalarRangeOn()
    return actor


def set_depth_colors(actor: vtkActor, colors: NDArray[np.uint8]) -> None:
    """colors (L, 4) uint8: RGB and opacity of each depth."""
    table = pyvista.LookupTable(values=colors, scalar_range=(-0.5, len(colors) - 0.5))
    actor.GetMapper().SetLookupTable(table)


def joints_actor(data: pyvista.PolyData, opaque: bool, raised: bool) -> vtkActor:
    """Round points at the ends of lines: where two meet, they leave no notch."""
    points = pyvista.PolyData(np.asarray(data.points))
    actor = lines_actor(points, opaque, raised)
    look = actor.GetProperty()
    look.SetPoint2DShape(look.Point2DShapeType.Round)
    return actor


def draw_in(actor: vtkActor, color: RGB, width: float, opacity: float) -> None:
    """width: in pixels; one below a pixel becomes a paler line."""
    look = actor.GetProperty()
    look.SetColor(*color)
    look.SetLineWidth(max(width, 1.0))
    look.SetPointSize(max(width, 1.0))
    look.SetOpacity(opacity * min(width, 1.0))


def set_height(actor: vtkActor, shift: float) -> None:
    """shift: in the depth of clip coordinates, negative towards the eye."""
    actor.GetShaderProperty().GetVertexCustomUniforms().SetUniformf(_TOWARDS_EYE, shift)


def cut(actor: vtkActor, away: NDArray[np.float64] | None, space: Space) -> None:
    """Draw nothing of an actor where (x, y, z, 1) . away > 0; None: draw all of it."""
    mapper: Any = actor.GetMapper()
    known = mapper.GetClippingPlanes()
    if away is None:
        if known is not None:
            mapper.RemoveAllClippingPlanes()
        return
    if known is None or not known.GetNumberOfItems():
        mapper.AddClippingPlane(vtkPlane())
    plane = mapper.GetClippingPlanes().GetItem(0)
    plane.SetNormal(*(-away[:3]).tolist())
    plane.SetOrigin(*space.inside(-away[3] * away[:3]).tolist())


def _actor(data: pyvista.PolyData) -> tuple[vtkActor, Any]:
    mapper, actor = vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(data)
    actor.SetMapper(mapper)
    return actor, mapper
