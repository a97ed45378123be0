"""What operations on traced tensors are: affine steps, kinks, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.products import addmm, bmm, mean, mm, mv, refuse_product, sum_
from engine.recorder import Recorder
from engine.traced import CELL, ROW, Codes, Traced, as_array


def _affine(r: Recorder, shape: tuple[int, ...], x: Traced, factor: Any = 1.0, shift: Any = 0.0) -> Codes:
    """Codes of x * factor + shift, by elements."""
    layout = r.layout(x, shape)
    cells = r.tape.scale(layout.cells, layout.constant(factor), layout.constant(shift))
    return layout.with_cells(cells)


def _kink(
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


# Rules: the codes of an operation's result.  Their parameters are named as in ATen's schemas.


def _add(r: Recorder, shape: tuple[int, ...], left: Any, other: Any, alpha: float = 1) -> Codes:
    if not isinstance(other, Traced):
        return _affine(r, shape, left, 1.0, alpha * as_array(other))
    if not isinstance(left, Traced):
        return _affine(r, shape, other, alpha, left)
    layout = r.layout(left, shape)
    right = layout.aligned(other.codes)
    if abs(alpha) != 1:
        right = r.tape.scale(right, np.full(len(right), abs(float(alpha))), np.zeros(len(right)))
    return layout.with_cells(r.tape.sum(layout.cells, right, 1.0 if alpha > 0 else -1.0))


def _sub(r: Recorder, shape: tuple[int, ...], left: Any, other: Any, alpha: float = 1) -> Codes:
    return _add(r, shape, left, other, -alpha)


def _rsub(r: Recorder, shape: tuple[int, ...], left: Any, other: Any, alpha: float = 1) -> Codes:
    return _add(r, shape, other, left, -alpha)


def _neg(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return _affine(r, shape, x, -1.0)


def _mul(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    if isinstance(left, Traced) and isinstance(other, Traced):
        refuse_product(r)
    return _affine(r, shape, left, other) if isinstance(left, Traced) else _affine(r, shape, other, left)


def _div(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    if isinstance(other, Traced):
        r.refuse("divides by a value that depends on the input; the quotient is not piecewise linear")
    if (as_array(other) == 0).any():
        r.refuse("divides by zero")
    return _affine(r, shape, left, 1.0 / as_array(other))


def _batch_norm(
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
    return _affine(r, shape, x, factor.reshape(channels), shift.reshape(channels))


def _where(r: Recorder, shape: tuple[int, ...], condition: Any, left: Any, right: Any) -> Codes:
    rows = next(item for item in (left, right) if isinstance(item, Traced)).codes & ~CELL
    parts = [item.codes if isinstance(item, Traced) else r.lifted(item, rows >> ROW) for item in (left, right)]
    return np.where(condition.numpy(), *parts)


def _masked_fill(r: Recorder, shape: tuple[int, ...], x: Any, mask: Any, value: Any) -> Codes:
    if isinstance(mask, Traced):
        r.refuse("a mask depends on the input")
    return _where(r, shape, mask, value, x)


def _relu(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return _kink(r, shape, x, "relu", [0.0], [0.0, 1.0])


def _leaky_relu(r: Recorder, shape: tuple[int, ...], x: Any, negative_slope: float = 0.01) -> Codes:
    return _kink(r, shape, x, "leaky_relu", [0.0], [negative_slope, 1.0])


def _rrelu(
    r: Recorder, shape: tuple[int, ...], x: Any, noise: Any, lower: float = 1 / 8, upper: float = 1 / 3,
    training: bool = False, generator: Any = None,
) -> Codes:  # fmt: skip
    if training:
        r.refuse("rrelu is random in training mode; a network must be a fixed function")
    return _kink(r, shape, x, "rrelu", [0.0], [(lower + upper) / 2, 1.0])


def _prelu(r: Recorder, shape: tuple[int, ...], x: Any, weight: Any) -> Codes:
    if isinstance(weight, Traced):
        refuse_product(r)
    return _kink(r, shape, x, "prelu", [0.0], [weight, 1.0])


def _abs(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return _kink(r, shape, x, "abs", [0.0], [-1.0, 1.0])


def _clamp(r: Recorder, shape: tuple[int, ...], x: Any, min: Any = None, max: Any = None) -> Codes:
    return _clamped(r, shape, x, min, max, "clamp")


def _clamp_min(r: Recorder, shape: tuple[int, ...], x: Any, min: Any) -> Codes:
    return _clamped(r, shape, x, min, None, "clamp")


def _clamp_max(r: Recorder, shape: tuple[int, ...], x: Any, max: Any) -> Codes:
    return _clamped(r, shape, x, None, max, "clamp")


def _hardtanh(r: Recorder, shape: tuple[int, ...], x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Codes:
    return _clamped(r, shape, x, min_val, max_val, "hardtanh")


def _clamped(r: Recorder, shape: tuple[int, ...], x: Any, lower: Any, upper: Any, operation: str) -> Codes:
    """min(max(x, lower), upper), as torch clamps: where lower > upper, the result is upper."""
    if any(isinstance(item, Traced) for item in (lower, upper)) or not isinstance(x, Traced):
        r.refuse("clamps to bounds that depend on the input; write it with torch.maximum and torch.minimum")
    low, high = -np.inf if lower is None else as_array(lower), np.inf if upper is None else as_array(upper)
    low = np.minimum(low, high)
    flat = low == high
    slope = np.where(flat, 0.0, 1.0)
    # The two bounds of a flat clamp coincide and there is nothing between them.
    intercept = np.where(flat, high, 0.0)
    return _kink(r, shape, x, operation, [low, high], [0.0, slope, 0.0], [low, intercept, high])


def _maximum(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _extremum(r, shape, left, other, "maximum")


def _minimum(r: Recorder, shape: tuple[int, ...], left: Any, other: Any) -> Codes:
    return _extremum(r, shape, left, other, "minimum")


def _extremum(r: Recorder, shape: tuple[int, ...], left: Any, right: Any, operation: str) -> Codes:
    """max(a, b) = b + relu(a - b) and min(a, b) = a - relu(a - b)."""
    if not isinstance(left, Traced) or not isinstance(right, Traced):
        x, bound = (left, right) if isinstance(left, Traced) else (right, left)
        lower, upper = (bound, None) if operation == "maximum" else (None, bound)
        return _clamped(r, shape, x, lower, upper, operation)
    layout = r.layout(left, shape)
    a, b = layout.cells, layout.aligned(right.codes)
    zero, one = np.zeros((len(a), 1)), np.ones((len(a), 1))
    difference = r.tape.sum(a, b, -1.0)
    excess = r.tape.kink(difference, operation, zero, np.hstack([zero, one]), np.hstack([zero, zero]))
    cells = r.tape.sum(b, excess, 1.0) if operation == "maximum" else r.tape.sum(a, excess, -1.0)
    return layout.with_cells(cells)


def _threshold(r: Recorder, shape: tuple[int, ...], x: Any, threshold: float, value: float) -> Codes:
    if threshold != value:
        r.refuse(f"threshold jumps at {threshold:g} (to the value {value:g}); only a continuous one can be drawn")
    return _kink(r, shape, x, "threshold", [threshold], [0.0, 1.0], [threshold, 0.0])


def _hardsigmoid(r: Recorder, shape: tuple[int, ...], x: Any) -> Codes:
    return _kink(r, shape, x, "hardsigmoid", [-3.0, 3.0], [0.0, 1 / 6, 0.0], [0.0, 0.5, 1.0])


def _softshrink(r: Recorder, shape: tuple[int, ...], x: Any, lambd: float = 0.5) -> Codes:
    if lambd == 0:
        return _affine(r, shape, x)
    return _kink(r, shape, x, "softshrink", [-lambd, lambd], [1.0, 0.0, 1.0], [lambd, 0.0, -lambd])


RULES: dict[str, Callable[..., Codes]] = {
    "add": _add,
    "sub": _sub,
    "rsub": _rsub,
    "neg": _neg,
    "mul": _mul,
    "div": _div,
    "mm": mm,
    "addmm": addmm,
    "mv": mv,
    "bmm": bmm,
    "sum": sum_,
    "mean": mean,
    "native_batch_norm": _batch_norm,
    "where": _where,
    "masked_fill": _masked_fill,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "rrelu_with_noise": _rrelu,
    "_prelu_kernel": _prelu,
    "abs": _abs,
    "clamp": _clamp,
    "clamp_min": _clamp_min,
    "clamp_max": _clamp_max,
    "hardtanh": _hardtanh,
    "maximum": _maximum,
    "minimum": _minimum,
    "fmax": _maximum,
    "fmin": _minimum,
    "threshold": _threshold,
    "hardsigmoid": _hardsigmoid,
    "softshrink": _softshrink,
}

_ATTENTIONS = (
    "_native_multi_head_attention", "_scaled_dot_product_attention_math", "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_flash_attention", "_scaled_dot_product_flash_attention_for_cpu",
    "_transformer_encoder_layer_fwd",
)  # fmt: skip
_DROPOUTS = ("bernoulli", "bernoulli_", "native_dropout")
_WORDS = {
    **dict.fromkeys(_ATTENTIONS, "attention"),
    "_softmax": "softmax",
    "_log_softmax": "log softmax",
    "log_sigmoid_forward": "logsigmoid",
    "native_layer_norm": "layer norm",
    "native_group_norm": "group norm",
    "linalg_vector_norm": "a norm",
    "_local_scalar_dense": "a tensor's value",
}
_COMPARISON = (
    "compares a value that depends on the input ({}); write the function with torch.relu, torch.abs, torch.clamp, "
    "torch.maximum or torch.minimum"
)
_BRANCH = "decides by a value that depends on the input ({}); what a network does must not depend on its input"
_JUMP = "{} jumps; only continuous piecewise linear functions can be drawn"
_RANDOM = "{} is random; a network must be a fixed function"
_DROPOUT = (
    "{} is random, as in a dropout that stays on in eval mode (pass training=self.training to it); a network must be a "
    "fixed function"
)
_NORM = "{} divides by a quantity that depends on the input; not piecewise linear"
_POOL = "{} over several values (max pooling) is not supported yet; use torch.maximum or torch.minimum"
_LINEAR = "{} is affine, but not supported yet"
_LAST = (
    "{} is not piecewise linear; where it is the network's last operation it can be left out, since it is increasing: "
    "the regions stay the same and the level set belongs to another level"
)
_PRODUCT = "{} multiplies two values that depend on the input; the product is not piecewise linear"
_PARTLY = ("Tanhshrink",)
_SMOOTH = "{} is not piecewise linear; only networks of ReLU-like layers can be drawn exactly"
_REASONS = {
    _COMPARISON: ("eq", "ge", "gt", "le", "lt", "ne", "isnan", "isinf", "logical_and", "logical_not", "logical_or"),
    _BRANCH: ("_local_scalar_dense", "equal", "is_nonzero", "nonzero", "argmax", "argmin", "sort"),
    _JUMP: ("ceil", "floor", "fmod", "frac", "hardshrink", "heaviside", "remainder", "round", "sgn", "sign", "trunc"),
    _NORM: ("native_layer_norm", "native_group_norm"),
    _POOL: ("amax", "amin", "cummax", "cummin", "max", "min", "max_pool2d_with_indices", "topk"),
    _LINEAR: ("convolution", "cumsum", "lerp", "avg_pool2d", "_adaptive_avg_pool2d"),
    _LAST: ("tanh", "sigmoid"),
    _PRODUCT: _ATTENTIONS,
    _SMOOTH: (
        "_log_softmax", "_softmax", "acos", "asin", "atan", "atan2", "celu", "cos", "cosh", "elu", "erf", "exp", "exp2",
        "expm1", "gelu", "glu", "hardswish", "linalg_vector_norm", "log", "log1p", "log2", "log_sigmoid_forward",
        "logsumexp", "mish", "norm", "pow", "reciprocal", "rsqrt", "silu", "sin", "sinc", "sinh", "softplus", "sqrt",
        "square", "std", "tan", "var",
    ),
}  # fmt: skip


def reason(name: str, random: bool, layer_class: str) -> str:
    """Why the ATen operation of that name, which has no rule, is refused in a layer of that class."""
    words = _WORDS.get(name, name)
    if name in ("tanh", "sigmoid") and layer_class in _PARTLY:  # no advice that is meant for the whole layer
        return _SMOOTH.format(layer_class.lower())
    for sentence, names in _REASONS.items():
        if name in names:
            return sentence.format(words)
    if random:
        return (_DROPOUT if name in _DROPOUTS else _RANDOM).format(words)
    return f"the operation {words} is not supported; write it with relu, abs, clamp, maximum, minimum and linear layers"
