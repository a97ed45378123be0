"""The handle of the active plane in the 3D scene: a knob to shift it along its normal, a tip to tilt it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkFiltersSources import vtkConeSource, vtkSphereSource
from vtkmodules.vtkRenderingCore import vtkActor, vtkCamera, vtkPolyDataMapper, vtkRenderer

from app.state.palette import RGB
from app.views.actors import line_actor, set_data
from app.views.vtk_arrays import polylines

if TYPE_CHECKING:
    from app.views.camera import Lens

Float = NDArray[np.float64]

LENGTH: Final = 0.13  # of the shaft, over the box's diagonal
_KNOB, _TIP = 0.0095, 0.016
_REACH = 11.0  # pixels within which the hand takes hold


class Grip(Enum):
    """What a hand on the plane does to it."""

    SHIFT = "shift along the normal"
    TILT = "tilt"


class PlaneHandle:
    """Stands at a point of the plane and points along its normal; drawn over everything else.

    `renderer` draws it: a layer above the scene's, which shows nothing but what is added to it.
    """

    def __init__(self, camera: vtkCamera, diagonal: float) -> None:
        self.renderer = vtkRenderer()
        self.renderer.SetLayer(1)
        self.renderer.InteractiveOff()
        self.renderer.SetActiveCamera(camera)
        self._length = LENGTH * diagonal
        self._knob_source, self._tip_source = vtkSphereSource(), vtkConeSource()
        self._knob_source.SetRadius(_KNOB * diagonal)
        self._knob_source.SetThetaResolution(20)
        self._knob_source.SetPhiResolution(20)
        self._tip_source.SetRadius(_TIP * diagonal / 1.6)
        self._tip_source.SetHeight(2 * _TIP * diagonal)
        self._tip_source.SetResolution(24)
        self._shaft = line_actor(None, (0.0, 0.0, 0.0), 3.0)
        self._solids = [_solid(self._knob_source), _solid(self._tip_source)]
        self._points = np.zeros((2, 3))
        self._shown = False
        for actor in (self._shaft, *self._solids):
            actor.VisibilityOff()
            self.renderer.AddActor(actor)

    @property
    def points(self) -> Float:
        """(2, 3): the foot in the plane and the tip."""
        return self._points

    def place(self, foot: Float, normal: Float, color: RGB) -> None:
        self._points = np.stack([foot, foot + self._length * normal])
        self._knob_source.SetCenter(*foot)
        self._tip_source.SetCenter(*self._points[1])
        self._tip_source.SetDirection(*normal)
        set_data(self._shaft, polylines(self._points, np.array([0, 2], np.int32)))
        for actor in (self._shaft, *self._solids):
            actor.GetProperty().SetColor(*color)

    def show(self, visible: bool) -> None:
        self._shown = visible
        for actor in (self._shaft, *self._solids):
            actor.SetVisibility(visible)

    def grip_at(self, lens: Lens, px: float, py: float) -> Grip | None:
        """What a hand at a pixel takes hold of."""
        if not self._shown:
            return None
        foot, tip = lens.to_pixels(self._points)
        at = np.array([px, py])
        if np.hypot(*(at - tip)) <= _REACH:
            return Grip.TILT
        return Grip.SHIFT if distance_to_segment(at, foot, tip) <= _REACH else None


def distance_to_segment(point: Float, a: Float, b: Float) -> float:
    step = b - a
    length = float(step @ step)
    t = min(max(float((point - a) @ step) / length, 0.0), 1.0) if length > 0 else 0.0
    return float(np.hypot(*(point - a - t * step)))


def _solid(source: vtkSphereSource | vtkConeSource) -> vtkActor:
    mapper = vtkPolyDataMapper()
    mapper.SetInputConnection(source.GetOutputPort())
    actor = vtkActor()
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetAmbient(0.45)
    look.SetDiffuse(0.6)
    return actor
