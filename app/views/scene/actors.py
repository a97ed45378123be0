"""Actors of VTK: a surface, lines a pixel or two wide, and heavy lines: ribbons that face the eye."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyvista
from vtkmodules.vtkCommonCore import vtkInformation
from vtkmodules.vtkCommonDataModel import vtkDataObject, vtkPlane
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLActor

from app.views.scene.polydata import NORMALS, OTHER_END

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.state.palette import RGB
    from app.views.scene.polydata import Space

_AMBIENT, _DIFFUSE = 0.62, 0.42
_UNSEEN: Final = 1e-4  # opacity: less than half of a step of a colour, and not so little that VTK draws nothing
_PLACE: Final = "//VTK::PositionVC::Impl"  # where VTK's vertex shader computes gl_Position
_DECLARED: Final = "//VTK::PositionVC::Dec"
_SHADED: Final = "//VTK::Color::Impl"  # where its fragment shader finds the colour
_RAISED: Final = f"{_PLACE}\n  gl_Position.z += raised;\n"
_RIBBON_DECLARED: Final = f"{_DECLARED}\nin vec4 otherEnd;\nnoperspective out vec4 capsule;\n"
_RIBBON: Final = f"""{_PLACE}
  vec4 here = gl_Position;
  vec4 there = MCDCMatrix * vec4(otherEnd.xyz, 1.0);
  if (here.w < nearest && there.w > nearest) here = mix(here, there, (nearest - here.w) / (there.w - here.w));
  if (there.w < nearest && here.w > nearest) there = mix(there, here, (nearest - there.w) / (here.w - there.w));
  vec2 halfPicture = 0.5 * vec2(pictureWidth, pictureHeight);
  vec2 way = (there.xy / there.w - here.xy / here.w) * halfPicture;
  float far = 0.5 * length(way);
  way = far > 0.0 ? normalize(way) : vec2(1.0, 0.0);
  float radius = 0.5 * lineWidth, end = abs(otherEnd.w) > 1.5 ? 1.0 : -1.0, side = sign(otherEnd.w);
  here.xy += here.w * radius * (side * vec2(-way.y, way.x) - rounded * way) / halfPicture;
  here.z += raised;
  capsule = vec4(end * (far + rounded * radius), -end * side * radius, far, radius);
  gl_Position = here;
"""
_CAPSULE_DECLARED: Final = f"{_DECLARED}\nnoperspective in vec4 capsule;\n"
_CAPSULE: Final = f"""
  if (length(vec2(max(abs(capsule.x) - capsule.z, 0.0), capsule.y)) > capsule.w) discard;
{_SHADED}
"""


def surface_actor(data: pyvista.PolyData) -> vtkActor:
    """Facets, each with its own colour, lit from the eye."""
    actor, mapper = _actor(data)
    mapper.ScalarVisibilityOn()
    mapper.SetScalarModeToUseCellFieldData()
    mapper.SelectColorArray(NORMALS)
    look = actor.GetProperty()
    look.LightingOn()
    look.SetInterpolationToFlat()
    look.SetAmbient(_AMBIENT)
    look.SetDiffuse(_DIFFUSE)
    look.SetSpecular(0.0)
    return actor


def clear_surface_actor(data: pyvista.PolyData) -> vtkActor:
    """Such facets that are seen through."""
    actor = surface_actor(data)
    actor.ForceTranslucentOn()
    return actor


def shape_actor(data: pyvista.PolyData) -> vtkActor:
    """Facets that are not seen, and hide what is drawn later and lies behind them."""
    actor = clear_surface_actor(data)
    actor.GetProperty().SetOpacity(_UNSEEN)
    keys = vtkInformation()
    keys.Set(vtkOpenGLActor.GLDepthMaskOverride(), 1)
    actor.SetPropertyKeys(keys)
    return actor


def veil_actor(data: pyvista.PolyData) -> vtkActor:
    """Facets of one colour that are seen through."""
    actor = clear_surface_actor(data)
    actor.GetMapper().ScalarVisibilityOff()
    return actor


def lines_actor(data: pyvista.PolyData) -> vtkActor:
    """Lines of one colour that hide what is behind them."""
    return _actor(data)[0]


def depth_lines_actor(data: pyvista.PolyData) -> vtkActor:
    """Lines that are seen through, coloured by their cells' depth once they have a table of colours."""
    actor, mapper = _actor(data)
    actor.ForceTranslucentOn()
    mapper.ScalarVisibilityOn()
    mapper.SetScalarModeToUseCellFieldData()
    mapper.SelectColorArray("depth")
    mapper.SetColorModeToMapScalars()
    mapper.UseLookupTableScalarRangeOn()
    return actor


def raised_depth_lines_actor(data: pyvista.PolyData) -> vtkActor:
    """Such lines, nearer to the eye than they are, by what `set_sight` says."""
    actor = depth_lines_actor(data)
    actor.GetShaderProperty().AddVertexShaderReplacement(_PLACE, True, _RAISED, False)
    return actor


def set_depth_colors(actor: vtkActor, colors: NDArray[np.uint8]) -> None:
    """colors (L, 4) uint8: RGB and opacity of each depth."""
    table = pyvista.LookupTable(values=colors, scalar_range=(-0.5, len(colors) - 0.5))
    actor.GetMapper().SetLookupTable(table)


def ribbons_actor(data: pyvista.PolyData) -> vtkActor:
    """Heavy lines with round ends, from `polydata.ribbons`, that hide what is behind them."""
    actor, mapper = _actor(data)
    mapper.MapDataArrayToVertexAttribute("otherEnd", OTHER_END, vtkDataObject.FIELD_ASSOCIATION_POINTS, -1)
    shader = actor.GetShaderProperty()
    shader.AddVertexShaderReplacement(_DECLARED, True, _RIBBON_DECLARED, False)
    shader.AddVertexShaderReplacement(_PLACE, True, _RIBBON, False)
    shader.AddFragmentShaderReplacement(_DECLARED, True, _CAPSULE_DECLARED, False)
    shader.AddFragmentShaderReplacement(_SHADED, True, _CAPSULE, False)
    return actor


def pale_ribbons_actor(data: pyvista.PolyData) -> vtkActor:
    """Heavy lines that are drawn in the order of what is seen through."""
    actor = ribbons_actor(data)
    actor.ForceTranslucentOn()
    return actor


def draw_in(actor: vtkActor, color: RGB, width: float, opacity: float, rounded: bool = True) -> None:
    """width: in pixels, 1 at least; rounded: ribbons overlap where they meet, and leave no notch."""
    look = actor.GetProperty()
    look.SetColor(*color)
    look.SetLineWidth(width)
    look.SetOpacity(opacity)
    uniforms = actor.GetShaderProperty().GetVertexCustomUniforms()
    uniforms.SetUniformf("lineWidth", width)
    uniforms.SetUniformf("rounded", float(rounded))


def set_sight(actor: vtkActor, size: tuple[int, int], nearest: float, raised: float) -> None:
    """Tell raised lines of their picture: its (width, height), the distance from which on something is seen, 0 where
    lines of sight are parallel, and by how much they are nearer than they are, in the depth of clip coordinates,
    negative."""
    uniforms = actor.GetShaderProperty().GetVertexCustomUniforms()
    values = {"pictureWidth": size[0], "pictureHeight": size[1], "nearest": nearest, "raised": raised}
    for name, value in values.items():
        uniforms.SetUniformf(name, value)


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
    """Of one colour, unlit."""
    mapper, actor = vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(data)
    mapper.ScalarVisibilityOff()
    actor.SetMapper(mapper)
    actor.GetProperty().LightingOff()
    return actor, mapper
