"""The affine maps of a network on faces of a slice, with twice the digits of float64 and a bound of what rounding left.

On a face every value is affine in the slice's coordinates: (u, v, 1) . coefficients.  The signs of the face say which
piece of each kink it is, so no point of it is needed.  With K operations on the way, each off by no more than UNIT of
the sizes of its operands, a coefficient is off by no more than K UNIT times its size: what the same steps give for
absolute values (Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1).  That size grows tenfold a
layer where the values do not, which is why float64 cannot live with such a bound; here it spares the digits of float64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from engine.double_double import UNIT, of, plus, times_float
from engine.plane import SlicePlane
from engine.steps import Float, Gather, Kink, Linear, Scale, Step, Sum

Signs = NDArray[np.int8]


@dataclass(frozen=True, eq=False, slots=True)
class FaceMaps:
    """Of F faces, for every slot: coefficients (2, F, 3, size) double-double, sizes (F, 3, size) float64.

    unit: the coefficients' errors are below unit * sizes.
    """

    coefficients: Mapping[int, Float]
    sizes: Mapping[int, Float]
    unit: float


def face_maps(steps: Sequence[Step], plane: SlicePlane, signs: Sequence[Signs], faces: int) -> FaceMaps:
    """The maps of all slots that the steps write, and of the input, on so many faces.

    signs: for each kink among the steps, in order, (F, R) int8 of its rows on the faces.
    """
    coefficients = {0: of(np.tile(np.vstack([plane.axes, plane.origin]), (faces, 1, 1)))}
    sizes = {0: np.abs(coefficients[0][0])}
    operations, kinks = 4, iter(signs)
    for step in steps:
        operations += 4 + (step.weight.shape[1] if isinstance(step, Linear) else 0)
        match step:
            case Linear():
                value, size = _linear(step, coefficients[step.source], sizes[step.source])
            case Scale():
                value = times_float(coefficients[step.source], step.factor)
                size = sizes[step.source] * np.abs(step.factor)
                value, size = _shifted(value, size, step.shift)
            case Sum():
                value = plus(coefficients[step.left], step.sign * coefficients[step.right])
                size = sizes[step.left] + sizes[step.right]
            case Gather():
                constants = _constant(step.constants, faces)
                parts = [*(coefficients[slot] for slot in step.sources), of(constants)]
                value = np.concatenate(parts, axis=3)[..., step.index]
                size_parts = [*(sizes[slot] for slot in step.sources), np.abs(constants)]
                size = np.concatenate(size_parts, axis=2)[..., step.index]
            case Kink():
                value, size = _bent(step, next(kinks), coefficients[step.source], sizes[step.source])
            case _:
                assert_never(step)
        coefficients[step.target], sizes[step.target] = value, size
    return FaceMaps(coefficients, sizes, operations * UNIT)


def _linear(step: Linear, value: Float, size: Float) -> tuple[Float, Float]:
    faces, inputs, groups = size.shape[0], step.weight.shape[1], step.groups
    blocks = value.reshape(2, faces, 3, groups, inputs)
    total = np.zeros((2, faces, 3, groups, len(step.bias)))
    for i, column in enumerate(step.weight.T):
        total = plus(total, times_float(blocks[..., i : i + 1], column))
    sizes = size.reshape(faces, 3, groups, inputs) @ np.abs(step.weight.T)
    shift = np.tile(step.bias, groups)
    return _shifted(total.reshape(2, faces, 3, -1), sizes.reshape(faces, 3, -1), shift)


def _bent(kink: Kink, signs: Signs, value: Float, size: Float) -> tuple[Float, Float]:
    """Where a row is zero throughout a face, its two pieces differ by an error times the difference of their slopes."""
    piece = np.zeros((len(signs), len(kink.breakpoints)), np.int64)
    neuron = kink.row_neuron
    after = (kink.breakpoints[neuron] <= kink.row_breakpoint[:, None]).sum(axis=1)
    np.maximum.at(piece.T, neuron, ((signs > 0) * after).T)
    every = np.arange(len(kink.breakpoints))
    factor, shift = kink.slopes[every, piece], kink.intercepts[every, piece]
    steepest = np.abs(factor)
    flat = np.zeros(piece.shape, np.bool_)
    np.logical_or.at(flat.T, neuron, (signs == 0).T)
    steepest[flat] = np.broadcast_to(np.abs(kink.slopes).max(axis=1), piece.shape)[flat]
    return _shifted(times_float(value, factor[:, None]), size * steepest[:, None], shift)


def _shifted(value: Float, size: Float, shift: Float) -> tuple[Float, Float]:
    """The constants of the maps become larger by `shift`, (size,) or (F, size)."""
    constants = _constant(shift, len(size))
    return plus(value, of(constants)), size + np.abs(constants)


def _constant(shift: Float, faces: int) -> Float:
    """(F, 3, size): constant maps."""
    result = np.zeros((faces, 3, shift.shape[-1]))
    result[:, 2] = shift
    return result
