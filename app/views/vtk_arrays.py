"""From numpy arrays to VTK's polygons and lines, without copies where VTK allows it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData


def points_of(positions: NDArray[Any]) -> vtkPoints:
    """positions (N, 3)."""
    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(positions, np.float32), deep=True))
    return points


def cells_of(offsets: NDArray[np.int32], vertices: NDArray[np.int32]) -> vtkCellArray:
    """offsets (C + 1,), vertices (H,): cell i runs through vertices[offsets[i]:offsets[i + 1]]."""
    cells = vtkCellArray()
    cells.SetData(numpy_to_vtk(offsets, deep=True), numpy_to_vtk(vertices, deep=True))
    return cells


def segments(points: vtkPoints, ends: NDArray[np.int32]) -> vtkPolyData:
    """A line cell for each row of ends (N, 2)."""
    data = vtkPolyData()
    data.SetPoints(points)
    data.SetLines(cells_of(np.arange(0, 2 * len(ends) + 1, 2, dtype=np.int32), np.ascontiguousarray(ends).ravel()))
    return data


def polylines(positions: NDArray[Any], offsets: NDArray[np.int32]) -> vtkPolyData:
    """A line cell through each run of positions (N, 3)."""
    data = vtkPolyData()
    data.SetPoints(points_of(positions))
    data.SetLines(cells_of(offsets, np.arange(len(positions), dtype=np.int32)))
    return data


def polygons(positions: NDArray[Any], offsets: NDArray[np.int32], vertices: NDArray[np.int32]) -> vtkPolyData:
    data = vtkPolyData()
    data.SetPoints(points_of(positions))
    data.SetPolys(cells_of(offsets, vertices))
    return data
