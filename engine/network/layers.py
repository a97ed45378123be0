"""A network as layers of neurons that are affine in the input and in what earlier layers put out.

All values of a traced network are affine in its input and in the values of its kinks.  Composing the affine steps
leaves

    z_m = b_m + W_m,0 x + sum over i < m of W_m,i phi_i(z_i)

for the pre-activations z_m of every kink m, and the same for the output.  Most blocks W_m,i of usual networks are
absent: a plain chain has one for each layer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int
from engine.errors import EngineError
from engine.network.network import Network
from engine.network.nonlinearity import largest_after
from engine.network.steps import Gather, Kink, Linear, Scale, Sum
from engine.tolerances import EVEN


class Layers(NamedTuple):
    """The layers, flat, as kernels take them: K kinks, then the output minus the level as the last layer.

    The neurons of kinks are measured in units of their own, powers of two (which change no digits).

    first_neuron  (K + 2,) int64: layer m has the neurons first_neuron[m] to first_neuron[m + 1] of N in all
    reads_input   (K + 1,) bool; input_weights (D, N) float64, bias (N,) float64
    first_block   (K + 2,) int64: layer m reads the blocks first_block[m] to first_block[m + 1]
    block_source  (B,) int64: the layer that a block reads; block_start (B,) int64: its first weight
    weights       float64: the blocks one after the other, each (neurons of the source, neurons of the layer)
    norms         (N,) float64: the norm of all weights of a neuron
    uneven        (K + 1,) bool: weights of some neuron of the layer differ by more than EVEN, beside its bias
    first_row     (N + 1,) int64: the rows (true breakpoints) of each neuron; the output has one, the level
    row_neuron    (R,) int32; row_breakpoint (R,) float64; row_piece (R,) int32: the piece right of the row
    slopes, intercepts  (N, P + 1) float64
    rectified     (K + 1,) bool: every neuron of the layer is a ReLU, with one row at 0
    """

    first_neuron: NDArray[np.int64]
    reads_input: NDArray[np.bool_]
    input_weights: Float
    bias: Float
    first_block: NDArray[np.int64]
    block_source: NDArray[np.int64]
    block_start: NDArray[np.int64]
    weights: Float
    norms: Float
    uneven: NDArray[np.bool_]
    first_row: NDArray[np.int64]
    row_neuron: Int
    row_breakpoint: Float
    row_piece: Int
    slopes: Float
    intercepts: Float
    rectified: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """Rows of the kinks; the level's is not among them."""
        return len(self.row_neuron)

    @property
    def words(self) -> int:
        """64-bit words of a region's signature, a bit for each row."""
        return max(1, -(-self.rows // 64))

    def layer_of_row(self) -> tuple[Int, Int]:
        """(R,) int32 each: the kink of each row and the neuron in it."""
        layer = np.searchsorted(self.first_neuron, self.row_neuron, side="right") - 1
        return layer.astype(np.int32), (self.row_neuron - self.first_neuron[layer]).astype(np.int32)


_Value = tuple[dict[int, Float], Float]
"""A value as blocks {source: (n, size of the source)} and a constant (n,); source -1 is the input, m kink m."""

_INPUT = -1


def layers_of(network: Network, level: float) -> Layers:
    """The layers of a network with one output.  Raises EngineError when it has several."""
    if network.output_size != 1:
        raise EngineError(
            f"the network has {network.output_size} outputs; a level surface needs one, so add a layer that selects it"
        )
    values: dict[int, _Value] = {0: ({_INPUT: np.eye(network.input_size)}, np.zeros(network.input_size))}
    layers: list[_Value] = []
    for step in network.steps:
        match step:
            case Linear():
                blocks, constant = values[step.source]
                result = {source: _times(step, block) for source, block in blocks.items()}
                values[step.target] = result, _times(step, constant[:, None])[:, 0] + np.tile(step.bias, step.groups)
            case Scale():
                blocks, constant = values[step.source]
                scaled = {source: block * step.factor[:, None] for source, block in blocks.items()}
                values[step.target] = scaled, constant * step.factor + step.shift
            case Sum():
                values[step.target] = _sum(values[step.left], values[step.right], step.sign)
            case Gather():
                values[step.target] = _gather(step, [values[slot] for slot in step.sources])
            case Kink():
                values[step.target] = {len(layers): np.eye(network.sizes[step.source])}, np.zeros(len(step.breakpoints))
                layers.append(values[step.source])
            case _:
                assert_never(step)
    blocks, constant = values[network.output]
    layers.append((blocks, constant - level))
    units = _units(network.kinks, layers)
    scaled_layers = [_in_units(value, units, m) for m, value in enumerate(layers)]
    scaled_kinks = [_kink_in_units(kink, units[m]) for m, kink in enumerate(network.kinks)]
    return _flat(scaled_kinks, scaled_layers, network.input_size)


_Units = tuple[Float, Float]
"""The powers of two (n,) each that the neurons of a layer are measured in, before and after the nonlinearity."""


def _units(kinks: tuple[Kink, ...], layers: list[_Value]) -> list[_Units]:
    """Units about the size of the neurons' weights, of each layer; the output is left as it is.

    Tolerances compare a neuron with the norm of what its layer reads, which so gives each feature its due, however
    differently a network's neurons are scaled.
    """
    units: list[_Units] = []
    for kink, (blocks, constant) in zip(kinks, layers, strict=False):
        squares = constant**2
        for source, block in blocks.items():
            squares = squares + ((block if source == _INPUT else block * units[source][1]) ** 2).sum(axis=1)
        before = _power_of_two(np.sqrt(squares))
        units.append((before, _power_of_two(largest_after(kink, -before, before))))
    return [*units, (np.ones(len(layers[-1][1])),) * 2]


def _power_of_two(sizes: Float) -> Float:
    return np.asarray(np.exp2(np.round(np.log2(np.where(sizes > 0.0, sizes, 1.0)))))


def _in_units(value: _Value, units: list[_Units], m: int) -> _Value:
    blocks, constant = value
    inverse = 1.0 / units[m][0]
    scaled = {
        source: (block if source == _INPUT else block * units[source][1]) * inverse[:, None]
        for source, block in blocks.items()
    }
    return scaled, constant * inverse


def _kink_in_units(kink: Kink, units: _Units) -> Kink:
    """The nonlinearity between values in their units."""
    before, after = units
    return replace(
        kink,
        breakpoints=kink.breakpoints / before[:, None],
        slopes=kink.slopes * (before / after)[:, None],
        intercepts=kink.intercepts / after[:, None],
        row_breakpoint=kink.row_breakpoint / before[kink.row_neuron],
    )


def _times(step: Linear, matrix: Float) -> Float:
    blocks = matrix.reshape(step.groups, -1, matrix.shape[1])
    return np.asarray((step.weight @ blocks).reshape(-1, matrix.shape[1]))


def _sum(left: _Value, right: _Value, sign: float) -> _Value:
    blocks = dict(left[0])
    for source, block in right[0].items():
        blocks[source] = blocks[source] + sign * block if source in blocks else sign * block
    return blocks, left[1] + sign * right[1]


def _gather(step: Gather, parts: list[_Value]) -> _Value:
    sizes = [len(constant) for _, constant in parts]
    starts = np.cumsum([0, *sizes])
    result: dict[int, Float] = {}
    for (blocks, _), start in zip(parts, starts[:-1], strict=True):
        for source, block in blocks.items():
            if source not in result:
                result[source] = np.zeros((starts[-1] + len(step.constants), block.shape[1]))
            result[source][start : start + len(block)] = block
    constant = np.concatenate([*(constant for _, constant in parts), step.constants])
    return {source: block[step.index] for source, block in result.items()}, constant[step.index]


def _flat(kinks: list[Kink], layers: list[_Value], dimension: int) -> Layers:
    sizes = [len(constant) for _, constant in layers]
    first_neuron = np.cumsum([0, *sizes])
    count = int(first_neuron[-1])
    input_weights, squares = np.zeros((dimension, count)), np.zeros(count)
    first_block, block_source, block_start, weights = [0], [], [], [np.empty(0)]
    start = 0
    for m, (blocks, _) in enumerate(layers):
        mine = slice(first_neuron[m], first_neuron[m + 1])
        for source in sorted(blocks):
            block = blocks[source]
            squares[mine] += (block**2).sum(axis=1)
            if source == _INPUT:
                input_weights[:, mine] = block.T
            elif block.any():
                block_source.append(source)
                block_start.append(start)
                weights.append(np.ascontiguousarray(block.T).ravel())
                start += block.size
        first_block.append(len(block_source))
    most = max([kink.breakpoints.shape[1] for kink in kinks], default=0)
    slopes, intercepts = np.zeros((2, count, most + 1))
    row_neuron, row_breakpoint, row_piece = [np.empty(0, np.int32)], [np.empty(0)], [np.empty(0, np.int32)]
    for m, kink in enumerate(kinks):
        mine, pad = slice(first_neuron[m], first_neuron[m + 1]), ((0, 0), (0, most - kink.breakpoints.shape[1]))
        slopes[mine] = np.pad(kink.slopes, pad, mode="edge")
        intercepts[mine] = np.pad(kink.intercepts, pad, mode="edge")
        row_neuron.append(first_neuron[m] + kink.row_neuron)
        row_breakpoint.append(kink.row_breakpoint)
        # the piece right of a breakpoint: as many as are below it or equal to it
        row_piece.append((kink.breakpoints[kink.row_neuron] <= kink.row_breakpoint[:, None]).sum(axis=1))
    neurons = np.concatenate(row_neuron).astype(np.int32)
    rectified = [_rectified(kink) for kink in kinks]
    return Layers(
        first_neuron.astype(np.int64),
        np.array([_INPUT in blocks for blocks, _ in layers]),
        input_weights,
        np.concatenate([constant for _, constant in layers]),
        np.array(first_block, np.int64),
        np.array(block_source, np.int64),
        np.array(block_start, np.int64),
        np.concatenate(weights),
        np.sqrt(squares),
        np.array([_uneven(value) for value in layers]),
        np.searchsorted(neurons, np.arange(count + 1)).astype(np.int64),
        neurons,
        np.concatenate(row_breakpoint),
        np.concatenate(row_piece).astype(np.int32),
        slopes,
        intercepts,
        np.array([*rectified, False]),
    )


def _uneven(value: _Value) -> bool:
    """Whether norms would bound the rounding of some neuron much too high where only its small weights count."""
    blocks, constant = value
    parts = np.abs(np.concatenate([*blocks.values(), np.zeros((len(constant), 1))], axis=1)) + np.abs(constant)[:, None]
    least = np.where(parts > 0.0, parts, np.inf).min(axis=1)
    return bool((parts.max(axis=1) > EVEN * least).any())


def _rectified(kink: Kink) -> bool:
    one_each = np.array_equal(kink.row_neuron, np.arange(len(kink.breakpoints))) and not kink.row_breakpoint.any()
    first, last = kink.slopes[:, 0], kink.slopes[:, -1]
    return one_each and not first.any() and bool((last == 1.0).all()) and not kink.intercepts.any()
