"""A scene as a picture of any size, smooth, with or without a background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from app.views.painting.scene_painter import SceneDrawing, ScenePainter
from app.views.scene.box_picture import scene_backdrop
from engine import available_memory

if TYPE_CHECKING:
    from app.state.look import SceneLook
    from app.views.scene.canvas import Canvas
    from app.views.scene.scene import Scene
    from engine import SlicePlane

_BYTES: Final = 350.0  # for each pixel of a smooth picture while it is drawn, as measured
FINER: Final = 2
"""Pixels along a side of one of a smooth picture, which is their mean."""
_REFERENCE: Final = 1000.0  # the height of a picture in which lines have the widths of the screen


class TooLargeError(ValueError):
    """A picture needs more memory than there is; one line: what, why, what to do."""


def still_picture(
    canvas: Canvas,
    scene: Scene,
    look: SceneLook,
    size: tuple[int, int],
    clip: SlicePlane | None = None,
    transparent: bool = False,
) -> NDArray[np.uint8]:
    """(H, W, 4) uint8, RGB and opacity: the scene as its camera sees it, (width, height) = size.

    transparent: nothing is drawn where there is nothing, instead of the background.
    """
    return straight(ScenePainter().draw(still_drawing(canvas, scene, look, size, clip, transparent)).pixels)


def still_drawing(
    canvas: Canvas,
    scene: Scene,
    look: SceneLook,
    size: tuple[int, int],
    clip: SlicePlane | None = None,
    transparent: bool = False,
) -> SceneDrawing:
    """What `still_picture` draws; `straight` of what a painter makes of it is the picture, on any thread.

    Raises TooLargeError.
    """
    needed, left = _BYTES * size[0] * size[1], available_memory()
    if needed > left:
        raise TooLargeError(
            f"a picture of {size[0]} x {size[1]} pixels needs {needed / 1e9:.1f} GB of memory and {left / 1e9:.1f} GB "
            "are left; make it smaller"
        )
    ratio = FINER * size[1] / _REFERENCE
    window, renderer = canvas.render_window, canvas.renderer
    scene.fit_shape(*size)
    alpha = renderer.GetBackgroundAlpha()
    window.SetAlphaBitPlanes(1)
    renderer.SetBackgroundAlpha(0.0 if transparent else 1.0)
    try:
        backdrop = scene_backdrop(window, scene, look, (FINER * size[0], FINER * size[1]), ratio)
    finally:
        renderer.SetBackgroundAlpha(alpha)
    if transparent:
        nothing = backdrop.pixels[:, :, 3] == 0
        backdrop.pixels[nothing] = 0
    return SceneDrawing(backdrop, scene.surface(look, clip), scene.sheets(look), ratio, FINER)


def straight(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours divided by opacity, as image files have them, (H, W, 4) uint8."""
    opacity = picture[:, :, 3:].astype(np.float32)
    colors = np.where(opacity > 0, 255.0 * picture[:, :, :3] / np.maximum(opacity, 1.0), 0.0)
    return np.concatenate([np.minimum(np.rint(colors), 255).astype(np.uint8), picture[:, :, 3:]], axis=2)
