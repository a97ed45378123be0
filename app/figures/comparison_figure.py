"""Slices of several checkpoints beside each other, and how they differ, as a figure for print.

A row for each plane, a column for each checkpoint, and a column for each difference from the first one.  Slices are
those of `app.figures.slice_drawing`; differences are the values of both networks at the middles of pixels, in diverging
colours around 0, one range in a row; over them lie the exact level sets of both.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from numpy.typing import NDArray

from app.comparison.colors import DIFFERENCES, DIFFERING, difference_title
from app.figures.arrangement import Box, panel_title
from app.figures.drawing import shortened, square_sheet
from app.figures.furniture import draw_coordinates, draw_legend, frame
from app.figures.slice_drawing import border_path, draw_level_set, draw_slice, level_name, panel_words
from app.figures.spec import SlicePanel
from app.figures.style import Style
from app.state.palette import BACKGROUND, BORDER, Palette
from app.state.texts.numbers import number_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from app.comparison.slices import ComparedSlice
    from app.state.slices import SliceResult

# All lengths are in points of 1/72 inch.
_MM: Final = 72 / 25.4
_PAGE: Final = 180 * _MM
_LEAST_PANEL: Final = 42 * _MM  # with more columns than fit on a page, the figure is wider
_LEFT, _RIGHT, _GAP, _BAR, _BAR_GAP = 27.0, 44.0, 29.0, 6.0, 5.0
_NAMES, _PANEL_TITLE, _TICKS, _LEGEND = 16.0, 22.0, 24.0, 25.0
_SMALL, _NORMAL = 6.0, 7.0
_CHARACTER, _LINE = 4.2, 9.0  # mean width of a letter and height of a line at the normal size
_PIXELS: Final = 600
_DPI: Final = 600.0


def draw_comparison(planes: Sequence[ComparedSlice], palette: Palette = Palette.TIDE) -> Figure:
    """Draw networks on planes: rows of slices and differences; palette: of the depths."""
    networks = len(planes[0].slices)
    columns = 2 * networks - 1
    panel = max(_LEAST_PANEL, (_PAGE - _LEFT - _RIGHT - (columns - 1) * _GAP) / columns)
    width = _LEFT + _RIGHT + (columns - 1) * _GAP + columns * panel
    row_height = _PANEL_TITLE + panel + _TICKS
    approximations = [f"{found.checkpoint}: {found.approximation}" for found in planes[0].slices if found.approximation]
    notes = [line for note in approximations for line in textwrap.wrap(note, int(width / _CHARACTER))]
    top = _NAMES + _LINE * len(notes)
    height = round(top + len(planes) * row_height + _LEGEND, 2)
    figure = Figure(figsize=(width / 72, height / 72), facecolor=BACKGROUND)
    style = Style(palette=palette)
    depths = max(len(result.partition.network.kinks) for result in planes[0].slices)
    panels = [SlicePanel(checkpoint=number, colour=number) for number in range(networks)]
    names = [result.checkpoint for result in planes[0].slices]

    def place(row: int, column: int, left: float, across: float) -> tuple[float, float, float, float]:
        bottom = height - top - (row + 1) * row_height + _TICKS
        x = _LEFT + column * (panel + _GAP) + left
        return x / width, bottom / height, across / width, panel / height

    if notes:
        label = figure.text(_LEFT / width, 1 - _NAMES / height, "\n".join(notes), va="top", color=style.accent(0))
        label.set(fontsize=_NORMAL, gid="notes", parse_math=False)
    for column in range(columns):
        other = column - networks + 1
        title = names[column] if column < networks else f"{names[other]} \N{MINUS SIGN} {names[0]}"
        text = figure.text(place(0, column, 0, 0)[0], 1 - 5 / height, shortened(title, int(panel / 4.6)), va="top")
        text.set(fontsize=_NORMAL + 1, fontweight="bold", parse_math=False)
    for row, compared in enumerate(planes):
        for column, result in enumerate(compared.slices):
            axes = figure.add_axes(place(row, column, 0, panel))
            title = panel_title(panel_words(result, panels[column]), panel, style, lettered=False)
            axes.set_title(title, fontsize=_NORMAL, loc="left", pad=4)
            sheet = square_sheet(axes, _box(axes, width, height), frame(axes, result.partition))
            draw_slice(axes, sheet, result, panels[column], f"plane-{row}-checkpoint-{column}", style, _DPI, depths)
            draw_coordinates(axes, result.partition, style, panel)
        largest = max((values["largest"] for values in compared.differences[1:]), default=0.0)
        for other in range(1, networks):
            column = networks + other - 1
            axes = figure.add_axes(place(row, column, 0, panel))
            axes.set_title(
                "\n".join(difference_title(compared.differences[other])), fontsize=_NORMAL, loc="left", pad=4
            )
            _draw_difference(
                axes, compared, other, f"plane-{row}-difference-{other}", largest, style, _box(axes, width, height)
            )
            if other == networks - 1:
                _draw_bar(figure.add_axes(place(row, column, panel + _BAR_GAP, _BAR)), largest)
    inner = width - _LEFT - _RIGHT
    legend = figure.add_axes((_LEFT / width, 0, inner / width, _LEGEND / height))
    shown = list(zip(panels, planes[0].slices, strict=True))
    draw_legend(legend, shown, inner, style, level_name(planes[0].slices[0]))
    _draw_key(legend, inner)
    return figure


def _box(axes: Axes, width: float, height: float) -> Box:
    """Where axes stand on a page, in points."""
    place = axes.get_position()
    return Box(place.x0 * width, place.y0 * height, place.width * width, place.height * height)


def _draw_difference(
    axes: Axes, compared: ComparedSlice, other: int, name: str, largest: float, style: Style, box: Box
) -> None:
    first, second = compared.slices[0], compared.slices[other]
    sheet = square_sheet(axes, box, frame(axes, first.partition))
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    values = _values(first, second, (left, right, low, high))
    difference = values[1] - values[0]
    level = first.partition.level or 0.0
    outline = border_path(first.partition)
    limit = largest or 1.0
    shown = axes.imshow(
        difference,
        cmap=DIFFERENCES,
        norm=Normalize(-limit, limit),
        extent=(left, right, low, high),
        origin="lower",
        interpolation="bilinear",
        aspect="equal",
    )
    shown.set(gid=name, clip_path=PathPatch(outline, transform=axes.transData))
    differing = np.zeros((*difference.shape, 4))
    differing[(values[0] < level) != (values[1] < level)] = (*DIFFERING, 1.0)
    filled = axes.imshow(
        differing, extent=(left, right, low, high), origin="lower", interpolation="nearest", aspect="equal"
    )
    filled.set(gid=f"{name}-signs", clip_path=PathPatch(outline, transform=axes.transData))
    for column, result in ((0, first), (other, second)):
        if not result.level_set.empty:
            draw_level_set(axes, sheet, result, f"{name}-of-{column}", 4 + 2 * column, style, style.accent(column))
    edge = PathPatch(outline, fill=False, edgecolor=BORDER, linewidth=0.5, joinstyle="round")
    edge.set(gid=f"{name}-border", zorder=100, clip_on=False)
    axes.add_patch(edge)
    draw_coordinates(axes, first.partition, style, box.width)


def _values(
    first: SliceResult, second: SliceResult, extent: tuple[float, float, float, float]
) -> list[NDArray[np.float64]]:
    """Return the outputs (n, n) of both networks at the middles of pixels; rows upwards."""
    left, right, low, high = extent
    middles = (np.arange(_PIXELS) + 0.5) / _PIXELS
    u, v = np.meshgrid(left + (right - left) * middles, low + (high - low) * middles)
    points = first.partition.plane.to_input(np.stack([u.ravel(), v.ravel()], axis=1))
    found = []
    for result in (first, second):
        blocks = [result.partition.network.forward(block)[:, 0] for block in np.array_split(points, 32)]
        found.append(np.concatenate(blocks).reshape(u.shape))
    return found


def _draw_bar(axes: Axes, largest: float) -> None:
    """Draw the colours with their values."""
    limit = largest or 1.0
    ramp = np.linspace(-limit, limit, 256)[:, None]
    axes.imshow(ramp, cmap=DIFFERENCES, extent=(0, 1, -limit, limit), origin="lower", aspect="auto")
    places = [-limit, -limit / 2, 0.0, limit / 2, limit] if largest else [0.0]
    axes.set_xticks([])
    texts = [number_text(value, _step(limit)).replace("-", "\N{MINUS SIGN}") for value in places]
    axes.yaxis.tick_right()
    axes.set_yticks(places, texts)
    axes.tick_params(labelsize=_SMALL, width=0.4, length=2, pad=1.5, color=BORDER)
    axes.spines[:].set(linewidth=0.4, color=BORDER)
    axes.set_gid("difference-bar")


def _step(limit: float) -> float:
    """Return a step of three digits."""
    return float(10.0 ** (np.floor(np.log10(limit)) - 2))


def _draw_key(axes: Axes, width: float) -> None:
    """Say at the right end of the legend what is filled in differences."""
    left = width - 52.0
    axes.add_patch(Rectangle((left, 14), 10, 7, facecolor=DIFFERING, edgecolor=BORDER, linewidth=0.3))
    axes.text(left + 13, 17.5, "signs differ", fontsize=_NORMAL, va="center")
