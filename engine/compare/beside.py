"""Two networks beside each other, as one network with the outputs of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np

from engine.arrays import Float
from engine.errors import EngineError
from engine.network.network import ForwardError, Network
from engine.network.steps import Gather, Kink, Scale, Step, Sum


def beside(first: Network, second: Network) -> Network:
    """Return the network x -> (first(x), second(x)), whose kinks are the first one's, followed by the second one's.

    Its partition of a slice is the common refinement of theirs.  Raises EngineError when their inputs differ in size.
    """
    check_inputs(first, second)
    shift = len(first.sizes) - 1

    def behind(slot: int) -> int:
        """The second network's slots come after the first one's, but for the input."""
        return slot + shift if slot else 0

    output = len(first.sizes) + len(second.sizes) - 1
    count = first.output_size + second.output_size
    read: tuple[int, ...] = (first.output, behind(second.output))
    index = np.arange(count, dtype=np.int32)
    if read[0] == read[1]:  # both are the input itself
        read, index = read[:1], index % first.output_size
    steps = (
        *(_named(step, "first") for step in first.steps),
        *(_named(_renumbered(step, behind), "second") for step in second.steps),
        Gather(read, output, np.empty(0), index),
    )
    errors = first.max_forward_error, second.max_forward_error
    return Network(
        steps=steps,
        input_shape=first.input_shape,
        sizes=(*first.sizes, *second.sizes[1:], count),
        output=output,
        output_shape=(count,),
        max_forward_error=ForwardError(
            max(error.double for error in errors),
            max(error.native for error in errors),
            errors[0].native_dtype,
        ),
    )


def mapped(network: Network, scale: float, shift: Float, factor: float) -> Network:
    """Return the network x -> factor * network(scale * x + shift); shift (D,) float64."""
    sizes = (network.input_size, *network.sizes, network.output_size)
    before = Scale(0, 1, np.full(network.input_size, scale), np.array(shift, np.float64))
    moved = (_renumbered(step, lambda slot: slot + 1) for step in network.steps)
    last = len(network.sizes) + 1
    after = Scale(network.output + 1, last, np.full(network.output_size, factor), np.zeros(network.output_size))
    return replace(network, steps=(before, *moved, after), sizes=sizes, output=last)


def check_inputs(first: Network, second: Network) -> None:
    """Raise EngineError when the networks take inputs of different sizes."""
    if first.input_size != second.input_size:
        raise EngineError(
            f"the networks take {first.input_size} and {second.input_size} inputs; only networks of the same space can "
            "be compared, so hold the further inputs of the larger one constant"
        )


def are_equal(first: Network, second: Network) -> bool:
    """Return whether two networks have the same steps with the same numbers, whatever their layers are called."""
    return first is second or (
        (first.sizes, first.output, len(first.steps)) == (second.sizes, second.output, len(second.steps))
        and all(map(_is_same_step, first.steps, second.steps))
    )


def have_equal_layers(first: Network, second: Network) -> bool:
    """Return whether the networks have as many nonlinear layers as each other, with as many neurons, bent as often."""
    rows = [[kink.row_neuron.tolist() for kink in network.kinks] for network in (first, second)]
    sizes = [[len(kink.slopes) for kink in network.kinks] for network in (first, second)]
    return rows[0] == rows[1] and sizes[0] == sizes[1]


def _is_same_step(one: Step, other: Step) -> bool:
    if type(one) is not type(other):
        return False
    names = [field.name for field in fields(one) if field.name != "name"]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def _named(step: Step, whose: str) -> Step:
    return replace(step, name=f"{whose}: {step.name}") if isinstance(step, Kink) else step


def _renumbered(step: Step, slot: Callable[[int], int]) -> Step:
    """Return a step that reads and writes the slots that its own become."""
    target = slot(step.target)
    match step:
        case Gather():
            return replace(step, sources=tuple(slot(source) for source in step.sources), target=target)
        case Sum():
            return replace(step, left=slot(step.left), right=slot(step.right), target=target)
        case _:
            return replace(step, source=slot(step.source), target=target)
