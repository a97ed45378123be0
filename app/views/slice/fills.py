"""What regions are filled with: numbers to colours, and the colour bar's ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from app.state.look import Fill
from app.state.paper import Paper
from engine import Partition, areas, face_signs, gradient_norms, weighted_quantiles

Colors = NDArray[np.uint8]

_INSIDE, _OUTSIDE = (250, 226, 188), (238, 242, 247)
_FLAT = (255, 255, 255)
_DIMMED = 0.72  # of a fill's lightness on dark ground: lines must stay readable on it


@dataclass(frozen=True, eq=False, slots=True)
class FaceFill:
    """How to fill a partition's faces.

    colors (F, 3) uint8: one for each face; or table (N, 3) uint8: from the value `low` to `high` of the network's
    output at each point.  label, low, high, table: what the colour bar shows; its scale may be logarithmic.
    """

    fill: Fill
    label: str
    low: float
    high: float
    table: Colors
    colors: Colors | None = None
    logarithmic: bool = False


def face_fill(partition: Partition, fill: Fill) -> FaceFill | None:
    """The fill of a finished partition with one output; takes as long as computing what is asked for."""
    match fill:
        case Fill.NONE:
            return None
        case Fill.SIGN:
            return _sign(partition)
        case Fill.VALUE:
            return _value(partition)
        case Fill.GRADIENT:
            return _faces(
                fill, "|A|", _scalar(gradient_norms(partition)), areas(partition), _table("YlOrBr", 0.0, 0.72)
            )
        case Fill.AREA:
            sizes = areas(partition)
            return _faces(fill, "area", sizes, sizes, _table("BuGn", 0.02, 0.7), logarithmic=True)
        case Fill.RANDOM:
            # pastels by the golden ratio: neighbours in number, which often are neighbours, differ
            hues = (np.arange(partition.regions) * 0.6180339887) % 1.0
            table = _table("hsv", 0.0, 1.0)
            colors = (160 + 0.36 * table[(hues * (len(table) - 1)).astype(int)].astype(float)).clip(0, 255)
            return FaceFill(fill, "random", 0.0, 0.0, table, colors.astype(np.uint8))


def shaded(colors: Colors, paper: Paper) -> Colors:
    """Colours (N, 3) as they are on a paper: on a dark one as far from black as on white from white, in their hue."""
    if not paper.dark:
        return colors
    parts = colors.astype(np.float32)
    mirrored = parts + 255.0 - parts.max(axis=1, keepdims=True) - parts.min(axis=1, keepdims=True)
    ground = np.array(paper.ground, np.float32)
    return np.asarray(np.rint(255.0 * ground + _DIMMED * (1.0 - ground) * mirrored), np.uint8)


def _scalar(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values if values.ndim == 1 else values[:, 0]


def _sign(partition: Partition) -> FaceFill:
    table = np.array([_INSIDE, _FLAT, _OUTSIDE], np.uint8)
    return FaceFill(Fill.SIGN, "sign of f", -1.0, 1.0, table, table[face_signs(partition).astype(int) + 1])


def _value(partition: Partition) -> FaceFill:
    values = _scalar(partition.values) - (partition.level or 0.0)
    most = float(np.abs(values).max()) or 1.0
    return FaceFill(Fill.VALUE, "f", -most, most, _table("BrBG", 0.16, 0.84))


def _faces(
    fill: Fill,
    label: str,
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    table: Colors,
    logarithmic: bool = False,
) -> FaceFill:
    """Colours between the values that 1% of the slice are below and above; weights (F,): the areas of the faces."""
    shown = np.log10(np.maximum(values, values.max() * 1e-9 + 1e-300)) if logarithmic else values
    low, high = weighted_quantiles(shown, weights, (0.01, 0.99))
    place = np.clip((shown - low) / (high - low or 1.0), 0.0, 1.0)
    colors = table[np.rint(place * (len(table) - 1)).astype(int)]
    ends = (10**low, 10**high) if logarithmic else (low, high)
    return FaceFill(fill, label, *ends, table, colors, logarithmic)


@cache
def _table(name: str, low: float, high: float) -> Colors:
    """Part of a colour map, its light end: lines must stay readable on it."""
    # Here, since its import is a tenth of the start of a window, which needs no fill yet.
    import matplotlib

    colors = matplotlib.colormaps[name](np.linspace(low, high, 256))[:, :3]
    return np.asarray(np.rint(255 * colors), np.uint8)
