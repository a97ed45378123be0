"""The coordinates of a point among the numbers of an ONNX input, and the axes that count points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sdf_models.architectures import LARGEST_WIDTH
from sdf_models.formats.format import Refused
from sdf_models.formats.onnx_graph import Graph

_LARGEST_BATCH = 4096
_MOST_AXES = 4
_MOST_SIZES = 10
_SAMPLES = 8
_EXPORT = "export it with an input of shape (1, 3)"


@dataclass(frozen=True, slots=True)
class Placing:
    """A way in which points lie in an input: each has the shape `point`, with 1 along every axis that counts points.

    free: the axes along which any number of points fits; axes: those along which fixed numbers of them, `counts`, lie.
    """

    point: tuple[int, ...]
    free: tuple[int, ...] = ()
    axes: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        return math.prod(self.counts)


def placings(value: Any, constants: Mapping[str, Tensor]) -> list[Placing]:
    """Return the ways in which points may lie in a graph's input, the likelier first; the last takes all as one point.

    A size that the file leaves open, or that is 1, counts points.  Where several sizes are fixed, some may count the
    points of the export: whether they do shows when the graph runs on one of these.
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
        sizes = (3, 2, *sorted({side for c in constants.values() if c.dim() == 2 for side in c.shape if side > 3}))
        shapes = [tuple(size if i == last else 1 for i in range(len(sides))) for size in sizes[:_MOST_SIZES]]
        return [Placing(shape, tuple(free)) for shape in shapes]
    point = tuple(side or 1 for side in sides)
    batches = [axes for size in range(len(fixed) - 1, -1, -1) for axes in combinations(fixed[:_MOST_AXES], size)]
    ways = []
    for axes in batches:
        one = tuple(1 if i in axes else side for i, side in enumerate(point))
        counts = tuple(point[i] for i in axes)
        if math.prod(counts) <= _LARGEST_BATCH and math.prod(one) <= LARGEST_WIDTH:
            ways.append(Placing(one, tuple(open_), axes, counts))
    if not ways:
        raise Refused(f"its input has {math.prod(point):,} coordinates", f"at most {LARGEST_WIDTH:,} are possible")
    return ways


def refuse_separate(graph: Graph, ways: Sequence[Placing]) -> None:
    """Refuse a graph that was read as one of a single point though it is one of several, each with its own value.

    It runs on their number alone; else it would have been read for one of them.
    """
    first, second = np.random.default_rng(1).uniform(-1.0, 1.0, (2, _SAMPLES, *graph.point))
    for way in ways:
        own = np.zeros(graph.point, dtype=bool)
        own[tuple(0 if axis in way.axes else slice(None) for axis in range(own.ndim))] = True
        inputs = (first, np.where(own, first, second), np.where(own, second, first))
        with torch.inference_mode():
            values, others, its = (
                graph(torch.from_numpy(x.reshape(_SAMPLES, -1))).reshape(_SAMPLES, -1) for x in inputs
            )
        by_others, by_itself = ((values != changed).any(dim=0) for changed in (others, its))
        if by_others.any() and by_itself.any() and not (by_others & by_itself).any():
            raise Refused(f"it is made for {way.count} points at once", _EXPORT)


def for_one_point(constants: Mapping[str, Tensor], placing: Placing) -> Iterator[Mapping[str, Tensor]]:
    """The constants of a graph, as they are and then as they may be for one point where the graph is made for several.

    Shapes that name the count of points, and rows that were repeated for each of them.
    """
    yield constants
    if not placing.axes:
        return
    shapes = {name: _with_ones(value, placing) for name, value in constants.items()}
    yield shapes
    yield {name: _first_of_equal(value, placing) for name, value in shapes.items()}


def _with_ones(value: Tensor, placing: Placing) -> Tensor:
    if value.is_floating_point() or value.dim() != 1:
        return value
    changed = value.clone()
    for axis, count in (*zip(placing.axes, placing.counts, strict=True), (0, placing.count)):
        if axis < len(value) and value[axis] == count:
            changed[axis] = 1
    return changed


def _first_of_equal(value: Tensor, placing: Placing) -> Tensor:
    if not value.is_floating_point():
        return value
    for axis, side in enumerate(value.shape):
        if side in (*placing.counts, placing.count):
            first = value.narrow(axis, 0, 1)
            if torch.equal(first.expand(value.shape), value):
                value = first
    return value
