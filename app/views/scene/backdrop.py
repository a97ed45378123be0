"""What VTK draws of a scene, box and axes, as pixels with depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkFloatArray, vtkUnsignedCharArray

from app.views.scene.camera import Lens

if TYPE_CHECKING:
    from vtkmodules.vtkRenderingCore import vtkCamera

    from app.state.look import SceneLook
    from app.views.scene.scene import Scene

Image = NDArray[np.uint8]

_DPI: Final = 72


@dataclass(frozen=True, eq=False, slots=True)
class Backdrop:
    """pixels (H, W, 4) uint8, RGB and opacity, the row at the top first; depth (H, W) float32 in [0, 1]; lens: of this
    size."""

    pixels: Image
    depth: NDArray[np.float32]
    lens: Lens


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
