"""A continuous piecewise linear network as a program of affine steps and kinks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.arrays import Float, Int
from engine.errors import EngineError
from engine.network.coincident_lines import Lines, coincident_lines
from engine.network.duplicate_neurons import first_twins
from engine.network.steps import Kink, Step, evaluate, sources

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class ForwardError:
    """Largest absolute difference between Network.forward and the module's own forward on random points.

    double: the module in float64; native: the module in its own dtype, `native_dtype` ("float32", ...).
    """

    double: float
    native: float
    native_dtype: str


@dataclass(frozen=True, eq=False)
class Network:
    """A traced network: `steps` compute the value of every slot from slot 0, the flattened input.

    input_shape    shape of one input, without the batch; input_size is its number of features D
    sizes          feature count of every slot
    output         the slot that holds the network's output, flattened to output_size features C
    output_shape   shape of one output, without the batch
    max_forward_error  how far `forward` was from the module's own forward, on random points
    notes          what was assumed or left out, one line each
    """

    steps: tuple[Step, ...]
    input_shape: tuple[int, ...]
    sizes: tuple[int, ...]
    output: int
    output_shape: tuple[int, ...]
    max_forward_error: ForwardError
    notes: tuple[str, ...] = ()

    @classmethod
    def trace(cls, module: nn.Module, input_shape: tuple[int, ...] = (3,)) -> Network:
        """Trace a module by running a float64 copy of it, in eval mode; the module itself is left untouched.

        input_shape: the shape of one input, without the batch dimension, which must be the module's first.
        Raises NotPiecewiseLinearError, naming the layer and the reason, when the module's forward is not a continuous
        piecewise linear function made of supported operations, and TraceError when it does not run at all, whatever
        it raises.
        """
        from engine.trace.tracing import trace  # noqa: PLC0415  torch takes longer to import than the whole engine

        return trace(module, input_shape)

    @property
    def input_size(self) -> int:
        return self.sizes[0]

    @property
    def output_size(self) -> int:
        return self.sizes[self.output]

    @cached_property
    def kinks(self) -> tuple[Kink, ...]:
        """The nonlinear layers in order; a kink's index here is its depth."""
        return tuple(step for step in self.steps if isinstance(step, Kink))

    @cached_property
    def twins(self) -> Mapping[int, Int]:
        """For each slot in which features are equal (n,) int32: the first feature that is equal to each."""
        return first_twins(self.steps)

    @cached_property
    def coincident_lines(self) -> Lines:
        """Rows with the same line wherever the network is cut: see engine/network/coincident_lines.py."""
        return coincident_lines(self.steps, np.eye(self.input_size, self.input_size + 1))

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The names of the kinks, unique."""
        return tuple(kink.name for kink in self.kinks)

    def neuron_name(self, layer: int, neuron: int) -> str:
        """A name for people, such as "net.3, neuron 17", of neuron `neuron` of kink `layer`.

        Takes what `Partition.edge_layer` and `edge_neuron` hold: layer -1 is the domain's border, layer len(kinks) the
        network's output.
        """
        if layer == -1:
            return f"border, side {neuron}"
        if layer == len(self.kinks):
            return f"output {neuron}"
        return f"{self.kinks[layer].name}, neuron {neuron}"

    def forward(self, x: Float) -> Float:
        """Evaluate the network.  x: (N, D) float64, or (N, *input_shape); returns (N, C) float64."""
        x = np.asarray(x, dtype=np.float64)
        if x.shape[1:] not in ((self.input_size,), self.input_shape):
            raise EngineError(f"the network takes inputs of shape (N, {self.input_size}), not {x.shape}")
        values = {0: x.reshape(len(x), self.input_size)}
        last_use = {slot: i for i, step in enumerate(self.steps) for slot in sources(step)}
        for i, step in enumerate(self.steps):
            values[step.target] = evaluate(step, values, len(x))
            for slot in set(sources(step)):
                if last_use[slot] == i and slot != self.output:
                    del values[slot]
        return values[self.output]
