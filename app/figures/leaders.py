"""Zooms: the rectangle of a panel marked in another one, and lines from its corners to the panel's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from app.figures.sheet import on_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from app.figures.style import Style

Float = NDArray[np.float64]
_WIDTH: Final = 0.6  # points
_CASING: Final = 0.7  # what shows of it on each side


def corners_of(low: Float, high: Float) -> Float:
    """(4, 2): corners of a rectangle, anticlockwise from the lower left one."""
    return np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])


def draw_leaders(figure: Figure, marked: Float, zoomed: Float, name: str, style: Style) -> None:
    """Draw a rectangle, and the two outer ones of the lines between its corners and those of another one.

    marked, zoomed: (4, 2) points on the page, as `corners_of` orders them.
    """
    ties = [
        k for k in range(4)
        if not _meets(marked[k], zoomed[k], marked) and not _meets(marked[k], zoomed[k], zoomed)
    ]  # fmt: skip
    page = on_page(figure)
    closed = np.vstack([marked, marked[:1]])
    for path, part in (
        (Path(closed, closed=True), "rectangle"),
        *((Path(np.array([marked[k], zoomed[k]])), f"leader-{k}") for k in ties[:2]),
    ):
        for color, width, layer in (
            (style.paper.ground, _WIDTH + 2 * _CASING, 10.0), (style.paper.ink, _WIDTH, 11.0)
        ):  # fmt: skip
            line = PathPatch(path, fill=False, edgecolor=color, linewidth=width * style.unit, joinstyle="miter")
            line.set(transform=page, zorder=layer, clip_on=False)
            line.set_gid(f"{name}-{part}" if layer > 10 else f"{name}-{part}-casing")
            figure.add_artist(line)


def _meets(start: Float, end: Float, corners: Float) -> bool:
    """Whether a line goes through the inside of a rectangle."""
    shares = np.linspace(0.02, 0.98, 49)[:, None]
    points = start + shares * (end - start)
    low, high = corners.min(axis=0), corners.max(axis=0)
    slack = 1e-6 * (high - low)
    return bool(((points > low + slack) & (points < high - slack)).all(axis=1).any())
