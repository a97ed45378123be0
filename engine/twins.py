"""Features that are computed alike from the same numbers: their values are equal, and so are their errors.

Networks have them by chance (dead units) or by construction (widened, pruned or symmetric layers); where a later layer
takes their difference, it has no error by them, however large its weights are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from engine.steps import Float, Gather, Int, Kink, Linear, Scale, Step, Sum


def first_twins(steps: Sequence[Step]) -> dict[int, Int]:
    """For each slot that has twins (n,) int32: the first feature that is equal to each of its features."""
    found: dict[int, Int] = {}
    for step in steps:
        first = _first_of(step, found)
        if first is not None and (first != np.arange(len(first))).any():
            found[step.target] = first
    return found


def _first_of(step: Step, found: dict[int, Int]) -> Int | None:
    match step:
        case Linear():
            return _first_of_rows(step) if step.groups == 1 else None
        case Scale():
            return _first_equal(found, (step.source,), step.factor, step.shift)
        case Sum():
            return _first_equal(found, (step.left, step.right))
        case Kink():
            return _first_equal(found, (step.source,), *step.breakpoints.T, *step.slopes.T, *step.intercepts.T)
        case Gather():
            return None
        case _:
            assert_never(step)


def _first_of_rows(linear: Linear) -> Int:
    first: dict[bytes, int] = {}
    rows = np.column_stack([linear.weight, linear.bias])
    return np.array([first.setdefault(row.tobytes(), k) for k, row in enumerate(rows)], np.int32)


def _first_equal(found: dict[int, Int], sources: tuple[int, ...], *parameters: Float) -> Int | None:
    """The first feature with the same features of all sources and the same parameters, (n,) each."""
    if not all(source in found for source in sources):
        return None
    columns: list[NDArray[np.generic]] = [found[source] for source in sources]
    keys = zip(*(column.tolist() for column in (*columns, *parameters)), strict=True)
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
