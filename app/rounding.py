"""How much the rounding of a narrow dtype may change a network's output, estimated along its steps."""

from __future__ import annotations

from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from engine import Network
from engine.steps import Gather, Kink, Linear, Scale, Step, Sum, evaluate, sources

Float = NDArray[np.float64]


def rounding_deviation(network: Network, x: Float, unit: float) -> Float:
    """A standard deviation, by point and output, of a forward in a dtype of unit roundoff `unit`; x: (N, D).

    Roundings are taken as independent (Higham and Mary, 2019) and uniform, of variance unit^2 / 3.  The partial sums of
    n products w h, added one by one, grow like a random walk: their squares add up to n / 2 sum (w h)^2.

    Returns (N, C) float64.
    """
    values: dict[int, Float] = {0: x}
    variances: dict[int, Float] = {0: np.zeros_like(x)}
    last_use = {slot: i for i, step in enumerate(network.steps) for slot in sources(step)}
    for i, step in enumerate(network.steps):
        values[step.target] = evaluate(step, values, len(x))
        variances[step.target] = _variance(step, values, variances, unit * unit / 3)
        for slot in set(sources(step)):
            if last_use[slot] == i and slot != network.output:
                del values[slot], variances[slot]
    return np.sqrt(variances[network.output])


def _variance(step: Step, values: dict[int, Float], variances: dict[int, Float], unit2: float) -> Float:
    """The variance (N, size) of a step's target; `unit2` is that of one rounding of 1."""
    own: Float = unit2 * np.square(values[step.target])
    count = len(own)
    match step:
        case Linear():
            terms = step.weight.shape[1]
            of_terms = variances[step.source] + terms / 2 * unit2 * np.square(values[step.source])
            summed: Float = of_terms.reshape(count * step.groups, terms) @ np.square(step.weight).T
            own += summed.reshape(own.shape)
            return own
        case Scale():
            return own + np.square(step.factor) * (variances[step.source] + unit2 * np.square(values[step.source]))
        case Sum():
            return own + variances[step.left] + variances[step.right]
        case Gather():
            constants = np.zeros((count, len(step.constants)))
            moved: Float = np.concatenate([*(variances[slot] for slot in step.sources), constants], axis=1)
            picked: Float = moved[:, step.index]
            return picked
        case Kink():
            z = values[step.source]
            slope: Float = np.broadcast_to(step.slopes[:, 0], z.shape)
            for piece, breakpoint_ in enumerate(step.breakpoints.T, start=1):
                slope = np.where(z > breakpoint_, step.slopes[:, piece], slope)
            return np.square(slope) * variances[step.source]
        case _:
            assert_never(step)
