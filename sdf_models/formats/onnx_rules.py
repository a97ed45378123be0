"""The rules by which ONNX operators become torch modules.

A rule takes an operation and the tensors of those of its inputs that are constant (None for the others).  It returns a
module and, for every input, whether the module takes it when it runs.  All shapes are those of one point, so that
whatever follows from shapes is constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

_LARGEST = 1 << 25
"""Elements of any value that an operation makes."""


@dataclass(frozen=True, eq=False, slots=True)
class Operation:
    """A node: its name, its kind (op_type), the names of what it takes ("" for none) and makes, and its attributes.

    domain: "" for ONNX's own operators; node: as it is in the file.
    """

    name: str
    domain: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    opset: int
    node: Any

    def __str__(self) -> str:
        kind = f"{self.domain:.60}.{self.kind:.60}" if self.domain else f"{self.kind:.60}"
        return f"{self.name:.60} ({kind})" if self.name not in ("", self.kind, kind) else kind


@dataclass(frozen=True, eq=False, slots=True)
class Branch:
    """A branch of an If: its operations in order, which make the outputs of the If, and its own constants by name."""

    operations: tuple[Operation, ...]
    constants: Mapping[str, Tensor]


Arguments = Sequence[Tensor | None]
Made = tuple[nn.Module, tuple[bool, ...]]
Rule = Callable[[Operation, Arguments], Made]


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

    def rule(operation: Operation, arguments: Arguments) -> Made:
        return Function(operation.kind, function), (True,) * len(arguments)

    return rule


def unary(make: Callable[[Operation], nn.Module]) -> Rule:
    def rule(operation: Operation, arguments: Arguments) -> Made:
        return make(operation), (True, *(False,) * (len(arguments) - 1))

    return rule


def fixed(make: Callable[[Operation, Arguments], Callable[[Tensor], Any]]) -> Rule:
    """A rule of an operation on its first input, whose other inputs must be constants."""

    def rule(operation: Operation, arguments: Arguments) -> Made:
        for name, value in zip(operation.inputs[1:], arguments[1:], strict=True):
            if name and value is None:
                raise ValueError("it has an option that is computed from the input")
        return Function(operation.kind, make(operation, arguments)), (True, *(False,) * (len(arguments) - 1))

    return rule


def given(arguments: Arguments, place: int) -> Tensor | None:
    """An optional input that is constant."""
    return arguments[place] if len(arguments) > place else None


def ints(values: Tensor | None) -> list[int]:
    if values is None or values.is_floating_point() or values.numel() > 4096:
        raise ValueError("a list of whole numbers is missing")
    return [int(value) for value in values.reshape(-1).tolist()]


def ints_of(operation: Operation, arguments: Arguments, place: int, name: str) -> list[int] | None:
    """A list of whole numbers: an input since some operator set, an attribute before, None when it is left out."""
    value = given(arguments, place)
    if value is not None:
        return ints(value)
    attribute = operation.attributes.get(name)
    return None if attribute is None else [int(item) for item in attribute]
