"""A picture of the scene in a file, without a window or a display."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw

from app.state.look import SceneLook
from app.state.palette import BACKGROUND, accent, depth_colors
from app.views.scene.picture_legend import PictureLegend, font_of, rgb_bytes
from app.views.scene.scene import Scene
from app.views.scene.still_picture import still_drawing, straight
from app.views.scene.studio import Studio
from app.views.scene.surface_mesh import SurfaceMesh
from app.views.slice.slice_image import slice_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.state.slices import SliceResult
    from app.views.camera import Lens
    from engine import Surface

_FILLED: Final = 0.93  # of the picture, by the box
_LOOK: Final = SceneLook()


def draw_picture(
    surface: Surface,
    slices: Sequence[SliceResult],
    path: Path,
    size: tuple[int, int],
    camera: NDArray[np.float64],
    up: NDArray[np.float64],
    approximation: str = "",
    look: SceneLook = _LOOK,
    parallel: bool = False,
) -> None:
    """Write a PNG of a surface with slices in place, and below it a legend.

    size: pixels; camera, up: (3,) directions to the eye and upwards; approximation: how the network differs from the
    checkpoint's own, written on top; parallel: lines of sight are.  Raises OSError when the file cannot be written.
    """
    layers = len(surface.network.kinks)
    colors = depth_colors(layers if slices or look.creases else 0, look.style.palette)
    line = max(24, round(0.05 * min(size[1], 0.8 * size[0])))
    legend = PictureLegend.arranged(colors, [result.partition.plane.describe() for result in slices], line, size[0])
    left = size[0], max(size[1] - legend.height, size[1] // 2)
    view = _scene_pixels(surface, slices, left, camera, up, look, parallel)
    picture = Image.new("RGB", size, rgb_bytes(BACKGROUND))
    picture.paste(view, (0, 0))
    legend.draw(picture, view.height)
    if approximation:
        font = font_of(0.36 * line)
        ImageDraw.Draw(picture).text((0.5 * line, 0.5 * line), approximation, rgb_bytes(accent(0)), font)
    picture.save(path, "PNG")


def _scene_pixels(
    surface: Surface,
    slices: Sequence[SliceResult],
    size: tuple[int, int],
    camera: NDArray[np.float64],
    up: NDArray[np.float64],
    look: SceneLook,
    parallel: bool,
) -> Image.Image:
    scene = Scene(surface.domain)
    scene.mesh = SurfaceMesh.of(surface)
    for key, result in enumerate(slices):
        scene.place_slice(key, result.partition.plane, accent(key))
        scene.draw_slice(key, slice_picture(result.partition, result.level_set.polylines))
    scene.look_from(camera, up, parallel)
    drawing = still_drawing(scene, look, filled(scene.lens(*size), scene.domain))
    studio = Studio()
    try:
        pixels = straight(studio.draw(drawing, still=True).pixels)
    finally:
        studio.close()
    return Image.fromarray(pixels[:, :, :3])


def filled(lens: Lens, domain: NDArray[np.float64]) -> Lens:
    """The lens so near that the box, in the middle, fills the picture."""
    seen, size = lens.to_pixels(np.array(list(product(*domain.T)))), np.array([lens.width, lens.height])
    low, high = seen.min(axis=0), seen.max(axis=0)
    factor = _FILLED / float(((high - low) / size).max())
    return replace(lens, focal=factor * lens.focal, centre=size / 2 + factor * (lens.centre - (low + high) / 2))
