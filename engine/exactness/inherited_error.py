"""How much of a value earlier rounding may have made, roughly: what says which signs are worth a close look.

Errors are propagated as if they were independent, with no regard to where on the map a vertex is; no sign is decided by
that.  It matters where features cancel: what is left is as small as their rounding, and looks more accurate than it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

import numpy as np

from engine.arrays import Float, Int
from engine.machine.jit import kernel, summing_kernel
from engine.network.duplicate_neurons import summed
from engine.network.steps import Affine, Gather, Kink, Linear, Scale, Sum, evaluate
from engine.tolerances import SAFETY, UNDERFLOW, UNIT_ROUNDOFF

_ROUNDING = SAFETY * UNIT_ROUNDOFF


def noise_of_inputs(unit: Float) -> Float:
    """(n,): of values that are themselves only rounded; unit (n,): their sizes."""
    return np.maximum(_ROUNDING * unit, UNDERFLOW)


def noise_after(
    steps: Sequence[Affine], noise: Mapping[int, Float], units: Mapping[int, Float], twins: Mapping[int, Int]
) -> dict[int, Float]:
    """The noise (n,) of every value that `steps` compute, from the noise and the sizes of those that they read; none
    where their squares leave the range of float64.

    twins: see Network.twins; their errors are the same.
    """
    match steps:
        case (Linear(groups=1) as linear,):
            found = np.empty(len(linear.bias))
            _noise_of_linear(
                linear.weight, _together(linear, twins), linear.bias, noise[linear.source], units[linear.source], found
            )
            return {linear.target: found}
    with np.errstate(over="ignore", invalid="ignore"):
        errors = {slot: noise[slot][None] ** 2 for slot in units}
        sizes = {slot: unit[None] ** 2 for slot, unit in units.items()}
        for step in steps:
            sizes[step.target] = evaluate(_squared(step), sizes, 1)
            alike = replace(step, weight=_together(step, twins)) if isinstance(step, Linear) else step
            errors[step.target] = evaluate(_without_constants(_squared(alike)), errors, 1)
            errors[step.target] += _ROUNDING**2 * sizes[step.target]
    squares = {step.target: errors[step.target][0] for step in steps}
    return {
        slot: np.maximum(np.sqrt(np.where(np.isfinite(square), square, 0.0)), UNDERFLOW)
        for slot, square in squares.items()
    }


@summing_kernel
def _noise_of_linear(weight: Float, together: Float, bias: Float, noise: Float, unit: Float, found: Float) -> None:
    """The usual case of noise_after, without the machinery; together: weight with the columns of twins added up."""
    for k in range(len(bias)):
        error, size = 0.0, bias[k] * bias[k]
        for j in range(len(unit)):
            part, own = together[k, j] * noise[j], weight[k, j] * unit[j]
            error += part * part
            size += own * own
        total = error + _ROUNDING * _ROUNDING * size
        found[k] = max(np.sqrt(total), UNDERFLOW) if total < np.inf else UNDERFLOW


def noise_after_kink(kink: Kink, noise: Float) -> Float:
    """The noise (n,) after a nonlinearity, of noise (n,)."""
    found = np.empty(len(noise))
    _times_steepest(kink.slopes, noise, found)
    return found


@kernel
def _times_steepest(slopes: Float, noise: Float, found: Float) -> None:
    for k in range(len(noise)):
        steepest = 0.0
        for p in range(slopes.shape[1]):
            steepest = max(steepest, abs(slopes[k, p]))
        found[k] = max(steepest * noise[k], UNDERFLOW)


def _together(step: Linear, twins: Mapping[int, Int]) -> Float:
    """The weight with the columns of twins, which have the same error, added up."""
    return summed(step.weight, twins.get(step.source)) if step.groups == 1 else step.weight


def _squared(step: Affine) -> Affine:
    """The step from squares of independent numbers to those of their sums."""
    match step:
        case Linear():
            return replace(step, weight=step.weight**2, bias=step.bias**2)
        case Scale():
            return replace(step, factor=step.factor**2, shift=step.shift**2)
        case Sum():
            return replace(step, sign=1.0)
        case Gather():
            return replace(step, constants=step.constants**2)
        case _:
            assert_never(step)


def _without_constants(step: Affine) -> Affine:
    match step:
        case Linear():
            return replace(step, bias=np.zeros_like(step.bias))
        case Scale():
            return replace(step, shift=np.zeros_like(step.shift))
        case Sum():
            return step
        case Gather():
            return replace(step, constants=np.zeros_like(step.constants))
        case _:
            assert_never(step)
