"""What the rounding of earlier layers, and of a vertex's position, adds up to in one pre-activation.

Signs are decided by the rounding of their own layer and by the gradient along a vertex's edges, which is nearly always
enough.  Where a pre-activation is that small that earlier rounding might have made it, this is asked: to first order
the error of z is the sum over all values a_i before it of (dz / da_i) * (error of a_i), with the actual gradient at the
vertex, and dz / dx times the uncertainty of its position.  It is the running error bound of a straight-line program
(Higham, "Accuracy and Stability of Numerical Algorithms", section 3.3) with derivatives instead of norms, which would
grow tenfold a layer.

A vertex is where the lines meet that its edges are pieces of, and there are its values: where another row is zero by
that, it has no error, however large the numbers that cancel in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from engine.network import Network, evaluate
from engine.noise import affordable
from engine.plane import SlicePlane
from engine.predicates import DOUBT, DOUBTFUL_SAFETY, SAFETY, UNIT_ROUNDOFF
from engine.steps import Float, Gather, Int, Kink, Linear, Scale, Step, Sum
from engine.twins import summed

Exact = tuple[int, Int, Int, Float]
"""Values without an error: the slot, (K,) int32 item and feature, (K,) float64 the value."""

Places = NDArray[np.int64] | Int

_NUMBERS = 1 << 19  # in all values of a batch


def inherited_error(
    network: Network, slot: int, features: Int, plane: SlicePlane, positions: Float, uncertainty: Float, zeros: Int,
    noise: Mapping[int, Float], check: Callable[[], None],
) -> Float:  # fmt: skip
    """(N,) float64: the error that feature features[n] of `slot` may have at positions[n] but for its own step's.

    features: (N,) int32; positions (N, 2), uncertainty (N,) float64: in slice units, the latter with
    the safety of all bounds.  zeros (K, 3) int32: which n is exactly on a line, the kink's number and its row, ordered
    by n.  noise: see engine/noise.py; of the input and all nonlinearities' sources.  check raises Cancelled to stop.
    """
    steps = _steps_to(network, slot)
    batch = max(1, _NUMBERS // sum(network.sizes))
    parts = []
    for i in range(0, len(features), batch):
        items = slice(i, i + batch)
        check()
        own = zeros[np.searchsorted(zeros[:, 0], i) : np.searchsorted(zeros[:, 0], i + batch)]
        exact = _exact_values(network, steps, own, i)
        found = _forward(network, steps, plane, positions[items], uncertainty[items], exact, noise, batch, check)
        parts.append(_backward(network, steps, slot, features[items], plane, found))
    return np.concatenate(parts)


def _steps_to(network: Network, slot: int) -> list[Step]:
    found: list[Step] = []
    for step in network.steps:
        if slot == 0:
            break
        found.append(step)
        if step.target == slot:
            break
    return found


def _exact_values(network: Network, steps: Sequence[Step], zeros: Int, start: int) -> list[Exact]:
    """What `zeros` says of each kink, for the items from `start` on: twins are zero together."""
    kinks = [step for step in steps if isinstance(step, Kink)]
    found = []
    for number, kink in enumerate(kinks):
        item, _, row = zeros[zeros[:, 1] == number].T
        item, neuron, value = item - start, kink.row_neuron[row], kink.row_breakpoint[row]
        if kink.source in network.twins:
            first = network.twins[kink.source]
            entry, neuron = (part.astype(np.int32) for part in np.nonzero(first[neuron][:, None] == first))
            item, value = item[entry], value[entry]
        found.append((kink.source, item, neuron, value))
    return found


@dataclass(frozen=True, eq=False, slots=True)
class _Forward:
    """Values (N, n) by slot at N vertices, the sizes of the numbers that they sum up, and what they may be off by at
    hidden breakpoints; uncertainty (N,) and exact: see inherited_error.
    """

    values: dict[int, Float]
    sizes: dict[int, Float]
    bends: dict[int, Float]
    uncertainty: Float
    exact: Sequence[Exact]

    def at(self, items: Places) -> _Forward:
        """The same at `items`, which count as 0, 1, ... from now on."""
        values, sizes, bends = (
            {slot: array[items] for slot, array in arrays.items()} for arrays in (self.values, self.sizes, self.bends)
        )
        return _Forward(values, sizes, bends, self.uncertainty[items], _exact_at(self.exact, items))


def _forward(
    network: Network, steps: Sequence[Step], plane: SlicePlane, positions: Float, uncertainty: Float,
    exact: Sequence[Exact], noise: Mapping[int, Float], batch: int, check: Callable[[], None],
) -> _Forward:  # fmt: skip
    values = {0: plane.to_input(positions)}
    _set_exact(values, 0, exact)
    found = _Forward(values, {0: np.abs(values[0])}, {}, uncertainty, exact)
    for i, step in enumerate(steps):
        if isinstance(step, Kink):
            _bend(network, steps[:i], step, plane, found, noise[step.source], batch, check)
        values[step.target] = evaluate(step, values, len(positions))
        found.sizes[step.target] = _size(step, values, found.sizes)
        _set_exact(values, step.target, exact)
    return found


def _bend(
    network: Network, steps: Sequence[Step], kink: Kink, plane: SlicePlane, found: _Forward, noise: Float, batch: int,
    check: Callable[[], None],
) -> None:  # fmt: skip
    """Put what breakpoints that noise (n,) hides may change into found.bends, and their neurons onto them."""
    z = found.values[kink.source]
    hidden = _hidden(kink, z, noise, found.exact)
    own = DOUBTFUL_SAFETY * UNIT_ROUNDOFF * found.sizes[kink.source][hidden.item, hidden.neuron]
    for i in range(0, len(own) if len(own) <= affordable(network) else 0, batch):
        check()
        some = hidden.piece(i, i + batch)
        rounding = own[i : i + batch]
        error = rounding + _backward(network, steps, kink.source, some.neuron, plane, found.at(some.item))
        within = some.distance <= error + SAFETY / DOUBTFUL_SAFETY * rounding
        at = some.item[within], some.neuron[within]
        z[at] = some.breakpoint[within]
        found.bends.setdefault(kink.target, np.zeros_like(z))[at] = (some.change * error)[within]


def _backward(
    network: Network, steps: Sequence[Step], slot: int, features: Places, plane: SlicePlane, found: _Forward
) -> Float:
    """(N,): the error of feature features[n] of the slot that the last of `steps` writes, but for that step's own."""
    count, exact = len(features), found.exact
    gradients = {slot: np.zeros((count, network.sizes[slot]))}
    gradients[slot][np.arange(count), features] = 1.0
    squares = np.zeros(count)
    for step in reversed(steps):
        gradient = gradients.pop(step.target, None)
        if gradient is None:
            continue
        _drop_exact(gradient, step.target, exact)
        together = summed(gradient, network.twins.get(step.target)) ** 2
        if step.target != slot and not isinstance(step, Gather):
            squares += (together * found.sizes[step.target] ** 2).sum(axis=1)
        if step.target in found.bends:
            squares += (together * (found.bends[step.target] / (DOUBTFUL_SAFETY * UNIT_ROUNDOFF)) ** 2).sum(axis=1)
        for source, part in _pull_back(step, gradient, found.values, found.sizes):
            gradients[source] = gradients[source] + part if source in gradients else part
    error = DOUBTFUL_SAFETY * UNIT_ROUNDOFF * np.sqrt(squares)
    if 0 in gradients:
        _drop_exact(gradients[0], 0, exact)
        error += DOUBTFUL_SAFETY / SAFETY * found.uncertainty * np.linalg.norm(gradients[0] @ plane.axes.T, axis=1)
    return np.asarray(error)


class _Hidden(NamedTuple):
    """Pre-activations that may be on either side of a breakpoint: (K,) int each their item and neuron, and float64 the
    breakpoint, the distance from it and the change of slope there.
    """

    item: Places
    neuron: Places
    breakpoint: Float
    distance: Float
    change: Float

    def piece(self, lo: int, hi: int) -> _Hidden:
        item, neuron, breakpoint_ = self.item[lo:hi], self.neuron[lo:hi], self.breakpoint[lo:hi]
        return _Hidden(item, neuron, breakpoint_, self.distance[lo:hi], self.change[lo:hi])


def _hidden(kink: Kink, z: Float, noise: Float, exact: Sequence[Exact]) -> _Hidden:
    """Those that noise (n,) may hide, but for the ones that are known to be on the breakpoint."""
    distance, change, at = np.full(z.shape, np.inf), np.zeros(z.shape), np.zeros(z.shape)
    for piece, breakpoint_ in enumerate(kink.breakpoints.T, start=1):
        bend = np.abs(kink.slopes[:, piece] - kink.slopes[:, piece - 1])
        nearer = (np.abs(z - breakpoint_) < distance) & (bend > 0.0)
        distance = np.where(nearer, np.abs(z - breakpoint_), distance)
        change, at = np.where(nearer, bend, change), np.where(nearer, breakpoint_, at)
    _drop_exact(change, kink.source, exact)
    item, neuron = np.nonzero((distance <= noise) & (change > 0.0))
    return _Hidden(item, neuron, at[item, neuron], distance[item, neuron], change[item, neuron])


def _exact_at(exact: Sequence[Exact], items: Places) -> list[Exact]:
    """What is exact at `items`, which count as 0, 1, ... from now on."""
    found = []
    for slot, item, neuron, value in exact:
        first, stop = (np.searchsorted(item, items, side=side) for side in ("left", "right"))
        count = stop - first
        new = np.repeat(np.arange(len(items)), count)
        old = np.repeat(first - np.cumsum(count) + count, count) + np.arange(len(new))
        found.append((slot, new.astype(np.int32), neuron[old], value[old]))
    return found


def _set_exact(values: Mapping[int, Float], slot: int, exact: Sequence[Exact]) -> None:
    for source, item, neuron, value in exact:
        if source == slot:
            values[slot][item, neuron] = value


def _drop_exact(gradient: Float, slot: int, exact: Sequence[Exact]) -> None:
    """What is exact has no error to pass on."""
    for source, item, neuron, _ in exact:
        if source == slot:
            gradient[item, neuron] = 0.0


def _size(step: Step, values: Mapping[int, Float], sizes: Mapping[int, Float]) -> Float:
    """(N, size): the size of the numbers that a step adds up, which its rounding is relative to."""
    match step:
        case Linear():
            weight, groups = step.weight, step.groups
            blocks = values[step.source].reshape(-1, weight.shape[1])
            return (np.sqrt(blocks**2 @ (weight**2).T) + np.abs(step.bias)).reshape(-1, groups * len(step.bias))
        case Scale():
            return np.abs(values[step.source] * step.factor) + np.abs(step.shift)
        case Sum():
            return np.abs(values[step.left]) + np.abs(values[step.right])
        case Gather():
            constants = np.broadcast_to(np.abs(step.constants), (len(values[0]), len(step.constants)))
            return np.concatenate([*(sizes[slot] for slot in step.sources), constants], axis=1)[:, step.index]
        case Kink():
            return np.abs(values[step.target])
        case _:
            assert_never(step)


def _pull_back(
    step: Step, gradient: Float, values: Mapping[int, Float], sizes: Mapping[int, Float]
) -> list[tuple[int, Float]]:
    """The gradients by the slots that a step reads, from that by its value, (N, size) each."""
    match step:
        case Linear():
            blocks = gradient.reshape(-1, len(step.bias)) @ step.weight
            return [(step.source, blocks.reshape(len(gradient), -1))]
        case Scale():
            return [(step.source, gradient * step.factor)]
        case Sum():
            return [(step.left, gradient), (step.right, step.sign * gradient)]
        case Gather():
            parts = np.cumsum([0, *(values[slot].shape[1] for slot in step.sources)])
            whole = np.zeros((parts[-1] + len(step.constants), len(gradient)))
            np.add.at(whole, step.index, gradient.T)
            return [(slot, whole[parts[i] : parts[i + 1]].T) for i, slot in enumerate(step.sources)]
        case Kink():
            return [(step.source, gradient * _steepest(step, values[step.source], sizes[step.source]))]
        case _:
            assert_never(step)


def _steepest(kink: Kink, z: Float, size: Float) -> Float:
    """(N, n): the slope of a kink, the steeper one where rounding cannot tell on which side of a breakpoint z is."""
    margin = DOUBT * SAFETY * UNIT_ROUNDOFF * size
    result = np.broadcast_to(kink.slopes[:, 0], z.shape)
    for piece, breakpoint_ in enumerate(kink.breakpoints.T, start=1):
        slope = kink.slopes[:, piece]
        steeper = np.where(np.abs(slope) > np.abs(result), slope, result)
        result = np.where(z > breakpoint_ + margin, slope, np.where(z > breakpoint_ - margin, steeper, result))
    return np.asarray(result)
