"""Comparisons of traced tensors, and the choices by them that are continuous: where(a > b, c, d).

A comparison is an opaque cell of the tape that knows which cell lies above which.  What is chosen by it is continuous,
and piecewise linear, exactly when c - d is a multiple k (a - b): it is then d + k relu(a - b).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.network.steps import Gather, Linear, Scale, Sum
from engine.trace.recorder import Recorder
from engine.trace.tape import FIRST_CONSTANT, FIRST_OPAQUE, Cells, Tape
from engine.trace.traced import CELL, MIXED_ROWS, ROW, Codes, Layout, Traced, as_array

_EXACT = 1e-12
"""Two factors that differ by less, relative to the largest of them, are equal."""
_ROUNDING = 1e-6
"""A jump that is smaller, relative to the terms of its two sides, is due to constants that were rounded to float32."""
COMPARISON = (
    "compares a value that depends on the input ({}); write the function with torch.relu, torch.abs, torch.clamp, "
    "torch.maximum or torch.minimum"
)
_JUMPS = (
    "chooses by a comparison ({}) between values that do not meet where it changes, as far as can be seen: what jumps "
    "cannot be drawn"
)


@dataclass(frozen=True, slots=True)
class Truth:
    """That the value of the cell `above` is greater than that of `below`; equality may be counted either way."""

    above: int
    below: int
    name: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Choice:
    """left where a comparison holds, right elsewhere; their difference is `multiple` (above - below)."""

    truth: Truth
    left: int
    right: int
    multiple: float


@dataclass(frozen=True, slots=True)
class _Lines:
    """Two lines over the cell z that meet at a breakpoint, the one below it first."""

    z: int
    breakpoint: float
    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]


def holds_truths(x: Any) -> bool:
    """Return whether some elements are comparisons that depend on the input."""
    return isinstance(x, Traced) and bool(((x.codes & CELL) >= FIRST_OPAQUE).any())


def greater(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _compared(r, shape, left, other, "gt", equal=False)


def greater_or_equal(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _compared(r, shape, left, other, "ge", equal=True)


def less(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _compared(r, shape, other, left, "lt", equal=False)


def less_or_equal(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _compared(r, shape, other, left, "le", equal=True)


def _compared(r: Recorder, shape: tuple[int, ...], left: Any, right: Any, name: str, equal: bool) -> Codes:
    def cell(above: int, below: int) -> int:
        known = equal if above == below else _order(r.tape, above, below)
        if known is None:
            return r.tape.opaque(COMPARISON.format(name), Truth(above, below, name))
        return r.tape.constant(known)

    return _by_pairs(r, shape, left, right, cell)


def _by_pairs(r: Recorder, shape: tuple[int, ...], left: Any, right: Any, cell: Callable[[int, int], int]) -> Codes:
    """Codes of a function of the cells of two operands, by elements, in whatever rows they stand."""
    codes = [np.broadcast_to(x.codes, shape) for x in (left, right) if isinstance(x, Traced)]
    rows = codes[0] & ~CELL
    if any((other & ~CELL != rows).any() for other in codes):
        r.refuse(MIXED_ROWS)
    a, b = (
        np.broadcast_to(x.codes & CELL if isinstance(x, Traced) else r.tape.constants(as_array(x)), shape).ravel()
        for x in (left, right)
    )
    pairs, place = np.unique(np.stack([a, b]), axis=1, return_inverse=True)
    cells = np.array([cell(*pair) for pair in pairs.T.tolist()], dtype=np.int64)
    return cells[place].reshape(shape) | rows


def _order(tape: Tape, above: int, below: int) -> bool | None:
    """Return whether a cell lies above another, where that is certain: all values are finite."""
    a, b = (tape.constant_value(cell) if cell >= FIRST_CONSTANT else None for cell in (above, below))
    if a is not None and b is not None:
        return a > b
    if a is not None and np.isinf(a):
        return a > 0
    if b is not None and np.isinf(b):
        return b < 0
    return None


def equal(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _equal(r, shape, left, other, "eq", True)


def not_equal(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _equal(r, shape, left, other, "ne", False)


def _equal(r: Recorder, shape: tuple[int, ...], left: Any, right: Any, name: str, when_equal: bool) -> Codes:
    """Equality that is certain, as in x == x, by which NaN is looked for, or in x == inf."""

    def cell(a: int, b: int) -> int:
        if a != b and _order(r.tape, a, b) is None:
            r.refuse(COMPARISON.format(name))
        same = a == b or (min(a, b) >= FIRST_CONSTANT and r.tape.constant_value(a) == r.tape.constant_value(b))
        return r.tape.constant(when_equal if same else not when_equal)

    return _by_pairs(r, shape, left, right, cell)


def never(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    """Of NaN and of infinite values: a network of finite weights has none."""
    codes: Codes = (x.codes & ~CELL) | r.tape.constant(0.0)
    return codes


def logical_not(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    layout = r.layout(x, shape)
    return layout.with_cells(negated(r, layout.cells))


def negated(r: Recorder, cells: Cells) -> Cells:
    """The cells of 1 - x for comparisons x."""
    result = np.empty_like(cells)
    for i, cell in enumerate(cells.tolist()):
        if cell >= FIRST_OPAQUE:
            reason, truth = r.tape.opaque_of(cell)
            if not isinstance(truth, Truth):
                r.refuse(reason)
            result[i] = r.tape.opaque(reason, Truth(truth.below, truth.above, truth.name))
        elif cell >= FIRST_CONSTANT:
            result[i] = r.tape.constant(r.tape.constant_value(cell) == 0.0)
        else:
            r.refuse("negates, as a truth value, a value that depends on the input")
    return result


def where(r: Recorder, shape: tuple[int, ...], condition: Any, left: Any, right: Any) -> Codes:
    if not isinstance(condition, Traced):
        rows = next(item for item in (left, right) if isinstance(item, Traced)).codes & ~CELL
        parts = [item.codes if isinstance(item, Traced) else r.lifted(item, rows >> ROW) for item in (left, right)]
        return np.where(as_array(condition) != 0.0, *parts)
    layout = r.layout(condition, shape)
    a, b = (_cells_of(r, layout, item) for item in (left, right))
    return layout.with_cells(_chosen(r, layout.cells, a, b))


def masked_fill(r: Recorder, shape: tuple[int, ...], x: Any, mask: Any, value: Any) -> Codes:
    return where(r, shape, mask, value, x)


def _cells_of(r: Recorder, layout: Layout, item: Any) -> Cells:
    return layout.aligned(item.codes) if isinstance(item, Traced) else r.tape.constants(layout.constant(item))


def _chosen(r: Recorder, conditions: Cells, left: Cells, right: Cells) -> Cells:
    """Cells (m,) of where(condition, left, right)."""
    result, forms, deep = right.copy(), _Forms(r.tape), _Forms(r.tape, through_matrices=True)
    places, choices = [], []
    for i, (condition, a, b) in enumerate(zip(conditions.tolist(), left.tolist(), right.tolist(), strict=True)):
        if condition < FIRST_CONSTANT:
            r.refuse("takes a value that depends on the input for a truth value")
        if condition < FIRST_OPAQUE:
            result[i] = a if r.tape.constant_value(condition) != 0.0 else b
        elif a != b:
            reason, truth = r.tape.opaque_of(condition)
            if not isinstance(truth, Truth):
                r.refuse(reason)
            multiple = forms.multiple(a, b, truth)
            if multiple is None:  # one value may have been computed twice
                multiple = deep.multiple(a, b, truth)
            if multiple is None:
                r.refuse(_JUMPS.format(truth.name))
            places.append(i)
            choices.append(_Choice(truth, a, b, multiple))
    if choices:
        result[places] = _bent(r, choices, forms)
    return result


def _bent(r: Recorder, choices: list[_Choice], forms: _Forms) -> Cells:
    """Cells of where(above > below, left, right), in one kink where all is affine in one cell."""
    lines = [forms.lines(choice) for choice in choices]
    found = [line for line in lines if line is not None]
    if len(found) == len(lines):
        z = np.array([line.z for line in found], dtype=np.int64)
        columns = np.array([line.slopes for line in found]), np.array([line.intercepts for line in found])
        return r.tape.kink(z, "where", np.array([[line.breakpoint] for line in found]), *columns)
    above, below, right = np.array([(c.truth.above, c.truth.below, c.right) for c in choices], dtype=np.int64).T
    k = np.array([choice.multiple for choice in choices])
    zero, one = np.zeros((len(k), 1)), np.ones((len(k), 1))
    difference = r.tape.sum(above, below, -1.0)
    excess = r.tape.kink(difference, "where", zero, np.hstack([zero, one]), np.hstack([zero, zero]))
    return r.tape.sum(right, r.tape.scale(excess, k, np.zeros(len(k))), 1.0)


class _Forms:
    """Cells as affine functions {cell: factor}, shift of the cells that no sums and multiples made, or no matrices."""

    def __init__(self, tape: Tape, through_matrices: bool = False) -> None:
        self._tape = tape
        self._through_matrices = through_matrices
        self._known: dict[int, tuple[dict[int, float], float]] = {}

    def of(self, cell: int) -> tuple[dict[int, float], float]:
        if cell not in self._known:
            self._known[cell] = self._found(cell)
        return self._known[cell]

    def _found(self, cell: int) -> tuple[dict[int, float], float]:
        if cell >= FIRST_CONSTANT:
            return {}, self._tape.constant_value(cell)
        step, feature = self._tape.maker(cell)
        match step:
            case Scale():
                terms, shift = self.of(int(self._tape.cells(step.source)[feature]))
                factor = float(step.factor[feature])
                return {z: factor * c for z, c in terms.items()}, factor * shift + float(step.shift[feature])
            case Sum():
                left, right = (int(self._tape.cells(slot)[feature]) for slot in (step.left, step.right))
                return _difference(self.of(left), self.of(right), -step.sign)
            case Gather():
                return self.of(self._tape.gathered(step, feature))
            case Linear() if self._through_matrices:
                group, row = divmod(feature, len(step.bias))
                width = step.weight.shape[1]
                cells = self._tape.cells(step.source)[group * width : (group + 1) * width].tolist()
                terms, shift = {}, float(step.bias[row])
                for source, weight in zip(cells, step.weight[row].tolist(), strict=True):
                    inner, inner_shift = self.of(source)
                    shift += weight * inner_shift
                    for z, c in inner.items():
                        terms[z] = terms.get(z, 0.0) + weight * c
                return terms, shift
            case _:
                return {cell: 1.0}, 0.0

    def multiple(self, left: int, right: int, truth: Truth) -> float | None:
        """k with left - right = k (above - below), None when there is none."""
        above, below = self.of(truth.above), self.of(truth.below)
        terms, shift = _difference(above, below)
        wanted, wanted_shift = _difference(self.of(left), self.of(right))
        if not terms:
            return None
        largest = max(terms, key=lambda z: abs(terms[z]))
        k = wanted.get(largest, 0.0) / terms[largest]
        size = max((abs(c) for form in (self.of(left), self.of(right)) for c in form[0].values()), default=0.0)
        if any(abs(wanted.get(z, 0.0) - k * terms.get(z, 0.0)) > _EXACT * size for z in {*wanted, *terms}):
            return None
        sizes = abs(self.of(left)[1]) + abs(self.of(right)[1]) + abs(k) * (abs(above[1]) + abs(below[1]))
        return k if abs(wanted_shift - k * shift) <= _ROUNDING * sizes else None

    def lines(self, choice: _Choice) -> _Lines | None:
        """The two lines of a choice that depends on one cell alone."""
        terms, shift = _difference(self.of(choice.truth.above), self.of(choice.truth.below))
        sides = self.of(choice.left), self.of(choice.right)
        if len(terms) != 1 or any(not set(side[0]) <= set(terms) for side in sides):
            return None
        ((z, slope),) = terms.items()
        (left, left_shift), (right, right_shift) = ((side[0].get(z, 0.0), side[1]) for side in sides)
        meeting = right_shift + choice.multiple * shift
        if abs(meeting - left_shift) > 4 * np.finfo(np.float64).eps * (abs(right_shift) + abs(left_shift)):
            left_shift = meeting
        order = (1, -1)[slope < 0]
        return _Lines(z, -shift / slope, (right, left)[::order], (right_shift, left_shift)[::order])


def _difference(
    left: tuple[dict[int, float], float], right: tuple[dict[int, float], float], factor: float = 1.0
) -> tuple[dict[int, float], float]:
    """left - factor * right, without the terms that cancel."""
    terms = dict(left[0])
    for cell, c in right[0].items():
        terms[cell] = terms.get(cell, 0.0) - factor * c
    return {cell: c for cell, c in terms.items() if c != 0.0}, left[1] - factor * right[1]
