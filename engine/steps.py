"""The steps of a piecewise linear program on flat batches of features.

A traced network is a tuple of steps.  A step reads values and writes one value; a value is a float64 array of shape
(N, size) for a batch of N inputs, named by its slot (an int).  Slot 0 is the network's input, flattened.  Every slot is
written exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int32]


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
