"""A picture of the scene in a file, without a window or a display."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from app.state.line_style import LineStyle
from app.state.look import SceneLook
from app.state.palette import BACKGROUND, BORDER, RGB, Palette, accent, depth_colors
from app.views.camera import Lens
from app.views.canvas import Canvas
from app.views.scene import Scene
from app.views.slice_image import slice_picture
from app.views.still_picture import still_picture
from app.views.surface_picture import SurfaceMesh

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.state.slices import SliceResult
    from engine import Surface

_FILLED: Final = 0.93  # of the picture, by the box


def draw_picture(
    surface: Surface,
    slices: Sequence[SliceResult],
    path: Path,
    size: tuple[int, int],
    camera: NDArray[np.float64],
    up: NDArray[np.float64],
    creases: bool = False,
    approximation: str = "",
    palette: Palette = Palette.TIDE,
) -> None:
    """Write a PNG of a surface with slices in place, and below it a legend.

    size: pixels; camera, up: (3,) directions to the eye and upwards; approximation: how the network differs from the
    checkpoint's own, written on top; palette: of the depths.  Raises OSError when the file cannot be written.
    """
    layers = len(surface.network.kinks)
    legend = max(24, round(0.05 * size[1]))
    look = SceneLook(creases=creases, style=LineStyle(palette))
    view = _scene_pixels(surface, slices, (size[0], size[1] - legend), camera, up, look)
    picture = Image.new("RGB", size, _rgb(BACKGROUND))
    picture.paste(view, (0, 0))
    _draw_legend(picture, legend, depth_colors(layers if slices or creases else 0, palette), slices)
    if approximation:
        font = _font(0.36 * legend)
        ImageDraw.Draw(picture).text((0.5 * legend, 0.5 * legend), approximation, _rgb(accent(0)), font)
    picture.save(path, "PNG")


def _scene_pixels(
    surface: Surface,
    slices: Sequence[SliceResult],
    size: tuple[int, int],
    camera: NDArray[np.float64],
    up: NDArray[np.float64],
    look: SceneLook,
) -> Image.Image:
    canvas = Canvas(*size)
    try:
        scene = Scene(canvas, surface.domain)
        scene.mesh = SurfaceMesh.of(surface, len(surface.network.kinks))
        for key, result in enumerate(slices):
            scene.place_slice(key, result.partition.plane, accent(key))
            scene.draw_slice(key, slice_picture(result.partition, result.level_set.polylines))
        scene.look_from(camera, up)
        _fill(scene, *size)
        pixels = still_picture(canvas, scene, look, size)
    finally:
        canvas.close()
    return Image.fromarray(pixels[:, :, :3])


def _fill(scene: Scene, width: int, height: int) -> None:
    """Come so near that the box, in the middle, fills the picture."""
    corners = np.array(list(product(*scene.domain.T)))
    seen = Lens(scene.camera, width, height).to_pixels(corners) / np.array([width, height]) * 2 - 1
    low, high = seen.min(axis=0), seen.max(axis=0)
    factor = 2 * _FILLED / float((high - low).max())
    x, y = (low + high) / 2 * factor
    scene.camera.Zoom(factor)
    scene.camera.SetWindowCenter(x, -y)


def _draw_legend(picture: Image.Image, height: int, colors: Sequence[RGB], slices: Sequence[SliceResult]) -> None:
    """The depths' colours with their numbers on the left, the slices' accents with their planes on the right."""
    draw = ImageDraw.Draw(picture)
    width, top = picture.width, picture.height - height
    text = _font(0.36 * height)
    middle, margin = top + 0.42 * height, 0.5 * height
    cell = min(0.75 * height, 0.4 * picture.width / max(len(colors), 1))
    dark = _rgb(BORDER)
    x = margin
    if colors:
        draw.text((x, middle), "depth", dark, text, anchor="lm")
        x += draw.textlength("depth", text) + 0.35 * height
        every = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if step * cell >= 0.5 * height)
        for depth, color in enumerate(colors):
            box = (x + depth * cell, middle - 0.3 * height, x + (depth + 1) * cell - 1, middle + 0.3 * height)
            draw.rectangle(box, _rgb(color))
            if depth % every == 0:
                shade = _rgb(BACKGROUND if sum(color) < 1.6 else (0.0, 0.0, 0.0))
                draw.text((x + (depth + 0.5) * cell, middle), str(depth), shade, _font(0.3 * height), anchor="mm")
    x = width - margin
    for key in reversed(range(len(slices))):
        name = slices[key].partition.plane.describe().replace("-", "\N{MINUS SIGN}")
        x -= draw.textlength(name, text)
        draw.text((x, middle), name, dark, text, anchor="lm")
        x -= 0.2 * height
        draw.line((x - 0.6 * height, middle, x, middle), _rgb(accent(key)), max(2, round(0.12 * height)))
        x -= 1.2 * height


def _font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), max(8.0, size))


def _rgb(color: RGB) -> tuple[int, int, int]:
    red, green, blue = (round(255 * part) for part in color)
    return red, green, blue
