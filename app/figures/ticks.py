"""What stands at the axes of a figure: short numbers, and in the axis's label what they have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

_MOST_STEPS = 50  # from zero to the farthest tick, beyond which numbers are counted from a tick
_PLAIN = range(-3, 4)  # powers of ten of numbers that are written out
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, eq=False, slots=True)
class Ticks:
    """places (N,) in the axis's own unit, texts there, and the axis's label."""

    places: NDArray[np.float64]
    texts: tuple[str, ...]
    label: str

    @classmethod
    def between(cls, low: float, high: float, name: str) -> Self:
        """Some four round numbers from low to high on the axis `name`.

        Where they are long, the label says what is left of them: "(x + 0.1) / 10⁻⁵".
        """
        found = np.asarray(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(low, high), np.float64)
        slack = 1e-9 * (high - low)
        places = found[(found >= low - slack) & (found <= high + slack)]
        step = float(found[1] - found[0])
        start = float(places[0]) if np.abs(places).max() > _MOST_STEPS * step else 0.0
        values = places - start
        power = math.floor(math.log10(max(float(np.abs(values).max()), step)) + 1e-9)
        power = 0 if power in _PLAIN else power
        unit = 10.0**power
        decimals = max(0, -math.floor(math.log10(step / unit) + 1e-9))
        texts = tuple(_text(f"{value / unit + 0.0:.{decimals}f}") for value in values.tolist())
        label = name
        if start:
            digits = max(1, math.floor(math.log10(abs(start))) - math.floor(math.log10(step) + 1e-9) + 1)
            sign = "\N{MINUS SIGN}" if start > 0 else "+"
            label = f"{name} {sign} " + _text(f"{abs(start):.{digits}g}")
        if power:
            label = (f"({label})" if start else label) + f" / 10{str(power).translate(_RAISED)}"
        return cls(places, texts, label)


def _text(number: str) -> str:
    return number.replace("-", "\N{MINUS SIGN}")
