"""Numbers on the command line, and the box that they tell."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from app.commands.errors import CommandError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIZES: Final = (1e-9, 1e9)  # of a domain: beyond them rounding leaves little of a network


def box_of(bounds: NDArray[np.float64], dimension: int) -> NDArray[np.float64]:
    """The box (2, D) of --bounds: one range for all axes, or the lower corner and then the upper one."""
    if len(bounds) not in (2, 2 * dimension):
        raise CommandError(f"--bounds takes 2 or {2 * dimension} numbers, not {len(bounds)}; write --bounds=-1,1")
    lower, upper = bounds.reshape(2, -1)
    if not (lower < upper).all():
        raise CommandError("--bounds: the lower corner must lie below the upper one; write --bounds=-1,1")
    for size in (upper - lower).tolist():
        check_size(size, "--bounds")
    return np.stack([np.broadcast_to(lower, dimension), np.broadcast_to(upper, dimension)])


def numbers(text: str) -> NDArray[np.float64]:
    return np.array([finite(part) for part in text.split(",")])


def finite(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def check_size(size: float, option: str) -> None:
    low, high = _SIZES
    if not low <= size <= high:
        raise CommandError(f"{option}: a domain of size {size:g} is not sensible; choose one from {low:g} to {high:g}")


def positive(text: str) -> float:
    if (value := finite(text)) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not positive")
    return value
