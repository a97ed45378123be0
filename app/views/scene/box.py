"""The domain's box in the 3D scene, and its axes with their ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from vtkmodules.vtkRenderingCore import vtkBillboardTextActor3D

from app.state.palette import RGB
from app.state.texts.numbers import number_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.views.scene.polydata import Space

LABELS = 9
_FONT_SIZE = 15
_RANGE = 1e-3  # of the box's size: the numbers at its corners are as fine


def edges(domain: NDArray[np.float64]) -> NDArray[np.float64]:
    """(12, 2, 3): the box's edges; the first three start at its lower corner, along the axes."""
    corners = np.array([[domain[bit >> axis & 1, axis] for axis in range(3)] for bit in range(8)])
    ends = [(bit, bit | 1 << axis) for bit in range(8) for axis in range(3) if not bit >> axis & 1]
    return np.asarray(corners[np.array(sorted(ends, key=lambda pair: pair[0] > 0))])


def label(domain: NDArray[np.float64], place: int, space: Space, color: RGB) -> vtkBillboardTextActor3D:
    """One of LABELS at the axes, a little outside the box: a name at the middle, a range at the ends."""
    axis, share = divmod(place, 3)
    t = (0.5, 0.0, 1.0)[share]
    size = domain[1] - domain[0]
    position = domain[0] - 0.035 * size
    position[axis] = domain[0, axis] + t * size[axis]
    if t == 0.5:
        return _label(space.inside(position), "xyz"[axis], color, True)
    if t == 0.0 and axis != 0 and np.ptp(domain[0]) == 0:
        return _label(space.inside(position), "", color, False)  # the same number three times at one corner
    text = number_text(float(domain[int(t), axis]), _RANGE * float(size[axis]))
    return _label(space.inside(position), text.replace("-", "\N{MINUS SIGN}"), color, False)


def _label(position: NDArray[np.float32], text: str, color: RGB, name: bool) -> vtkBillboardTextActor3D:
    label = vtkBillboardTextActor3D()
    label.SetInput(text)
    label.SetPosition(*position.tolist())
    label.PickableOff()
    look = label.GetTextProperty()
    look.SetFontFamilyToArial()
    look.SetFontSize(_FONT_SIZE if name else _FONT_SIZE - 3)
    look.SetBold(name)
    look.SetColor(*color)
    look.SetJustificationToCentered()
    look.SetVerticalJustificationToCentered()
    return label
