"""Rows with the same line in every region: known from the weights alone.

Networks have them by construction (opposite, widened, pruned or symmetric neurons, a network beside a copy of itself),
and on a slice more than in space (mirror images in the slice's plane).  Where such rows cross an edge together, or are
zero along each other's lines, is no question for rounding.

Every feature of a nonlinearity counts as an unknown, and features that are equal as one.  A row is a sum of unknowns,
and two rows have the same line when their coefficients are proportional.  Candidates are rows with the same ratio at
two random places; their coefficients are compared in integers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from math import gcd
from typing import NamedTuple, assert_never

import numpy as np

from engine.arrays import Float, Int
from engine.dyadic import Dyadic, Integers, aligned, dyadic, product
from engine.network.steps import Affine, Gather, Kink, Linear, Scale, Step, Sum, evaluate, sources
from engine.tolerances import SAME_RATIO

Lines = tuple[Int, ...]
"""For each nonlinearity in order (R,) int32: rows with the same number, of any nonlinearity, have the same line; -1: no
other row has it.  Empty where that is so of all."""

_PLACES = np.random.default_rng(0).normal(size=(2, 2))  # on any slice


class _Form(NamedTuple):
    """A row as a sum of unknowns over 2**exponent: (number, coefficient) of all that are not zero, -1 the constant."""

    terms: tuple[tuple[int, int], ...]
    exponent: int

    @property
    def direction(self) -> tuple[tuple[int, int], ...]:
        """The terms up to a common factor."""
        divisor = gcd(*(part for _, part in self.terms))
        if self.terms and self.terms[0][1] < 0:
            divisor = -divisor
        return tuple((number, part // divisor) for number, part in self.terms)


def coincident_lines(steps: Sequence[Step], inputs: Float) -> Lines:
    """Return the rows with the same line.

    inputs (D, K): the network's input is inputs @ unknowns, the last of which is 1.
    """
    rng = np.random.default_rng(0)
    values = {0: _inputs_at_random(inputs, rng.normal(size=(2, inputs.shape[1] - 1)))}
    unknown: dict[int, Int] = {}  # of the features of each nonlinearity their numbers among all unknowns
    count = inputs.shape[1]
    random = np.empty((2, 0))  # of the unknowns after the inputs'
    kinks = [i for i, step in enumerate(steps) if isinstance(step, Kink)]
    ratios: list[Float] = []
    forms: dict[tuple[int, int], _Form] = {}  # by nonlinearity and row
    equal: dict[Hashable, int] = {}  # the unknown that a feature is, by its form and its pieces
    for layer, i in enumerate(kinks):
        kink = steps[i]
        assert isinstance(kink, Kink)
        for step in steps[kinks[layer - 1] + 1 if layer else 0 : i]:
            values[step.target] = evaluate(step, values, 2)
        sizes = {slot: value.shape[1] for slot, value in values.items()}
        ratios.append(_ratios(values[kink.source], kink))
        for other, rows in _candidates(ratios).items():
            missing = np.array([row for row in rows if (other, row) not in forms], np.int32)
            if len(missing):
                found = _forms(steps[: kinks[other] + 1], missing, unknown, inputs, sizes)
                forms.update(((other, row), form) for row, form in zip(missing.tolist(), found, strict=True))
        unknown[kink.target] = count + np.arange(len(kink.slopes), dtype=np.int32)
        for (other, row), form in sorted(forms.items()):
            _share_unknown(steps[kinks[other]], row, form, unknown, equal)
        number = unknown[kink.target]
        random = np.column_stack([random, rng.normal(size=(2, len(number)))])
        values[kink.target] = random[:, number - inputs.shape[1]]
        count += len(number)
    members = defaultdict(list)
    for place, form in forms.items():
        if form.terms:
            members[form.direction].append(place)
    shared = [places for places in members.values() if len(places) > 1]
    used = {layer for places in shared for layer, _ in places}
    lines = tuple(np.full(len(ratio) if layer in used else 0, -1, np.int32) for layer, ratio in enumerate(ratios))
    for number_of_line, places in enumerate(shared):
        for layer, row in places:
            lines[layer][row] = number_of_line
    return lines


def lines_on_slice(in_space: Lines, steps: Sequence[Step], inputs: Float) -> Lines:
    """Return coincident_lines on a slice, whose inputs are `inputs` (D, 3), from those in space.

    They are the same unless more of the rows that read the inputs coincide on the slice.
    """
    first = next((i for i, step in enumerate(steps) if isinstance(step, Kink)), len(steps))
    if first == len(steps):
        return in_space
    values = {0: _inputs_at_random(inputs, _PLACES)}
    for step in steps[:first]:
        values[step.target] = evaluate(step, values, 2)
    kink = steps[first]
    assert isinstance(kink, Kink)
    angles = np.sort(_ratios(values[kink.source], kink))
    around = np.concatenate([angles, angles[:1] + np.pi])
    next_is_same = around[1:] - around[:-1] <= SAME_RATIO
    here = np.count_nonzero(next_is_same | np.roll(next_is_same, 1)) if next_is_same.any() else 0
    again = any(0 in sources(step) for step in steps[first + 1 :])
    if not again and here <= np.count_nonzero(in_space[0] >= 0):
        return in_space
    return coincident_lines(steps, inputs)


def _inputs_at_random(inputs: Float, places: Float) -> Float:
    """Return the network's inputs (2, D) at two places (2, K - 1) chosen at random."""
    return np.asarray(places @ inputs[:, :-1].T + inputs[:, -1])


def _ratios(z: Float, kink: Kink) -> Float:
    """Return the angle (R,) of each row's values at two places, from those (2, n) of the neurons."""
    first, second = z[:, kink.row_neuron] - kink.row_breakpoint
    return np.asarray(np.arctan2(first, second) % np.pi)


def _candidates(ratios: Sequence[Float]) -> dict[int, list[int]]:
    """Return rows, by nonlinearity, with a ratio that a row of the last one has too up to rounding, another row."""
    whole, last = np.concatenate(ratios), ratios[-1]
    near = np.append(_near(whole[: len(whole) - len(last)], last) > 0, _near(last, whole) > 1)
    ends = np.cumsum([0, *(len(ratio) for ratio in ratios)])
    rows = {layer: np.flatnonzero(near[ends[layer] : ends[layer + 1]]).tolist() for layer in range(len(ratios))}
    return {layer: found for layer, found in rows.items() if found}


def _near(angles: Float, others: Float) -> Int:
    """Return how many of the others are next to each angle, up to half a turn."""
    around = np.sort(np.concatenate([others - np.pi, others, others + np.pi]))
    first, stop = (np.searchsorted(around, angles + reach) for reach in (-SAME_RATIO, SAME_RATIO))
    return np.asarray(stop - first, np.int32)


def _forms(
    steps: Sequence[Step], rows: Int, unknown: Mapping[int, Int], inputs: Float, sizes: Mapping[int, int]
) -> list[_Form]:
    """Return rows of the nonlinearity that the steps end in."""
    kink, steps = steps[-1], steps[:-1]
    assert isinstance(kink, Kink)
    neurons, last = kink.row_neuron[rows], steps[-1] if steps else None
    constants = [dyadic(-kink.row_breakpoint[rows, None])]
    if isinstance(last, Linear) and last.groups == 1 and last.target == kink.source:
        steps = steps[:-1]
        coefficients = {last.source: dyadic(last.weight[neurons])}
        constants.append(dyadic(last.bias[neurons, None]))
    else:
        selection = np.full((len(rows), len(kink.slopes)), 0, object)
        selection[np.arange(len(rows)), neurons] = 1
        coefficients = {kink.source: Dyadic(selection, 0)}
    parts, numbers = [], []
    for step in reversed(steps):
        here = coefficients.pop(step.target, None)
        if here is None:
            continue
        if isinstance(step, Kink):
            parts.append(here)
            numbers.append(unknown[step.target])
            continue
        for slot, more in _pulled_back(step, here, constants, sizes):
            coefficients[slot] = _sum([coefficients[slot], more]) if slot in coefficients else more
    if 0 in coefficients:
        integers, exponent = product(coefficients[0], dyadic(inputs))
        parts.append(Dyadic(integers[:, :-1], exponent))
        numbers.append(np.arange(inputs.shape[1] - 1, dtype=np.int32))
        constants.append(Dyadic(integers[:, -1:], exponent))
    columns, exponent = aligned([_sum(constants), *parts])
    return [
        _form(np.concatenate([[-1], *numbers]).tolist(), row, exponent)
        for row in np.concatenate(columns, axis=1).tolist()
    ]


def _form(numbers: Sequence[int], coefficients: Sequence[int], exponent: int) -> _Form:
    """Return a row from the coefficients of unknowns, which may occur more than once."""
    terms: dict[int, int] = defaultdict(int)
    for number, part in zip(numbers, coefficients, strict=True):
        terms[number] += part
    bits = 0
    for part in terms.values():
        bits |= part
    shared = min(exponent, (bits & -bits).bit_length() - 1) if bits else exponent
    return _Form(tuple((n, part >> shared) for n, part in sorted(terms.items()) if part), exponent - shared)


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


def _share_unknown(step: Step, row: int, form: _Form, unknown: dict[int, Int], equal: dict[Hashable, int]) -> None:
    """Give a row's feature the unknown of those that are equal to it, by form and pieces; the first keeps its own."""
    assert isinstance(step, Kink)
    neuron, number = int(step.row_neuron[row]), unknown[step.target]
    if row == 0 or step.row_neuron[row - 1] != neuron:
        number[neuron] = equal.setdefault((form, *_pieces(step, neuron)), int(number[neuron]))


def _pieces(kink: Kink, neuron: int) -> tuple[bytes, ...]:
    """Return what a neuron's nonlinearity is, to be compared."""
    return tuple(array[neuron].tobytes() for array in (kink.breakpoints, kink.slopes, kink.intercepts))
