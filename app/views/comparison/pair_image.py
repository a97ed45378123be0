"""Two slices of one plane as pixels: beside each other, one over the other, and how they differ.

Both partitions are laid on the pixels, so that at the middle of each pixel the values of both networks are theirs, not
interpolated between samples.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.comparison.colors import DENSITIES, DIFFERENCES, round_limit
from app.state.comparison import Between
from app.state.line_style import USUAL, LineStyle
from app.state.palette import RGB
from app.state.paper import WHITE, Paper
from app.views.slice import raster
from app.views.slice.fills import Colors, shaded
from app.views.slice.framing import Framing
from app.views.slice.slice_image import Image, SlicePicture, draw

Float = NDArray[np.float32]

_LEVEL, _CASING = 2.4, 3.0  # pixels
_INSIDE, _ALONE = 0.10, 0.42  # share of ink where both are inside, of an accent where one is
_RASTER: Final = 256  # pixels along a side from which a range is found
_BLOCK, _REACH = 4, 3.0  # pixels along a side of a block of lines, and the blocks around that count with it
_LEAST: Final = 0.05  # of the mean density of lines: where there are none, as many
LARGEST_RATIO: Final = 4.0


def draw_pair(
    pair: tuple[SlicePicture, SlicePicture],
    between: Between,
    framing: Framing,
    accents: tuple[RGB, RGB],
    limit: float,
    hidden_depths: frozenset[int] = frozenset(),
    pixel_ratio: float = 1.0,
    style: LineStyle = USUAL,
    paper: Paper = WHITE,
) -> tuple[Image, ...]:
    """Images (H, W, 4) uint8, as `draw` makes them: one of each slice to swipe and to blink between them, one of both
    for what else is drawn between two.  limit: of the colours of differences."""
    if between in (Between.SWIPE, Between.BLINK, Between.SIDE):
        looks = hidden_depths, pixel_ratio, style, paper
        return tuple(draw(picture, framing, accent, *looks) for picture, accent in zip(pair, accents, strict=True))
    device = framing.enlarged(pixel_ratio)
    image = np.empty((device.height, device.width, 4), np.uint8)
    image[:] = (*_bytes(paper.ground), 255)
    laid = [_values(picture, device) for picture in pair]
    ids = np.where((laid[0][0] >= 0) & (laid[1][0] >= 0), 0, -1).astype(np.int32)
    if between is Between.OVERLAY:
        below = [values < (picture.partition.level or 0.0) for picture, (_, values) in zip(pair, laid, strict=True)]
        classes = np.where(ids >= 0, below[0].astype(np.int32) + 2 * below[1], -1).astype(np.int32)
        raster.lay_face_colors(image, classes, overlay_colors(accents, paper))
    elif between is Between.DIFFERENCE:
        difference = (laid[1][1] - laid[0][1]).astype(np.float32)
        raster.lay_value_colors(image, ids, difference, -limit, limit, shaded(table_of(between), paper))
    else:
        ratio = np.log2(_ratio(pair, device, hidden_depths)).astype(np.float32)
        most = float(np.log2(LARGEST_RATIO))
        raster.lay_value_colors(image, ids, ratio, -most, most, shaded(table_of(between), paper))
    _draw_outlines(image, pair, device, accents, pixel_ratio, style, paper)
    return (image,)


def _draw_outlines(
    image: Image, pair: tuple[SlicePicture, SlicePicture], device: Framing, accents: tuple[RGB, RGB],
    pixel_ratio: float, style: LineStyle, paper: Paper,
) -> None:  # fmt: skip
    """The borders and the level sets of both, the second one's above."""
    scale, (x, y) = device.scale, device.shift
    cover = np.zeros(image.shape[:2], np.uint8)
    for picture in pair:
        raster.cover_edges(
            cover, picture.partition.vertices, picture.border, 0, len(picture.border), scale, x, y, pixel_ratio, 0.5
        )
    raster.blend(image, cover, _bytes(paper.border))
    wide = _LEVEL * style.level_factor
    strokes = (wide + _CASING, 0.85, (paper.ground,) * 2), (wide, 1.0, tuple(map(paper.accent, accents)))
    for width, opacity, colors in strokes:
        for picture, color in zip(pair, colors, strict=True):
            level = picture.level, picture.level_offsets
            raster.cover_polylines(cover, *level, scale, x, y, width * pixel_ratio, opacity)
            raster.blend(image, cover, _bytes(color))


def _values(picture: SlicePicture, device: Framing) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The region at the middle of each pixel (H, W), -1 beside the slice, and the network's value there (H, W), with
    all digits: differences of networks that are much alike are small."""
    partition = picture.partition
    ids = np.full((device.height, device.width), -1, np.int32)
    values = np.zeros(ids.shape)
    output = partition.values if partition.values.ndim == 1 else np.ascontiguousarray(partition.values[:, 0])
    raster.fill_faces(
        ids, values, partition.vertices, output, partition.face_offsets, partition.face_vertices, device.scale,
        *device.shift,
    )  # fmt: skip
    return ids, values


def limit_of(pair: tuple[SlicePicture, SlicePicture]) -> float:
    """The end of a symmetric range of colours for the difference, from the whole slice on a raster."""
    vertices = pair[0].partition.vertices
    device = Framing.around(vertices.min(axis=0), vertices.max(axis=0), _RASTER, _RASTER)
    (ids, first), (other_ids, second) = (_values(picture, device) for picture in pair)
    both = (ids >= 0) & (other_ids >= 0)
    return round_limit(float(np.abs(second - first)[both].max())) if both.any() else 1.0


def _ratio(pair: tuple[SlicePicture, SlicePicture], device: Framing, hidden_depths: frozenset[int]) -> Float:
    """The length of lines around each pixel (H, W) in the second slice over that in the first."""
    from scipy.ndimage import zoom  # a window that compares nothing does without

    first, second = (_density(picture, device, hidden_depths) for picture in pair)
    least = _LEAST * max(float(first.mean()), float(second.mean()), 1e-30)
    ratio = (second + least) / (first + least)
    rows, columns = ratio.shape
    found: Float = zoom(ratio, (device.height / rows, device.width / columns), order=1, mode="nearest", grid_mode=True)
    return found


def _density(picture: SlicePicture, device: Framing, hidden_depths: frozenset[int]) -> Float:
    """The length of lines in blocks of pixels, smoothed; each line counts where its middle is."""
    from scipy.ndimage import gaussian_filter

    shape = -(-device.height // _BLOCK), -(-device.width // _BLOCK)
    depths = [depth for depth in range(len(picture.first) - 1) if depth not in hidden_depths]
    chosen = [picture.edges[picture.first[depth] : picture.first[depth + 1]] for depth in depths]
    if not chosen:
        return np.zeros(shape, np.float32)
    ends = picture.partition.vertices[np.concatenate(chosen)]
    lengths = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    u, v = ends.mean(axis=1).T
    x, y = device.shift
    row, column = ((y - device.scale * v) // _BLOCK).astype(int), ((device.scale * u + x) // _BLOCK).astype(int)
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    place = row[inside] * shape[1] + column[inside]
    total = np.bincount(place, lengths[inside], shape[0] * shape[1]).reshape(shape)
    smooth: Float = gaussian_filter(total.astype(np.float32), _REACH)
    return smooth


def overlay_colors(accents: tuple[RGB, RGB], paper: Paper) -> Colors:
    """(4, 3) uint8: of where neither is below the level, the first one alone, the second one alone, and both."""
    ground, ink = np.array(paper.ground), np.array(paper.ink)
    alone = [_ALONE * np.array(paper.accent(color)) + (1 - _ALONE) * ground for color in accents]
    mixed = [ground, *alone, _INSIDE * ink + (1 - _INSIDE) * ground]
    return np.asarray(np.rint(255 * np.array(mixed)), np.uint8)


@cache
def table_of(between: Between) -> Colors:
    """(256, 3) uint8: the colours of differences, from the least to the largest, and of densities."""
    import matplotlib

    name = DIFFERENCES if between is Between.DIFFERENCE else DENSITIES
    colors = matplotlib.colormaps[name](np.linspace(0.03, 0.97, 256))[:, :3]
    return np.asarray(np.rint(255 * colors), np.uint8)


def _bytes(color: RGB) -> NDArray[np.uint8]:
    return np.asarray(np.rint(255 * np.array(color)), np.uint8)
