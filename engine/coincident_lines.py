"""Rows with the same line in every region: known from the weights alone.

Networks have them by construction (opposite, widened, pruned or symmetric neurons, a network beside a copy of itself),
and on a slice more than in space (mirror images in the slice's plane).  Where such rows cross an edge together is no
question for rounding.

Every feature of a nonlinearity counts as an unknown, and features that are equal as one.  A row is a sum of unknowns,
and two rows have the same line when their coefficients are proportional.  Candidates are rows with the same ratio at
two random places; their coefficients are compared in integers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import gcd
from typing import assert_never

import numpy as np

from engine.dyadic import Dyadic, Integers, aligned, dyadic, product
from engine.steps import Affine, Float, Gather, Int, Kink, Linear, Scale, Step, Sum, evaluate, sources
from engine.tolerances import SAME_RATIO

Lines = Mapping[int, Int]
"""By the slot that a nonlinearity writes, where it has rows with the same line: (R,) int32, the first row with the same
line as each."""


def coincident_lines(steps: Sequence[Step], inputs: Float) -> Lines:
    """Return the rows with the same line.

    inputs (D, K): the network's input is inputs @ unknowns, the last of which is 1.
    """
    rng = np.random.default_rng(0)
    values = {0: _random_inputs(inputs, rng)}
    unknown: dict[int, Int] = {}  # of each feature its number among the unknowns of its slot
    found: dict[int, Int] = {}
    for i, step in enumerate(steps):
        if not isinstance(step, Kink):
            values[step.target] = evaluate(step, values, 2)
            continue
        number = np.arange(len(step.slopes), dtype=np.int32)
        candidates = _candidates(values[step.source], step)
        if len(candidates):
            sizes = {slot: value.shape[1] for slot, value in values.items()}
            forms = _forms(steps[:i], step, candidates, unknown, inputs, sizes)
            lines = np.arange(len(step.row_neuron), dtype=np.int32)
            lines[candidates] = candidates[_first_equal([_direction(form) for form in forms])]
            if (lines != np.arange(len(lines))).any():
                found[step.target] = lines
                features, first_row = np.unique(step.row_neuron[candidates], return_index=True)
                keys = [(forms[n], *_pieces(step, k)) for k, n in zip(features, first_row, strict=True)]
                number[features] = features[_first_equal(keys)]
        unknown[step.target] = number
        values[step.target] = rng.normal(size=(2, len(number)))[:, number]
    return found


def lines_on_slice(in_space: Lines, steps: Sequence[Step], inputs: Float) -> Lines:
    """Return coincident_lines on a slice, whose inputs are `inputs` (D, 3), from those in space.

    They are the same unless the rows that read the inputs coincide on the slice.
    """
    first = next((i for i, step in enumerate(steps) if isinstance(step, Kink)), len(steps))
    if first == len(steps):
        return in_space
    again = any(0 in sources(step) for step in steps[first + 1 :])
    values = {0: _random_inputs(inputs, np.random.default_rng(0))}
    for step in steps[:first]:
        values[step.target] = evaluate(step, values, 2)
    kink = steps[first]
    assert isinstance(kink, Kink)
    if not again and len(_candidates(values[kink.source], kink)) == 0:
        return in_space
    return coincident_lines(steps, inputs)


def _random_inputs(inputs: Float, rng: np.random.Generator) -> Float:
    """Return the network's inputs (2, D) at two random places."""
    places = np.column_stack([rng.normal(size=(2, inputs.shape[1] - 1)), np.ones(2)])
    return np.asarray(places @ inputs.T)


def _candidates(z: Float, kink: Kink) -> Int:
    """Return the rows with a ratio at two places that others have too, up to rounding; z (2, n): the neurons there."""
    first, second = z[:, kink.row_neuron] - kink.row_breakpoint
    ratio = np.arctan2(first, second) % np.pi
    order = np.argsort(ratio)
    near = np.diff(ratio[order], append=ratio[order[:1]] + np.pi) <= SAME_RATIO
    return np.sort(order[near | np.roll(near, 1)]).astype(np.int32)


def _forms(
    steps: Sequence[Step], kink: Kink, rows: Int, unknown: Mapping[int, Int], inputs: Float, sizes: Mapping[int, int]
) -> list[tuple[int, ...]]:
    """Return the coefficients of rows of a nonlinearity by all unknowns, over one denominator."""
    neurons, last = kink.row_neuron[rows], steps[-1]
    constants = [dyadic(-kink.row_breakpoint[rows, None])]
    if isinstance(last, Linear) and last.groups == 1 and last.target == kink.source:
        steps = steps[:-1]
        coefficients = {last.source: dyadic(last.weight[neurons])}
        constants.append(dyadic(last.bias[neurons, None]))
    else:
        selection = np.full((len(rows), len(kink.slopes)), 0, object)
        selection[np.arange(len(rows)), neurons] = 1
        coefficients = {kink.source: Dyadic(selection, 0)}
    parts = []
    for step in reversed(steps):
        here = coefficients.pop(step.target, None)
        if here is None:
            continue
        if isinstance(step, Kink):
            parts.append(Dyadic(_added_up(here.integers, unknown[step.target], sizes[step.target]), here.exponent))
            continue
        for slot, more in _pulled_back(step, here, constants, sizes):
            coefficients[slot] = _sum([coefficients[slot], more]) if slot in coefficients else more
    if 0 in coefficients:
        integers, exponent = product(coefficients[0], dyadic(inputs))
        parts.append(Dyadic(integers[:, :-1], exponent))
        constants.append(Dyadic(integers[:, -1:], exponent))
    columns, _ = aligned([*parts, _sum(constants)])
    return [tuple(row) for row in np.concatenate(columns, axis=1).tolist()]


def _pulled_back(
    step: Affine, here: Dyadic, constants: list[Dyadic], sizes: Mapping[int, int]
) -> list[tuple[int, Dyadic]]:
    """Return coefficients (m, *) by the values that a step reads, from those by its own; add to the constants."""
    match step:
        case Linear():
            weight, bias = dyadic(step.weight), dyadic(step.bias[:, None])
            blocks = [here._replace(integers=block) for block in np.split(here.integers, step.groups, axis=1)]
            constants += [product(block, bias) for block in blocks]
            parts, exponent = aligned([product(block, weight) for block in blocks])
            return [(step.source, Dyadic(np.concatenate(parts, axis=1), exponent))]
        case Scale():
            factor = dyadic(step.factor)
            constants.append(product(here, dyadic(step.shift[:, None])))
            return [(step.source, Dyadic(here.integers * factor.integers, here.exponent + factor.exponent))]
        case Sum():
            return [(step.left, here), (step.right, here._replace(integers=here.integers * int(step.sign)))]
        case Gather():
            ends = np.cumsum([0, *(sizes[slot] for slot in step.sources)])
            whole = _added_up(here.integers, step.index, int(ends[-1]) + len(step.constants))
            constants.append(product(Dyadic(whole[:, ends[-1] :], here.exponent), dyadic(step.constants[:, None])))
            return [
                (slot, here._replace(integers=whole[:, ends[i] : ends[i + 1]])) for i, slot in enumerate(step.sources)
            ]
        case _:
            assert_never(step)


def _added_up(columns: Integers, number: Int, count: int) -> Integers:
    """Return (m, count) integers: the columns (m, n) with the same number, added up."""
    result = np.full((len(columns), count), 0, object)
    np.add.at(result.T, number, columns.T)
    return result


def _sum(parts: Sequence[Dyadic]) -> Dyadic:
    integers, exponent = aligned(parts)
    return Dyadic(sum(integers[1:], integers[0]), exponent)


def _direction(form: tuple[int, ...]) -> tuple[int, ...]:
    """Return the coefficients up to a common factor."""
    divisor = gcd(*form) or 1
    if next((part for part in form if part), 0) < 0:
        divisor = -divisor
    return tuple(part // divisor for part in form)


def _pieces(kink: Kink, neuron: int) -> tuple[bytes, ...]:
    """Return what a neuron's nonlinearity is, to be compared."""
    return tuple(array[neuron].tobytes() for array in (kink.breakpoints, kink.slopes, kink.intercepts))


def _first_equal(keys: Sequence[Hashable]) -> Int:
    """Return (N,) int32: the place of the first key that is equal to each."""
    first: dict[Hashable, int] = {}
    return np.array([first.setdefault(key, n) for n, key in enumerate(keys)], np.int32)
