"""A slice on paper: one path for the lines of each depth, the level set over them, and what is told apart.

Wide lines of the first layers lie over fine lines of the deep ones, and all of them under the level set.  Widths follow
the distance between lines, so that a hundred thousand of them leave paper to be seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.path import Path
from numpy.typing import NDArray

from app.figures.sheet import Sheet, add_area, add_path, figure_of, on_page, polyline_codes
from app.figures.spec import SlicePanel
from app.state.look import Fill
from app.state.texts.numbers import counted
from app.views.slice.fills import FaceFill, face_fill
from app.views.slice.slice_image import HIGHLIGHT, fill_picture, neuron_edges
from engine import Partition, areas, chain_edges, chain_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from app.figures.style import Style
    from app.state.palette import RGB
    from app.state.slices import SliceResult

# All widths are in points of 1/72 inch, for text of the usual size.
_COVERAGE: Final = 0.22  # line width over the mean distance between lines, so the share of the paper under ink
_FINEST, _WIDEST = 0.05, 0.5
_TAPER: Final = 0.5  # the first layer's lines are wider by this share, the last layer's finer
_LEVEL_SET, _CASING = 1.1, 0.55  # the casing is what shows on each side
_OVER_LINES: Final = 1.4  # the level set's width over that of any line
_HIGHLIGHT, _BORDER, _FRAME = 0.8, 0.5, 1.2
_PIN: Final = 3.4  # radius
_MOST_PIXELS: Final = 3000  # along a side of a fill
_ON_PLANE: Final = 1e-6  # of the slice's size: a pin that is farther away is on another one


def draw_slice(
    axes: Axes, sheet: Sheet, result: SliceResult, panel: SlicePanel, name: str, style: Style, dpi: float,
    depths: int, order: float = 0.0,
) -> None:  # fmt: skip
    """Draw a slice.

    name: how the names of its paths begin; depths: of the deepest network in the figure, so that a colour means the
    same depth in all panels; order: of what is drawn first.
    """
    partition, layers = result.partition, len(result.partition.network.kinks)
    outline = border_path(partition)
    widths = line_widths(result, panel, sheet.scale, style)
    if panel.fill is not Fill.NONE and partition.network.output_size == 1:
        _draw_fill(axes, sheet, result, panel.fill, f"{name}-fill", style, dpi, order)
    shown = shown_depths(panel, layers)
    for depth in shown:
        color = style.depth_colors(max(depths, layers))[depth]
        add_path(axes, sheet, _lines(partition, depth), f"{name}-depth-{depth}", color, widths[depth],
                 order + 1 + (layers - depth) / (layers + 1))  # fmt: skip
    if panel.level_set:
        widest = max((widths[depth] for depth in shown), default=0.0)
        draw_level_set(axes, sheet, result, name, order + 2, style, style.accent(panel.colour), widest)
    color, width = (style.accent(panel.colour), _FRAME) if panel.framed else (style.paper.border, _BORDER)
    add_path(axes, sheet, outline, f"{name}-border", color, width * style.unit, order + 4)
    for layer, index in panel.neurons:
        _draw_neuron(axes, sheet, partition, (layer, index), f"{name}-neuron-{layer}-{index}", style, order + 5)
    _draw_pins(axes, sheet, partition, panel, name, style, order + 6)
    empty = why_empty(result, panel)
    if empty:
        _say(axes, sheet, partition, empty, style, 0.5, style.paper.ink, order + 7)


def shown_depths(panel: SlicePanel, layers: int) -> list[int]:
    """Depths whose lines are drawn."""
    most = layers if panel.depths is None else min(layers, panel.depths)
    return [depth for depth in range(most) if panel.lines and depth not in panel.hidden]


def why_empty(result: SliceResult, panel: SlicePanel) -> str:
    """Return the reason for which nothing is drawn within a panel's border; "" where something is."""
    partition, layers = result.partition, len(result.partition.network.kinks)
    if (panel.level_set and not result.level_set.empty) or panel.fill is not Fill.NONE or panel.neurons:
        return ""
    shown = shown_depths(panel, layers)
    if np.isin(partition.edge_layer, shown).any():
        return ""
    if not panel.lines:
        return "lines are switched off, and no level set is here"
    if not ((partition.edge_layer >= 0) & (partition.edge_layer < layers)).any():
        return "no lines: the network is affine here"
    return "no lines: the layers with lines here are hidden"


def border_path(partition: Partition) -> Path:
    border = np.flatnonzero(partition.edge_layer == -1).astype(np.int32)
    return _chains(partition, border)


def regions_through(partition: Partition, depths: int | None) -> int:
    """Count the regions of so many first layers: those that no line of these layers parts are one."""
    layers = len(partition.network.kinks)
    if depths is None or depths >= layers:
        return int(partition.regions)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    faces = len(partition.face_offsets) - 1
    pairs = partition.edge_faces[(partition.edge_layer >= depths) & (partition.edge_faces >= 0).all(axis=1)]
    joined = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(faces, faces))
    return int(connected_components(joined, directed=False)[0])


def panel_words(result: SliceResult, panel: SlicePanel) -> tuple[str, str]:
    """Return the plane and the number of regions, as the title of a panel says them."""
    plane = result.partition.plane.describe().replace("-", "\N{MINUS SIGN}")
    regions = counted(regions_through(result.partition, panel.depths), "region")
    return plane.replace(", ", ",\N{NO-BREAK SPACE}").replace("),\N{NO-BREAK SPACE}", "), "), regions


def level_name(result: SliceResult) -> str:
    level = result.partition.level
    return "zero level set" if not level else f"level set {level:g}"


def draw_level_set(
    axes: Axes, sheet: Sheet, result: SliceResult, name: str, order: float, style: Style, color: RGB,
    widest: float = 0.0,
) -> None:  # fmt: skip
    """Draw the level set over a casing, or say that there is none; widest: of the lines below."""
    level_set = result.level_set
    if level_set.empty:
        _say(axes, sheet, result.partition, f"no {level_name(result)} in this slice", style, 0.03, color, order)
        return
    path = Path.make_compound_path(*(Path(polyline) for polyline in level_set.polylines))
    usual = style.unit * style.level * _LEVEL_SET
    width = max(min(usual, _spacing(result.partition, level_set.length) * sheet.scale / 3), _OVER_LINES * widest)
    outline = border_path(result.partition)
    casing = width + 2 * min(_CASING * style.unit, width)
    add_path(axes, sheet, path, f"{name}-casing", style.paper.ground, casing, order, outline)
    add_path(axes, sheet, path, f"{name}-level-set", color, width, order + 1, outline)


def line_widths(result: SliceResult, panel: SlicePanel, scale: float, style: Style) -> list[float]:
    """A width in points for each depth: a share of the mean distance between lines, tapering from first to last."""
    partition = result.partition
    layers = len(partition.network.kinks)
    ends = partition.vertices[partition.edges[np.isin(partition.edge_layer, shown_depths(panel, layers))]]
    spacing = _spacing(partition, float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum())) * scale
    taper = 1 + _TAPER * np.linspace(1, -1, layers) if layers > 1 else np.ones(layers)
    clipped = np.clip(_COVERAGE * spacing * taper, _FINEST, _WIDEST * style.unit)
    return [float(width) for width in style.lines * clipped]


def bar_fill(result: SliceResult, panel: SlicePanel) -> FaceFill | None:
    """The fill of a panel if its colours stand for numbers."""
    if panel.fill in (Fill.NONE, Fill.SIGN, Fill.RANDOM) or result.partition.network.output_size != 1:
        return None
    return face_fill(result.partition, panel.fill)


def _draw_fill(
    axes: Axes, sheet: Sheet, result: SliceResult, fill: Fill, name: str, style: Style, dpi: float, order: float
) -> None:
    """Draw the regions' colours as a picture below the lines."""
    partition = result.partition
    found = face_fill(partition, fill)
    assert found is not None
    (left, low), (right, high) = partition.vertices.min(axis=0).tolist(), partition.vertices.max(axis=0).tolist()
    longest = max(right - left, high - low)
    pixels = min(_MOST_PIXELS, max(16, round(sheet.scale * longest * dpi / 72))) / longest
    size = max(1, round(pixels * (right - left))), max(1, round(pixels * (high - low)))
    picture = fill_picture(partition, found, (left, high), size, pixels, style.paper)
    page = figure_of(axes)
    limits = axes.get_xlim(), axes.get_ylim()
    image = axes.imshow(
        picture, extent=(left, right, low, high), origin="upper", interpolation="none", aspect="auto",
        transform=sheet.transform(page),
    )  # fmt: skip
    axes.set(xlim=limits[0], ylim=limits[1])
    outline = Path(sheet.to_page(np.asarray(border_path(partition).vertices, np.float64)))
    image.set(gid=name, zorder=order + 0.5)
    image.set_clip_path(outline, on_page(page))


def _draw_neuron(
    axes: Axes, sheet: Sheet, partition: Partition, neuron: tuple[int, int], name: str, style: Style, order: float
) -> None:
    layer, index = neuron
    if layer >= len(partition.network.kinks):
        return
    edges = neuron_edges(partition, (layer, index))
    if not len(edges):
        return
    path = Path(partition.vertices[edges].reshape(-1, 2), polyline_codes(2 * len(edges), np.arange(len(edges)) * 2))
    width = _HIGHLIGHT * style.unit
    add_path(axes, sheet, path, f"{name}-casing", style.paper.ground, width + 2 * _CASING * style.unit, order)
    add_path(axes, sheet, path, name, HIGHLIGHT, width, order + 0.5)


def _draw_pins(
    axes: Axes, sheet: Sheet, partition: Partition, panel: SlicePanel, name: str, style: Style, order: float
) -> None:
    """Draw a numbered disc at each pin that lies on the plane, in the part that is shown."""
    plane = partition.plane
    if not panel.pins or plane.dimension != 3:
        return
    low, high = partition.vertices.min(axis=0), partition.vertices.max(axis=0)
    for number, pin in enumerate(panel.pins, 1):
        away = np.array(pin) - plane.origin
        place = plane.axes @ away
        off = float(np.linalg.norm(away - place @ plane.axes))
        if off > _ON_PLANE * float((high - low).max()) or not ((low <= place) & (place <= high)).all():
            continue
        circle = Path.circle((0.0, 0.0), _PIN * style.unit)
        spot = Sheet(np.eye(2), sheet.to_page(place[None])[0])
        add_area(axes, spot, circle, f"{name}-pin-{number}", style.paper.ink, order)
        x, y = spot.shift.tolist()
        text = axes.text(x, y, str(number), ha="center", va="center_baseline", transform=on_page(figure_of(axes)))
        text.set(fontsize=style.small, color=style.paper.ground, fontweight="bold", zorder=order + 0.5)


def _say(
    axes: Axes, sheet: Sheet, partition: Partition, words: str, style: Style, height: float, color: RGB, order: float
) -> None:
    """Write words into a panel, at a share of its height."""
    corners = sheet.to_page(partition.vertices[partition.edges[partition.edge_layer == -1]].reshape(-1, 2))
    low, high = corners.min(axis=0), corners.max(axis=0)
    x, y = (low[0] + high[0]) / 2, low[1] + height * (high[1] - low[1])
    message = axes.text(x, y, words, transform=on_page(figure_of(axes)), ha="center", zorder=order, wrap=False)
    message.set(fontsize=style.text, color=color, bbox={"facecolor": style.paper.ground, "edgecolor": "none", "pad": 2})


def _spacing(partition: Partition, length: float) -> float:
    """The mean distance between lines of total length `length` on the slice."""
    return float(areas(partition).sum()) / length if length else np.inf


def _lines(partition: Partition, layer: int) -> Path:
    """One path with a polyline along each neuron's level set: caps of single edges would dot it."""
    chains = chain_lines(partition, layer)
    return Path(partition.vertices[chains.vertex_ids], polyline_codes(len(chains.vertex_ids), chains.offsets[:-1]))


def _chains(partition: Partition, edges: NDArray[np.int32]) -> Path:
    chains = chain_edges(partition, edges)
    return Path(partition.vertices[chains.vertex_ids], polyline_codes(len(chains.vertex_ids), chains.offsets[:-1]))
