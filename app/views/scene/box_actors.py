"""The domain's box in the 3D scene, and its axes with their ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkBillboardTextActor3D, vtkPolyDataMapper, vtkRenderer

from app.state.palette import RGB
from app.state.texts.numbers import number_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BOX: RGB = (0.72, 0.74, 0.78)
_AXES: RGB = (0.30, 0.33, 0.38)
_FONT_SIZE = 15
_RANGE = 1e-3  # of the box's size: the numbers at its corners are as fine


class BoxActors:
    """Twelve thin edges; three of them, from the lower corner, are the axes with names and ranges.

    origin (3,): the place in space that is VTK's origin.
    """

    def __init__(self, renderer: vtkRenderer, domain: NDArray[np.float64], origin: NDArray[np.float64]) -> None:
        corners = np.array([[domain[bit >> axis & 1, axis] for axis in range(3)] for bit in range(8)]) - origin
        edges = [(bit, bit | 1 << axis) for bit in range(8) for axis in range(3) if not bit >> axis & 1]
        self._box = _lines(corners, np.array(edges, np.int32), _BOX, 1.0)
        self._axes = _lines(corners, np.array([(0, 1), (0, 2), (0, 4)], np.int32), _AXES, 2.0)
        self._labels = [label for axis in range(3) for label in _labels(domain, origin, axis)]
        for prop in (self._box, self._axes, *self._labels):
            renderer.AddViewProp(prop)

    def show(self, box: bool, axes: bool) -> None:
        self._box.SetVisibility(box)
        for prop in (self._axes, *self._labels):
            prop.SetVisibility(axes)

    @property
    def lines(self) -> list[vtkActor]:
        return [self._box, self._axes]


def _lines(corners: NDArray[np.float64], ends: NDArray[np.int32], color: RGB, width: float) -> vtkActor:
    """Unlit lines between corners (V, 3), one for each row of ends (N, 2); width in pixels."""
    points, cells, data = vtkPoints(), vtkCellArray(), vtkPolyData()
    points.SetData(numpy_to_vtk(corners, deep=True))
    cells.SetData(
        numpy_to_vtk(np.arange(0, 2 * len(ends) + 1, 2, dtype=np.int32), deep=True),
        numpy_to_vtk(ends.ravel(), deep=True),
    )
    data.SetPoints(points)
    data.SetLines(cells)
    mapper, actor = vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(data)
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetColor(*color)
    look.SetLineWidth(width)
    look.LightingOff()
    return actor


def _labels(domain: NDArray[np.float64], origin: NDArray[np.float64], axis: int) -> list[vtkBillboardTextActor3D]:
    """The axis's name at its middle, its range at its ends; a little outside the box."""
    size = domain[1] - domain[0]
    labels = []
    low, high = float(domain[0, axis]), float(domain[1, axis])
    for t, text in (
        (0.5, "xyz"[axis]),
        (0.0, number_text(low, _RANGE * (high - low))),
        (1.0, number_text(high, _RANGE * (high - low))),
    ):
        if t == 0.0 and axis != 0 and np.ptp(domain[0]) == 0:
            continue  # the same number three times at one corner
        position = domain[0] - 0.035 * size
        position[axis] = domain[0, axis] + t * size[axis]
        labels.append(_label(position - origin, text.replace("-", "\N{MINUS SIGN}"), t == 0.5))
    return labels


def _label(position: NDArray[np.float64], text: str, name: bool) -> vtkBillboardTextActor3D:
    label = vtkBillboardTextActor3D()
    label.SetInput(text)
    label.SetPosition(*position)
    label.PickableOff()
    look = label.GetTextProperty()
    look.SetFontFamilyToArial()
    look.SetFontSize(_FONT_SIZE if name else _FONT_SIZE - 3)
    look.SetBold(name)
    look.SetColor(*_AXES)
    look.SetJustificationToCentered()
    look.SetVerticalJustificationToCentered()
    return label
