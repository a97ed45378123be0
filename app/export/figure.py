"""Slices as figures for print: vectors (SVG, PDF) or pixels (PNG), without a display.

One panel for each slice.  The lines of one depth are one path; wide lines of the first layers lie over fine lines of
the deep ones, and all of them under the level set.  Sizes are those of journals: one panel fills a column of 85 mm,
two or three a page of 180 mm.
"""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from app.export.ticks import Ticks
from app.provenance.carriers import figure_metadata
from app.state.palette import ACCENTS, BACKGROUND, BORDER, RGB, Palette, accent, depth_colors
from app.state.slices import SliceResult, axis_labels
from app.state.texts.numbers import counted
from engine import Partition, chain_edges, chain_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS: Final = ("svg", "pdf", "png")

# All lengths are in points of 1/72 inch.
_MM: Final = 72 / 25.4
_COLUMN, _PAGE = 85 * _MM, 180 * _MM
_LEFT, _RIGHT, _GAP = 27.0, 7.0, 29.0
_TITLE, _PANEL_TITLE, _TICKS, _LEGEND = 15.0, 13.0, 22.0, 25.0
_PANELS_PER_ROW = 3
_SMALL, _NORMAL = 6.0, 7.0
_CHARACTER, _LINE = 4.2, 9.0  # mean width of a letter and height of a line at the normal size

_COVERAGE = 0.22  # line width over the mean distance between lines, so the share of the paper under ink
_FINEST, _WIDEST = 0.05, 0.5
_TAPER = 0.5  # the first layer's lines are wider by this share, the last layer's finer
_DECIMALS = 2  # of positions: a hundredth of a point is 4 micrometres on paper, less than a pixel at 4800 dpi
_LEVEL_SET, _CASING = 1.1, 0.55  # the casing is what shows on each side


def draw_slices(slices: Sequence[SliceResult], palette: Palette = Palette.TIDE) -> Figure:
    """A figure with a panel for each slice, all of one checkpoint and network; palette: of the depths."""
    colors = depth_colors(len(slices[0].partition.network.kinks), palette)
    columns = 2 if len(slices) == 4 else min(len(slices), _PANELS_PER_ROW)
    rows = [range(first, min(first + columns, len(slices))) for first in range(0, len(slices), columns)]
    width = _COLUMN if columns == 1 else _PAGE
    panel = (width - _LEFT - _RIGHT - (columns - 1) * _GAP) / columns
    titles = [panel_title(result, panel) for result in slices]
    title_heights = [_PANEL_TITLE + _LINE * max(titles[i].count("\n") for i in row) for row in rows]
    notes = [line for note in _notes(slices) for line in textwrap.wrap(note, int(width / _CHARACTER))]
    top = _TITLE + _LINE * len(notes)
    height = top + sum(title_heights) + len(rows) * (panel + _TICKS) + _LEGEND
    height = round(height, _DECIMALS)  # SVG counts from the top
    figure = Figure(figsize=(width / 72, height / 72), facecolor=BACKGROUND)

    name = figure.text(_LEFT / width, 1 - 5 / height, shortened(slices[0].checkpoint, int(width / 6.0)), va="top")
    name.set(fontsize=_NORMAL + 1, fontweight="bold", parse_math=False)
    if notes:
        label = figure.text(_LEFT / width, 1 - _TITLE / height, "\n".join(notes), va="top", color=accent(0))
        label.set(fontsize=_NORMAL, gid="notes", parse_math=False)
    bottom = height - top
    for row, title_height in zip(rows, title_heights, strict=True):
        bottom -= title_height + panel
        for column, i in enumerate(row):
            left = _LEFT + column * (panel + _GAP)
            axes = figure.add_axes((left / width, bottom / height, panel / width, panel / height))
            axes.set_title(titles[i], fontsize=_NORMAL, loc="left", pad=5)
            draw_panel(axes, slices[i], f"slice-{i}", panel, colors, accent(i))
        bottom -= _TICKS
    legend = figure.add_axes((_LEFT / width, 0, (width - _LEFT - _RIGHT) / width, _LEGEND / height))
    draw_legend(legend, slices, width - _LEFT - _RIGHT, colors)
    return figure


def _notes(slices: Sequence[SliceResult]) -> list[str]:
    """Return what keeps the figure from being exact, in words; nothing when it is."""
    left = sum(result.partition.tie_counts.unexamined for result in slices)
    rounding = f"{counted(left, 'decision')} left to rounding: regions thinner than it may be missing or in excess"
    return [note for note in (slices[0].approximation, rounding if left else "") if note]


def write_figure(
    figure: Figure, path: FilePath | BinaryIO, format: str, dpi: float = 600.0, provenance: str = ""
) -> None:
    """Write a figure; `format` is one of FORMATS, `dpi` counts for pixels, provenance: what the file carries of how it
    was made.  No time and no random number gets into the file.
    """
    with (
        rc_context({"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "splinescope"}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # in a checkpoint's name
        figure.savefig(path, format=format, dpi=dpi, metadata=figure_metadata(format, provenance))


def draw_panel(
    axes: Axes, result: SliceResult, name: str, size: float, colors: Sequence[RGB], level_color: RGB
) -> None:
    """Draw a slice: its lines, its level set, its border and its coordinates.

    name: how the names of its paths begin; size: of the panel in points; colors: of the depths.
    """
    partition = result.partition
    points_per_unit = size / frame(axes, partition)
    layers = len(colors)
    widths = _line_widths(result, points_per_unit)
    for depth, color in enumerate(colors):
        add_path(
            axes,
            _lines(partition, depth),
            f"{name}-depth-{depth}",
            color,
            widths[depth],
            layers - depth,
        )
    add_path(axes, _lines(partition, -1), f"{name}-border", BORDER, 0.5, layers + 4)
    draw_level_set(axes, result, name, points_per_unit, layers + 2, level_color)
    draw_coordinates(axes, partition)


def frame(axes: Axes, partition: Partition) -> float:
    """Make room for a slice, at one scale along both axes; returns the side of the square that it fills."""
    lower, upper = partition.vertices.min(axis=0), partition.vertices.max(axis=0)
    side = float((upper - lower).max())
    center = (lower + upper) / 2
    axes.set_xlim(center[0] - side / 2, center[0] + side / 2)
    axes.set_ylim(center[1] - side / 2, center[1] + side / 2)
    axes.set_aspect("equal")
    return side


def draw_coordinates(axes: Axes, partition: Partition) -> None:
    """Draw ticks and names of the slice's coordinates."""
    horizontal, vertical = axis_labels(partition.plane)
    across, upwards = Ticks.between(*axes.get_xlim(), horizontal), Ticks.between(*axes.get_ylim(), vertical)
    axes.set_xlabel(across.label, fontsize=_NORMAL, fontstyle="italic", labelpad=1)
    turn = 0 if upwards.label == vertical else 90
    axes.set_ylabel(upwards.label, fontsize=_NORMAL, fontstyle="italic", labelpad=0, rotation=turn, va="center")
    if turn:
        axes.yaxis.label.set_verticalalignment("bottom")
    axes.tick_params(labelsize=_SMALL, width=0.4, length=2, pad=1.5, color=BORDER)
    for axis, ticks in ((axes.xaxis, across), (axes.yaxis, upwards)):
        axis.set_ticks(ticks.places, ticks.texts)
    axes.spines[:].set(linewidth=0.4, color=(0.8, 0.8, 0.8))
    axes.spines[["top", "right"]].set_visible(False)


def panel_title(result: SliceResult, size: float) -> str:
    """The plane and the number of regions, on as many lines as they need; points and vectors are not broken."""
    plane = result.partition.plane.describe().replace("-", "\N{MINUS SIGN}")
    unbroken = plane.replace(", ", ",\N{NO-BREAK SPACE}").replace("),\N{NO-BREAK SPACE}", "), ")
    regions = counted(result.partition.regions, "region")
    length = int(size / _CHARACTER)
    if len(plane) + len(regions) + 3 <= length:
        return f"{plane} · {regions}"
    return "\n".join([*textwrap.wrap(unbroken, length), regions])


def draw_level_set(axes: Axes, result: SliceResult, name: str, points_per_unit: float, order: int, color: RGB) -> None:
    """Draw the level set over a casing, or say that there is none; order: the casing's among what is drawn."""
    level_set = result.level_set
    if level_set.empty:
        message = axes.text(0.5, 0.03, f"no {_level_name(result)} in this slice", transform=axes.transAxes, ha="center")
        message.set(fontsize=_NORMAL, color=color, bbox={"facecolor": BACKGROUND, "edgecolor": "none", "pad": 2})
        message.set_zorder(order)
        return
    path = Path.make_compound_path(*(Path(polyline) for polyline in level_set.polylines))
    width = min(_LEVEL_SET, _spacing(result, level_set.length) * points_per_unit / 3)
    add_path(axes, path, f"{name}-casing", BACKGROUND, width + 2 * min(_CASING, width), order)
    add_path(axes, path, f"{name}-level-set", color, width, order + 1)
    border = np.flatnonzero(result.partition.edge_layer == -1).astype(np.int32)
    domain = Path(result.partition.vertices[chain_edges(result.partition, border).vertex_ids])
    for patch in axes.patches[-2:]:
        patch.set_clip_path(domain, axes.transData)


def draw_legend(axes: Axes, slices: Sequence[SliceResult], width: float, colors: Sequence[RGB]) -> None:
    """A bar of the depths' colours with their numbers, and a stroke for the level set; in points."""
    axes.set(xlim=(0, width), ylim=(0, _LEGEND))
    axes.set_axis_off()
    axes.set_gid("legend")
    layers = len(colors)
    axes.text(0, 17.5, "depth", fontsize=_NORMAL, va="center")
    left, level_width = 25.0, 62.0
    cell = min(12.0, (width - left - level_width) / max(layers, 1))
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if step * cell >= 5)
    for depth, color in enumerate(colors):
        axes.add_patch(
            Rectangle((left + depth * cell, 14), cell, 7, facecolor=color, edgecolor=BACKGROUND, linewidth=0.3)
        )
        if depth % every == 0:
            axes.text(left + (depth + 0.5) * cell, 12, str(depth), fontsize=_SMALL, ha="center", va="top")
    right = left + layers * cell + 12
    shown = [color for color, result in zip(ACCENTS, slices, strict=False) if not result.level_set.empty]
    for color in shown:
        axes.add_line(
            Line2D([right, right + 7], [17.5, 17.5], color=color, linewidth=_LEVEL_SET, solid_capstyle="butt")
        )
        right += 9
    if shown:
        axes.text(right + 1, 17.5, _level_name(slices[0]), fontsize=_NORMAL, va="center")


def _line_widths(result: SliceResult, points_per_unit: float) -> list[float]:
    """A width in points for each depth: a share of the mean distance between lines, tapering from first to last."""
    partition = result.partition
    layers = len(partition.network.kinks)
    inner = (partition.edge_layer >= 0) & (partition.edge_layer < layers)
    ends = partition.vertices[partition.edges[inner]]
    spacing = _spacing(result, float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum())) * points_per_unit
    taper = 1 + _TAPER * np.linspace(1, -1, layers) if layers > 1 else np.ones(layers)
    return [float(width) for width in np.clip(_COVERAGE * spacing * taper, _FINEST, _WIDEST)]


def _spacing(result: SliceResult, length: float) -> float:
    """The mean distance between lines of total length `length` on the slice."""
    partition = result.partition
    border = partition.vertices[partition.edges[partition.edge_layer == -1]]
    (x0, y0), (x1, y1) = (border - partition.vertices.mean(axis=0)).transpose(1, 2, 0)  # the domain is convex
    area = 0.5 * float(np.abs(x0 * y1 - x1 * y0).sum())
    return area / length if length else np.inf


def _lines(partition: Partition, layer: int) -> Path:
    """One path with a polyline along each neuron's level set: caps of single edges would dot it."""
    chains = chain_lines(partition, layer)
    return Path(partition.vertices[chains.vertex_ids], _polyline_codes(len(chains.vertex_ids), chains.offsets[:-1]))


def add_path(axes: Axes, path: Path, gid: str, color: RGB, width: float, order: int) -> None:
    placed = _on_paper(axes, path)
    placed.should_simplify = False
    patch = PathPatch(placed, fill=False, edgecolor=color, linewidth=width, capstyle="round", joinstyle="round")
    figure = axes.get_figure(root=True)
    assert figure is not None
    patch.set(gid=gid, zorder=order, clip_on=False, transform=Affine2D().scale(1 / 72) + figure.dpi_scale_trans)
    axes.add_patch(patch)


def _on_paper(axes: Axes, path: Path) -> Path:
    """A path in the axes' coordinates, in points from the figure's corner, with as many digits as can be seen.

    Steps that are shorter than that are left out.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    vertices = np.round(axes.transData.transform(path.vertices) * (72 / figure.dpi), _DECIMALS)
    codes = _polyline_codes(len(vertices), np.zeros(1, np.intp)) if path.codes is None else np.asarray(path.codes)
    same = np.zeros(len(vertices), dtype=bool)
    same[1:] = (vertices[1:] == vertices[:-1]).all(axis=1) & (codes[1:] == Path.LINETO) & (codes[:-1] == Path.LINETO)
    return Path(vertices[~same], codes[~same])


def _polyline_codes(count: int, starts: NDArray[np.integer]) -> NDArray[np.uint8]:
    codes = np.full(count, Path.LINETO, dtype=np.uint8)
    codes[starts] = Path.MOVETO
    return codes


def _level_name(result: SliceResult) -> str:
    level = result.partition.level
    return "zero level set" if not level else f"level set {level:g}"


def shortened(name: str, length: int) -> str:
    return name if len(name) <= length else f"{name[: length // 2]}…{name[-(length // 2) :]}"
