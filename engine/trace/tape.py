"""The tape on which a trace records its steps, feature by feature."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float
from engine.errors import NotPiecewiseLinearError
from engine.network.steps import Gather, Kink, Linear, Scale, Step, Sum, sources

# A cell is one feature of one slot, or one constant.  Moving data only moves cells; a Gather is recorded when a step
# needs cells that are not exactly one slot.  Cells from FIRST_CONSTANT on are constants, those from FIRST_OPAQUE on are
# values that no step can compute: comparisons and indices that depend on the input.
Cells = NDArray[np.int64]
FIRST_CONSTANT = 1 << 31
FIRST_OPAQUE = 3 << 30

Number = TypeVar("Number", bound=np.generic)

_MAX_FOLDED_CANCELLATION = 1024.0


@dataclass(frozen=True, slots=True)
class Layer:
    """The layer of the module that runs: its path, class, whether it has no children, and which call of it this is."""

    path: str
    kind: str
    leaf: bool
    call: int


class Tape:
    """Records steps.  `layer` is the layer on whose behalf they are recorded; `layers` tells it for every slot."""

    def __init__(self, input_size: int, layer: Layer) -> None:
        self.layer = layer
        self.steps: list[Step] = []
        self.sizes = [input_size]
        self.layers = [layer]
        self._starts = [0]
        self._constant_cells: dict[int, int] = {}
        self._constants: list[float] = []
        self._opaque_cells: dict[tuple[str, Hashable], int] = {}
        self._opaque: list[tuple[str, Hashable]] = []
        self._gathered: dict[bytes, int] = {}

    def refuse(self, reason: str) -> NoReturn:
        """Raise the error that names the layer."""
        raise NotPiecewiseLinearError(self.layer.path, self.layer.kind, reason)

    def cells(self, slot: int) -> Cells:
        """(size,) the cells of a slot."""
        return self._starts[slot] + np.arange(self.sizes[slot], dtype=np.int64)

    def constants(self, values: Float) -> Cells:
        """Cells of constants, of the values' shape; equal bits give equal cells."""
        bits, inverse = np.unique(np.ascontiguousarray(values, dtype=np.float64).view(np.int64), return_inverse=True)
        unique = np.empty(len(bits), dtype=np.int64)
        for i, (key, value) in enumerate(zip(bits.tolist(), bits.view(np.float64).tolist(), strict=True)):
            if key not in self._constant_cells:
                self._constant_cells[key] = FIRST_CONSTANT + len(self._constants)
                self._constants.append(value)
            unique[i] = self._constant_cells[key]
        return unique[inverse].reshape(np.shape(values))

    def constant_values(self, cells: Cells) -> Float:
        """The values of constant cells."""
        unique, inverse = np.unique(cells, return_inverse=True)
        self._refuse_opaque(unique)
        values = np.array([self._constants[i] for i in (unique - FIRST_CONSTANT).tolist()], dtype=np.float64)
        return values[inverse].reshape(cells.shape)

    def constant(self, value: float) -> int:
        """The cell of one constant."""
        return int(self.constants(np.array([value]))[0])

    def constant_value(self, cell: int) -> float:
        """The value of one constant cell."""
        return float(self.constant_values(np.array([cell]))[0])

    def opaque(self, reason: str, what: Hashable = None) -> int:
        """The cell of a value that only rules understand, by `what` it is; all other uses are refused for `reason`."""
        key = (reason, what)
        if key not in self._opaque_cells:
            self._opaque_cells[key] = FIRST_OPAQUE + len(self._opaque)
            self._opaque.append(key)
        return self._opaque_cells[key]

    def opaque_of(self, cell: int) -> tuple[str, Hashable]:
        """The reason and what it is, of an opaque cell."""
        return self._opaque[cell - FIRST_OPAQUE]

    def _refuse_opaque(self, cells: Cells) -> None:
        if cells.size and cells.max() >= FIRST_OPAQUE:
            self.refuse(self._opaque[int(cells.max()) - FIRST_OPAQUE][0])

    def maker(self, cell: int) -> tuple[Step | None, int]:
        """The step that computes a cell, None for those of the input, and the place of the cell in its value."""
        slot = bisect.bisect_right(self._starts, cell) - 1
        return self.steps[slot - 1] if slot else None, cell - self._starts[slot]

    def gathered(self, step: Gather, place: int) -> int:
        """The cell that a Gather moves to a place of its value."""
        index = int(step.index[place])
        for slot in step.sources:
            if index < self.sizes[slot]:
                return self._starts[slot] + index
            index -= self.sizes[slot]
        return self.constant(float(step.constants[index]))

    def slot(self, cells: Cells) -> int:
        """A slot that holds exactly these cells (m,); records a Gather when there is none yet."""
        self._refuse_opaque(cells)
        constant = cells >= FIRST_CONSTANT
        owners = np.searchsorted(self._starts, cells, side="right") - 1
        if not constant.any() and len(cells) and np.array_equal(cells, self.cells(int(owners[0]))):
            return int(owners[0])
        key = cells.tobytes()
        if key not in self._gathered:
            used = np.unique(owners[~constant])
            first = np.zeros(len(self.sizes), dtype=np.int64)
            first[used] = np.cumsum([0, *(self.sizes[slot] for slot in used)])[:-1]
            numbers, position = np.unique(cells[constant], return_inverse=True)
            index = np.empty(len(cells), dtype=np.int64)
            index[~constant] = cells[~constant] - np.array(self._starts)[owners[~constant]] + first[owners[~constant]]
            index[constant] = sum(self.sizes[slot] for slot in used) + position
            values = self._finite(self.constant_values(numbers))
            step = Gather(tuple(used.tolist()), self.next, values, _frozen(index.astype(np.int32)))
            self._gathered[key] = self._record(step, len(cells))
        return self._gathered[key]

    @property
    def next(self) -> int:
        """The slot that the next step writes."""
        return len(self.sizes)

    def linear(self, cells: Cells, weight: Float, bias: Float, groups: int) -> Cells:
        """Cells (groups * m,) of weight (m, n) @ each of the groups of cells (groups * n,) + bias (m,)."""
        weight, bias = self._finite(weight), self._finite(bias)
        step = Linear(self.slot(cells), self.next, weight, bias, groups)
        return self.cells(self._record(step, groups * len(bias)))

    def scale(self, cells: Cells, factor: Float, shift: Float) -> Cells:
        """Cells of cells * factor + shift; all (m,)."""
        if (factor == 1).all() and (shift == 0).all():
            return cells
        live = factor != 0
        if not live.all():
            result = self.constants(shift)
            result[live] = self.scale(cells[live], factor[live], shift[live]) if live.any() else ()
            return result
        step = Scale(self.slot(cells), self.next, self._finite(factor), self._finite(shift))
        return self.cells(self._record(step, len(cells)))

    def sum(self, left: Cells, right: Cells, sign: float) -> Cells:
        """Cells of left + sign * right; all (m,)."""
        step = Sum(self.slot(left), self.slot(right), sign, self.next)
        return self.cells(self._record(step, len(left)))

    def kink(self, cells: Cells, operation: str, breakpoints: Float, slopes: Float, intercepts: Float) -> Cells:
        """Cells of a continuous piecewise linear function of cells (m,).

        breakpoints: (m, P), ascending, may be infinite; slopes, intercepts: (m, P + 1).  Breakpoints at which the slope
        does not change are left out.
        """
        true = np.isfinite(breakpoints) & (slopes[:, :-1] != slopes[:, 1:])
        order = np.argsort(~true, axis=1, kind="stable")
        true = np.take_along_axis(true, order, axis=1)
        first = (breakpoints == -np.inf).sum(axis=1)
        piece = np.maximum.accumulate(np.column_stack([first, np.where(true, order + 1, 0)]), axis=1)
        most = int(true.sum(axis=1).max(initial=0))
        breakpoints = np.where(true, np.take_along_axis(breakpoints, order, axis=1), np.inf)[:, :most]
        slopes = self._finite(np.take_along_axis(slopes, piece, axis=1)[:, : most + 1])
        intercepts = self._finite(np.take_along_axis(intercepts, piece, axis=1)[:, : most + 1])
        if most == 0:
            return self.scale(cells, slopes[:, 0], intercepts[:, 0])
        neuron, column = np.nonzero(true[:, :most])
        step = Kink(
            self.slot(cells),
            self.next,
            name=operation,
            operation=operation,
            breakpoints=_frozen(breakpoints),
            slopes=slopes,
            intercepts=intercepts,
            row_neuron=_frozen(neuron.astype(np.int32)),
            row_breakpoint=_frozen(breakpoints[neuron, column]),
        )
        return self.cells(self._record(step, len(cells)))

    def _record(self, step: Step, size: int) -> int:
        self._starts.append(self._starts[-1] + self.sizes[-1])
        self.steps.append(step)
        self.sizes.append(size)
        self.layers.append(self.layer)
        return step.target

    def _finite(self, values: Float) -> Float:
        if not np.isfinite(values).all():
            self.refuse("a constant in it is NaN or infinite")
        return _frozen(values)


def live_steps(steps: Iterable[Step], output: int) -> list[Step]:
    """The steps on which the output depends, in order."""
    needed, live = {output}, []
    for step in reversed(list(steps)):
        if step.target in needed:
            needed.update(sources(step))
            live.append(step)
    return live[::-1]


def fold_scales(steps: list[Step], output: int) -> list[Step]:
    """Merge every Scale into the Linear or Scale before it whose only reader it is, where that loses no accuracy."""
    readers = Counter(slot for step in steps for slot in sources(step)) + Counter([output])
    folded: list[Step] = []
    writer: dict[int, int] = {}
    for step in steps:
        before = writer.get(step.source) if isinstance(step, Scale) and readers[step.source] == 1 else None
        merged = _fold(folded[before], step) if before is not None and isinstance(step, Scale) else None
        if before is not None and merged is not None:
            folded[before] = merged
            writer[step.target] = before
        else:
            writer[step.target] = len(folded)
            folded.append(step)
    return folded


def _fold(step: Step, scale: Scale) -> Step | None:
    factor, shift = scale.factor, scale.shift
    if isinstance(step, Scale):
        old_factor, old_shift = step.factor[:, None], step.shift
    elif isinstance(step, Linear):
        factor, shift = factor.reshape(step.groups, -1), shift.reshape(step.groups, -1)
        if (factor != factor[0]).any() or (shift != shift[0]).any():
            return None
        factor, shift, old_factor, old_shift = factor[0], shift[0], step.weight, step.bias
    else:
        return None
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        new_factor, new_shift = factor[:, None] * old_factor, factor * old_shift + shift
        size = np.abs(factor * old_shift) + np.abs(shift)
        lost = size > _MAX_FOLDED_CANCELLATION * (np.abs(new_shift) + np.linalg.norm(new_factor, axis=1))
    lost |= ((np.abs(new_factor) < np.finfo(np.float64).tiny) & (old_factor != 0)).any(axis=1)
    if lost.any() or not (np.isfinite(new_factor).all() and np.isfinite(size).all()):
        return None
    if isinstance(step, Scale):
        return replace(step, target=scale.target, factor=_frozen(new_factor[:, 0]), shift=_frozen(new_shift))
    return replace(step, target=scale.target, weight=_frozen(new_factor), bias=_frozen(new_shift))


def fold_sums(steps: list[Step], output: int) -> list[Step]:
    """Merge every Sum of two Linears of the same value into one Linear, where all its weights are exact.

    What the two have in common cancels then before it is rounded: as in the difference that a maximum bends at.
    """
    writer = {step.target: step for step in steps if isinstance(step, Linear)}
    folded: list[Step] = []
    for step in steps:
        merged = _fold_sum(writer.get(step.left), writer.get(step.right), step) if isinstance(step, Sum) else None
        if merged is not None:
            writer[merged.target] = merged
        folded.append(step if merged is None else merged)
    return live_steps(folded, output)


def _fold_sum(left: Linear | None, right: Linear | None, step: Sum) -> Linear | None:
    if left is None or right is None or left.source != right.source or left.weight.shape != right.weight.shape:
        return None
    weight, weight_is_exact = _exact_sum(left.weight, step.sign * right.weight)
    bias, bias_is_exact = _exact_sum(left.bias, step.sign * right.bias)
    if not (weight_is_exact and bias_is_exact):
        return None
    return replace(left, target=step.target, weight=_frozen(weight), bias=_frozen(bias))


def _exact_sum(a: Float, b: Float) -> tuple[Float, bool]:
    """a + b, and whether it is not rounded (Knuth's error of a sum; Higham, "Accuracy and Stability", section 4.3)."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = a + b
        part = total - a
        error = (a - (total - part)) + (b - part)
    return total, bool((error == 0.0).all())


def renumbered(steps: list[Step]) -> tuple[list[Step], dict[int, int]]:
    """The steps with consecutive slots, and the new slot of every old one."""
    new = {0: 0}
    result: list[Step] = []
    for step in steps:
        new[step.target] = target = len(new)
        match step:
            case Gather():
                moved = tuple(new[slot] for slot in step.sources)
                result.append(replace(step, sources=moved, target=target))
            case Sum():
                result.append(replace(step, left=new[step.left], right=new[step.right], target=target))
            case _:
                result.append(replace(step, source=new[step.source], target=target))
    return result, new


def _frozen(array: NDArray[Number]) -> NDArray[Number]:
    array = np.array(array, order="C")
    array.setflags(write=False)
    return array
