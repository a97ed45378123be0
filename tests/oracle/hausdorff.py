"""How far two meshes are apart, measured by VTK."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.export.mesh import Mesh, triangles_of

_POINTS = 6_000


def hausdorff(one: Mesh, other: Mesh) -> float:
    """The largest distance from a point of either mesh to the other mesh, of _POINTS vertices and as many points inside
    triangles.
    """
    return max(_farthest(one, other), _farthest(other, one))


def _farthest(mesh: Mesh, other: Mesh) -> float:
    rng = np.random.default_rng(0)
    corners = mesh.vertices[rng.choice(triangles_of(mesh), _POINTS)]
    inside = np.einsum("nc,ncd->nd", rng.dirichlet(np.ones(3), _POINTS), corners)
    vertices = rng.permutation(mesh.vertices)[:_POINTS]
    return float(distances_to(other, np.concatenate([vertices, inside])).max())


def distances_to(mesh: Mesh, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) the distances of points (N, 3) from a mesh."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkFiltersCore import vtkImplicitPolyDataDistance

    triangles = triangles_of(mesh)
    places, cells, data = vtkPoints(), vtkCellArray(), vtkPolyData()
    places.SetData(numpy_to_vtk(mesh.vertices, deep=True))
    offsets = np.arange(0, 3 * len(triangles) + 1, 3, dtype=np.int64)
    corners = triangles.ravel().astype(np.int64)
    cells.SetData(*(numpy_to_vtkIdTypeArray(array, deep=True) for array in (offsets, corners)))
    data.SetPoints(places)
    data.SetPolys(cells)
    distance, found = vtkImplicitPolyDataDistance(), vtkDoubleArray()
    distance.SetInput(data)
    distance.FunctionValue(numpy_to_vtk(np.ascontiguousarray(points), deep=True), found)
    return np.abs(vtk_to_numpy(found))
