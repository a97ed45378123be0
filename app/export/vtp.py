"""Lines and polygons as VTK's XML files of polygonal data, which ParaView and pyvista read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.provenance.carriers import KEY

Cells = tuple[NDArray[np.int64], NDArray[np.int32]]
"""offsets (N + 1,) and corners (H,): cell i has the corners from offsets[i] to offsets[i + 1]."""


def write_vtp(
    path: Path,
    points: NDArray[np.float64],
    *,
    lines: Cells | None = None,
    polygons: Cells | None = None,
    point_data: Mapping[str, NDArray[Any]] | None = None,
    cell_data: Mapping[str, NDArray[Any]] | None = None,
    provenance: str = "",
) -> None:
    """Write lines and polygons between points (V, 3).

    cell_data: of the lines and then of the polygons, (N,) or (N, C) by name; provenance: a text, in the field data.
    Raises OSError.
    """
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints, vtkStringArray
    from vtkmodules.vtkCommonDataModel import vtkPolyData
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    data = vtkPolyData()
    places = vtkPoints()
    places.SetData(numpy_to_vtk(np.ascontiguousarray(points), deep=True))
    data.SetPoints(places)
    if lines is not None:
        data.SetLines(_cells(*lines))
    if polygons is not None:
        data.SetPolys(_cells(*polygons))
    for attributes, arrays in ((data.GetPointData(), point_data), (data.GetCellData(), cell_data)):
        for name, values in (arrays or {}).items():
            # VTK's integers of 64 bits without a sign have no Python bridge on every platform
            plain = values.view(np.int64) if values.dtype == np.uint64 else values
            array = numpy_to_vtk(np.ascontiguousarray(plain), deep=True)
            array.SetName(name)
            attributes.AddArray(array)
    if provenance:
        text = vtkStringArray()
        text.SetName(KEY)
        text.InsertNextValue(provenance)
        data.GetFieldData().AddArray(text)
    writer = vtkXMLPolyDataWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(data)
    writer.SetCompressionLevel(1)  # more takes several times as long, for a tenth of the bytes
    if not writer.Write():
        raise OSError(f"{path}: VTK could not write it")


def _cells(offsets: NDArray[np.int64], corners: NDArray[np.int32]) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonDataModel import vtkCellArray

    cells = vtkCellArray()
    arrays = (np.ascontiguousarray(array, np.int64) for array in (offsets, corners))
    cells.SetData(*(numpy_to_vtkIdTypeArray(array, deep=True) for array in arrays))
    return cells
