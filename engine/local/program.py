"""A network as local networks are folded from it: layers of rectified rows.

Every nonlinearity is a first piece and a rectified row for each of its breakpoints,

    phi(z) = slope z + intercept + sum over its rows r of jump_r max(z - breakpoint_r, 0),

so that a row is on, off or undecided in a cell, whatever the nonlinearity is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float
from engine.network.layers import Layers, layers_of
from engine.network.network import Network


class Program(NamedTuple):
    """A network's layers, and their nonlinearities as rectified rows; of the output the level is subtracted.

    jump (R,) float64: change of slope at each row; steepest (N,) float64: the largest slope of each neuron; last_reader
    (K + 1,) int64: the last layer that reads each, -1 of the output.  The first piece of neuron k has the slope
    layers.slopes[k, 0] and the intercept layers.intercepts[k, 0].
    """

    layers: Layers
    jump: Float
    steepest: Float
    last_reader: NDArray[np.int64]


def program_of(network: Network, level: float) -> Program:
    """Return the program of a network with one output, of which the level is subtracted.

    Raises EngineError for several outputs.
    """
    layers = layers_of(network, level)
    return Program(layers, _jumps(layers), np.abs(layers.slopes).max(axis=1), _last_readers(layers))


def _jumps(layers: Layers) -> Float:
    rows = np.arange(layers.rows)
    first = layers.first_row[layers.row_neuron] == rows
    before = np.where(first, 0, layers.row_piece[rows - 1])
    neuron = layers.row_neuron
    return np.asarray(layers.slopes[neuron, layers.row_piece] - layers.slopes[neuron, before])


def _last_readers(layers: Layers) -> NDArray[np.int64]:
    found = np.full(len(layers.reads_input), -1, np.int64)
    for layer in range(len(found)):
        for block in range(layers.first_block[layer], layers.first_block[layer + 1]):
            found[layers.block_source[block]] = layer
    return found
