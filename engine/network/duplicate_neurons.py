"""Features that are computed alike from the same numbers: their values are equal, and so are their errors.

A cut makes pre-activations at their breakpoints exact, so only those with the same breakpoints stay alike.  Twins are
looked for among the rows of one matrix, and not beyond a concatenation.

Networks have them by chance (dead units) or by construction (widened, pruned or symmetric layers); where a later layer
takes their difference, it has no error by them, however large its weights are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import numpy as np

from engine.arrays import Float, Int
from engine.network.steps import Gather, Kink, Linear, Scale, Step, Sum


def first_twins(steps: Sequence[Step]) -> dict[int, Int]:
    """For each slot that has twins (n,) int32: the first feature that is equal to each of its features."""
    bends: dict[int, list[Float]] = {}
    for step in steps:
        if isinstance(step, Kink):
            bends.setdefault(step.source, []).extend(step.breakpoints.T)
    found: dict[int, Int] = {}
    for step in steps:
        first = _first_of(step, found)
        if first is not None and step.target in bends:
            first = _first_equal((first,), bends[step.target])
        if first is not None and (first != np.arange(len(first))).any():
            found[step.target] = first
    return found


def _first_of(step: Step, found: dict[int, Int]) -> Int | None:
    sources: tuple[int, ...]
    parameters: Sequence[Float]
    match step:
        case Linear():
            return _first_of_rows(step) if step.groups == 1 else None
        case Scale():
            sources, parameters = (step.source,), [step.factor, step.shift]
        case Sum():
            sources, parameters = (step.left, step.right), []
        case Kink():
            sources, parameters = (step.source,), [*step.breakpoints.T, *step.slopes.T, *step.intercepts.T]
        case Gather():
            return None
        case _:
            assert_never(step)
    known = [found[source] for source in sources if source in found]
    return _first_equal(known, parameters) if len(known) == len(sources) else None


def _first_of_rows(linear: Linear) -> Int:
    first: dict[bytes, int] = {}
    rows = np.column_stack([linear.weight, linear.bias])
    return np.array([first.setdefault(row.tobytes(), k) for k, row in enumerate(rows)], np.int32)


def _first_equal(twins: Sequence[Int], parameters: Sequence[Float]) -> Int:
    """The first feature with the same first twins of all kinds and the same parameters, (n,) each."""
    columns = [*(column.tolist() for column in twins), *(column.tolist() for column in parameters)]
    keys = zip(*columns, strict=True)
    first: dict[tuple[float, ...], int] = {}
    return np.array([first.setdefault(key, k) for k, key in enumerate(keys)], np.int32)


def pairs_of(first: Int) -> Int:
    """(K, 2) int32: each feature that has an earlier twin, and that."""
    later = np.flatnonzero(first != np.arange(len(first)))
    return np.column_stack([later, first[later]]).astype(np.int32)


def summed(columns: Float, first: Int | None) -> Float:
    """(N, n) float64 with the columns of twins added up in the first of them, and zero in the others."""
    if first is None:
        return columns
    result = np.zeros_like(columns)
    np.add.at(result.T, first, columns.T)
    return result
