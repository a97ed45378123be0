"""Which numbers of an ONNX input are a point's coordinates, and which axis counts points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sdf_models.architectures import LARGEST_WIDTH
from sdf_models.formats.format import Refused

_LARGEST_BATCH = 4096
_EXPORT = "export it with an input of shape (1, 3)"


@dataclass(frozen=True, slots=True)
class Placing:
    """How points lie in an input: each has the shape `point`, with 1 along every axis that counts points.

    free: the axes along which any number of points fits; axis: the one along which `count` points are fixed, None where
    that is a single point.
    """

    point: tuple[int, ...]
    free: tuple[int, ...] = ()
    axis: int | None = None
    count: int = 1


def placings(value: Any) -> list[Placing]:
    """How the points of a graph's input may lie, the likelier ways first; the last one takes all of it as one point.

    A size that the file leaves open, or that is 1, counts points.  Where several sizes are fixed, one of them may count
    the points of the export: whether it does shows when the graph runs on other numbers of them.
    """
    tensor = value.type.tensor_type
    sides: list[int | None] = [d.dim_value if d.dim_value > 0 else None for d in tensor.shape.dim]
    if not tensor.HasField("shape"):
        sides = [None, None]
    for i, side in enumerate(sides):
        if side is not None and side > LARGEST_WIDTH and i == len(sides) - 1:
            raise Refused(f"its input has {side:,} coordinates", f"at most {LARGEST_WIDTH:,} are possible")
        if side is not None and side > LARGEST_WIDTH:
            raise Refused(f"it is made for {side:,} points at once", _EXPORT)
    open_ = [i for i, side in enumerate(sides) if side is None]
    fixed = [i for i, side in enumerate(sides) if side is not None and side > 1]
    if open_ and not fixed:  # it does not say how many coordinates there are
        *free, last = open_
        return [Placing(tuple(size if i == last else 1 for i in range(len(sides))), tuple(free)) for size in (3, 2)]
    point = tuple(side or 1 for side in sides)
    batches = [i for i in fixed if len(fixed) > 1 and point[i] <= _LARGEST_BATCH]
    some = [Placing((*point[:i], 1, *point[i + 1 :]), tuple(open_), i, point[i]) for i in batches]
    return [*some, Placing(point, tuple(open_))]


def for_one_point(constants: Mapping[str, Tensor], placing: Placing) -> Iterator[Mapping[str, Tensor]]:
    """The constants of a graph, as they are and then as they may be for one point where the graph is made for several.

    Shapes that name the count of points, and rows that were repeated for each of them.
    """
    yield constants
    axis, count = placing.axis, placing.count
    if axis is None:
        return
    shapes = {name: _with_one(value, axis, count) for name, value in constants.items()}
    yield shapes
    yield {name: _one_of(value, count) for name, value in shapes.items()}


def _with_one(value: Tensor, axis: int, count: int) -> Tensor:
    if value.is_floating_point() or value.dim() != 1 or len(value) <= axis or value[axis] != count:
        return value
    changed = value.clone()
    changed[axis] = 1
    return changed


def _one_of(value: Tensor, count: int) -> Tensor:
    if not value.is_floating_point():
        return value
    for axis, side in enumerate(value.shape):
        if side == count:
            first = value.narrow(axis, 0, 1)
            if torch.equal(first.expand(value.shape), value):
                value = first
    return value
