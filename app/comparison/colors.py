"""Colours of differences, one choice for the screen and for figures."""

from __future__ import annotations

import math
from typing import Final

from app.comparison.slices import Values
from app.state.palette import RGB

DIFFERENCES: Final = "PRGn"
"""matplotlib's map of differences around 0."""
DENSITIES: Final = "PuOr"
"""That of ratios around 1."""
DIFFERING: Final[RGB] = (1.0, 0.82, 0.10)
"""Colour of the area in which one network is below the level and the other is not."""


def round_limit(largest: float) -> float:
    """Return the end of a range of colours: the next of 1, 2, 5 times a power of ten; 1 for 0."""
    if largest <= 0.0 or not math.isfinite(largest):
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next((step * power for step in (1.0, 2.0, 5.0) if largest <= step * power * (1 + 1e-9)), 10.0 * power)


def difference_title(values: Values) -> tuple[str, str]:
    """Return the largest difference, and how well the insides agree."""
    iou = "no inside" if values["slice_iou"] is None else f"IoU {values['slice_iou']:.4g}"
    apart = values["level_hausdorff"]
    sets = "" if apart is None else f", level sets {apart:.3g} apart"
    return f"max |d| {values['largest']:.3g}, rms {values['rms']:.3g}", f"{iou}{sets}"
