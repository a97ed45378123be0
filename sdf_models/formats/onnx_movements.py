"""The ONNX operators that move data and compute nothing: the rules of Concat, Reshape, Slice and their like."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from sdf_models.formats.onnx_rules import Arguments, Function, Rule, axes_of, bounded, fixed, ints, pure

if TYPE_CHECKING:
    from sdf_models.formats.onnx_graph import Operation


def _concat(operation: Operation, arguments: Arguments, batch: int | None) -> tuple[nn.Module, tuple[bool, ...]]:
    if "axis" not in operation.attributes:
        raise ValueError("a Concat without its axis")
    axis = int(operation.attributes["axis"])

    def concat(*values: Tensor) -> Tensor:
        bounded(sum(value.numel() for value in values))
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
    fixed = ints(arguments[1]) if len(arguments) > 1 and arguments[1] is not None else operation.attributes.get("shape")

    def reshape(x: Tensor, shape: Tensor | None = None) -> Tensor:
        target = fixed if fixed is not None else ints(shape)
        target = [x.shape[i] if side == 0 and not keep_zero else side for i, side in enumerate(target)]
        return x.reshape(_shape(target, x, batch))

    return Function("Reshape", reshape), (True, *(fixed is None,) * (len(arguments) - 1))


def _expand(x: Tensor, shape: Tensor) -> Tensor:
    target = np.broadcast_shapes(tuple(x.shape), tuple(ints(shape)))
    bounded(*target)
    return x.expand(target)


def _flatten(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    axis = int(operation.attributes.get("axis", 1))

    def flatten(x: Tensor) -> Tensor:
        place = axis % (x.dim() + 1) if axis < 0 else axis
        return x.reshape(math.prod(x.shape[:place]), -1) if place else x.reshape(1, -1)

    return flatten


def _transpose(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    order = operation.attributes.get("perm")
    return lambda x: x.permute(order if order is not None else tuple(reversed(range(x.dim()))))


def _squeeze(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    axes = axes_of(operation, arguments)

    def squeeze(x: Tensor) -> Tensor:
        chosen = axes if axes is not None else [i for i, side in enumerate(x.shape) if side == 1 and i > 0]
        for axis in sorted((axis % x.dim() for axis in chosen), reverse=True):
            if x.shape[axis] != 1:
                raise ValueError(f"Squeeze of a dimension of {x.shape[axis]}")
            x = x.squeeze(axis)
        return x

    return squeeze


def _unsqueeze(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    axes = axes_of(operation, arguments) or []

    def unsqueeze(x: Tensor) -> Tensor:
        for axis in sorted(axis % (x.dim() + len(axes)) for axis in axes):
            x = x.unsqueeze(axis)
        return x

    return unsqueeze


def _slice(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Tensor]:
    def values(place: int, name: str) -> list[int] | None:
        if len(arguments) > place and arguments[place] is not None:
            return ints(arguments[place])
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
        bounded(index.numel(), *x.shape[:place], *x.shape[place + 1 :])
        shape = (*x.shape[:place], *index.shape, *x.shape[place + 1 :])
        return x.index_select(place, index.reshape(-1).long()).reshape(shape)

    return Function("Gather", gather), (True, True)


def _split(operation: Operation, arguments: Arguments, batch: int | None) -> Callable[[Tensor], Any]:
    axis = int(operation.attributes.get("axis", 0))
    sizes = ints(arguments[1]) if len(arguments) > 1 and arguments[1] is not None else operation.attributes.get("split")
    count = len(operation.outputs)

    def split(x: Tensor) -> Any:
        return torch.split(x, list(sizes) if sizes is not None else math.ceil(x.shape[axis] / count), dim=axis)

    return split


MOVEMENTS: Final[dict[str, Rule]] = {
    "Concat": _concat,
    "Expand": pure(_expand),
    "Flatten": fixed(_flatten),
    "Gather": _gather,
    "Reshape": _reshape,
    "Shape": pure(lambda x: torch.tensor(x.shape)),
    "Slice": fixed(_slice),
    "Split": fixed(_split),
    "Squeeze": fixed(_squeeze),
    "Transpose": fixed(_transpose),
    "Unsqueeze": fixed(_unsqueeze),
}
