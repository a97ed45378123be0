"""Rounding in a module's own forward: the forward without it, and how much a narrow dtype may change its output."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, assert_never

import numpy as np

from engine.arrays import Float
from engine.network.network import Network
from engine.network.steps import Gather, Kink, Linear, Scale, Step, Sum, evaluate, sources

if TYPE_CHECKING:
    from torch import nn


def forward_in_float64(module: nn.Module, x: Float) -> Float:
    """The output (N, C) of a module at points (N, D), all of it computed in float64; the module stays as it is."""
    import torch  # noqa: PLC0415  takes seconds, which a program that traces nothing is spared

    from engine.trace.recorder import Float64  # noqa: PLC0415

    with torch.inference_mode():
        doubled = copy.deepcopy(module).double()
        with Float64():  # the tensors too that are no parameters
            found: Float = doubled(torch.from_numpy(x)).reshape(len(x), -1).numpy()
    return found


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
