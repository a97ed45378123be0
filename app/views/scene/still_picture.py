"""A scene as a picture of any size, smooth, with or without a background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine import available_memory

if TYPE_CHECKING:
    from app.state.look import SceneLook
    from app.views.camera import Lens
    from app.views.scene.drawing import SceneDrawing
    from app.views.scene.scene import Scene
    from engine import SlicePlane

_BYTES: Final = 40.0  # for each pixel of a picture until it is in its file, as measured
_REFERENCE: Final = 1000.0  # the height of a picture in which lines have the widths of the screen


class TooLargeError(ValueError):
    """A picture needs more memory than there is; one line: what, why, what to do."""


def still_drawing(
    scene: Scene, look: SceneLook, lens: Lens, clip: SlicePlane | None = None, transparent: bool = False
) -> SceneDrawing:
    """The scene as a lens sees it, in all detail; transparent: nothing is drawn where there is nothing, instead of the
    background.  `straight` of what a studio makes of it is the picture.  Raises TooLargeError.
    """
    needed, left = _BYTES * lens.width * lens.height, available_memory()
    if needed > left:
        raise TooLargeError(
            f"a picture of {lens.width} x {lens.height} pixels needs {needed / 1e9:.1f} GB of memory and "
            f"{left / 1e9:.1f} GB are left; make it smaller"
        )
    return scene.drawing(look, lens, lens.height / _REFERENCE, True, clip, transparent)


def straight(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours divided by opacity, as image files have them, (H, W, 4) uint8."""
    if picture[:, :, 3].min() == 255:
        return picture
    opacity = picture[:, :, 3:].astype(np.float32)
    colors = np.where(opacity > 0, 255.0 * picture[:, :, :3] / np.maximum(opacity, 1.0), 0.0)
    return np.concatenate([np.minimum(np.rint(colors), 255).astype(np.uint8), picture[:, :, 3:]], axis=2)
