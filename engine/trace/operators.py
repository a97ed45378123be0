"""The rules of all operations on traced tensors, by their names: affine steps and kinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.trace import arithmetic, comparisons, extrema, products
from engine.trace.recorder import Recorder
from engine.trace.traced import Codes, Traced

# Rules: the codes of an operation's result.  Their parameters are named as in ATen's schemas.


def _relu(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return extrema.kink(r, shape, x, "relu", [0.0], [0.0, 1.0])


def _leaky_relu(r: Recorder, shape: tuple[int, ...], x: Any, negative_slope: float = 0.01) -> Codes:
    return extrema.kink(r, shape, x, "leaky_relu", [0.0], [negative_slope, 1.0])


def _rrelu(
    r: Recorder, shape: tuple[int, ...], x: Any, noise: Any, lower: float = 1 / 8, upper: float = 1 / 3,
    training: bool = False, generator: Any = None,
) -> Codes:  # fmt: skip
    if training:
        r.refuse("rrelu is random in training mode; a network must be a fixed function")
    return extrema.kink(r, shape, x, "rrelu", [0.0], [(lower + upper) / 2, 1.0])


def _prelu(r: Recorder, shape: tuple[int, ...], x: Any, weight: Any) -> Codes:
    if isinstance(weight, Traced):
        arithmetic.refuse_product(r)
    return extrema.kink(r, shape, x, "prelu", [0.0], [weight, 1.0])


def _threshold(r: Recorder, shape: tuple[int, ...], x: Any, threshold: float, value: float) -> Codes:
    if threshold != value:
        r.refuse(f"threshold jumps at {threshold:g} (to the value {value:g}); only a continuous one can be drawn")
    return extrema.kink(r, shape, x, "threshold", [threshold], [0.0, 1.0], [threshold, 0.0])


def _hardsigmoid(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    # Sixths are no floats: with slope 1 the pieces meet exactly.
    layout = r.layout(x, shape)
    pieces = [np.tile(part, (len(layout.cells), 1)) for part in ([-3.0, 3.0], [0.0, 1.0, 0.0], [0.0, 3.0, 6.0])]
    cells = r.tape.kink(layout.cells, "hardsigmoid", *pieces)
    return layout.with_cells(r.tape.scale(cells, np.full(len(cells), 1 / 6), np.zeros(len(cells))))


def _softshrink(r: Recorder, shape: tuple[int, ...], x: Any, lambd: float = 0.5) -> Codes:
    if lambd == 0:
        return arithmetic.affine(r, shape, x)
    return extrema.kink(r, shape, x, "softshrink", [-lambd, lambd], [1.0, 0.0, 1.0], [lambd, 0.0, -lambd])


RULES: dict[str, Callable[..., Codes]] = {
    "add": arithmetic.add,
    "sub": arithmetic.sub,
    "rsub": arithmetic.rsub,
    "neg": arithmetic.neg,
    "mul": arithmetic.mul,
    "div": arithmetic.div,
    "pow": arithmetic.power,
    "lerp": arithmetic.lerp,
    "addcmul": arithmetic.addcmul,
    "addcdiv": arithmetic.addcdiv,
    "nan_to_num": arithmetic.nan_to_num,
    "mm": products.mm,
    "addmm": products.addmm,
    "mv": products.mv,
    "addmv": products.addmv,
    "bmm": products.bmm,
    "baddbmm": products.baddbmm,
    "sum": products.sum_,
    "mean": products.mean,
    "cumsum": products.cumsum,
    "index_add": products.index_add,
    "convolution": products.convolution,
    "native_batch_norm": arithmetic.batch_norm,
    "gt": comparisons.greater,
    "ge": comparisons.greater_or_equal,
    "lt": comparisons.less,
    "le": comparisons.less_or_equal,
    "eq": comparisons.equal,
    "ne": comparisons.not_equal,
    "isnan": comparisons.never,
    "isinf": comparisons.never,
    "isneginf": comparisons.never,
    "isposinf": comparisons.never,
    "logical_not": comparisons.logical_not,
    "bitwise_not": comparisons.logical_not,
    "where": comparisons.where,
    "masked_fill": comparisons.masked_fill,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "rrelu_with_noise": _rrelu,
    "_prelu_kernel": _prelu,
    "abs": extrema.absolute,
    "clamp": extrema.clamp,
    "clamp_min": extrema.clamp_min,
    "clamp_max": extrema.clamp_max,
    "hardtanh": extrema.hardtanh,
    "maximum": extrema.maximum,
    "minimum": extrema.minimum,
    "fmax": extrema.maximum,
    "fmin": extrema.minimum,
    "amax": extrema.amax,
    "amin": extrema.amin,
    "max": extrema.amax,
    "min": extrema.amin,
    "cummax": extrema.cummax,
    "cummin": extrema.cummin,
    "sort": extrema.sort,
    "topk": extrema.topk,
    "_cdist_forward": extrema.cdist,
    "linalg_vector_norm": extrema.norm,
    "norm": extrema.norm,
    "threshold": _threshold,
    "hardsigmoid": _hardsigmoid,
    "softshrink": _softshrink,
}
