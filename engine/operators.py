"""The rules of all operations on traced tensors, by their names: affine steps and kinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.arithmetic import (
    add,
    addcdiv,
    addcmul,
    affine,
    batch_norm,
    div,
    lerp,
    mul,
    nan_to_num,
    neg,
    power,
    refuse_product,
    rsub,
    sub,
)  # fmt: skip
from engine.comparisons import (
    equal,
    greater,
    greater_or_equal,
    less,
    less_or_equal,
    logical_not,
    masked_fill,
    never,
    not_equal,
    where,
)  # fmt: skip
from engine.extrema import (
    absolute,
    amax,
    amin,
    clamp,
    clamp_max,
    clamp_min,
    cummax,
    cummin,
    hardtanh,
    kink,
    maximum,
    minimum,
    norm,
    sort,
    topk,
)  # fmt: skip
from engine.products import addmm, addmv, baddbmm, bmm, convolution, cumsum, index_add, mean, mm, mv, sum_
from engine.recorder import Recorder
from engine.traced import Codes, Traced

# Rules: the codes of an operation's result.  Their parameters are named as in ATen's schemas.


def _relu(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return kink(r, shape, x, "relu", [0.0], [0.0, 1.0])


def _leaky_relu(r: Recorder, shape: tuple[int, ...], x: Any, negative_slope: float = 0.01) -> Codes:
    return kink(r, shape, x, "leaky_relu", [0.0], [negative_slope, 1.0])


def _rrelu(
    r: Recorder, shape: tuple[int, ...], x: Any, noise: Any, lower: float = 1 / 8, upper: float = 1 / 3,
    training: bool = False, generator: Any = None,
) -> Codes:  # fmt: skip
    if training:
        r.refuse("rrelu is random in training mode; a network must be a fixed function")
    return kink(r, shape, x, "rrelu", [0.0], [(lower + upper) / 2, 1.0])


def _prelu(r: Recorder, shape: tuple[int, ...], x: Any, weight: Any) -> Codes:
    if isinstance(weight, Traced):
        refuse_product(r)
    return kink(r, shape, x, "prelu", [0.0], [weight, 1.0])


def _threshold(r: Recorder, shape: tuple[int, ...], x: Any, threshold: float, value: float) -> Codes:
    if threshold != value:
        r.refuse(f"threshold jumps at {threshold:g} (to the value {value:g}); only a continuous one can be drawn")
    return kink(r, shape, x, "threshold", [threshold], [0.0, 1.0], [threshold, 0.0])


def _hardsigmoid(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return kink(r, shape, x, "hardsigmoid", [-3.0, 3.0], [0.0, 1 / 6, 0.0], [0.0, 0.5, 1.0])


def _softshrink(r: Recorder, shape: tuple[int, ...], x: Any, lambd: float = 0.5) -> Codes:
    if lambd == 0:
        return affine(r, shape, x)
    return kink(r, shape, x, "softshrink", [-lambd, lambd], [1.0, 0.0, 1.0], [lambd, 0.0, -lambd])


RULES: dict[str, Callable[..., Codes]] = {
    "add": add,
    "sub": sub,
    "rsub": rsub,
    "neg": neg,
    "mul": mul,
    "div": div,
    "pow": power,
    "lerp": lerp,
    "addcmul": addcmul,
    "addcdiv": addcdiv,
    "nan_to_num": nan_to_num,
    "mm": mm,
    "addmm": addmm,
    "mv": mv,
    "addmv": addmv,
    "bmm": bmm,
    "baddbmm": baddbmm,
    "sum": sum_,
    "mean": mean,
    "cumsum": cumsum,
    "index_add": index_add,
    "convolution": convolution,
    "native_batch_norm": batch_norm,
    "gt": greater,
    "ge": greater_or_equal,
    "lt": less,
    "le": less_or_equal,
    "eq": equal,
    "ne": not_equal,
    "isnan": never,
    "isinf": never,
    "logical_not": logical_not,
    "bitwise_not": logical_not,
    "where": where,
    "masked_fill": masked_fill,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "rrelu_with_noise": _rrelu,
    "_prelu_kernel": _prelu,
    "abs": absolute,
    "clamp": clamp,
    "clamp_min": clamp_min,
    "clamp_max": clamp_max,
    "hardtanh": hardtanh,
    "maximum": maximum,
    "minimum": minimum,
    "fmax": maximum,
    "fmin": minimum,
    "amax": amax,
    "amin": amin,
    "max": amax,
    "min": amin,
    "cummax": cummax,
    "cummin": cummin,
    "sort": sort,
    "topk": topk,
    "linalg_vector_norm": norm,
    "norm": norm,
    "threshold": _threshold,
    "hardsigmoid": _hardsigmoid,
    "softshrink": _softshrink,
}
