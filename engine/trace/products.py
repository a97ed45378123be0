"""Matrix products, sums, means and other linear maps of traced tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float
from engine.trace.arithmetic import add, affine, refuse_product
from engine.trace.recorder import Recorder
from engine.trace.tape import FIRST_CONSTANT, Cells, Number
from engine.trace.traced import CELL, INDEX, MIXED_ROWS, ROW, Codes, Traced, as_array, leaves, made


def mm(r: Recorder, shape: tuple[int, ...], left: Any, right: Any) -> Codes:
    return addmm(r, shape, 0.0, left, right)


def addmm(
    r: Recorder, shape: tuple[int, ...], bias: Any, left: Any, right: Any, *, beta: Any = 1, alpha: Any = 1
) -> Codes:
    if isinstance(left, Traced) and isinstance(right, Traced):
        refuse_product(r)
    if isinstance(bias, Traced) and not isinstance(left, Traced) and not isinstance(right, Traced):
        return affine(r, shape, bias, float(beta), float(alpha) * (as_array(left) @ as_array(right)))
    if isinstance(bias, Traced):
        return _shifted(r, shape, mm(r, shape, left, right), bias, float(beta), float(alpha))
    shift = np.broadcast_to(float(beta) * as_array(bias), shape)
    if isinstance(left, Traced):
        return _rows_times(r, left.codes, float(alpha) * as_array(right), shift)
    return _rows_times(r, right.codes.T, float(alpha) * as_array(left).T, shift.T).T


def addmv(
    r: Recorder, shape: tuple[int, ...], bias: Any, left: Any, vector: Any, *, beta: Any = 1, alpha: Any = 1
) -> Codes:
    return _shifted(r, shape, mv(r, shape, left, vector), bias, float(beta), float(alpha))


def mv(r: Recorder, shape: tuple[int, ...], left: Any, vector: Any) -> Codes:
    if not isinstance(left, Traced):
        r.refuse(MIXED_ROWS)
    if isinstance(vector, Traced):
        refuse_product(r)
    return _rows_times(r, left.codes, as_array(vector)[:, None])


def bmm(r: Recorder, shape: tuple[int, ...], left: Any, right: Any) -> Codes:
    if isinstance(left, Traced) and isinstance(right, Traced):
        refuse_product(r)
    if not isinstance(left, Traced):
        batch, rows, columns = shape
        codes, matrices = right.codes.transpose(0, 2, 1), as_array(left).transpose(0, 2, 1)
        swapped = _stacked_rows(r, (batch, columns, rows), codes, matrices)
        return swapped.reshape(batch, columns, rows).transpose(0, 2, 1)
    return _stacked_rows(r, shape, left.codes, as_array(right))


def baddbmm(
    r: Recorder, shape: tuple[int, ...], bias: Any, left: Any, right: Any, *, beta: Any = 1, alpha: Any = 1
) -> Codes:
    if not isinstance(left, Traced) and not isinstance(right, Traced):
        return affine(r, shape, bias, float(beta), float(alpha) * (as_array(left) @ as_array(right)))
    return _shifted(r, shape, bmm(r, shape, left, right), bias, float(beta), float(alpha))


def _shifted(r: Recorder, shape: tuple[int, ...], product: Codes, bias: Any, beta: float, alpha: float) -> Codes:
    """Codes of alpha * product + beta * bias."""
    x = made(shape, product)
    if not isinstance(bias, Traced):
        return affine(r, shape, x, alpha, beta * as_array(bias))
    return add(r, shape, made(shape, affine(r, shape, x, alpha)), bias, beta)


def _stacked_rows(r: Recorder, shape: tuple[int, ...], codes: Codes, matrices: Float) -> Codes:
    rows = codes.reshape(-1, codes.shape[2])
    if (matrices == matrices[0]).all():
        return _rows_times(r, rows, matrices[0])
    return _rows_times(r, rows, np.repeat(matrices, shape[1], axis=0))


def _reduced(r: Recorder, x: Traced, dim: Any, mean: bool) -> Codes:
    codes = x.codes
    dims = range(codes.ndim) if dim is None or dim == [] else [d % codes.ndim for d in leaves(dim)]
    kept = [d for d in range(codes.ndim) if d not in dims]
    rows = codes.transpose(*kept, *dims).reshape(int(np.prod([codes.shape[d] for d in kept])), -1)
    size = rows.shape[1]
    return _rows_times(r, rows, np.full((size, 1), 1.0 / size if mean else 1.0))


def sum_(
    r: Recorder, shape: tuple[int, ...], x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Codes:
    return _reduced(r, x, dim, mean=False)


def mean(
    r: Recorder, shape: tuple[int, ...], x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Codes:
    return _reduced(r, x, dim, mean=True)


def cumsum(r: Recorder, shape: tuple[int, ...], x: Any, dim: int, *, dtype: Any = None) -> Codes:
    if not shape:
        return affine(r, shape, x)
    return _along(r, x.codes, dim, np.triu(np.ones((shape[dim], shape[dim]))))


def index_add(
    r: Recorder, shape: tuple[int, ...], x: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1
) -> Codes:
    if isinstance(index, Traced):
        r.refuse(INDEX)
    like = x if isinstance(x, Traced) else source
    parts = []
    for part in (x, source):
        rows = np.take(like.codes >> ROW, [0] * part.shape[dim], axis=dim)
        parts.append(part.codes if isinstance(part, Traced) else r.lifted(part, rows))
    size = shape[dim]
    places = np.zeros((len(index), size))
    places[np.arange(len(index)), index.numpy()] = float(alpha)
    return _along(r, np.concatenate(parts, axis=dim), dim, np.concatenate([np.eye(size), places]))


def convolution(
    r: Recorder, shape: tuple[int, ...], x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: int,
) -> Codes:  # fmt: skip
    """Of kernels of one place, which are one matrix at every place."""
    if not isinstance(x, Traced) or isinstance(weight, Traced) or isinstance(bias, Traced):
        refuse_product(r)
    kernel = tuple(weight.shape[2:])
    if math.prod(kernel) != 1 or any(padding) or any(output_padding) or (transposed and any(s != 1 for s in stride)):
        r.refuse(
            f"a convolution with a kernel of {' x '.join(map(str, kernel))} places"
            f"{' and padding' if any(padding) else ''} is affine, but not supported yet"
        )
    codes = x.codes[(slice(None), slice(None), *(slice(None, None, s) for s in stride))]
    matrix = as_array(weight).reshape(weight.shape[:2])
    shift = np.zeros(shape[1]) if bias is None else as_array(bias)
    inputs, outputs = codes.shape[1] // groups, shape[1] // groups
    parts = []
    for group in range(groups):
        rows = group * (inputs if transposed else outputs)
        block = matrix[rows : rows + (inputs if transposed else outputs)]
        channels = codes[:, group * inputs : (group + 1) * inputs]
        part = shift[group * outputs : (group + 1) * outputs]
        parts.append(_along(r, channels, 1, block if transposed else block.T, part))
    return np.concatenate(parts, axis=1)


def _along(r: Recorder, codes: Codes, dim: int, weight: Float, bias: Float | None = None) -> Codes:
    """Codes of the values along a dimension (n) times weight (n, m), plus bias (m,)."""
    last = np.moveaxis(codes, dim, -1)
    rows = last.reshape(-1, last.shape[-1])
    shift = None if bias is None else np.broadcast_to(bias, (len(rows), len(bias)))
    return np.moveaxis(_rows_times(r, rows, weight, shift).reshape(*last.shape[:-1], weight.shape[1]), -1, dim)


def _rows_times(r: Recorder, codes: Codes, weight: Float, bias: Float | None = None) -> Codes:
    """Codes (R, m) of the rows (R, n) of codes times weight (n, m) or (R, n, m), plus bias (R, m)."""
    owner = codes >> ROW
    if codes.shape[1] == 0 or (owner != owner[:, :1]).any():
        r.refuse(MIXED_ROWS)
    order = np.argsort(owner[:, 0], kind="stable")
    groups = len(codes) // r.batch
    if not np.array_equal(owner[order, 0], np.repeat(np.arange(r.batch), groups)):
        r.refuse(MIXED_ROWS)

    def row(array: NDArray[Number]) -> NDArray[Number]:
        rows = array[order].reshape(r.batch, groups, *array.shape[1:])
        if (rows != rows[0]).any():
            r.refuse(MIXED_ROWS)
        first: NDArray[Number] = rows[0]
        return first

    cells = row(codes & CELL)
    m = weight.shape[-1]
    shift = np.zeros((groups, m)) if bias is None else row(bias)
    weights = weight[None] if weight.ndim == 2 else row(weight)
    if len(weights) > 1 and (weights == weights[0]).all():
        weights = weights[:1]
    result = np.empty((len(codes), m), dtype=np.int64)
    result[order] = np.tile(_groups_times(r, cells, weights, shift).reshape(groups, m), (r.batch, 1))
    return result | (owner[:, :1] << ROW)


def _groups_times(r: Recorder, cells: Cells, weights: Float, shift: Float) -> Cells:
    """Cells of every group of cells (g, n) times its weights (g or 1, n, m) plus its shift (g, m)."""
    groups, n = cells.shape
    if len(weights) > 1:
        dense = np.zeros((groups, weights.shape[2], groups, n))
        dense[np.arange(groups), :, np.arange(groups)] = weights.transpose(0, 2, 1)
        one = dense.reshape(1, -1, groups * n).transpose(0, 2, 1)
        return _groups_times(r, cells.reshape(1, -1), one, shift.reshape(1, -1))
    weight, constant = weights[0], cells >= FIRST_CONSTANT
    if (constant == constant[0]).all() and constant[0].any() and not constant.all():
        # What the constants contribute belongs in the bias.
        shift = shift + r.tape.constant_values(cells[:, constant[0]]) @ weight[constant[0]]
        cells, weight = cells[:, ~constant[0]], weight[~constant[0]]
    shared = (shift == shift[0]).all()
    bias = shift[0] if shared else np.zeros(shift.shape[1])
    result = r.tape.linear(cells.ravel(), weight.T, bias, groups)
    return result if shared else r.tape.scale(result, np.ones(shift.size), shift.ravel())
