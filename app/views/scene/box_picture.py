"""What VTK draws of a scene, box and axes, as pixels with depth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkFloatArray, vtkUnsignedCharArray

from app.views.camera import Lens
from app.views.painting.backdrop import Backdrop

if TYPE_CHECKING:
    from vtkmodules.vtkRenderingCore import vtkCamera

    from app.state.look import SceneLook
    from app.views.scene.scene import Scene

_DPI: Final = 72


def scene_backdrop(window: Any, scene: Scene, look: SceneLook, size: tuple[int, int], ratio: float) -> Backdrop:
    """What VTK draws of a scene; ratio: pixels to the unit of line widths and of letters."""
    scene.show_box(look)
    scene.fit_range()
    window.SetDPI(max(round(_DPI * ratio), 1))
    with scene.wider_lines(ratio), scene.at_the_origin():
        shown = render_backdrop(window, scene.camera, size)
    return replace(shown, lens=Lens(scene.camera, *size))


def render_backdrop(window: Any, camera: vtkCamera, size: tuple[int, int]) -> Backdrop:
    """Let VTK render into a picture of (width, height) pixels.  Belongs on the thread that owns the window."""
    width, height = size
    if tuple(window.GetSize()) != size:
        window.SetSize(width, height)
    window.Render()
    pixels, depth = vtkUnsignedCharArray(), vtkFloatArray()
    window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, pixels)
    window.GetZbufferData(0, 0, width - 1, height - 1, depth)
    return Backdrop(
        np.ascontiguousarray(vtk_to_numpy(pixels).reshape(height, width, 4)[::-1]),
        np.ascontiguousarray(vtk_to_numpy(depth).reshape(height, width)[::-1]),
        Lens(camera, width, height),
    )
