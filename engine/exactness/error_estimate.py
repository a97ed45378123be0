"""The rounding bound of a chain of affine steps, as norms of what it reads times coefficients.

A row that sums products W_k . h_v + b_k in any order is off by no more than n u (|W_k| . |h_v| + |b_k|), n their number
(Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1; with another factor for chains).  For any
partition of the features into groups G and any positive units of theirs, by Cauchy and Schwarz,

    |W_k| . |h_v| <= sum over G of |W_kG unit_G|_2 |h_vG / unit_G|_2

so that one norm for each vertex and group bounds all rows.  Units are the largest sizes of the features on the map.  A
group's term exceeds the sum itself by the range of its parts |W_ki| unit_i at most (and their number): where the
large ones are off, the bound is that much too large.  So `bases_of` puts features into one group only where in no row
their parts differ by more than EVEN.  Beside a constant |b_k| smaller parts do not matter, as it is in the sum at all
vertices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int
from engine.machine.jit import inner_sum, kernel
from engine.network.steps import Affine, Gather, Linear, Scale, Sum, evaluate
from engine.tolerances import EVEN, SAFETY, UNIT_ROUNDOFF

Bases = tuple[tuple[int, Float], ...]
"""Groups of features of the values that a chain reads: the slot, and (size,) float64 the units of its features, 0 for
those of other groups."""

_BATCH = 256  # inputs evaluated at a time
_SMALLEST = float(np.finfo(np.float64).tiny)  # that is not denormal


@dataclass(frozen=True, eq=False, slots=True)
class Rounding:
    """Coefficients of the rounding bound of one value's features, given the values that its chain of steps reads.

    bases: the slot of each group; inverse_units: for each the (size,) float64 that the slot's features are multiplied
    by before the norm is taken; scale: (len(bases), n) float64; constant: (n,) float64.
    """

    bases: tuple[int, ...]
    inverse_units: tuple[Float, ...]
    scale: Float
    constant: Float


@dataclass(frozen=True, eq=False, slots=True)
class Bound:
    """Bounds of a value, given the norms s_i of the bases: |feature j| <= sum_i s_i magnitude[i, j] + constant[j].

    spread[i]: norm of the features, each divided by its magnitude[i, j], over s_i.  error and constant_error bound the
    rounding error like magnitude and constant the value.  Shapes: (bases, n) float64, (n,), and spread (bases,).
    """

    magnitude: Float
    spread: Float
    error: Float
    constant: Float
    constant_error: Float


def bases_of(
    steps: Sequence[Affine], source: int, neuron: Int, breakpoint_: Float, units: Mapping[int, Float]
) -> Bases:
    """What the bound of the rows source[neuron] - breakpoint_ takes norms of: each slot of `units`, the sizes of the
    features that the steps read, as one group, or in several where parts in a row differ by more than EVEN.

    Parts are found with absolute values in all steps, at inputs of which only one feature is not zero.
    """
    match steps:
        case (Linear(groups=1) as linear,) if len(units) == 1 and linear.target == source:
            ((_, unit),) = units.items()
            with np.errstate(over="ignore"):  # what is beyond float64 is larger than all others
                alone = np.abs(linear.bias)[neuron] + np.abs(breakpoint_)
                if (alone + _sizes_of_rows(linear.weight, unit)[1, neuron] <= EVEN * alone).all():
                    return tuple(units.items())
    absolute = [_absolute(step) for step in steps]

    def sizes(inputs: Mapping[int, Float], count: int) -> Float:
        values = dict(inputs)
        for step in absolute:
            values[step.target] = evaluate(step, values, count)
        return np.asarray(values[source][:, neuron] + np.abs(breakpoint_))

    with np.errstate(over="ignore", invalid="ignore"):
        least, most = sizes({slot: np.stack([np.zeros_like(unit), unit]) for slot, unit in units.items()}, 2)
        if (most <= EVEN * least).all():  # as in nearly all networks with biases
            return tuple(units.items())
        bases: list[tuple[int, Float]] = []
        for slot, unit in units.items():
            parts = np.empty((len(unit), len(neuron)))
            for i in range(0, len(unit), _BATCH):
                lone = {other: np.zeros((len(unit[i : i + _BATCH]), len(size))) for other, size in units.items()}
                np.fill_diagonal(lone[slot][:, i:], unit[i : i + _BATCH])
                parts[i : i + _BATCH] = sizes(lone, len(lone[slot]))
            bases += [(slot, np.where(group, unit, 0.0)) for group in _even_groups(parts)]
    return tuple(bases)


def _absolute(step: Affine) -> Affine:
    match step:
        case Linear():
            return replace(step, weight=np.abs(step.weight), bias=np.abs(step.bias))
        case Scale():
            return replace(step, factor=np.abs(step.factor), shift=np.abs(step.shift))
        case Sum():
            return replace(step, sign=1.0)
        case Gather():
            return replace(step, constants=np.abs(step.constants))
        case _:
            assert_never(step)


def _even_groups(parts: Float) -> list[NDArray[np.bool_]]:
    """Features (n,) in few groups, in none of which parts (n, R) in a row differ by more than EVEN, but for zeros."""
    least = np.where(parts > 0.0, parts, np.inf)
    if (parts.max(axis=0) <= EVEN * least.min(axis=0)).all():
        return [np.ones(len(parts), np.bool_)]
    owner = np.full(len(parts), -1)
    largest, smallest = np.empty((2, 0, parts.shape[1]))
    for i in np.argsort(-parts.max(axis=1), kind="stable"):
        larger, smaller = np.maximum(largest, parts[i]), np.minimum(smallest, least[i])
        fitting = np.flatnonzero((larger <= EVEN * smaller).all(axis=1))
        if len(fitting):
            g = owner[i] = fitting[0]
            largest[g], smallest[g] = larger[g], smaller[g]
        else:
            owner[i] = len(largest)
            largest, smallest = np.vstack([largest, parts[i]]), np.vstack([smallest, least[i]])
    return [owner == g for g in range(len(largest))]


def bounds_of(steps: Sequence[Affine], bases: Bases) -> dict[int, Bound]:
    """Bounds of all values that `steps` compute from the slots of the bases, which count as exact, and of those."""
    bounds: dict[int, Bound] = {}
    for slot, size in {slot: len(unit) for slot, unit in bases}.items():
        zeros = np.zeros((len(bases), size))
        own = [other == slot for other, _ in bases]
        magnitude, spread = zeros.copy(), np.array(own, np.float64)
        magnitude[own] = [unit for other, unit in bases if other == slot]
        bounds[slot] = Bound(magnitude, spread, zeros, zeros[0], zeros[0])
    for step in steps:
        bounds[step.target] = _propagate(step, bounds, len(bases))
    return bounds


def rounding_of(bound: Bound, bases: Bases) -> Rounding:
    """The rounding bound of a value, whatever chain of steps it comes from."""
    scale = bound.error
    used = [i for i in range(len(bases)) if scale[i].any()]
    return Rounding(
        tuple(bases[i][0] for i in used),
        tuple(_inverse(bases[i][1]) for i in used),
        np.ascontiguousarray(scale[used]),
        bound.constant_error,
    )


def rounding_of_linear(step: Linear, bases: Bases) -> Rounding:
    """What rounding_of gives for the value of one linear step, without the machinery."""
    magnitude = np.stack([_sizes_of_rows(step.weight, unit).min(axis=0) for _, unit in bases])
    rounding = max(SAFETY, float(step.weight.shape[1])) * UNIT_ROUNDOFF
    return Rounding(
        tuple(slot for slot, _ in bases),
        tuple(_inverse(unit) for _, unit in bases),
        rounding * magnitude,
        rounding * np.abs(step.bias),
    )


def rounding_of_even(step: Linear, slot: int, unit: Float) -> Rounding | None:
    """What bases_of and rounding_of_linear give for the features of one value, of these sizes: the usual case, in one
    go.  None where constants do not show that one group is enough: bases_of looks closer.
    """
    scale, constant, inverse = np.empty((1, len(step.bias))), np.empty(len(step.bias)), np.empty(len(unit))
    rounding = max(SAFETY, float(step.weight.shape[1])) * UNIT_ROUNDOFF
    even = _bound_rows(step.weight, step.bias, unit, rounding, scale, constant, inverse)
    return Rounding((slot,), (inverse,), scale, constant) if even else None


@kernel
def _bound_rows(
    weight: Float, bias: Float, unit: Float, rounding: float, scale: Float, constant: Float, inverse: Float
) -> bool:
    """Fill in a Rounding; False, and of no use, where parts of a row may differ by more than EVEN."""
    for k in range(len(bias)):
        norm, total = _sizes_of_row(weight, k, unit)
        alone = abs(bias[k])
        if not alone + total <= EVEN * alone:
            return False
        scale[0, k] = rounding * min(norm, total)
        constant[k] = rounding * alone
    for i in range(len(unit)):
        inverse[i] = 1.0 / unit[i] if unit[i] >= _SMALLEST else 0.0
    return True


def _sizes_of_rows(weight: Float, unit: Float) -> Float:
    """(2, m) float64: of each row of |weight| * unit, (m, n) and (n,), the norm and the sum."""
    sizes = np.empty((2, len(weight)))
    _measure_rows(weight, unit, sizes)
    return sizes


@kernel
def _measure_rows(weight: Float, unit: Float, sizes: Float) -> None:
    for k in range(len(weight)):
        sizes[0, k], sizes[1, k] = _sizes_of_row(weight, k, unit)


@inner_sum
def _sizes_of_row(weight: Float, k: int, unit: Float) -> tuple[float, float]:
    """The norm of row k of |weight| * unit, and its sum."""
    total, square = 0.0, 0.0
    for i in range(len(unit)):
        part = abs(weight[k, i]) * unit[i]
        total += part
        square += part * part
    norm = np.sqrt(square)
    if not 1e-130 < total < 1e130:  # the squares may have left the range of float64
        square = 0.0
        for i in range(len(unit) if 0.0 < total < np.inf else 0):
            part = abs(weight[k, i]) * unit[i] / total
            square += part * part
        norm = total * np.sqrt(square) if 0.0 < total < np.inf else total
    return norm, total


def _row_norms(matrix: Float) -> Float:
    """Norms over the last axis, of numbers of any size."""
    largest = matrix.max(axis=-1, initial=0.0)
    divisor = np.where(largest > 0.0, largest, 1.0)
    return np.asarray(np.linalg.norm(matrix / divisor[..., None], axis=-1) * divisor)


def _inverse(unit: Float) -> Float:
    """1 / unit; 0 for features that are zero on the whole map, as all new vertices' will be, and for denormal ones."""
    usable = unit >= _SMALLEST
    return np.where(usable, 1.0 / np.where(usable, unit, 1.0), 0.0)


def _propagate(step: Affine, bounds: Mapping[int, Bound], bases: int) -> Bound:
    match step:
        case Linear():
            return _through_linear(step, bounds[step.source])
        case Scale():
            source, factor = bounds[step.source], np.abs(step.factor)
            constant = source.constant * factor + np.abs(step.shift)
            errors = source.error * factor, source.constant_error * factor
            return _rounded(source.magnitude * factor, source.spread, constant, *errors, SAFETY)
        case Sum():
            left, right = bounds[step.left], bounds[step.right]
            return _rounded(
                left.magnitude + right.magnitude,
                left.spread + right.spread,
                left.constant + right.constant,
                left.error + right.error,
                left.constant_error + right.constant_error,
                SAFETY,
            )
        case Gather():
            return _through_gather(step, [bounds[slot] for slot in step.sources], bases)
        case _:
            assert_never(step)


def _rounded(
    magnitude: Float, spread: Float, constant: Float, error: Float, constant_error: Float, safety: float
) -> Bound:
    unit = safety * UNIT_ROUNDOFF
    return Bound(magnitude, spread, error + unit * magnitude, constant, constant_error + unit * constant)


def _through_linear(step: Linear, source: Bound) -> Bound:
    weight, groups = np.abs(step.weight), step.groups
    inputs = weight.shape[1]

    def apply(matrix: Float, features: Float) -> Float:
        blocks = features.reshape(*features.shape[:-1], groups, inputs)
        return (blocks @ matrix.T).reshape(*features.shape[:-1], groups * len(matrix))

    # Cauchy-Schwarz is the sharper bound when the source is one of the bases, the row sums after a cancelling chain.
    blocks = source.magnitude.reshape(len(source.spread), groups, inputs)
    by_norm = _row_norms(weight * blocks[:, :, None, :]).reshape(len(source.spread), -1) * source.spread[:, None]
    magnitude = np.minimum(by_norm, apply(weight, source.magnitude))
    return _rounded(
        magnitude,
        np.full(len(source.spread), np.sqrt(magnitude.shape[1])),
        apply(weight, source.constant) + np.tile(np.abs(step.bias), groups),
        apply(weight, source.error),
        apply(weight, source.constant_error),
        max(SAFETY, float(inputs)),
    )


def _through_gather(step: Gather, sources: Sequence[Bound], bases: int) -> Bound:
    constants = np.zeros((bases, len(step.constants)))
    repeats = np.bincount(step.index).max(initial=1)

    def gather(parts: list[Float], last: Float) -> Float:
        return np.concatenate([*parts, last], axis=-1)[..., step.index]

    return Bound(
        gather([s.magnitude for s in sources], constants),
        np.sqrt(repeats * sum((s.spread**2 for s in sources), np.zeros(bases))),
        gather([s.error for s in sources], constants),
        gather([s.constant for s in sources], np.abs(step.constants)),
        gather([s.constant_error for s in sources], np.zeros(len(step.constants))),
    )
