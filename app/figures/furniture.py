"""Axes, scale bars, colour bars and the legend of a figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from app.figures.spec import SlicePanel
from app.figures.ticks import Ticks
from app.state.slices import SliceResult, axis_labels
from app.views.slice.fills import shaded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from app.figures.style import Style
    from app.state.palette import RGB
    from app.views.slice.fills import FaceFill
    from engine import Partition

# All lengths are in points of 1/72 inch, for text of the usual size.
LEGEND_HEIGHT: Final = 25.0
BAR_HEIGHT: Final = 9.0
_LEVEL_SET: Final = 1.1
_DIGITS: Final = 3
_STROKES: Final = 5  # of level sets in different colours, which are enough to say what they are


def frame(axes: Axes, partition: Partition) -> float:
    """Make room for a slice, at one scale along both axes; returns the side of the square that it fills."""
    lower, upper = partition.vertices.min(axis=0), partition.vertices.max(axis=0)
    side = float((upper - lower).max())
    center = (lower + upper) / 2
    axes.set_xlim(center[0] - side / 2, center[0] + side / 2)
    axes.set_ylim(center[1] - side / 2, center[1] + side / 2)
    axes.set_aspect("equal")
    return side


def draw_coordinates(axes: Axes, partition: Partition, style: Style, size: float) -> None:
    """Draw ticks and names of the slice's coordinates; size: of the panel in points."""
    unit, paper = style.unit, style.paper
    horizontal, vertical = axis_labels(partition.plane)
    across, upwards = Ticks.between(*axes.get_xlim(), horizontal), Ticks.between(*axes.get_ylim(), vertical)
    words: dict[str, Any] = {"fontsize": style.text, "fontstyle": "italic", "color": paper.ink}
    axes.set_xlabel(across.label, labelpad=unit, **words)
    turn = 0 if upwards.label == vertical else 90
    axes.set_ylabel(upwards.label, labelpad=0, rotation=turn, va="center", **words)
    if turn:
        axes.yaxis.label.set_verticalalignment("bottom")
    axes.tick_params(
        labelsize=style.small, width=0.4 * unit, length=2 * unit, pad=1.5 * unit, color=paper.border,
        labelcolor=paper.ink,
    )  # fmt: skip
    for axis, ticks in ((axes.xaxis, across), (axes.yaxis, upwards)):
        every = _thinned(ticks, size if axis is axes.xaxis else math.inf, style)
        axis.set_ticks(ticks.places[::every], ticks.texts[::every])
    axes.spines[:].set(linewidth=0.4 * unit, color=paper.faint)
    axes.spines[["top", "right"]].set_visible(False)


def _thinned(ticks: Ticks, size: float, style: Style) -> int:
    """Return which of the numbers have room beside each other: each, every second one, ..."""
    needed = (max(map(len, ticks.texts), default=0) + 1) * 0.62 * style.small
    apart = size / max(1, len(ticks.texts) - 1)
    return max(1, math.ceil(needed / apart))


def draw_scale_bar(axes: Axes, size: float, style: Style) -> None:
    """Draw a bar of a round length below a panel, with that length; size: of the panel in points."""
    left, right = axes.get_xlim()
    length = round_below((right - left) / 4)
    width, unit = size * length / (right - left), style.unit
    low = -6.5 * unit / size
    bar = Line2D([0, width / size], [low, low], color=style.paper.ink, linewidth=1.2 * unit, solid_capstyle="butt")
    bar.set(transform=axes.transAxes, clip_on=False, gid="scale-bar")
    axes.add_line(bar)
    text = axes.text((width + 3 * unit) / size, low, f"{length:g}", transform=axes.transAxes, va="center_baseline")
    text.set(fontsize=style.small, color=style.paper.ink)


def round_below(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not greater."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9)))


def draw_color_bar(axes: Axes, fill: FaceFill, width: float, style: Style) -> None:
    """Draw in one line what the colours of a fill stand for: its name, the lowest value, the colours, the highest.

    axes: with points as its units, `width` wide.
    """
    unit, ink = style.unit, style.paper.ink
    axes.set(xlim=(0, width), ylim=(0, BAR_HEIGHT * unit))
    axes.set_axis_off()
    axes.set_gid("color-bar")
    middle = 4.5 * unit
    bar = min(46.0 * unit, width / 3)
    low, high = (f"{value:.{_DIGITS}g}".replace("-", "\N{MINUS SIGN}") for value in (fill.low, fill.high))
    letter = 0.62 * style.small
    left = width - bar - (len(high) + 1) * letter
    table = shaded(fill.table, style.paper)
    axes.imshow(table[None], extent=(left, left + bar, middle - 2.4 * unit, middle + 2.4 * unit), aspect="auto",
                interpolation="none")  # fmt: skip
    axes.set(xlim=(0, width), ylim=(0, BAR_HEIGHT * unit))
    for x, words, side in (
        (left - 2 * unit, f"{fill.label}{' (log)' if fill.logarithmic else ''}  {low}", "right"),
        (left + bar + 2 * unit, high, "left"),
    ):
        text = axes.text(x, middle, words, fontsize=style.small, color=ink, ha=side, va="center_baseline")
        text.set_parse_math(False)


def draw_legend(
    axes: Axes, slices: Sequence[tuple[SlicePanel, SliceResult]], width: float, style: Style, name: str
) -> None:
    """A bar of the depths' colours with their numbers, and a stroke for each level set; in points.

    name: of the level sets.
    """
    unit, paper = style.unit, style.paper
    axes.set(xlim=(0, width), ylim=(0, LEGEND_HEIGHT * unit))
    axes.set_axis_off()
    axes.set_gid("legend")
    layers = max((len(result.partition.network.kinks) for _, result in slices), default=0)
    right, middle = 0.0, 17.5 * unit
    shown = [style.accent(panel.colour) for panel, result in slices if panel.level_set and not result.level_set.empty]
    strokes = list(dict.fromkeys(shown))[:_STROKES]
    if layers and any(panel.lines for panel, _ in slices):
        colors = style.depth_colors(layers)
        axes.text(0, middle, "depth", fontsize=style.text, color=paper.ink, va="center")
        left, level_width = 25.0 * unit, (68.0 + 9.0 * len(strokes)) * unit if strokes else 0.0
        cell = max(1e-3, min(12.0 * unit, (width - left - level_width) / layers))
        every = next((step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if step * cell >= 5 * unit), 1000)
        for depth, color in enumerate(colors):
            axes.add_patch(
                Rectangle((left + depth * cell, 14 * unit), cell, 7 * unit, facecolor=color, edgecolor=paper.ground,
                          linewidth=0.3 * unit)
            )  # fmt: skip
            if depth % every == 0:
                axes.text(left + (depth + 0.5) * cell, 12 * unit, str(depth), fontsize=style.small, color=paper.ink,
                          ha="center", va="top")  # fmt: skip
        right = left + layers * cell + 12 * unit
    for color in strokes:
        _stroke(axes, right, middle, color, unit)
        right += 9 * unit
    if strokes:
        axes.text(right + unit, middle, name, fontsize=style.text, color=paper.ink, va="center")


def _stroke(axes: Axes, left: float, middle: float, color: RGB, unit: float) -> None:
    axes.add_line(
        Line2D([left, left + 7 * unit], [middle, middle], color=color, linewidth=_LEVEL_SET * unit,
               solid_capstyle="butt")
    )  # fmt: skip
