"""Numbers as people read them: with the digits that tell them apart, and with their noun."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine import SlicePlane

_SMALLEST, _LARGEST = 1e-4, 1e7  # outside, powers of ten are shorter
_STRAIGHT: Final = 1e-9  # of a normal: less aside is what turning a plane in itself has made
_FINE: Final = 1e-6  # of the box's size: the places of planes that differ by more are told apart


def number_text(value: float, step: float) -> str:
    """The shortest text that tells numbers a step apart from each other, such as "0.25", "1000000.5" or "2.5e-7"."""
    size = max(abs(value), step)
    if abs(value) < 0.5 * step:
        return "0"
    if _SMALLEST <= size < _LARGEST:
        text = f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    digits = math.floor(math.log10(size) + 1e-9) - math.floor(math.log10(step) + 1e-9)
    mantissa, power = f"{value:.{max(0, digits)}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(power)}"


def place_text(plane: SlicePlane, domain: NDArray[np.float64]) -> str:
    """Where a plane lies in a box (2, 3), as "z = 0.25"; one with its own origin or axes describes itself."""
    text = plane.describe()
    name, equals, _ = text.partition(" = ")
    return _on_axis("xyz".index(name), plane, domain) if equals else text.replace("-", "\N{MINUS SIGN}")


def short_place_text(plane: SlicePlane, domain: NDArray[np.float64]) -> str:
    """Where a plane crosses its axis, wherever its origin lies in it; "oblique" of all others."""
    normal = plane.normal.tolist()
    across = [axis for axis in range(3) if math.hypot(*normal[:axis], *normal[axis + 1 :]) < _STRAIGHT]
    return _on_axis(across[0], plane, domain) if across else "oblique"


def _on_axis(axis: int, plane: SlicePlane, domain: NDArray[np.float64]) -> str:
    place = number_text(float(plane.origin[axis]), _FINE * float(domain[1, axis] - domain[0, axis]))
    return f"{'xyz'[axis]} = {place}".replace("-", "\N{MINUS SIGN}")


def counted(count: int, noun: str) -> str:
    """Such as "1 region" or "1,244 regions"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
