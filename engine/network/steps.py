"""The steps of a piecewise linear program on flat batches of features.

A traced network is a tuple of steps.  A step reads values and writes one value; a value is a float64 array of shape
(N, size) for a batch of N inputs, named by its slot (an int).  Slot 0 is the network's input, flattened.  Every slot is
written exactly once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from engine.arrays import Float, Int


@dataclass(frozen=True, eq=False, slots=True)
class Linear:
    """target = source @ weight.T + bias, on each of `groups` consecutive blocks of the source's features.

    weight: (m, n) float64; bias: (m,) float64; the source has groups * n features, the target groups * m.
    """

    source: int
    target: int
    weight: Float
    bias: Float
    groups: int = 1


@dataclass(frozen=True, eq=False, slots=True)
class Scale:
    """target = source * factor + shift, feature by feature; factor and shift: (n,) float64."""

    source: int
    target: int
    factor: Float
    shift: Float


@dataclass(frozen=True, eq=False, slots=True)
class Sum:
    """target = left + sign * right, feature by feature (values of equal size); sign is 1.0 or -1.0."""

    left: int
    right: int
    sign: float
    target: int


@dataclass(frozen=True, eq=False, slots=True)
class Gather:
    """target = concatenation(sources..., constants)[index]: every movement of data (slices, reshapes, cat, ...).

    index: (n,) int32 into the features of the sources, one after the other, followed by `constants` (m,) float64.
    """

    sources: tuple[int, ...]
    target: int
    constants: Float
    index: Int


@dataclass(frozen=True, eq=False, slots=True)
class Kink:
    """target = phi(source), feature by feature, phi continuous and piecewise linear with at most P breakpoints.

    Feature ("neuron") j has pieces 0..P: on piece p, phi(z) = slopes[j, p] * z + intercepts[j, p]; piece p is the
    number of breakpoints[j] that are strictly less than z.  breakpoints: (n, P) float64, ascending, padded with +inf;
    slopes, intercepts: (n, P + 1) float64 (padding pieces repeat the last one).

    Rows list the true breakpoints, those where the slope changes: row r is neuron row_neuron[r] at row_breakpoint[r],
    ordered by neuron, then breakpoint.  row_neuron: (R,) int32; row_breakpoint: (R,) float64.

    name is the layer's name for people, such as "net.3" or "relu (2nd call), after fc2"; operation is "relu", "abs",
    ...
    """

    source: int
    target: int
    name: str
    operation: str
    breakpoints: Float
    slopes: Float
    intercepts: Float
    row_neuron: Int
    row_breakpoint: Float


Affine = Linear | Scale | Sum | Gather
Step = Affine | Kink


def sources(step: Step) -> tuple[int, ...]:
    """The slots that a step reads."""
    match step:
        case Gather():
            return step.sources
        case Sum():
            return (step.left, step.right)
        case _:
            return (step.source,)


def evaluate(step: Step, values: Mapping[int, Float], count: int) -> Float:
    """The value (count, size) float64 that a step writes, from the values (count, *) of the slots that it reads."""
    match step:
        case Linear():
            blocks = values[step.source].reshape(count * step.groups, step.weight.shape[1])
            return (blocks @ step.weight.T + step.bias).reshape(count, step.groups * len(step.bias))
        case Scale():
            return values[step.source] * step.factor + step.shift
        case Sum():
            left, right = values[step.left], values[step.right]
            return left + right if step.sign > 0 else left - right
        case Gather():
            constants = np.broadcast_to(step.constants, (count, len(step.constants)))
            return np.concatenate([*(values[slot] for slot in step.sources), constants], axis=1)[:, step.index]
        case Kink():
            z = values[step.source]
            result = z * step.slopes[:, 0] + step.intercepts[:, 0]
            for piece, breakpoint_ in enumerate(step.breakpoints.T, start=1):
                result = np.where(z > breakpoint_, z * step.slopes[:, piece] + step.intercepts[:, piece], result)
            return result
        case _:
            assert_never(step)
