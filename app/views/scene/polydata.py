"""A scene as pyvista's data: for pictures, for scripts, and for files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import pyvista
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkCellArray
from vtkmodules.vtkFiltersCore import vtkBinnedDecimation

if TYPE_CHECKING:
    from app.views.scene.surface_mesh import SurfaceMesh
    from app.views.slice.slice_image import SlicePicture

Float = NDArray[np.float64]

NORMALS: Final = "normals"
"""The cells' colours, RGB = (n + 1) / 2."""
OTHER_END: Final = "other end"
"""Of a ribbon's corners: the end of its line that they are not at, and the side of the line on which they are, 1 or -1,
twice that at its second end."""
_TRIANGLES: Final = 7.5  # in the square of the number of cells along a side of the decimating grid, as measured


@dataclass(frozen=True, eq=False, slots=True)
class Space:
    """The coordinates that VTK gets, in single precision: (p - origin) / size."""

    origin: Float
    size: float

    @classmethod
    def itself(cls) -> Self:
        """The scene's own coordinates."""
        return cls(np.zeros(3), 1.0)

    def inside(self, points: Float) -> NDArray[np.float32]:
        """Points (..., 3) in these coordinates."""
        return ((points - self.origin) / self.size).astype(np.float32)


def polygons(mesh: SurfaceMesh, space: Space) -> pyvista.PolyData:
    """The exact facets, each coloured by its normal."""
    data = pyvista.PolyData()
    data.points = space.inside(mesh.vertices)
    cells = vtkCellArray()
    cells.SetData(*(numpy_to_vtk(array, deep=True) for array in (mesh.face_offsets, mesh.face_vertices)))
    data.SetPolys(cells)
    if data.n_cells:
        data.cell_data[NORMALS] = mesh.colors
    return data


def fewer_triangles(mesh: SurfaceMesh, most: int, space: Space) -> pyvista.PolyData:
    """About as many triangles as wanted in the place of a surface, each with the colour of one of its facets."""
    side = max(int((most / _TRIANGLES) ** 0.5), 4)
    whole = polygons(mesh, space)
    whole.cell_data.clear()
    whole.cell_data["facet"] = np.arange(whole.n_cells, dtype=np.int32)
    filter_ = vtkBinnedDecimation()
    filter_.SetInputData(whole.triangulate())
    filter_.AutoAdjustNumberOfDivisionsOff()
    filter_.SetNumberOfDivisions(side, side, side)
    filter_.SetPointGenerationModeToBinPoints()
    filter_.ProduceCellDataOn()
    filter_.Update()
    fewer: pyvista.PolyData = pyvista.wrap(filter_.GetOutput())
    fewer.cell_data[NORMALS] = mesh.colors[
        np.asarray(fewer.cell_data["facet"]).astype(np.intp)
    ]  # the filter has floats
    return fewer


def segments(ends: Float, space: Space, **cell_data: NDArray[np.int32]) -> pyvista.PolyData:
    """Lines from ends[i, 0] to ends[i, 1], (S, 2, 3), in their order; cell_data: arrays (S,) by name."""
    data = pyvista.PolyData()
    data.points = space.inside(ends.reshape(-1, 3))
    data.SetLines(_cells(2, np.arange(2 * len(ends))))
    for name, values in cell_data.items():
        data.cell_data[name] = values
    return data


def ribbons(ends: Float, space: Space) -> pyvista.PolyData:
    """Lines from ends[i, 0] to ends[i, 1], (S, 2, 3), with room for a width: four corners and two triangles each."""
    count = len(ends)
    here = space.inside(ends)
    data = pyvista.PolyData()
    data.points = np.repeat(here, 2, axis=1).reshape(-1, 3)
    sides = np.tile(np.array([1.0, -1.0, -2.0, 2.0], np.float32), count)  # seen from the other end, right is left
    others = np.repeat(here[:, ::-1], 2, axis=1).reshape(-1, 3)
    data.point_data[OTHER_END] = np.column_stack([others, sides])
    corners = 4 * np.arange(count)[:, None] + np.array([0, 1, 3, 0, 3, 2])
    data.SetPolys(_cells(3, corners.ravel()))
    return data


def _cells(corners: int, places: NDArray[np.int64]) -> vtkCellArray:
    """Cells of so many corners each, one after the other."""
    cells = vtkCellArray()
    cells.SetData(corners, numpy_to_vtk(places.astype(np.int32), deep=True))
    return cells


def in_space(picture: SlicePicture, ends: NDArray[np.int32]) -> Float:
    """(S, 2, 3): the ends of lines between vertices (S, 2) of a slice."""
    partition = picture.partition
    found: Float = partition.plane.to_input(partition.vertices[ends.ravel()]).reshape(-1, 2, 3)
    return found


def level_lines(picture: SlicePicture) -> Float:
    """(S, 2, 3): the ends of the segments of a slice's level set, in space."""
    points = picture.partition.plane.to_input(picture.level)
    inner = np.ones(len(points), bool)
    inner[picture.level_offsets[1:] - 1] = False
    starts = np.flatnonzero(inner)
    found: Float = np.stack([points[starts], points[starts + 1]], axis=1)
    return found


def loop_lines(corners: Float) -> Float:
    """(M, 2, 3): the sides of a polygon (M, 3)."""
    return np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)
