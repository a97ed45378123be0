"""A slice as pixels: regions filled, lines by depth, the level set on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.state.line_style import USUAL, LineStyle
from app.state.look import Fill
from app.state.palette import RGB
from app.state.paper import WHITE, Paper
from app.views.slice import raster
from app.views.slice.fills import FaceFill, shaded
from app.views.slice.framing import Framing
from app.views.slice.strokes import Strokes, strokes_of
from engine import Partition

Float = NDArray[np.float64]
Int = NDArray[np.int32]
Image = NDArray[np.uint8]

_COVERAGE = 0.38  # line width over the mean distance between lines
_FINEST, _WIDEST = 0.3, 1.5  # pixels; finer lines are drawn paler
_TAPER = 0.35  # the first layer's lines are wider by this share, the last layer's finer
_LEVEL, _HIGHLIGHT = 2.4, 1.7
_OVER_LINES = 2.0  # the level set's usual width, at least, over that of the partition's lines
_OVER_ALL: Final = 1.4  # its width over that of any other line, however narrow a person wants it
_CASING: Final = 3.0  # of the level set and of a highlighted neuron, beyond their own widths
HIGHLIGHT: Final[RGB] = (1.0, 0.16, 0.78)


@dataclass(frozen=True, eq=False, slots=True)
class SlicePicture:
    """What there is to draw of a slice.

    edges (E, 2) int32, ordered by layer, those of depth d from first[d] to first[d + 1]; strokes: the same lines,
    without the border's; border (M, 2) int32; line_lengths: of all edges of each depth; area: of the slice; level
    (K, 2) and level_offsets (P + 1,): polylines; highlight (H, 2) int32: edges of the neuron (layer, index) to be told
    apart; fill: None for paper.
    """

    partition: Partition
    edges: Int
    first: Int
    strokes: Strokes
    border: Int
    line_lengths: tuple[float, ...]
    area: float
    level: Float
    level_offsets: Int
    highlight: Int
    neuron: tuple[int, int] | None
    fill: FaceFill | None


def slice_picture(
    partition: Partition,
    polylines: tuple[Float, ...],
    neuron: tuple[int, int] | None = None,
    fill: FaceFill | None = None,
) -> SlicePicture:
    """polylines: the level set in the slice's coordinates; neuron: (layer, index), told apart."""
    edges, first, order = edges_by_layer(partition)
    lines = slice(first[0], first[-1])
    ends = partition.vertices[edges[lines]]
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*(ends[:, 1] - ends[:, 0]).T))])
    border = edges[: first[0]]
    corners = partition.vertices[border]
    middle = partition.vertices.mean(axis=0)
    (x0, y0), (x1, y1) = (corners - middle).transpose(1, 2, 0)
    return SlicePicture(
        partition=partition,
        edges=edges,
        first=first,
        strokes=strokes_of(partition, edges[lines], order[lines]),
        border=border,
        line_lengths=tuple(np.diff(lengths[first - first[0]]).tolist()),
        area=0.5 * float(np.abs(x0 * y1 - x1 * y0).sum()),
        level=np.concatenate([np.empty((0, 2)), *polylines]),
        level_offsets=np.cumsum([0, *(len(polyline) for polyline in polylines)]).astype(np.int32),
        highlight=neuron_edges(partition, neuron),
        neuron=neuron,
        fill=fill,
    )


def edges_by_layer(partition: Partition) -> tuple[Int, Int, NDArray[np.intp]]:
    """The edges (E, 2) int32 by layer, the border's first, the level's last; where each depth starts (L + 1,); and
    where the partition has them (E,)."""
    layers = len(partition.network.kinks)
    layer = partition.edge_layer.astype(np.int16)  # of which stable sorting is by radix
    order = np.argsort(layer, kind="stable")
    first = np.searchsorted(layer[order], np.arange(layers + 1, dtype=np.int16))
    return np.ascontiguousarray(partition.edges[order]), first.astype(np.int32), order


def neuron_edges(partition: Partition, neuron: tuple[int, int] | None) -> Int:
    """(H, 2) int32: the edges on the level set of a neuron (layer, neuron), also where an earlier one made them."""
    if neuron is None:
        return np.empty((0, 2), np.int32)
    layer, index = neuron
    own = (partition.edge_layer == layer) & (partition.edge_neuron == index)
    also = (partition.edge_also[:, 0] == layer) & (partition.edge_also[:, 1] == index)
    if also.any():
        owners = np.searchsorted(partition.edge_also_offsets, np.flatnonzero(also), side="right") - 1
        own = own.copy()
        own[owners] = True
    return np.ascontiguousarray(partition.edges[own])


def draw(
    picture: SlicePicture,
    framing: Framing,
    accent: RGB,
    hidden_depths: frozenset[int] = frozenset(),
    pixel_ratio: float = 1.0,
    style: LineStyle = USUAL,
    paper: Paper = WHITE,
) -> Image:
    """(H, W, 4) uint8, RGB and an unused byte: the framed part of a slice; pixel_ratio: device pixels per pixel."""
    device = framing.enlarged(pixel_ratio)
    scale, (x, y) = device.scale, device.shift
    partition = picture.partition
    image = np.empty((device.height, device.width, 4), np.uint8)
    image[:] = (*_bytes(paper.ground), 255)
    if picture.fill is not None:
        _lay_fill(image, partition, picture.fill, scale, x, y, paper)

    cover = np.zeros(image.shape[:2], np.uint8)
    faded = 0.28 if len(picture.highlight) else 1.0

    def lines(edges: Int, lo: int, hi: int, width: float, color: RGB, opacity: float = 1.0) -> None:
        opacity *= min(1.0, width)
        raster.cover_edges(
            cover, partition.vertices, edges, lo, hi, scale, x, y, max(width, 1.0) * pixel_ratio, opacity
        )
        raster.blend(image, cover, _bytes(color))

    layers = len(picture.first) - 1
    widths = line_widths(picture, framing.scale, hidden_depths, style.line_factor)
    colors = paper.depth_colors(layers, style.palette)
    for depth in reversed(range(layers)):
        if depth not in hidden_depths:
            lo, hi = int(picture.first[depth]), int(picture.first[depth + 1])
            lines(picture.edges, lo, hi, widths[depth], colors[depth], faded)
    lines(picture.border, 0, len(picture.border), 1.0, paper.border, 0.5)

    def level(width: float, color: RGB, opacity: float) -> None:
        raster.cover_polylines(
            cover, picture.level, picture.level_offsets, scale, x, y, width * pixel_ratio, opacity
        )  # fmt: skip
        raster.blend(image, cover, _bytes(color))

    if len(picture.level):
        wide = level_width(picture, widths, hidden_depths, style.level_factor)
        level(wide + _CASING, paper.ground, 0.85)
        level(wide, paper.accent(accent), 1.0)
    if len(picture.highlight):
        lines(picture.highlight, 0, len(picture.highlight), _HIGHLIGHT + _CASING, paper.ground, 0.8)
        lines(picture.highlight, 0, len(picture.highlight), _HIGHLIGHT, HIGHLIGHT)
    return image


def fill_picture(
    partition: Partition, fill: FaceFill, corner: tuple[float, float], size: tuple[int, int], scale: float, paper: Paper
) -> Image:
    """(H, W, 3) uint8: regions filled, without lines; corner: the upper left one, in the slice's coordinates; size:
    width and height in pixels; scale: pixels per unit."""
    image = np.empty((size[1], size[0], 4), np.uint8)
    image[:] = (*_bytes(paper.ground), 255)
    _lay_fill(image, partition, fill, scale, -scale * corner[0], scale * corner[1], paper)
    return image[:, :, :3]


def _lay_fill(
    image: Image, partition: Partition, fill: FaceFill, scale: float, x: float, y: float, paper: Paper
) -> None:
    ids = np.full(image.shape[:2], -1, np.int32)
    values = np.zeros(image.shape[:2], np.float32)
    output = partition.values if partition.values.ndim == 1 else np.ascontiguousarray(partition.values[:, 0])
    raster.fill_faces(
        ids, values, partition.vertices, output, partition.face_offsets, partition.face_vertices, scale, x, y
    )
    if fill.colors is not None:
        raster.lay_face_colors(image, ids, shaded(fill.colors, paper))
    elif fill.fill is Fill.VALUE:
        level = partition.level or 0.0
        raster.lay_value_colors(image, ids, values, fill.low + level, fill.high + level, shaded(fill.table, paper))


def line_widths(picture: SlicePicture, scale: float, hidden_depths: frozenset[int], factor: float) -> list[float]:
    """A width in pixels for each depth: a share of the mean distance between lines, tapering from first to last, and
    `factor` times as wide."""
    layers = len(picture.line_lengths)
    length = sum(length for depth, length in enumerate(picture.line_lengths) if depth not in hidden_depths)
    spacing = scale * picture.area / length if length else np.inf
    taper = 1 + _TAPER * np.linspace(1, -1, layers) if layers > 1 else np.ones(layers)
    return [factor * float(width) for width in np.clip(_COVERAGE * spacing * taper, _FINEST, _WIDEST)]


def level_width(picture: SlicePicture, widths: list[float], hidden_depths: frozenset[int], factor: float) -> float:
    """Width in pixels of the level set, `factor` times the usual one, which grows with the lines that are seen; it
    always is the heaviest line.  widths: of each depth."""
    widest = max((width for depth, width in enumerate(widths) if depth not in hidden_depths), default=0.0)
    highlight = _HIGHLIGHT if len(picture.highlight) else 0.0
    return max(max(_LEVEL, _OVER_LINES * widest) * factor, _OVER_ALL * widest, _OVER_ALL * highlight)


def _bytes(color: RGB) -> NDArray[np.uint8]:
    return np.asarray(np.rint(255 * np.array(color)), np.uint8)
