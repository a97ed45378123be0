"""A neuron as a network of its own: its level set in space is the surface of the network that ends before its layer."""

from __future__ import annotations

import operator
from dataclasses import replace

import numpy as np

from engine.errors import EngineError
from engine.network.network import Network
from engine.network.steps import Gather, Linear, Step, sources


def neuron_network(network: Network, layer: int, neuron: int) -> Network:
    """Return the network whose output is the pre-activation of neuron `neuron` of kink `layer`.

    Its level surface at the neuron's breakpoint is where the neuron bends the network.  Raises EngineError when there
    is no such neuron.
    """
    kinks = network.kinks
    layer, neuron = operator.index(layer), operator.index(neuron)
    if not 0 <= layer < len(kinks):
        raise EngineError(f"there is no layer {layer}; layers are numbered from 0 to {len(kinks) - 1}")
    source, size = kinks[layer].source, len(kinks[layer].slopes)
    if not 0 <= neuron < size:
        raise EngineError(f"layer {layer} has no neuron {neuron}; its neurons are numbered from 0 to {size - 1}")
    before = network.steps[: network.steps.index(kinks[layer])]
    output = len(network.sizes)
    last = _row(before, source, neuron, output)
    steps: list[Step] = [last]
    needed = set(sources(last))
    for step in reversed(before):
        if step.target in needed:
            steps.append(step)
            needed.update(sources(step))
    name = network.neuron_name(layer, neuron)
    return replace(
        network,
        steps=tuple(reversed(steps)),
        sizes=(*network.sizes, 1),
        output=output,
        output_shape=(1,),
        notes=(*network.notes, f"the output is the pre-activation of {name}"),
    )


def _row(steps: tuple[Step, ...], source: int, feature: int, target: int) -> Linear | Gather:
    """Return a step that writes one feature of a value: one row of the matrix that makes it, where there is one."""
    made = next((step for step in steps if step.target == source), None)
    if isinstance(made, Linear) and made.groups == 1:
        row = slice(feature, feature + 1)
        return Linear(made.source, target, made.weight[row].copy(), made.bias[row].copy())
    return Gather((source,), target, np.empty(0), np.array([feature], np.int32))
