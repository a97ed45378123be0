"""The statistics of a slice as a figure for print, a page wide: a panel each for lines, neurons and regions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from app.state.palette import BACKGROUND, BORDER, RGB, Palette, accent, depth_colors
from app.state.texts.numbers import counted
from app.statistics.statistics import Histogram, SliceStatistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# All lengths are in points of 1/72 inch.
_PAGE: Final = 180 * 72 / 25.4
_LEFT, _RIGHT, _GAP = 34.0, 6.0, 38.0
_TOP, _TITLE, _PANEL, _TICKS = 30.0, 16.0, 104.0, 26.0
_SMALL, _NORMAL = 6.0, 7.0
_PALE: Final = 0.72  # of the way to white
_FACE: Final[RGB] = (0.55, 0.58, 0.62)
_MARKS: Final = ("o", "s", "^", "D", "v")
_LABELLED: Final = 12  # depths that are all numbered


def draw_statistics(statistics: SliceStatistics, checkpoint: str, palette: Palette = Palette.TIDE) -> Figure:
    """Draw five panels; checkpoint: its name, palette: of the depths."""
    height = _TOP + 2 * (_TITLE + _PANEL + _TICKS)
    figure = Figure(figsize=(_PAGE / 72, height / 72), facecolor=BACKGROUND)
    plane = statistics.plane.replace("-", "\N{MINUS SIGN}")
    name = figure.text(_LEFT / _PAGE, 1 - 5 / height, checkpoint, va="top", fontsize=_NORMAL + 1, fontweight="bold")
    name.set_parse_math(False)
    facts = f"{plane} · {counted(statistics.regions, 'region')} · {_of_length(statistics)}"
    figure.text(_LEFT / _PAGE, 1 - 16 / height, facts, va="top", fontsize=_NORMAL).set_parse_math(False)
    colors = depth_colors(len(statistics.depths), palette)
    rows: list[list[tuple[str, Callable[[Axes], None]]]] = [
        [
            ("Line length", lambda axes: _draw_lengths(axes, statistics, colors)),
            ("Share of it near the level set", lambda axes: _draw_shares(axes, statistics)),
            ("Neurons in the slice", lambda axes: _draw_neurons(axes, statistics, colors)),
        ],
        [
            ("Regions by area", lambda axes: _draw_areas(axes, statistics)),
            ("Regions by eccentricity", lambda axes: _draw_eccentricities(axes, statistics)),
        ],
    ]
    with rc_context({"mathtext.default": "regular"}):
        for row, panels in enumerate(rows):
            width = (_PAGE - _LEFT - _RIGHT - (len(panels) - 1) * _GAP) / len(panels)
            bottom = height - _TOP - (row + 1) * (_TITLE + _PANEL + _TICKS) + _TICKS
            for column, (title, draw) in enumerate(panels):
                left = _LEFT + column * (width + _GAP)
                axes = figure.add_axes((left / _PAGE, bottom / height, width / _PAGE, _PANEL / height))
                axes.set_title(title, fontsize=_NORMAL, loc="left", pad=4)
                _prepare(axes)
                draw(axes)
    return figure


def _of_length(statistics: SliceStatistics) -> str:
    level = statistics.level
    name = "zero level set" if not level else f"level set {level:g}"
    return f"lines {statistics.length:.4g} long, {name} {statistics.level_length:.4g}"


def _prepare(axes: Axes) -> None:
    axes.tick_params(labelsize=_SMALL, width=0.4, length=2, pad=1.5, color=BORDER)
    axes.spines[:].set(linewidth=0.4, color=(0.8, 0.8, 0.8))
    axes.spines[["top", "right"]].set_visible(False)


def _depth_axis(axes: Axes, depths: int) -> None:
    axes.set_xlim(-0.6, depths - 0.4)
    if depths <= _LABELLED:
        axes.set_xticks(range(depths))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel("depth", fontsize=_NORMAL, labelpad=1)


def _draw_lengths(axes: Axes, statistics: SliceStatistics, colors: list[RGB]) -> None:
    """Draw a bar for each depth; the part within the largest distance is dark."""
    depths = statistics.depths
    places, far = np.arange(len(depths)), max(statistics.distances)
    chosen = statistics.distances.index(far)
    axes.bar(places, [depth.length for depth in depths], 0.8, color=[_pale(color) for color in colors])
    axes.bar(places, [depth.within[chosen] for depth in depths], 0.8, color=colors)
    _depth_axis(axes, len(depths))
    axes.set_ylim(0, 1.18 * max([depth.length for depth in depths], default=1.0) or 1.0)
    _note(axes, f"dark: within {far:.3g} of the level set")


def _draw_shares(axes: Axes, statistics: SliceStatistics) -> None:
    """Draw a curve for each distance, and dashed the share that lines all over the slice would have."""
    depths = statistics.depths
    most = 0.0
    for index, (distance, even) in enumerate(zip(statistics.distances, statistics.area_within, strict=True)):
        shares = [depth.within[index] / depth.length if depth.length else 0.0 for depth in depths]
        color = accent(index)
        axes.axhline(even, color=color, linewidth=0.5, linestyle=(0, (4, 3)))
        axes.plot(
            shares, color=color, linewidth=0.9, marker=_MARKS[index % len(_MARKS)], markersize=2.6,
            label=f"within {distance:.3g}",
        )  # fmt: skip
        most = max(most, even, *shares, 0.0)
    axes.plot([], [], color=BORDER, linewidth=0.5, linestyle=(0, (4, 3)), label="of the area")
    _depth_axis(axes, len(depths))
    axes.set_ylim(0, min(1.0, most) * 1.45 or 1.0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, 0 if most > 0.05 else 1))
    axes.legend(
        fontsize=_SMALL, frameon=False, loc="upper left", borderaxespad=0.1, handlelength=1.4, labelspacing=0.2,
        ncols=2, columnspacing=0.8,
    )  # fmt: skip


def _draw_neurons(axes: Axes, statistics: SliceStatistics, colors: list[RGB]) -> None:
    """Draw stacked bars: neurons that switch in the depth's colour, then always on, then dead."""
    depths = statistics.depths
    places, bottom = np.arange(len(depths)), np.zeros(len(depths))
    paints: list[tuple[str, list[RGB]]] = [
        ("switching", colors),
        ("always_on", [_pale(color) for color in colors]),
        ("dead", [(0.25, 0.25, 0.25)] * len(colors)),
        ("constant", [(0.75, 0.75, 0.75)] * len(colors)),
    ]
    for name, paint in paints:
        heights = np.array([getattr(depth, name) for depth in depths])
        axes.bar(places, heights, 0.8, bottom=bottom, color=paint)
        bottom = bottom + heights
    _depth_axis(axes, len(depths))
    axes.set_ylim(0, 1.18 * bottom.max(initial=1.0))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    totals = [sum(getattr(depth, name) for depth in depths) for name, _ in paints]
    constant = f", {totals[3]:,} constant" if totals[3] else ""
    _note(axes, f"pale: {totals[1]:,} always on, black: {totals[2]:,} dead{constant}")


def _draw_areas(axes: Axes, statistics: SliceStatistics) -> None:
    _draw_histogram(axes, statistics.areas)
    axes.set_xscale("log")
    axes.tick_params(which="minor", length=0)
    axes.axvline(statistics.median_area, color=accent(0), linewidth=0.7)
    axes.set_xlabel("area", fontsize=_NORMAL, labelpad=1)
    _note(axes, f"median {statistics.median_area:.3g}")


def _draw_eccentricities(axes: Axes, statistics: SliceStatistics) -> None:
    _draw_histogram(axes, statistics.eccentricities)
    axes.axvline(statistics.median_eccentricity, color=accent(0), linewidth=0.7)
    axes.set_xlabel("eccentricity, 0 of a circle, 1 of a sliver", fontsize=_NORMAL, labelpad=1)
    axes.set_xlim(0, 1)
    _note(axes, f"median {statistics.median_eccentricity:.3g}")


def _draw_histogram(axes: Axes, histogram: Histogram) -> None:
    axes.stairs(histogram.counts, histogram.edges, fill=True, color=_FACE)
    axes.set_ylim(0, 1.18 * max(histogram.counts.max(initial=1), 1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))


def _note(axes: Axes, text: str) -> None:
    axes.text(0.01, 0.99, text, fontsize=_SMALL, color=BORDER, va="top", transform=axes.transAxes)


def _pale(color: RGB) -> RGB:
    red, green, blue = (part + _PALE * (1.0 - part) for part in color)
    return red, green, blue
