"""The ONNX operators that can be read, each as a torch module (github.com/onnx/onnx, docs/Operators.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn

from sdf_models.architectures import Sine
from sdf_models.families.modules import Absolute
from sdf_models.formats.onnx_movements import MOVEMENTS
from sdf_models.formats.onnx_rules import Arguments, Function, Rule, axes_of, bounded, fixed, ints, pure, unary

if TYPE_CHECKING:
    from sdf_models.formats.onnx_graph import Operation


UNSUPPORTED: Final = {
    "LayerNormalization": "it divides by a quantity that depends on the input: not piecewise linear",
    "InstanceNormalization": "it divides by a quantity that depends on the input: not piecewise linear",
    "Sin": "the sine is not piecewise linear",
    "Cos": "the cosine is not piecewise linear",
    "Exp": "the exponential is not piecewise linear",
    "Erf": "the error function (GELU) is not piecewise linear",
    "Softmax": "it is not piecewise linear",
    "GridSample": "a feature grid is piecewise trilinear, not piecewise linear",
    "Greater": "it compares values, as an exported Softplus does: not piecewise linear",
    "Less": "it compares values, as an exported ELU does: not piecewise linear",
    "Where": "it chooses by a comparison, as an exported Softplus does: not piecewise linear",
    "If": "what a network does must not depend on its input",
    "Loop": "loops are not supported",
    "Conv": "convolutions are not supported",
    "MaxPool": "max pooling is not supported",
}


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


def _matmul(left: Tensor, right: Tensor) -> Tensor:
    rows = left.shape[:-1] if left.dim() > 1 else ()
    columns = right.shape[-1:] if right.dim() > 1 else ()
    bounded(*rows, *columns, *right.shape[:-2])
    return left @ right


def _gemm(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
    alpha, beta = operation.attributes.get("alpha", 1.0), operation.attributes.get("beta", 1.0)
    left_turned, right_turned = operation.attributes.get("transA", 0), operation.attributes.get("transB", 0)

    def gemm(left: Tensor, right: Tensor, shift: Tensor | None = None) -> Tensor:
        if left.dim() != 2 or right.dim() != 2:
            raise ValueError("Gemm takes two matrices")
        left, right = (left.T if left_turned else left), (right.T if right_turned else right)
        result = _matmul(left, right)
        result = result if alpha == 1.0 else alpha * result
        if shift is None:
            return result
        return result + (shift if beta == 1.0 else beta * shift)

    return Function("Gemm", gemm), (True,) * len(arguments)


def _batch_normalisation(
    operation: Operation, arguments: Arguments, batch: int | None
) -> tuple[nn.Module, tuple[bool, ...]]:
    if operation.attributes.get("training_mode", 0):
        raise ValueError("BatchNormalization is in training mode; export the network after .eval()")
    epsilon = operation.attributes.get("epsilon", 1e-5)

    def normalise(x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        channels = (1, -1, *[1] * (x.dim() - 2))
        factor = scale / torch.sqrt(variance + epsilon)
        return x * factor.reshape(channels) + (bias - mean * factor).reshape(channels)

    return Function("BatchNormalization", normalise), (True,) * len(arguments)


def _clip(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    low, high = _bound(operation, arguments, 1, "min"), _bound(operation, arguments, 2, "max")
    return lambda x: x if low is None and high is None else torch.clamp(x, low, high)


def _bound(operation: Operation, arguments: Arguments, place: int, name: str) -> float | None:
    """A bound of Clip: an input since operator set 11, an attribute before, where it has a default."""
    if len(arguments) > place and arguments[place] is not None:
        return float(arguments[place])  # type: ignore[arg-type]
    value = operation.attributes.get(name)
    return None if value is None or abs(value) > 3.4e38 else float(value)


def _prelu(x: Tensor, slope: Tensor) -> Tensor:
    if slope.numel() == 1:
        return torch.nn.functional.prelu(x, slope.reshape(1))
    if x.dim() == 2 and slope.shape in ((x.shape[1],), (1, x.shape[1])):
        return torch.nn.functional.prelu(x, slope.reshape(-1))
    bounded(*_common_shape(x, slope))
    return torch.relu(x) - slope * torch.relu(-x)


def _reduce(function: Callable[..., Tensor]) -> Rule:
    def make(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
        axes = axes_of(operation, arguments)
        keep = bool(operation.attributes.get("keepdims", 1))
        return lambda x: function(x, dim=tuple(axes) if axes else tuple(range(x.dim())), keepdim=keep)

    return fixed(make)


def _cast(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    dtype = _TYPES.get(int(operation.attributes.get("to", 0)))
    if dtype is None:
        raise ValueError(f"Cast to the type {operation.attributes.get('to')} is not supported")
    return lambda x: x if x.is_floating_point() and dtype.is_floating_point else x.to(dtype)


_TYPES: Final = {
    1: torch.float32, 2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32, 7: torch.int64, 9: torch.bool,
    10: torch.float16, 11: torch.float64, 16: torch.bfloat16,
}  # fmt: skip


def _constant(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
    attributes = operation.attributes
    if "value" in attributes:
        value = attributes["value"]
    elif "value_float" in attributes or "value_floats" in attributes:
        value = torch.tensor(attributes.get("value_float", attributes.get("value_floats")), dtype=torch.float32)
    elif "value_int" in attributes or "value_ints" in attributes:
        value = torch.tensor(attributes.get("value_int", attributes.get("value_ints")), dtype=torch.int64)
    else:
        raise ValueError("a Constant holds no number")
    return Function("Constant", lambda: value), ()


def _constant_of_shape(
    operation: Operation, arguments: Arguments, batch: int | None
) -> tuple[nn.Module, tuple[bool, ...]]:
    value = operation.attributes.get("value", torch.zeros(1))

    def fill(shape: Tensor) -> Tensor:
        sides = ints(shape)
        bounded(*sides)
        filled: Tensor = value.reshape(()).expand(sides).clone()
        return filled

    return Function("ConstantOfShape", fill), (True,)


def _dropout(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
    training = arguments[2] if len(arguments) > 2 else None
    computed = len(operation.inputs) > 2 and operation.inputs[2] != "" and training is None
    if computed or (training is not None and bool(training)):
        raise ValueError("Dropout is in training mode; export the network after .eval()")
    return nn.Identity(), (True, *(False,) * (len(arguments) - 1))


OPERATORS: Final[dict[str, Rule]] = {
    **MOVEMENTS,
    "Abs": unary(lambda operation: Absolute()),
    "Add": pure(_broadcast(torch.add)),
    "BatchNormalization": _batch_normalisation,
    "Cast": fixed(_cast),
    "Clip": fixed(_clip),
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Div": pure(_broadcast(_division)),
    "Dropout": _dropout,
    "Elu": unary(lambda operation: nn.ELU(operation.attributes.get("alpha", 1.0))),
    "Gelu": unary(lambda operation: nn.GELU()),
    "Gemm": _gemm,
    "HardSigmoid": fixed(
        lambda operation, arguments, batch: (
            lambda x: torch.clamp(
                operation.attributes.get("alpha", 0.2) * x + operation.attributes.get("beta", 0.5), 0.0, 1.0
            )
        )
    ),
    "Identity": unary(lambda operation: nn.Identity()),
    "LeakyRelu": unary(lambda operation: nn.LeakyReLU(operation.attributes.get("alpha", 0.01))),
    "MatMul": pure(_matmul),
    "Max": pure(_broadcast(torch.maximum)),
    "Min": pure(_broadcast(torch.minimum)),
    "Mul": pure(_broadcast(torch.mul)),
    "Neg": pure(torch.neg),
    "PRelu": pure(_prelu),
    "ReduceMean": _reduce(torch.mean),
    "ReduceSum": _reduce(torch.sum),
    "Relu": unary(lambda operation: nn.ReLU()),
    "Sigmoid": unary(lambda operation: nn.Sigmoid()),
    "Sin": unary(lambda operation: Sine()),
    "Softplus": unary(lambda operation: nn.Softplus()),
    "Sqrt": pure(torch.sqrt),
    "Sub": pure(_broadcast(torch.sub)),
    "Sum": pure(_broadcast(torch.add)),
    "Tanh": unary(lambda operation: nn.Tanh()),
}
