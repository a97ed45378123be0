"""Measures of a training's checkpoints over its steps, as a figure for print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from app.comparison.measures import BY_KEY
from app.state.palette import BACKGROUND, BORDER, accent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from app.comparison.timeline import Moment

_MM: Final = 72 / 25.4
_PAGE: Final = 180 * _MM
_COLUMNS: Final = 3
_LEFT, _RIGHT, _GAP, _PANEL, _TITLE, _TICKS, _FOOT = 34.0, 6.0, 34.0, 88.0, 14.0, 14.0, 26.0
_SMALL, _NORMAL = 6.0, 7.0
_MANY: Final = 30  # times the first step, from which on steps have a logarithmic axis
CURVES: Final = (
    "regions", "near", "line_density", "level_length", "eikonal", "complexity_exact", "rms", "largest", "slice_iou",
    "level_hausdorff", "angle", "sign_area",
)  # fmt: skip
"""Those from rms on are the change from the checkpoint before."""


def draw_curves(moments: Sequence[Moment], places: Sequence[str], name: str) -> Figure:
    """Draw a panel for each measure, with a curve for each place; what could not be read is a grey line.

    name: of the training; places: of the rows, such as "z = 0".
    """
    measured = [row for moment in moments for row in moment.rows]
    keys = [key for key in CURVES if any(row.values.get(key) is not None for row in measured)]
    rows = -(-len(keys) // _COLUMNS)
    panel = (_PAGE - _LEFT - _RIGHT - (_COLUMNS - 1) * _GAP) / _COLUMNS
    row_height = _TITLE + _PANEL + _TICKS
    height = _TITLE + rows * row_height + _FOOT
    figure = Figure(figsize=(_PAGE / 72, height / 72), facecolor=BACKGROUND)
    title = figure.text(_LEFT / _PAGE, 1 - 4 / height, name, va="top", fontsize=_NORMAL + 1, fontweight="bold")
    title.set_parse_math(False)
    for i, key in enumerate(keys):
        left = _LEFT + i % _COLUMNS * (panel + _GAP)
        bottom = height - _TITLE - (i // _COLUMNS + 1) * row_height + _TICKS
        axes = figure.add_axes((left / _PAGE, bottom / height, panel / _PAGE, _PANEL / height))
        _draw_curve(axes, moments, places, key)
    gaps = sum(bool(moment.gap) for moment in moments)
    labels = [*places, *([f"{gaps} not read"] if gaps else [])]
    lines = [*figure.axes[0].lines[: len(places)], *([_grey_line(figure.axes[0])] if gaps else [])]
    figure.legend(lines, labels, loc="lower left", bbox_to_anchor=(_LEFT / _PAGE, 0), ncols=len(labels), frameon=False,
                  fontsize=_NORMAL, borderaxespad=0.4, handlelength=1.6)  # fmt: skip
    note = figure.text(1 - _RIGHT / _PAGE, 8 / height, "→ change from the checkpoint before", ha="right", color=BORDER)
    note.set_fontsize(_NORMAL)
    return figure


def _draw_curve(axes: Axes, moments: Sequence[Moment], places: Sequence[str], key: str) -> None:
    steps = [moment.step for moment in moments]
    logarithmic = min(steps) > 0 and max(steps) > _MANY * min(steps)
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    for index, place in enumerate(places):
        values = [_value(moment, place, key) for moment in moments]
        numbers = [np.nan if value is None else float(value) for value in values]
        axes.plot(steps, numbers, color=accent(index), linewidth=0.9, marker="o", markersize=2.2, clip_on=False)
    axes.set_xlim(*_range(steps, logarithmic))
    for moment in moments:
        if moment.gap:
            axes.axvline(moment.step, color="0.75", linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
    measure = BY_KEY[key]
    unit = f" ({measure.unit})" if measure.unit else ""
    change = " →" if CURVES.index(key) >= CURVES.index("rms") else ""
    axes.set_title(f"{measure.name}{unit}{change}", fontsize=_NORMAL, loc="left", pad=3)
    axes.tick_params(labelsize=_SMALL, width=0.4, length=2, pad=1.5, color=BORDER)
    axes.spines[:].set(linewidth=0.4, color=BORDER)
    axes.spines[["top", "right"]].set_visible(False)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.set_gid(f"curve-{key}")


def _range(steps: Sequence[int], logarithmic: bool) -> tuple[float, float]:
    """Return the ends of the axis of steps: a little beyond the first and the last."""
    first, last = min(steps), max(steps)
    if logarithmic:
        reach = (last / first) ** 0.04
        return first / reach, last * reach
    reach = 0.04 * (last - first) or 0.5
    return first - reach, last + reach


def _grey_line(axes: Axes) -> Any:
    return next(line for line in axes.lines if line.get_color() == "0.75")


def _value(moment: Moment, place: str, key: str) -> Any:
    return next((row.values.get(key) for row in moment.rows if row.place == place), None)
