"""A slice as it is seen in space: its lines, level set and frame as pixels, drawn in its own plane."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from app.state.line_style import USUAL, LineStyle
from app.state.palette import BACKGROUND, RGB, depth_colors
from app.views.painting.edge_on import SeenLine, seen_edge_on
from app.views.raster import sheets as raster
from app.views.slice.slice_image import HIGHLIGHT, line_widths

if TYPE_CHECKING:
    from app.state.look import SceneLook
    from app.views.camera import Lens
    from app.views.slice.slice_image import SlicePicture
    from engine import SlicePlane

Float = NDArray[np.float64]

_FRAME, _ACTIVE_FRAME, _LEVEL, _HIGHLIGHT, _HIGHLIGHT_CASING = 2.0, 3.2, 3.2, 3.2, 5.6
_CASING: Final = 2.8  # of the level set, beyond its own width
_FLATTEST: Final = 1e-6  # a plane seen along itself, or nearly so: the sine of the angle
_OPACITY: Final = 0.85
_FADED: Final = 0.28
_NEAR, _FAR = 0.004, 0.06  # of the box's diagonal: lines that a plane left by less are whole, by more are pale
_PALE: Final = 0.3


@dataclass(frozen=True, eq=False, slots=True)
class Sheet:
    """What is drawn in one plane.

    frame (M, 2): the corners of a frame in the plane's coordinates, none: no frame; frame_width: in pixels; picture:
    lines and level set, computed for this plane; lines: the lines are drawn, of depths that are not hidden; style: of
    both; strength: from 0 to 1, with which it is laid over what is behind it.
    """

    plane: SlicePlane
    accent: RGB
    frame: Float
    frame_width: float
    picture: SlicePicture | None
    lines: bool
    hidden_depths: frozenset[int]
    style: LineStyle
    strength: float = 1.0

    def same(self, other: Sheet) -> bool:
        """Both are drawn alike, and maybe laid with another strength."""
        return (
            self.plane is other.plane
            and self.picture is other.picture
            and self.accent == other.accent
            and self.frame_width == other.frame_width
            and self.lines == other.lines
            and self.hidden_depths == other.hidden_depths
            and self.style == other.style
            and np.array_equal(self.frame, other.frame)
        )


def slice_sheets(
    plane: SlicePlane,
    accent: RGB,
    frame: Float,
    active: bool,
    picture: SlicePicture | None,
    look: SceneLook,
) -> list[Sheet]:
    """A slice's sheets: its lines, in the plane that they were computed for, and its frame, where the slice is now.

    They are apart so that a plane that moves does not draw its old lines again.
    """
    framed = Sheet(plane, accent, frame, _ACTIVE_FRAME if active else _FRAME, None, False, frozenset(), USUAL)
    if picture is None:
        return [framed]
    lines = Sheet(
        picture.partition.plane, accent, frame[:0], 0.0, picture, look.lines, look.hidden_depths, look.style
    )  # fmt: skip
    return [lines, framed]


def left_behind(sheet: Sheet, plane: SlicePlane, diagonal: float) -> Sheet:
    """The sheet, the paler the farther its slice's plane has left it: nobody is to take it for what is there now.

    diagonal: of the box.  A turn within the plane leaves lines where they are.
    """
    if sheet.picture is None or sheet.plane is plane:
        return sheet
    border = sheet.plane.to_input(sheet.picture.partition.vertices[sheet.picture.border[:, 0]])
    away = float(np.abs((border - plane.origin) @ plane.normal).max()) / diagonal
    return replace(sheet, strength=float(np.interp(away, [_NEAR, _FAR], [1.0, _PALE])))


@dataclass(frozen=True, eq=False, slots=True)
class Placed:
    """Where a drawn sheet lies.

    inverse (3,): of the distance, at pixel (i, j) inverse (j + 1/2, i + 1/2, 1); box (4,): first and last rows and
    columns in which there may be something, the last ones excluded.
    """

    inverse: Float
    box: NDArray[np.int64]


NOWHERE: Final = Placed(np.zeros(3), np.zeros(4, np.int64))


def draw_sheet(sheet: Sheet, lens: Lens, ratio: float, pixels: NDArray[np.uint8], raised: NDArray[np.uint8]) -> Placed:
    """Draw a sheet as a lens of the picture's size sees it; ratio: of its pixels to those that widths are given in.

    pixels (H, W, 4) uint8 takes the colours, multiplied by their opacity; raised (H, W) uint8 becomes 1 where something
    lies that the surface through it must not hide: frame and level set.
    """
    pixels[...] = 0
    raised[...] = 0
    outline = sheet.frame if sheet.picture is None else sheet.picture.partition.vertices[sheet.picture.border[:, 0]]
    outline = np.concatenate([outline, sheet.frame])
    if not len(outline):
        return NOWHERE
    if (line := seen_edge_on(sheet.plane.to_input(outline), lens)) is not None:
        return _draw_line(sheet, line, lens, ratio, pixels, raised) if len(sheet.frame) else NOWHERE
    if _sine(sheet.plane, outline, lens) < _FLATTEST:
        return NOWHERE
    homography = lens.homography(sheet.plane)
    box = _box(outline, homography, lens, 8.0 * ratio)
    if box[0] >= box[1] or box[2] >= box[3]:
        return NOWHERE
    rows, columns = slice(*box[:2].tolist()), slice(*box[2:].tolist())
    shift = np.array([[1.0, 0.0, -box[2]], [0.0, 1.0, -box[0]], [0.0, 0.0, 1.0]])
    canvas = _Canvas(pixels[rows, columns], raised[rows, columns], shift @ homography, lens.near, ratio)
    if sheet.picture is not None:
        _draw_picture(canvas, sheet, sheet.picture, lens)
    if len(sheet.frame):
        loop = np.concatenate([sheet.frame, sheet.frame[:1]])
        canvas.polylines(loop, np.array([0, len(loop)], np.int32), sheet.frame_width, sheet.accent)
    return Placed(np.linalg.inv(homography)[2], box)


@dataclass(frozen=True, eq=False, slots=True)
class _Canvas:
    """The part of a sheet's pixels in which it lies."""

    pixels: NDArray[np.uint8]
    raised: NDArray[np.uint8]
    homography: Float
    near: float
    ratio: float

    def seen(self, points: Float) -> Float:
        found = np.empty((len(points), 3))
        raster.project(np.ascontiguousarray(points), self.homography, found)
        return found

    def edges(
        self, seen: Float, edges: NDArray[np.int32], first: int, last: int, width: float, color: RGB, opacity: float,
        lift: bool,
    ) -> None:  # fmt: skip
        cover = np.zeros(self.raised.shape, np.uint8)
        wide = max(width, 1.0) * self.ratio
        raster.cover_seen_edges(cover, seen, edges, first, last, self.near, wide, opacity * min(width, 1.0))
        raster.blend_sheet(self.pixels, self.raised, cover, _bytes(color), lift)

    def polylines(
        self, points: Float, offsets: NDArray[np.int32], width: float, color: RGB, opacity: float = 1.0
    ) -> None:
        cover = np.zeros(self.raised.shape, np.uint8)
        raster.cover_seen_polylines(cover, self.seen(points), offsets, self.near, width * self.ratio, opacity)
        raster.blend_sheet(self.pixels, self.raised, cover, _bytes(color), True)


def _draw_line(
    sheet: Sheet, line: SeenLine, lens: Lens, ratio: float, pixels: NDArray[np.uint8], raised: NDArray[np.uint8]
) -> Placed:
    """A frame that is seen edge-on."""
    seen = np.column_stack([line.ends, np.ones(2)])
    cover = np.zeros(raised.shape, np.uint8)
    raster.cover_seen_polylines(cover, seen, np.array([0, 2], np.int32), 0.5, sheet.frame_width * ratio, 1.0)
    raster.blend_sheet(pixels, raised, cover, _bytes(sheet.accent), True)
    return Placed(line.inverse, _around(line.ends, lens, 8.0 * ratio))


def _draw_picture(canvas: _Canvas, sheet: Sheet, picture: SlicePicture, lens: Lens) -> None:
    partition = picture.partition
    seen = canvas.seen(partition.vertices)
    style = sheet.style
    if sheet.lines:
        scale = _scale(sheet, picture, lens) / canvas.ratio
        widths = line_widths(picture, scale, sheet.hidden_depths, style.line_factor)
        opacity = _OPACITY * (_FADED if len(picture.highlight) else 1.0)
        layers = len(picture.first) - 1
        colors = depth_colors(layers, style.palette)
        for depth in reversed(range(layers)):
            if depth not in sheet.hidden_depths:
                lo, hi = int(picture.first[depth]), int(picture.first[depth + 1])
                canvas.edges(seen, picture.edges, lo, hi, widths[depth], colors[depth], opacity, False)
    if len(picture.level):
        width = _LEVEL * style.level_factor
        canvas.polylines(picture.level, picture.level_offsets, width + _CASING, BACKGROUND, 0.85)
        canvas.polylines(picture.level, picture.level_offsets, width, sheet.accent)
    if len(picture.highlight):
        several = len(picture.highlight)
        canvas.edges(seen, picture.highlight, 0, several, _HIGHLIGHT_CASING, BACKGROUND, 0.8, True)
        canvas.edges(seen, picture.highlight, 0, several, _HIGHLIGHT, HIGHLIGHT, 1.0, True)


def _scale(sheet: Sheet, picture: SlicePicture, lens: Lens) -> float:
    """Pixels per unit in the middle of the slice, the mean of both directions."""
    middle = picture.partition.vertices[picture.border[:, 0]].mean(axis=0)
    point = sheet.plane.to_input(middle[None])[0]
    slant = abs(float(lens.ray_to(point) @ sheet.plane.normal))
    return float(np.sqrt(max(slant, 0.05))) / lens.pixel_length(point)


def _sine(plane: SlicePlane, outline: Float, lens: Lens) -> float:
    """Of the angle between a plane and the line of sight to the middle of what is drawn in it."""
    return abs(float(lens.ray_to(plane.to_input(outline.mean(axis=0)[None])[0]) @ plane.normal))


def _box(points: Float, homography: Float, lens: Lens, margin: float) -> NDArray[np.int64]:
    """Rows and columns that hold a polygon's image."""
    whole = np.array([0, lens.height, 0, lens.width])
    seen = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ homography.T
    if (seen[:, 2] < lens.near).any():
        return whole
    return _around(seen[:, :2] / seen[:, 2:], lens, margin)


def _around(pixels: Float, lens: Lens, margin: float) -> NDArray[np.int64]:
    """Rows and columns around places (N, 2) of a picture."""
    x, y = pixels.T
    found = np.array([y.min() - margin, y.max() + margin + 1, x.min() - margin, x.max() + margin + 1])
    return np.asarray(np.clip(found, 0, np.repeat([lens.height, lens.width], 2)), np.int64)


def _bytes(color: RGB) -> NDArray[np.uint8]:
    return np.asarray(np.rint(255 * np.array(color)), np.uint8)
