"""Sums, differences and multiples of traced tensors, feature by feature."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from engine.trace.comparisons import holds_truths, negated, where
from engine.trace.recorder import Recorder
from engine.trace.traced import Codes, Traced, as_array, made

# Rules: the codes of an operation's result.  Their parameters are named as in ATen's schemas.


def affine(r: Recorder, shape: tuple[int, ...], x: Traced, factor: Any = 1.0, shift: Any = 0.0) -> Codes:
    """Codes of x * factor + shift, by elements."""
    layout = r.layout(x, shape)
    factor, shift = layout.constant(factor), layout.constant(shift)
    if holds_truths(x) and (factor == -1.0).all() and (shift == 1.0).all():
        return layout.with_cells(negated(r, layout.cells))
    return layout.with_cells(r.tape.scale(layout.cells, factor, shift))


def add(r: Recorder, shape: tuple[int, ...], left: Any, other: Any, alpha: float = 1) -> Codes:
    if not isinstance(other, Traced):
        return affine(r, shape, left, 1.0, alpha * as_array(other))
    if not isinstance(left, Traced):
        return affine(r, shape, other, alpha, left)
    layout = r.layout(left, shape)
    right = layout.aligned(other.codes)
    if abs(alpha) != 1:
        right = r.tape.scale(right, np.full(len(right), abs(float(alpha))), np.zeros(len(right)))
    return layout.with_cells(r.tape.sum(layout.cells, right, 1.0 if alpha > 0 else -1.0))


def sub(r: Recorder, shape: tuple[int, ...], left: Any, other: Any, alpha: float = 1) -> Codes:
    return add(r, shape, left, other, -alpha)


def rsub(r: Recorder, shape: tuple[int, ...], left: Any, other: Any, alpha: float = 1) -> Codes:
    return add(r, shape, other, left, -alpha)


def neg(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return affine(r, shape, x, -1.0)


def mul(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    if isinstance(left, Traced) and isinstance(other, Traced):
        if holds_truths(left) or holds_truths(other):
            truth, x = (left, other) if holds_truths(left) else (other, left)
            return where(r, shape, truth, x, 0.0)
        refuse_product(r)
    x, factor = (left, other) if isinstance(left, Traced) else (other, left)
    return where(r, shape, x, factor, 0.0) if holds_truths(x) else affine(r, shape, x, factor)


def refuse_product(r: Recorder) -> NoReturn:
    r.refuse("multiplies two values that depend on the input; the product is not piecewise linear")


def div(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    if isinstance(other, Traced):
        r.refuse("divides by a value that depends on the input; the quotient is not piecewise linear")
    if (as_array(other) == 0).any():
        r.refuse("divides by zero")
    return affine(r, shape, left, 1.0 / as_array(other))


def power(r: Recorder, shape: tuple[int, ...], x: Any, exponent: Any) -> Codes:
    if isinstance(exponent, Traced) or (as_array(exponent) != 1.0).any():
        r.refuse("pow is not piecewise linear; only networks of ReLU-like layers can be drawn exactly")
    return affine(r, shape, x)


def nan_to_num(
    r: Recorder, shape: tuple[int, ...], x: Any, nan: Any = None, posinf: Any = None, neginf: Any = None
) -> Codes:
    return affine(r, shape, x)  # all values are finite


def lerp(r: Recorder, shape: tuple[int, ...], x: Any, end: Any, weight: Any) -> Codes:
    return _codes(_plus(r, shape, x, _times(r, shape, weight, _plus(r, shape, end, x, -1.0))))


def addcmul(r: Recorder, shape: tuple[int, ...], x: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Codes:
    return _codes(_plus(r, shape, x, _times(r, shape, _times(r, shape, tensor1, tensor2), value)))


def addcdiv(r: Recorder, shape: tuple[int, ...], x: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Codes:
    quotient = _over(r, shape, tensor1, tensor2)
    return _codes(_plus(r, shape, x, _times(r, shape, quotient, value)))


def batch_norm(
    r: Recorder, shape: tuple[int, ...], x: Any, weight: Any, bias: Any, mean: Any, var: Any,
    training: bool, momentum: float, eps: float,
) -> Codes:  # fmt: skip
    if training or mean is None or var is None:
        r.refuse("normalises with statistics of the batch; only batch norm with running statistics is affine")
    if any(isinstance(item, Traced) for item in (weight, bias, mean, var)):
        refuse_product(r)
    channels = (shape[1], *[1] * (len(shape) - 2))
    factor = (1.0 if weight is None else as_array(weight)) / np.sqrt(as_array(var) + eps)
    shift = (0.0 if bias is None else as_array(bias)) - as_array(mean) * factor
    return affine(r, shape, x, factor.reshape(channels), shift.reshape(channels))


def _codes(x: Any) -> Codes:
    codes: Codes = x.codes
    return codes


def _plus(r: Recorder, shape: tuple[int, ...], left: Any, right: Any, sign: float = 1.0) -> Any:
    if isinstance(left, Traced) or isinstance(right, Traced):
        return made(shape, add(r, shape, left, right, sign))
    return as_array(left) + sign * as_array(right)


def _times(r: Recorder, shape: tuple[int, ...], left: Any, right: Any) -> Any:
    if isinstance(left, Traced) or isinstance(right, Traced):
        return made(shape, mul(r, shape, left, right))
    return as_array(left) * as_array(right)


def _over(r: Recorder, shape: tuple[int, ...], left: Any, right: Any) -> Any:
    if isinstance(left, Traced) or isinstance(right, Traced):
        return made(shape, div(r, shape, left, right))
    return as_array(left) / as_array(right)
