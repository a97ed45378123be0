"""Signed distances to triangle meshes, and meshes of level sets on grids: both by VTK (BSD licence)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D, vtkImplicitPolyDataDistance

Float = NDArray[np.float64]
Int = NDArray[np.int64]


def mesh_distance(vertices: Float, faces: Int) -> Callable[[Float], Float]:
    """The signed distance, negative inside, to a watertight mesh whose faces run counter-clockwise seen from outside.

    vertices: (V, 3) float64; faces: (F, 3) int64.  The result takes points (N, 3) float64 and returns (N,) float64;
    the sign is that of the angle-weighted pseudonormal (Baerentzen and Aanaes 2005).
    """
    points = vtkPoints()
    points.SetData(numpy_to_vtk(vertices, deep=True))
    triangles = vtkCellArray()
    triangles.SetData(3, numpy_to_vtkIdTypeArray(np.ascontiguousarray(faces.ravel()), deep=True))
    surface = vtkPolyData()
    surface.SetPoints(points)
    surface.SetPolys(triangles)
    implicit = vtkImplicitPolyDataDistance()
    implicit.SetInput(surface)

    def distance(queries: Float) -> Float:
        result = vtkDoubleArray()
        implicit.FunctionValue(numpy_to_vtk(np.ascontiguousarray(queries)), result)
        values: Float = vtk_to_numpy(result).copy()
        return values

    return distance


def level_set_mesh(values: Float, lower: float, upper: float) -> tuple[Float, Int]:
    """Vertices (V, 3) and faces (F, 3) of the zero level set of values on a grid over the cube [lower, upper]^3.

    values: (n, n, n) float64, indexed z, y, x; faces run counter-clockwise seen from where the values are positive.
    """
    size = len(values)
    spacing = (upper - lower) / (size - 1)
    grid = vtkImageData()
    grid.SetDimensions(size, size, size)
    grid.SetOrigin(lower, lower, lower)
    grid.SetSpacing(spacing, spacing, spacing)
    grid.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(values.ravel()), deep=True))
    contour = vtkFlyingEdges3D()
    contour.SetInputData(grid)
    contour.SetValue(0, 0.0)
    contour.Update()
    surface = contour.GetOutput()
    vertices = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
    faces = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).astype(np.int64).reshape(-1, 3)
    if mesh_distance(vertices, faces)(np.full((1, 3), upper))[0] < 0.0:
        faces = faces[:, ::-1].copy()
    return vertices, faces
