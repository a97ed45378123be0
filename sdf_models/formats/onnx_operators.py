"""The ONNX operators that can be read, each as a torch module (github.com/onnx/onnx, docs/Operators.md).

A rule takes an operation, the tensors of those of its inputs that are constant (None for the others) and the batch size
that the graph was made for.  It returns a module and, for every input, whether the module takes it when it runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from sdf_models.architectures import Sine
from sdf_models.families.modules import Absolute

if TYPE_CHECKING:
    from sdf_models.formats.onnx_graph import Operation

Arguments = Sequence[Tensor | None]
Rule = Callable[["Operation", Arguments, "int | None"], tuple[nn.Module, tuple[bool, ...]]]

_LARGEST = 1 << 25
"""Elements of any value that an operation makes."""

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


class Function(nn.Module):
    """A named operation without parameters."""

    def __init__(self, kind: str, function: Callable[..., Any]) -> None:
        super().__init__()
        self.kind = kind
        self.function = function

    def forward(self, *values: Any) -> Any:
        return self.function(*values)

    def extra_repr(self) -> str:
        return self.kind


def _bounded(*sizes: int) -> None:
    if math.prod(sizes) > _LARGEST:
        raise ValueError(f"an operation would make a value of {math.prod(sizes):,} numbers")


def _pure(function: Callable[..., Any]) -> Rule:
    """A rule of an operation that is its inputs' function."""

    def rule(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
        return Function(operation.kind, function), (True,) * len(arguments)

    return rule


def _unary(make: Callable[[Operation], nn.Module]) -> Rule:
    def rule(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
        return make(operation), (True, *(False,) * (len(arguments) - 1))

    return rule


def _fixed(make: Callable[[Operation, Arguments, int | None], Callable[[Tensor], Any]]) -> Rule:
    """A rule of an operation on its first input, whose other inputs must be constants."""

    def rule(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
        for name, value in zip(operation.inputs[1:], arguments[1:], strict=True):
            if name and value is None:
                raise ValueError(f"{operation.kind} has an option that is computed from the input")
        return Function(operation.kind, make(operation, arguments, batch)), (True, *(False,) * (len(arguments) - 1))

    return rule


def _broadcast(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def combined(first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            _bounded(*_common_shape(first, other))
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
    _bounded(*rows, *columns, *right.shape[:-2])
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
    _bounded(*_common_shape(x, slope))
    return torch.relu(x) - slope * torch.relu(-x)


def _concat(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
    if "axis" not in operation.attributes:
        raise ValueError("a Concat without its axis")
    axis = int(operation.attributes["axis"])

    def concat(*values: Tensor) -> Tensor:
        _bounded(sum(value.numel() for value in values))
        if axis % values[0].dim():
            # A constant that was made for the batch of the export stands for every batch.
            count = max(len(value) for value in values)
            values = tuple(value.expand(count, *value.shape[1:]) if len(value) == 1 else value for value in values)
        return torch.cat(values, dim=axis)

    return Function("Concat", concat), (True,) * len(arguments)


def _shape(target: list[int], x: Tensor, batch: int | None) -> list[int]:
    """A shape in the graph, with the number of points where it says that of the export."""
    if batch is not None and target and target[0] == batch and len(x) != batch:
        return [len(x), *target[1:]]
    return target


def _reshape(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
    keep_zero = bool(operation.attributes.get("allowzero", 0))
    fixed = (
        _ints(arguments[1]) if len(arguments) > 1 and arguments[1] is not None else operation.attributes.get("shape")
    )

    def reshape(x: Tensor, shape: Tensor | None = None) -> Tensor:
        target = fixed if fixed is not None else _ints(shape)
        target = [x.shape[i] if side == 0 and not keep_zero else side for i, side in enumerate(target)]
        return x.reshape(_shape(target, x, batch))

    return Function("Reshape", reshape), (True, *(fixed is None,) * (len(arguments) - 1))


def _expand(x: Tensor, shape: Tensor) -> Tensor:
    target = np.broadcast_shapes(tuple(x.shape), tuple(_ints(shape)))
    _bounded(*target)
    return x.expand(target)


def _ints(values: Tensor | None) -> list[int]:
    if values is None or values.is_floating_point() or values.numel() > 4096:
        raise ValueError("a list of whole numbers is missing")
    return [int(value) for value in values.reshape(-1).tolist()]


def _flatten(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    axis = int(operation.attributes.get("axis", 1))

    def flatten(x: Tensor) -> Tensor:
        place = axis % (x.dim() + 1) if axis < 0 else axis
        return x.reshape(math.prod(x.shape[:place]), -1) if place else x.reshape(1, -1)

    return flatten


def _transpose(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    order = operation.attributes.get("perm")
    return lambda x: x.permute(order if order is not None else tuple(reversed(range(x.dim()))))


def _axes(operation: Operation, arguments: Arguments) -> list[int] | None:
    """An input since operator set 13, an attribute before."""
    if len(arguments) > 1 and arguments[1] is not None:
        return _ints(arguments[1])
    axes = operation.attributes.get("axes")
    return None if axes is None else [int(axis) for axis in axes]


def _squeeze(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    axes = _axes(operation, arguments)

    def squeeze(x: Tensor) -> Tensor:
        chosen = axes if axes is not None else [i for i, side in enumerate(x.shape) if side == 1 and i > 0]
        for axis in sorted((axis % x.dim() for axis in chosen), reverse=True):
            if x.shape[axis] != 1:
                raise ValueError(f"Squeeze of a dimension of {x.shape[axis]}")
            x = x.squeeze(axis)
        return x

    return squeeze


def _unsqueeze(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    axes = _axes(operation, arguments) or []

    def unsqueeze(x: Tensor) -> Tensor:
        for axis in sorted(axis % (x.dim() + len(axes)) for axis in axes):
            x = x.unsqueeze(axis)
        return x

    return unsqueeze


def _slice(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    def values(place: int, name: str) -> list[int] | None:
        if len(arguments) > place and arguments[place] is not None:
            return _ints(arguments[place])
        found = operation.attributes.get(name)
        return None if found is None else [int(value) for value in found]

    starts, ends = values(1, "starts") or [], values(2, "ends") or []
    axes, steps = values(3, "axes") or list(range(len(starts))), values(4, "steps") or [1] * len(starts)

    def cut(x: Tensor) -> Tensor:
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            x = x.index_select(axis, _places(x.shape[axis], start, end, step))
        return x

    return cut


def _places(size: int, start: int, end: int, step: int) -> Tensor:
    """The indices of a slice; an end below -size means that it goes to the first element when it runs backwards."""
    stop = None if step < 0 and end < -size else end
    return torch.tensor(list(range(size))[slice(start, stop, step)], dtype=torch.int64)


def _gather(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
    axis = int(operation.attributes.get("axis", 0))

    def gather(x: Tensor, index: Tensor) -> Tensor:
        place = axis % x.dim()
        index = torch.where(index < 0, index + x.shape[place], index)
        _bounded(index.numel(), *x.shape[:place], *x.shape[place + 1 :])
        shape = (*x.shape[:place], *index.shape, *x.shape[place + 1 :])
        return x.index_select(place, index.reshape(-1).long()).reshape(shape)

    return Function("Gather", gather), (True, True)


def _split(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Any]:
    axis = int(operation.attributes.get("axis", 0))
    sizes = (
        _ints(arguments[1]) if len(arguments) > 1 and arguments[1] is not None else operation.attributes.get("split")
    )
    count = len(operation.outputs)

    def split(x: Tensor) -> Any:
        return torch.split(x, list(sizes) if sizes is not None else math.ceil(x.shape[axis] / count), dim=axis)

    return split


def _reduce(function: Callable[..., Tensor]) -> Rule:
    def make(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
        axes = _axes(operation, arguments)
        keep = bool(operation.attributes.get("keepdims", 1))
        return lambda x: function(x, dim=tuple(axes) if axes else tuple(range(x.dim())), keepdim=keep)

    return _fixed(make)


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
        sides = _ints(shape)
        _bounded(*sides)
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
    "Abs": _unary(lambda operation: Absolute()),
    "Add": _pure(_broadcast(torch.add)),
    "BatchNormalization": _batch_normalisation,
    "Cast": _fixed(_cast),
    "Clip": _fixed(_clip),
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Div": _pure(_broadcast(_division)),
    "Dropout": _dropout,
    "Elu": _unary(lambda operation: nn.ELU(operation.attributes.get("alpha", 1.0))),
    "Expand": _pure(_expand),
    "Flatten": _fixed(_flatten),
    "Gather": _gather,
    "Gelu": _unary(lambda operation: nn.GELU()),
    "Gemm": _gemm,
    "HardSigmoid": _fixed(
        lambda operation, arguments, batch: (
            lambda x: torch.clamp(
                operation.attributes.get("alpha", 0.2) * x + operation.attributes.get("beta", 0.5), 0.0, 1.0
            )
        )
    ),
    "Identity": _unary(lambda operation: nn.Identity()),
    "LeakyRelu": _unary(lambda operation: nn.LeakyReLU(operation.attributes.get("alpha", 0.01))),
    "MatMul": _pure(_matmul),
    "Max": _pure(_broadcast(torch.maximum)),
    "Min": _pure(_broadcast(torch.minimum)),
    "Mul": _pure(_broadcast(torch.mul)),
    "Neg": _pure(torch.neg),
    "PRelu": _pure(_prelu),
    "ReduceMean": _reduce(torch.mean),
    "ReduceSum": _reduce(torch.sum),
    "Relu": _unary(lambda operation: nn.ReLU()),
    "Reshape": _reshape,
    "Shape": _pure(lambda x: torch.tensor(x.shape)),
    "Sigmoid": _unary(lambda operation: nn.Sigmoid()),
    "Sin": _unary(lambda operation: Sine()),
    "Slice": _fixed(_slice),
    "Softplus": _unary(lambda operation: nn.Softplus()),
    "Split": _fixed(_split),
    "Sqrt": _pure(torch.sqrt),
    "Squeeze": _fixed(_squeeze),
    "Sub": _pure(_broadcast(torch.sub)),
    "Sum": _pure(_broadcast(torch.add)),
    "Tanh": _unary(lambda operation: nn.Tanh()),
    "Transpose": _fixed(_transpose),
    "Unsqueeze": _fixed(_unsqueeze),
}
