"""The ONNX operators that move data and compute nothing: the rules of Concat, Reshape, Slice and their like."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

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
)

Movement = Callable[[Tensor], Tensor]


def _concat(operation: Operation, arguments: Arguments) -> Made:
    if "axis" not in operation.attributes:
        raise ValueError("it does not say its axis")
    axis = int(operation.attributes["axis"])

    def concat(*values: Tensor) -> Tensor:
        bounded(sum(value.numel() for value in values))
        return torch.cat(values, dim=axis)

    return Function("Concat", concat), (True,) * len(arguments)


def _reshape(operation: Operation, arguments: Arguments) -> Movement:
    keep_zero = bool(operation.attributes.get("allowzero", 0))
    target = ints_of(operation, arguments, 1, "shape")
    if target is None:
        raise ValueError("it does not say its shape")

    def reshape(x: Tensor) -> Tensor:
        return x.reshape([x.shape[i] if side == 0 and not keep_zero else side for i, side in enumerate(target)])

    return reshape


def _expand(operation: Operation, arguments: Arguments) -> Movement:
    target = tuple(ints(given(arguments, 1)))

    def expand(x: Tensor) -> Tensor:
        shape = np.broadcast_shapes(tuple(x.shape), target)
        bounded(*shape)
        return x.expand(shape)

    return expand


def _tile(operation: Operation, arguments: Arguments) -> Movement:
    repeats = ints(given(arguments, 1))

    def tile(x: Tensor) -> Tensor:
        if len(repeats) != x.dim():
            raise ValueError(f"it has {len(repeats)} repeats for {x.dim()} dimensions")
        bounded(x.numel(), *repeats)
        return x.repeat(repeats)

    return tile


def _pad(operation: Operation, arguments: Arguments) -> Movement:
    mode = operation.attributes.get("mode", b"constant")
    pads, axes = ints_of(operation, arguments, 1, "pads"), ints_of(operation, arguments, 3, "axes")
    fill = given(arguments, 2)
    value = float(fill) if fill is not None else float(operation.attributes.get("value", 0.0))
    names = {b"constant": "constant", b"reflect": "reflect", b"edge": "replicate", b"wrap": "circular"}
    if pads is None or mode not in names:
        raise ValueError("it does not say how it pads")

    def pad(x: Tensor) -> Tensor:
        chosen = [axis % x.dim() for axis in axes] if axes is not None else list(range(x.dim()))
        for axis, before, after in zip(chosen, pads[: len(chosen)], pads[len(chosen) :], strict=True):
            bounded(x.numel(), 1 + max(before, 0) + max(after, 0))
            # One axis at a time, as the last one of a stack of rows.
            rows = x.movedim(axis, -1)
            flat = rows.reshape(1, -1, rows.shape[-1])
            options = {"value": value} if mode == b"constant" else {}
            padded = torch.nn.functional.pad(flat, (before, after), mode=names[mode], **options)
            x = padded.reshape(*rows.shape[:-1], -1).movedim(-1, axis)
        return x

    return pad


def _flatten(operation: Operation, arguments: Arguments) -> Movement:
    axis = int(operation.attributes.get("axis", 1))

    def flatten(x: Tensor) -> Tensor:
        place = axis % (x.dim() + 1) if axis < 0 else axis
        return x.reshape(math.prod(x.shape[:place]), -1) if place else x.reshape(1, -1)

    return flatten


def _transpose(operation: Operation, arguments: Arguments) -> Movement:
    order = operation.attributes.get("perm")
    return lambda x: x.permute(order if order is not None else tuple(reversed(range(x.dim()))))


def _squeeze(operation: Operation, arguments: Arguments) -> Movement:
    axes = ints_of(operation, arguments, 1, "axes")

    def squeeze(x: Tensor) -> Tensor:
        chosen = axes if axes is not None else [i for i, side in enumerate(x.shape) if side == 1]
        for axis in sorted((axis % x.dim() for axis in chosen), reverse=True):
            if x.shape[axis] != 1:
                raise ValueError(f"it squeezes a dimension of {x.shape[axis]}")
            x = x.squeeze(axis)
        return x

    return squeeze


def _unsqueeze(operation: Operation, arguments: Arguments) -> Movement:
    axes = ints_of(operation, arguments, 1, "axes") or []

    def unsqueeze(x: Tensor) -> Tensor:
        for axis in sorted(axis % (x.dim() + len(axes)) for axis in axes):
            x = x.unsqueeze(axis)
        return x

    return unsqueeze


def _slice(operation: Operation, arguments: Arguments) -> Movement:
    starts = ints_of(operation, arguments, 1, "starts") or []
    ends = ints_of(operation, arguments, 2, "ends") or []
    axes = ints_of(operation, arguments, 3, "axes") or list(range(len(starts)))
    steps = ints_of(operation, arguments, 4, "steps") or [1] * len(starts)

    def cut(x: Tensor) -> Tensor:
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            x = x.index_select(axis, _places(x.shape[axis], start, end, step))
        return x

    return cut


def _places(size: int, start: int, end: int, step: int) -> Tensor:
    """The indices of a slice; an end below -size means that it goes to the first element when it runs backwards."""
    stop = None if step < 0 and end < -size else end
    return torch.tensor(list(range(size))[slice(start, stop, step)], dtype=torch.int64)


def _gather(operation: Operation, arguments: Arguments) -> Made:
    axis = int(operation.attributes.get("axis", 0))

    def gather(x: Tensor, index: Tensor) -> Tensor:
        place = axis % x.dim()
        index = torch.where(index < 0, index + x.shape[place], index)
        bounded(index.numel(), *x.shape[:place], *x.shape[place + 1 :])
        shape = (*x.shape[:place], *index.shape, *x.shape[place + 1 :])
        return x.index_select(place, index.reshape(-1).long()).reshape(shape)

    return Function("Gather", gather), (True, True)


def _split(operation: Operation, arguments: Arguments) -> Callable[[Tensor], Any]:
    axis = int(operation.attributes.get("axis", 0))
    sizes, count = ints_of(operation, arguments, 1, "split"), len(operation.outputs)
    return lambda x: torch.split(x, sizes if sizes is not None else math.ceil(x.shape[axis] / count), dim=axis)


def _shape(operation: Operation, arguments: Arguments) -> Movement:
    start, end = operation.attributes.get("start", 0), operation.attributes.get("end")
    return lambda x: torch.tensor(list(x.shape)[slice(start, end)], dtype=torch.int64)


MOVEMENTS: Final[dict[str, Rule]] = {
    "Concat": _concat,
    "Expand": fixed(_expand),
    "Flatten": fixed(_flatten),
    "Gather": _gather,
    "Pad": fixed(_pad),
    "Reshape": fixed(_reshape),
    "Shape": fixed(_shape),
    "Size": pure(lambda x: torch.tensor(x.numel())),
    "Slice": fixed(_slice),
    "Split": fixed(_split),
    "Squeeze": fixed(_squeeze),
    "Tile": fixed(_tile),
    "Transpose": fixed(_transpose),
    "Unsqueeze": fixed(_unsqueeze),
}
OF_SHAPE: Final = ("Shape", "Size")
"""They depend on the shape of what they take alone."""
