"""The level surface by marching cubes: not exact, for comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.export.mesh import Mesh

if TYPE_CHECKING:
    from torch import nn

_BLOCK = 1 << 16


class Stopped(Exception):  # noqa: N818  a status, not an error
    """The caller asked to stop."""


def march_cubes(
    module: nn.Module,
    domain: NDArray[np.float64],
    resolution: int,
    level: float = 0.0,
    cancel: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Mesh:
    """VTK's flying edges (Schroeder, Maynard and Geveci, LDAV 2015) on resolution^3 samples of a module in float32.

    domain: (2, 3).  progress is told the samples done, of all.  Raises Stopped once cancel says True.
    """
    import torch
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    axes = [np.linspace(low, high, resolution, dtype=np.float32) for low, high in domain.T]
    values = np.empty(resolution**3, np.float32)
    module = module.eval()
    weights = {parameter.dtype for parameter in module.parameters()}
    dtype = weights.pop() if len(weights) == 1 else torch.float32
    plane = resolution * resolution
    step = max(1, _BLOCK // plane) * plane
    y, x = (array.ravel() for array in np.meshgrid(axes[1], axes[0], indexing="ij"))
    with torch.inference_mode():
        for start in range(0, len(values), step):
            if cancel():
                raise Stopped
            layers = axes[2][start // plane : (start + step) // plane]
            points = np.stack([np.tile(x, len(layers)), np.tile(y, len(layers)), np.repeat(layers, plane)], axis=1)
            for part in range(0, len(points), _BLOCK):
                block = torch.from_numpy(points[part : part + _BLOCK]).to(dtype)
                values[start + part : start + part + len(block)] = module(block).reshape(-1).float().numpy()
            progress(min(start + step, len(values)), len(values))
    image = vtkImageData()
    image.SetDimensions(resolution, resolution, resolution)
    image.SetOrigin(*domain[0])
    image.SetSpacing(*((domain[1] - domain[0]) / (resolution - 1)))
    image.GetPointData().SetScalars(numpy_to_vtk(values, deep=True))
    filter_ = vtkFlyingEdges3D()
    filter_.SetInputData(image)
    filter_.SetValue(0, level)
    filter_.ComputeNormalsOff()
    filter_.ComputeScalarsOff()
    filter_.Update()
    surface = filter_.GetOutput()
    count = surface.GetNumberOfPolys()
    if count == 0:
        return Mesh(np.empty((0, 3)), np.zeros(1, np.int32), np.empty(0, np.int32), {})
    vertices = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
    corners = (
        vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).astype(np.int32)[::-1].copy()
    )  # along the gradient
    return Mesh(vertices, np.arange(0, 3 * count + 1, 3, dtype=np.int32), corners, {})
