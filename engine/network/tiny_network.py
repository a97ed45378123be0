"""A network so small that with it nothing takes time but loading or compiling kernels."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from engine.network.network import ForwardError, Network
from engine.network.steps import Kink, Linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.network.steps import Step

_Number = TypeVar("_Number", bound=np.generic)


def tiny_network(inputs: int, width: int = 8) -> Network:
    """Two layers of ReLU, made by hand: tracing a module would import torch.

    Its zero level set goes through the middle, and two neurons are nearly parallel: there are doubts to settle.
    """
    generator = np.random.default_rng(0)
    sizes = (inputs, width, width, 1)
    steps: list[Step] = []
    slots = [inputs]
    middle = np.zeros(inputs)
    for before, after in pairwise(sizes):
        weight = generator.normal(size=(after, before)) / np.sqrt(before)
        weight[1:2] = weight[:1] * (1.0 + 1e-9)
        bias = generator.uniform(-0.3, 0.3, after) if after > 1 else -weight @ middle
        middle = np.maximum(weight @ middle + bias, 0.0)
        steps.append(Linear(len(slots) - 1, len(slots), _frozen(weight), _frozen(bias)))
        slots.append(after)
        if after > 1:
            steps.append(_relu(len(slots) - 1, after))
            slots.append(after)
    return Network(tuple(steps), (inputs,), tuple(slots), len(slots) - 1, (1,), ForwardError(0.0, 0.0, "float64"))


def _relu(source: int, size: int) -> Kink:
    return Kink(
        source,
        source + 1,
        name="relu",
        operation="relu",
        breakpoints=_frozen(np.zeros((size, 1))),
        slopes=_frozen(np.tile([0.0, 1.0], (size, 1))),
        intercepts=_frozen(np.zeros((size, 2))),
        row_neuron=_frozen(np.arange(size, dtype=np.int32)),
        row_breakpoint=_frozen(np.zeros(size)),
    )


def _frozen(array: NDArray[_Number]) -> NDArray[_Number]:
    array.setflags(write=False)
    return array
