"""Bounds, extrema and sorted values of traced tensors: max(a, b) = b + relu(a - b), min(a, b) = a - relu(a - b)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.trace.arithmetic import add
from engine.trace.products import sum_
from engine.trace.recorder import Recorder
from engine.trace.tape import Cells
from engine.trace.traced import Codes, Layout, Traced, as_array, leaves, made

_MOST_SORTED = 64
"""Values that are sorted: they take as many layers of kinks."""

# Rules: the codes of an operation's result.  Their parameters are named as in ATen's schemas.


def kink(
    r: Recorder,
    shape: tuple[int, ...],
    x: Traced,
    operation: str,
    breakpoints: Sequence[Any],
    slopes: Sequence[Any],
    intercepts: Sequence[Any] | None = None,
) -> Codes:
    """Codes of a piecewise linear function of x, by elements; breakpoints and pieces are broadcast."""
    layout = r.layout(x, shape)
    columns = [
        np.stack([layout.constant(value) for value in part], axis=1)
        for part in (breakpoints, slopes, intercepts or [0.0] * len(slopes))
    ]
    return layout.with_cells(r.tape.kink(layout.cells, operation, *columns))


def absolute(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return kink(r, shape, x, "abs", [0.0], [-1.0, 1.0])


def clamp(r: Recorder, shape: tuple[int, ...], x: Any, min: Any = None, max: Any = None) -> Codes:
    return _clamped(r, shape, x, min, max, "clamp")


def clamp_min(r: Recorder, shape: tuple[int, ...], x: Any, min: Any) -> Codes:
    return _clamped(r, shape, x, min, None, "clamp")


def clamp_max(r: Recorder, shape: tuple[int, ...], x: Any, max: Any) -> Codes:
    return _clamped(r, shape, x, None, max, "clamp")


def hardtanh(r: Recorder, shape: tuple[int, ...], x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Codes:
    return _clamped(r, shape, x, min_val, max_val, "hardtanh")


def _clamped(r: Recorder, shape: tuple[int, ...], x: Any, lower: Any, upper: Any, operation: str) -> Codes:
    """min(max(x, lower), upper), as torch clamps: where lower > upper, the result is upper."""
    if any(isinstance(item, Traced) for item in (lower, upper)) or not isinstance(x, Traced):
        raised = x if lower is None else _maximum(r, shape, x, lower)
        both: Traced = raised if upper is None else made(shape, minimum(r, shape, raised, upper))
        return both.codes
    low, high = -np.inf if lower is None else as_array(lower), np.inf if upper is None else as_array(upper)
    low = np.minimum(low, high)
    flat = low == high
    slope = np.where(flat, 0.0, 1.0)
    # The two bounds of a flat clamp coincide and there is nothing between them.
    intercept = np.where(flat, high, 0.0)
    return kink(r, shape, x, operation, [low, high], [0.0, slope, 0.0], [low, intercept, high])


def _maximum(r: Recorder, shape: tuple[int, ...], left: Any, right: Any) -> Any:
    if isinstance(left, Traced) or isinstance(right, Traced):
        return made(shape, maximum(r, shape, left, right))
    return np.maximum(as_array(left), as_array(right))


def maximum(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _extremum(r, shape, left, other, "maximum")


def minimum(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _extremum(r, shape, left, other, "minimum")


def _extremum(r: Recorder, shape: tuple[int, ...], left: Any, right: Any, operation: str) -> Codes:
    if not isinstance(left, Traced) or not isinstance(right, Traced):
        x, bound = (left, right) if isinstance(left, Traced) else (right, left)
        lower, upper = (bound, None) if operation == "maximum" else (None, bound)
        return _clamped(r, shape, x, lower, upper, operation)
    layout = r.layout(left, shape)
    a, b = layout.cells, layout.aligned(right.codes)
    excess = _excess(r, a, b, operation)
    return layout.with_cells(r.tape.sum(b, excess, 1.0) if operation == "maximum" else r.tape.sum(a, excess, -1.0))


def _excess(r: Recorder, a: Cells, b: Cells, operation: str) -> Cells:
    """Cells of relu(a - b)."""
    zero, one = np.zeros((len(a), 1)), np.ones((len(a), 1))
    return r.tape.kink(r.tape.sum(a, b, -1.0), operation, zero, np.hstack([zero, one]), np.hstack([zero, zero]))


def amax(r: Recorder, shape: tuple[int, ...], x: Any, dim: Any = None, keepdim: bool = False) -> Codes:
    return _extreme(r, x, dim, "maximum")


def amin(r: Recorder, shape: tuple[int, ...], x: Any, dim: Any = None, keepdim: bool = False) -> Codes:
    return _extreme(r, x, dim, "minimum")


def _extreme(r: Recorder, x: Traced, dim: Any, operation: str) -> Codes:
    """Of the values along some dimensions, in rounds of pairs."""
    values = _along(x.codes, dim)
    while values.shape[-1] > 1:
        half = values.shape[-1] // 2
        left, right = values[..., :half], values[..., half : 2 * half]
        best = _extremum(r, left.shape, made(left.shape, left), made(left.shape, right), operation)
        values = np.concatenate([best, values[..., 2 * half :]], axis=-1)
    return values[..., 0]


def _along(codes: Codes, dim: Any) -> Codes:
    """Codes (..., n) with the given dimensions, or all of them, as the last one."""
    dims = list(range(codes.ndim)) if dim is None or dim == [] else [d % max(codes.ndim, 1) for d in leaves(dim)]
    kept = [d for d in range(codes.ndim) if d not in dims]
    return codes.transpose(*kept, *dims[: codes.ndim]).reshape(*(codes.shape[d] for d in kept), -1)


def cummax(r: Recorder, shape: tuple[int, ...], x: Any, dim: int) -> Codes:
    return _running(r, x, dim, "maximum")


def cummin(r: Recorder, shape: tuple[int, ...], x: Any, dim: int) -> Codes:
    return _running(r, x, dim, "minimum")


def _running(r: Recorder, x: Traced, dim: int, operation: str) -> Codes:
    parts = list(np.moveaxis(x.codes, dim, 0)) if x.codes.ndim else [x.codes]
    for i in range(1, len(parts)):
        shape = parts[i].shape
        parts[i] = _extremum(r, shape, made(shape, parts[i - 1]), made(shape, parts[i]), operation).reshape(shape)
    return np.moveaxis(np.stack(parts), 0, dim) if x.codes.ndim else parts[0]


def sort(
    r: Recorder, shape: tuple[int, ...], x: Traced, dim: int = -1, descending: bool = False, *, stable: Any = None
) -> Codes:
    """By rounds of exchanges of neighbours: as many rounds as there are values (Knuth, vol. 3, section 5.3.4)."""
    if x.codes.ndim == 0:
        return x.codes
    values = np.moveaxis(x.codes, dim, -1).copy()
    count = values.shape[-1]
    if count > _MOST_SORTED:
        r.refuse(f"sorts {count} values; at most {_MOST_SORTED} are supported")
    for start in [i % 2 for i in range(count if count > 2 else count - 1)]:
        low, high = values[..., start : count - 1 : 2], values[..., start + 1 :: 2]
        layout = Layout(r.tape, r.batch, low)
        a, b = layout.cells, layout.aligned(high)
        excess = _excess(r, a, b, "sort")
        lowest, highest = (layout.with_cells(r.tape.sum(*pair)) for pair in ((a, excess, -1.0), (b, excess, 1.0)))
        values[..., start : count - 1 : 2], values[..., start + 1 :: 2] = lowest, highest
    return np.moveaxis(values[..., ::-1] if descending else values, -1, dim)


def topk(
    r: Recorder, shape: tuple[int, ...], x: Traced, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> Codes:
    if x.codes.ndim == 0:
        return x.codes
    if k == 1:
        return np.expand_dims(_extreme(r, x, dim, "maximum" if largest else "minimum"), dim)
    return np.take(sort(r, shape, x, dim, largest), range(k), axis=dim)


def cdist(r: Recorder, shape: tuple[int, ...], x1: Any, x2: Any, p: float, compute_mode: Any = None) -> Codes:
    pairs = (*shape, x1.shape[-1])
    left, right = (
        made(pairs, np.broadcast_to(np.expand_dims(x.codes, axis), pairs))
        if isinstance(x, Traced)
        else np.expand_dims(as_array(x), axis)
        for x, axis in ((x1, -2), (x2, -3))
    )
    return norm(r, shape, made(pairs, add(r, pairs, left, right, -1.0)), p, [-1])


def norm(
    r: Recorder, shape: tuple[int, ...], x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Codes:
    order = float(ord)
    single = _along(x.codes, dim).shape[-1] == 1
    if order != 1.0 and not math.isinf(order) and not (single and order != 0.0):
        r.refuse(f"a norm of order {order:g} is not piecewise linear; those of order 1 and of infinite order are")
    sizes = made(tuple(x.shape), absolute(r, tuple(x.shape), x))
    if single or order == 1.0:
        return _along(sizes.codes, dim)[..., 0] if single else sum_(r, shape, sizes, dim)
    return _extreme(r, sizes, dim, "maximum" if order > 0 else "minimum")
