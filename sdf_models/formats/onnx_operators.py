"""The ONNX operators that can be read, each as a torch module (github.com/onnx/onnx, docs/Operators.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from sdf_models.architectures import Sine
from sdf_models.families.modules import Absolute
from sdf_models.formats.format import Refused
from sdf_models.formats.onnx_movements import MOVEMENTS
from sdf_models.formats.onnx_rules import (
    Arguments,
    Function,
    Made,
    Operation,
    Rule,
    bounded,
    fixed,
    given,
    ints,
    ints_of,
    pure,
    unary,
)


def _broadcast(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def combined(first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            bounded(*_common_shape(first, other))
            first = function(first, other)
        return first

    return combined


def _common_shape(left: Tensor, right: Tensor) -> tuple[int, ...]:
    return np.broadcast_shapes(tuple(left.shape), tuple(right.shape))


def _division(left: Tensor, right: Tensor) -> Tensor:
    if not left.is_floating_point() and not right.is_floating_point():
        return torch.div(left, right, rounding_mode="trunc")
    return left / right


def _mean(*values: Tensor) -> Tensor:
    return _broadcast(torch.add)(*values) / len(values)


def _where(condition: Tensor, left: Tensor, right: Tensor) -> Tensor:
    bounded(*np.broadcast_shapes(tuple(condition.shape), tuple(left.shape), tuple(right.shape)))
    return torch.where(condition, left, right)


def _matmul(left: Tensor, right: Tensor) -> Tensor:
    if left.dim() == 1:
        return _matmul(left[None], right).squeeze(0 if right.dim() == 1 else -2)
    if right.dim() == 1:
        return _matmul(left, right[:, None]).squeeze(-1)
    bounded(*left.shape[:-1], right.shape[-1], *right.shape[:-2])
    return left @ right


def _gemm(operation: Operation, arguments: Arguments) -> Made:
    alpha, beta = operation.attributes.get("alpha", 1.0), operation.attributes.get("beta", 1.0)
    left_turned, right_turned = operation.attributes.get("transA", 0), operation.attributes.get("transB", 0)

    def gemm(left: Tensor, right: Tensor, shift: Tensor | None = None) -> Tensor:
        if left.dim() != 2 or right.dim() != 2:
            raise ValueError("it takes two matrices")
        left, right = (left.T if left_turned else left), (right.T if right_turned else right)
        result = _matmul(left, right)
        result = result if alpha == 1.0 else alpha * result
        if shift is None:
            return result
        return result + (shift if beta == 1.0 else beta * shift)

    return Function("Gemm", gemm), (True,) * len(arguments)


def _convolution(operation: Operation, arguments: Arguments) -> Made:
    attributes, weight = operation.attributes, given(arguments, 1)
    if weight is None:
        raise ValueError("its kernel is computed from the input: not piecewise linear")
    sides = tuple(weight.shape[2:])
    if any(side != 1 for side in sides) or any(attributes.get("pads", ())):
        size = " x ".join(map(str, sides))
        raise ValueError(f"a convolution with a kernel of {size} places or with padding is not supported yet")
    strides, groups = attributes.get("strides", [1] * len(sides)), int(attributes.get("group", 1))
    convolve = {1: torch.conv1d, 2: torch.conv2d, 3: torch.conv3d}.get(len(sides))
    if convolve is None:
        raise ValueError(f"a convolution over {len(sides)} axes is not supported")

    def convolved(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return convolve(x, weight, bias, stride=list(strides), groups=groups)

    return Function("Conv", convolved), (True,) * len(arguments)


def _batch_normalisation(operation: Operation, arguments: Arguments) -> Made:
    if operation.attributes.get("training_mode", 0):
        raise ValueError("it is in training mode; export the network after .eval()")
    if not operation.attributes.get("spatial", 1):
        raise ValueError("it has statistics for every place (spatial=0), which is not supported")
    epsilon = operation.attributes.get("epsilon", 1e-5)

    def normalise(x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        channels = (1, -1, *[1] * (x.dim() - 2))
        factor = scale / torch.sqrt(variance + epsilon)
        return x * factor.reshape(channels) + (bias - mean * factor).reshape(channels)

    return Function("BatchNormalization", normalise), (True,) * len(arguments)


def _clip(operation: Operation, arguments: Arguments) -> Callable[[Tensor], Tensor]:
    low, high = _bound(operation, arguments, 1, "min"), _bound(operation, arguments, 2, "max")
    return lambda x: x if low is None and high is None else torch.clamp(x, low, high)


def _bound(operation: Operation, arguments: Arguments, place: int, name: str) -> float | None:
    """A bound of Clip: an input since operator set 11, an attribute before, where it has a default."""
    given_value = given(arguments, place)
    value = operation.attributes.get(name) if given_value is None else float(given_value)
    return None if value is None or abs(value) > 3.4e38 else float(value)


def _prelu(x: Tensor, slope: Tensor) -> Tensor:
    if slope.numel() == 1:
        return torch.nn.functional.prelu(x, slope.reshape(1))
    if x.dim() == 2 and slope.shape in ((x.shape[1],), (1, x.shape[1])):
        return torch.nn.functional.prelu(x, slope.reshape(-1))
    bounded(*_common_shape(x, slope))
    return torch.relu(x) - slope * torch.relu(-x)


def _reduce(function: Callable[[Tensor, list[int], bool], Tensor]) -> Rule:
    def make(operation: Operation, arguments: Arguments) -> Callable[[Tensor], Tensor]:
        axes = ints_of(operation, arguments, 1, "axes")
        keep = bool(operation.attributes.get("keepdims", 1))
        if not axes and operation.attributes.get("noop_with_empty_axes", 0):
            return lambda x: x
        return lambda x: function(x, axes or list(range(x.dim())), keep)

    return fixed(make)


def _cumulative(operation: Operation, arguments: Arguments) -> Callable[[Tensor], Tensor]:
    (axis,) = ints(given(arguments, 1))
    reverse, exclusive = (bool(operation.attributes.get(name, 0)) for name in ("reverse", "exclusive"))

    def cumulative(x: Tensor) -> Tensor:
        turned = x.flip(axis) if reverse else x
        total = turned.cumsum(axis)
        total = total - turned if exclusive else total
        return total.flip(axis) if reverse else total

    return cumulative


def _largest(operation: Operation, arguments: Arguments) -> Callable[[Tensor], Any]:
    count = ints_of(operation, arguments, 1, "")
    (k,) = count if count is not None else (int(operation.attributes.get("k", 1)),)
    axis, largest = int(operation.attributes.get("axis", -1)), bool(operation.attributes.get("largest", 1))
    return lambda x: torch.topk(x, k, dim=axis, largest=largest)


def _einsum(operation: Operation, arguments: Arguments) -> Made:
    equation = operation.attributes.get("equation", b"").decode(errors="replace").replace(" ", "")
    terms = equation.partition("->")[0].split(",")
    if not equation.isascii() or "." in equation or len(terms) != len(arguments):
        raise ValueError(f"its equation {equation!r:.60} is not supported")

    def einsum(*values: Tensor) -> Tensor:
        sides = {
            letter: side
            for term, x in zip(terms, values, strict=True)
            for letter, side in zip(term, x.shape, strict=True)
        }
        bounded(*sides.values())
        result: Tensor = torch.einsum(equation, *values)
        return result

    return Function("Einsum", einsum), (True,) * len(arguments)


def _cast(operation: Operation, arguments: Arguments) -> Callable[[Tensor], Tensor]:
    dtype = _TYPES.get(int(operation.attributes.get("to", 0)))
    if dtype is None:
        raise ValueError(f"a conversion to the type {operation.attributes.get('to')} is not supported")
    whole = not dtype.is_floating_point and dtype != torch.bool
    varies = not arguments or arguments[0] is None

    def cast(x: Tensor) -> Tensor:
        if varies and whole and x.is_floating_point():
            raise Refused(
                f"its operation {operation} cannot be read: it rounds to whole numbers, which jump",
                "only continuous functions can be drawn",
            )
        return x if x.is_floating_point() and dtype.is_floating_point else x.to(dtype)

    return cast


_TYPES: Final = {
    1: torch.float32, 2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32, 7: torch.int64, 9: torch.bool,
    10: torch.float32, 11: torch.float64, 16: torch.float32,
}  # fmt: skip


def _constant(operation: Operation, arguments: Arguments) -> Made:
    attributes = operation.attributes
    if "value" in attributes:
        value = attributes["value"]
    elif "value_float" in attributes or "value_floats" in attributes:
        value = torch.tensor(attributes.get("value_float", attributes.get("value_floats")), dtype=torch.float32)
    elif "value_int" in attributes or "value_ints" in attributes:
        value = torch.tensor(attributes.get("value_int", attributes.get("value_ints")), dtype=torch.int64)
    else:
        raise ValueError("it holds no number")
    return Function("Constant", lambda: value), ()


def _constant_of_shape(operation: Operation, arguments: Arguments) -> Callable[[Tensor], Tensor]:
    value = operation.attributes.get("value", torch.zeros(1))

    def fill(shape: Tensor) -> Tensor:
        sides = ints(shape)
        bounded(*sides)
        filled: Tensor = value.reshape(()).expand(sides).clone()
        return filled

    return fill


def _range(start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    bounded(max(0, int((limit.double() - start.double()) / delta.double()) + 1))
    return torch.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype)


def _dropout(operation: Operation, arguments: Arguments) -> Made:
    training = given(arguments, 2)
    computed = len(operation.inputs) > 2 and operation.inputs[2] != "" and training is None
    if computed or (training is not None and bool(training)):
        raise ValueError("it is in training mode; export the network after .eval()")
    return nn.Identity(), (True, *(False,) * (len(arguments) - 1))


def _hard_sigmoid(operation: Operation, arguments: Arguments) -> Callable[[Tensor], Tensor]:
    slope, shift = operation.attributes.get("alpha", 0.2), operation.attributes.get("beta", 0.5)
    return lambda x: torch.clamp(slope * x + shift, 0.0, 1.0)


def _shrink(operation: Operation, arguments: Arguments) -> Callable[[Tensor], Tensor]:
    width, bias = operation.attributes.get("lambd", 0.5), operation.attributes.get("bias", 0.0)
    if width != bias:
        raise ValueError(f"it jumps at {width:g} (its bias is {bias:g}); only continuous functions can be drawn")
    return lambda x: torch.nn.functional.softshrink(x, width)


def _thresholded_relu(operation: Operation, arguments: Arguments) -> Callable[[Tensor], Tensor]:
    threshold = operation.attributes.get("alpha", 1.0)
    if threshold != 0.0:
        raise ValueError(f"it jumps at {threshold:g}; only continuous functions can be drawn")
    return torch.relu


OPERATORS: Final[dict[str, Rule]] = {
    **MOVEMENTS,
    "Abs": unary(lambda operation: Absolute()),
    "Add": pure(_broadcast(torch.add)),
    "BatchNormalization": _batch_normalisation,
    "Cast": fixed(_cast),
    "Clip": fixed(_clip),
    "Constant": _constant,
    "ConstantOfShape": fixed(_constant_of_shape),
    "Conv": _convolution,
    "CumSum": fixed(_cumulative),
    "Div": pure(_broadcast(_division)),
    "Dropout": _dropout,
    "Einsum": _einsum,
    "Equal": pure(_broadcast(torch.eq)),
    "Gemm": _gemm,
    "Greater": pure(_broadcast(torch.gt)),
    "GreaterOrEqual": pure(_broadcast(torch.ge)),
    "HardSigmoid": fixed(_hard_sigmoid),
    "Identity": unary(lambda operation: nn.Identity()),
    "IsInf": pure(torch.isinf),
    "IsNaN": pure(torch.isnan),
    "LeakyRelu": unary(lambda operation: nn.LeakyReLU(operation.attributes.get("alpha", 0.01))),
    "Less": pure(_broadcast(torch.lt)),
    "LessOrEqual": pure(_broadcast(torch.le)),
    "MatMul": pure(_matmul),
    "Max": pure(_broadcast(torch.maximum)),
    "Mean": pure(_mean),
    "Min": pure(_broadcast(torch.minimum)),
    "Mul": pure(_broadcast(torch.mul)),
    "Neg": pure(torch.neg),
    "Not": pure(torch.logical_not),
    "PRelu": pure(_prelu),
    "Range": pure(_range),
    "ReduceL1": _reduce(lambda x, axes, keep: x.abs().sum(axes, keepdim=keep)),
    "ReduceMax": _reduce(torch.amax),
    "ReduceMean": _reduce(lambda x, axes, keep: x.mean(axes, keepdim=keep)),
    "ReduceMin": _reduce(torch.amin),
    "ReduceSum": _reduce(lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    "Relu": unary(lambda operation: nn.ReLU()),
    "Shrink": fixed(_shrink),
    "Sigmoid": unary(lambda operation: nn.Sigmoid()),
    "Sin": unary(lambda operation: Sine()),
    "Softplus": unary(lambda operation: nn.Softplus()),
    "Sub": pure(_broadcast(torch.sub)),
    "Sum": pure(_broadcast(torch.add)),
    "Tanh": unary(lambda operation: nn.Tanh()),
    "ThresholdedRelu": fixed(_thresholded_relu),
    "TopK": fixed(_largest),
    "Where": pure(_where),
}

_SMOOTH = "{} is not piecewise linear"
_DIVIDES = "it divides by a quantity that depends on the input: not piecewise linear"
_JUMPS = "it jumps; only continuous piecewise linear functions can be drawn"
_RANDOM = "it is random; a network must be a fixed function"
_QUANTISED = "it rounds to steps, which jump"
UNSUPPORTED: Final = {
    **dict.fromkeys(("LayerNormalization", "InstanceNormalization", "GroupNormalization", "LRN"), _DIVIDES),
    **dict.fromkeys(("RMSNormalization", "LpNormalization", "MeanVarianceNormalization", "Reciprocal"), _DIVIDES),
    **dict.fromkeys(("Ceil", "Floor", "Round", "Sign", "Mod", "Hardmax", "BitShift"), _JUMPS),
    **dict.fromkeys(
        ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial"), _RANDOM
    ),
    **dict.fromkeys(("QuantizeLinear", "DynamicQuantizeLinear"), _QUANTISED),
    **{kind: _SMOOTH.format(kind) for kind in (
        "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Celu", "Cosh", "Elu", "Gelu", "HardSwish", "Log",
        "LogSoftmax", "Mish", "Pow", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd", "ReduceSumSquare",
        "Selu", "Sinh", "Softmax", "Softsign", "Sqrt", "Swish", "Tan",
    )},
    "ArgMax": "an index that depends on the input jumps",
    "ArgMin": "an index that depends on the input jumps",
    "And": "it combines comparisons of values that depend on the input",
    "Or": "it combines comparisons of values that depend on the input",
    "Xor": "it combines comparisons of values that depend on the input",
    "Attention": "it multiplies values that depend on the input: not piecewise linear",
    "Cos": "the cosine is not piecewise linear",
    "Exp": "the exponential is not piecewise linear",
    "Erf": "the error function (GELU) is not piecewise linear",
    "GridSample": "a feature grid is piecewise trilinear, not piecewise linear",
    "If": "its condition depends on the input",
    "Loop": "loops are not supported",
    "Scan": "loops are not supported",
    "ConvTranspose": "transposed convolutions are not supported yet",
    "MaxPool": "max pooling is not supported yet",
    "GlobalMaxPool": "max pooling is not supported yet",
    "AveragePool": "average pooling is not supported yet",
    "GlobalAveragePool": "average pooling is not supported yet",
}  # fmt: skip
"""The reasons why operations on values that depend on the input cannot be read, where they can be told."""
