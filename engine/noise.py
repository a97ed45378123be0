"""How much of a value earlier rounding may have made, roughly: what says which signs are worth a close look.

Errors are propagated as if they were independent, with no regard to where on the map a vertex is; no sign is decided by
that.  It matters where features cancel: a feature that is zero but for rounding, but not exactly, makes all that is
computed from it look as large as their own rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

import numpy as np

from engine.network import evaluate
from engine.predicates import SAFETY, UNIT_ROUNDOFF
from engine.steps import Affine, Float, Gather, Kink, Linear, Scale, Sum


def noise_of_exact(unit: Float) -> Float:
    """(n,): of values that are themselves only rounded; unit (n,): their sizes."""
    return SAFETY * UNIT_ROUNDOFF * unit


def noise_after(steps: Sequence[Affine], noise: Mapping[int, Float], units: Mapping[int, Float]) -> dict[int, Float]:
    """The noise (n,) of every value that `steps` compute, from the noise and the sizes of those that they read."""
    values = {slot: np.stack([noise[slot], unit]) ** 2 for slot, unit in units.items()}
    for step in steps:
        squared, shift = _squared(step)
        values[step.target] = evaluate(squared, values, 2)
        values[step.target][1] += shift
        values[step.target][0] += noise_of_exact(1.0) ** 2 * values[step.target][1]
    return {step.target: np.sqrt(values[step.target][0]) for step in steps}


def noise_after_kink(kink: Kink, noise: Float) -> Float:
    """The noise (n,) after a nonlinearity, of noise (n,)."""
    return np.abs(kink.slopes).max(axis=1) * noise


def _squared(step: Affine) -> tuple[Affine, Float | float]:
    """The step from squares of independent errors to those of their sums, and the squares of its constants."""
    match step:
        case Linear():
            bias = np.tile(step.bias, step.groups)
            return replace(step, weight=step.weight**2, bias=np.zeros_like(step.bias)), bias**2
        case Scale():
            return replace(step, factor=step.factor**2, shift=np.zeros_like(step.shift)), step.shift**2
        case Sum():
            return replace(step, sign=1.0), 0.0
        case Gather():
            return replace(step, constants=np.zeros_like(step.constants)), 0.0
        case _:
            assert_never(step)
