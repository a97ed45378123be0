"""The level surface in the 3D scene, coloured by its normals, and its creases coloured by depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkCommonDataModel import vtkPlane, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkQuadricClustering, vtkTriangleFilter
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer

from app.state.palette import RGB, depth_colors
from app.views.actors import ON_SURFACE, ON_TOP, line_actor, set_data
from app.views.vtk_arrays import points_of, polygons, segments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.state.surfaces import PolygonSurface

_CREASE, _HIGHLIGHT = 1.2, 4.0
_CLUSTERS = 60  # along each side of the surface's box


class SurfaceActors:
    """The actors of a level surface.  While something moves, a coarser surface may stand in for it."""

    def __init__(self, renderer: vtkRenderer, layers: int) -> None:
        self._layers = layers
        self._fine, self._coarse = _surface_actor(), _surface_actor()
        self._creases = [line_actor(None, color, _CREASE, ON_SURFACE) for color in depth_colors(layers)]
        self._highlight = line_actor(None, (0.0, 0.0, 0.0), _HIGHLIGHT, ON_TOP)
        self._has_fine = self._has_coarse = self._has_creases = self._has_highlight = False
        for actor in self._all:
            actor.VisibilityOff()
            renderer.AddActor(actor)

    @property
    def _all(self) -> list[vtkActor]:
        return [self._fine, self._coarse, *self._creases, self._highlight]

    def draw(self, surface: PolygonSurface | None, mesh: vtkPolyData | None = None) -> None:
        """mesh: what `coloured_by_normals` makes of the surface, if that is at hand."""
        self._has_fine = surface is not None and len(surface.face_offsets) > 1
        self._has_creases = surface is not None and len(surface.edges) > 0
        if surface is None:
            return
        set_data(self._fine, coloured_by_normals(surface) if mesh is None else mesh)
        points = points_of(surface.vertices)
        for depth, actor in enumerate(self._creases):
            set_data(actor, segments(points, surface.edges[surface.edge_layer == depth]))

    def draw_highlight(self, points: NDArray[np.float64], edges: NDArray[np.int32], color: RGB) -> None:
        """Edges (H, 2) between points (V, 3) told apart by a colour and their width."""
        self._has_highlight = len(edges) > 0
        set_data(self._highlight, segments(points_of(points), edges))
        self._highlight.GetProperty().SetColor(*color)

    def draw_coarse(self, data: vtkPolyData | None) -> None:
        """The stand-in, as `coloured_by_normals` makes it."""
        self._has_coarse = data is not None
        if data is not None:
            set_data(self._coarse, data)

    def show(self, surface: bool, creases: bool, hidden_depths: frozenset[int], moving: bool) -> None:
        coarse = self._has_coarse and (moving or not self._has_fine)
        self._coarse.SetVisibility(surface and coarse)
        self._fine.SetVisibility(surface and self._has_fine and not coarse)
        self._highlight.SetVisibility(surface and self._has_highlight)
        for depth, actor in enumerate(self._creases):
            actor.SetVisibility(creases and self._has_creases and not moving and depth not in hidden_depths)

    def clip(self, plane: tuple[NDArray[np.float64], NDArray[np.float64]] | None) -> None:
        """Show what lies behind a plane (origin (3,), normal (3,)) only."""
        for actor in self._all:
            mapper = actor.GetMapper()
            mapper.RemoveAllClippingPlanes()
            if plane is not None:
                cut = vtkPlane()
                cut.SetOrigin(*plane[0])
                cut.SetNormal(*(-plane[1]))
                mapper.AddClippingPlane(cut)


def normal_colors(gradients: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(F, 3) uint8: RGB = (n + 1) / 2 of the unit normals n along gradients (F, 3); grey where there is none."""
    lengths = np.linalg.norm(gradients, axis=1, keepdims=True)
    normals = gradients / np.where(lengths > 0, lengths, 1.0)
    return np.rint(255 * (normals + 1) / 2).astype(np.uint8)


def coloured_by_normals(surface: PolygonSurface) -> vtkPolyData:
    data = polygons(surface.vertices, surface.face_offsets, surface.face_vertices)
    colors = numpy_to_vtk(normal_colors(surface.gradients), deep=True)
    assert isinstance(colors, vtkUnsignedCharArray)
    data.GetCellData().SetScalars(colors)
    lengths = np.linalg.norm(surface.gradients, axis=1, keepdims=True)
    normals = (surface.gradients / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
    data.GetCellData().SetNormals(numpy_to_vtk(normals, deep=True))
    return data


def thinned(mesh: vtkPolyData) -> vtkPolyData:
    """Some ten thousand triangles near a surface, coloured by their normals.

    By clustering vertices with quadrics (Lindstrom, "Out-of-core simplification of large polygonal models", 2000).
    """
    triangles = vtkTriangleFilter()
    triangles.SetInputData(mesh)
    clusters = vtkQuadricClustering()
    clusters.SetInputConnection(triangles.GetOutputPort())
    clusters.AutoAdjustNumberOfDivisionsOff()
    clusters.SetNumberOfDivisions(_CLUSTERS, _CLUSTERS, _CLUSTERS)
    clusters.SetUseInputPoints(True)
    clusters.SetCopyCellData(True)
    clusters.Update()
    found: vtkPolyData = clusters.GetOutput()
    return found


def _surface_actor() -> vtkActor:
    mapper = vtkPolyDataMapper()
    mapper.SetScalarModeToUseCellData()
    mapper.SetResolveCoincidentTopologyToPolygonOffset()
    mapper.SetRelativeCoincidentTopologyPolygonOffsetParameters(1.0, 1.0)
    actor = vtkActor()
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetInterpolationToFlat()
    look.SetAmbient(0.62)
    look.SetDiffuse(0.42)
    look.SetSpecular(0.0)
    return actor
