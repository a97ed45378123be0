"""How an ONNX operator becomes a torch module.

A rule takes an operation, the tensors of those of its inputs that are constant (None for the others) and the batch size
that the graph was made for.  It returns a module and, for every input, whether the module takes it when it runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from sdf_models.formats.onnx_graph import Operation

Arguments = Sequence[Tensor | None]
Rule = Callable[["Operation", Arguments, "int | None"], tuple[nn.Module, tuple[bool, ...]]]

_LARGEST = 1 << 25
"""Elements of any value that an operation makes."""


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


def bounded(*sizes: int) -> None:
    if math.prod(sizes) > _LARGEST:
        raise ValueError(f"an operation would make a value of {math.prod(sizes):,} numbers")


def pure(function: Callable[..., Any]) -> Rule:
    """A rule of an operation that is its inputs' function."""

    def rule(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
        return Function(operation.kind, function), (True,) * len(arguments)

    return rule


def unary(make: Callable[[Operation], nn.Module]) -> Rule:
    def rule(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
        return make(operation), (True, *(False,) * (len(arguments) - 1))

    return rule


def fixed(make: Callable[[Operation, Arguments, int | None], Callable[[Tensor], Any]]) -> Rule:
    """A rule of an operation on its first input, whose other inputs must be constants."""

    def rule(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
        for name, value in zip(operation.inputs[1:], arguments[1:], strict=True):
            if name and value is None:
                raise ValueError(f"{operation.kind} has an option that is computed from the input")
        return Function(operation.kind, make(operation, arguments, batch)), (True, *(False,) * (len(arguments) - 1))

    return rule


def ints(values: Tensor | None) -> list[int]:
    if values is None or values.is_floating_point() or values.numel() > 4096:
        raise ValueError("a list of whole numbers is missing")
    return [int(value) for value in values.reshape(-1).tolist()]


def axes_of(operation: Operation, arguments: Arguments) -> list[int] | None:
    """An input since operator set 13, an attribute before."""
    if len(arguments) > 1 and arguments[1] is not None:
        return ints(arguments[1])
    axes = operation.attributes.get("axes")
    return None if axes is None else [int(axis) for axis in axes]
