"""The package onnx's own evaluation of a graph: what our reading is compared with, and what evaluates rare constants.

All of it is in float64: types are widened, so that nothing differs but by a mistake.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sdf_models.formats.format import Refused, first_line
from sdf_models.formats.onnx_graph import Graph
from sdf_models.formats.onnx_points import Placing
from sdf_models.formats.onnx_program import RUN_ERRORS
from sdf_models.formats.onnx_rules import Operation, bounded

_POINTS = 16
_RUNS = 4_000
"""Operations that the package evaluates one by one for points that it takes one by one; two points always."""
_PRODUCTS = 50_000_000
"""Numbers in weights that it works through for such points; two points always."""
_TOLERANCE = 1e-6
"""Relative to the largest value; the two evaluations are in float64, some of the package's functions in float32."""
_NARROW: Final = {"float32": 1, "float16": 10, "bfloat16": 16}
"""By ONNX's numbers."""
_DOUBLE: Final = 11
_FOLDED: Final = frozenset((
    "Acos", "Acosh", "And", "ArgMax", "ArgMin", "Asin", "Asinh", "Atan", "Atanh", "BitShift", "Ceil", "Celu",
    "Compress", "Cos", "Cosh", "Elu", "Erf", "Exp", "EyeLike", "Floor", "GatherElements", "GatherND", "Gelu",
    "HardSwish", "LayerNormalization", "Log", "LogSoftmax", "LpNormalization", "Mish", "Mod",
    "NonZero", "Or", "Pow", "Reciprocal", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd",
    "ReduceSumSquare", "Round", "ScatterElements", "ScatterND", "Selu", "Sign", "Sinh", "Softmax", "Softsign", "Sqrt",
    "Tan", "Trilu", "Xor",
))  # fmt: skip
"""Operators whose results are no larger than what they take, broadcast."""


def evaluate(operation: Operation, arguments: Sequence[Tensor | None]) -> list[Tensor] | None:
    """The results of an operation on constants, by the package's own definition; None for operators not listed."""
    if operation.kind not in _FOLDED or operation.domain:
        return None
    onnx, reference = (importlib.import_module(name) for name in ("onnx", "onnx.reference"))
    try:
        shapes = [tuple(value.shape) for value in arguments if value is not None]
        try:
            bounded(*np.broadcast_shapes(*shapes))
        except ValueError:
            bounded(max(value.numel() for value in arguments if value is not None))
        values = {n: v.numpy() for n, v in zip(operation.inputs, arguments, strict=True) if n and v is not None}
        graph = onnx.helper.make_graph(
            [operation.node],
            "constants",
            [onnx.helper.make_tensor_value_info(name, _DOUBLE, None) for name in values],
            [onnx.helper.make_tensor_value_info(name, _DOUBLE, None) for name in operation.outputs if name],
        )
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", operation.opset)])
        with np.errstate(all="ignore"):
            results = reference.ReferenceEvaluator(model, new_ops=_corrected(operation.opset)).run(None, values)
        return [torch.from_numpy(np.array(result)) for result in results]
    except RUN_ERRORS as error:
        raise Refused(
            f"its operation {operation} cannot be evaluated: {first_line(error)}", "export it again"
        ) from error


def _corrected(opset: int) -> list[Any]:
    """BatchNormalization as it is defined since operator set 14, for those before: the package's evaluation of these
    mixes the statistics of the batch in, which no other runtime does."""
    if opset >= 14:
        return []
    module = importlib.import_module("onnx.reference.ops.op_batch_normalization")

    class BatchNormalization(module.OpRun):  # type: ignore[name-defined,misc]  # known by its name
        def _run(self, x: Any, scale: Any, bias: Any, mean: Any, var: Any, epsilon: Any = None, **_: Any) -> Any:
            channels = (-1, *[1] * (x.ndim - 2))
            s, b, m, v = (part.reshape(channels) for part in (scale, bias, mean, var))
            return (s * (x - m) / np.sqrt(v + (1e-5 if epsilon is None else epsilon)) + b,)

    return [BatchNormalization]


class Reference:
    """A model as the package evaluates it, in float64.  Raises one of RUN_ERRORS where the package cannot.

    points: how many it is evaluated on, where it takes them one by one.
    """

    def __init__(self, model: Any, opset: int, source: str) -> None:
        onnx, reference = (importlib.import_module(name) for name in ("onnx", "onnx.reference"))
        # Large weights would be copied many times over as a part of the model: they are given as its inputs.
        self._weights = {t.name: _wide(onnx.numpy_helper.to_array(t)) for t in model.graph.initializer}
        self._source = source
        numbers = sum(weight.size for weight in self._weights.values())
        self.points = max(2, min(_POINTS, _RUNS // max(1, len(model.graph.node)), _PRODUCTS // max(1, numbers)))
        graph = onnx.helper.make_graph(
            [_widened(onnx, node) for node in model.graph.node],
            "widened",
            [onnx.helper.make_tensor_value_info(name, _DOUBLE, None) for name in (source, *self._weights)],
            list(model.graph.output),
        )
        wide = onnx.helper.make_model(graph, opset_imports=list(model.opset_import))
        self._evaluator = reference.ReferenceEvaluator(wide, new_ops=_corrected(opset))

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(all="ignore"):
            return np.asarray(self._evaluator.run(None, {self._source: x, **self._weights})[0], dtype=np.float64)


def _wide(array: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(invalid="ignore"):  # weights that are no numbers are refused where they are used
        return array.astype(np.float64) if array.dtype.name in _NARROW else array


def _widened(onnx: Any, node: Any) -> Any:
    """A copy of an operation that computes in float64 where it would in a narrower type, in its branches too."""
    wide = type(node)()
    wide.CopyFrom(node)
    for attribute in wide.attribute:
        for inner in attribute.g.node:
            inner.CopyFrom(_widened(onnx, inner))
        for tensor in attribute.g.initializer:
            array = onnx.numpy_helper.to_array(tensor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(_wide(array), tensor.name))
        value: NDArray[Any] | None = None
        if attribute.type == onnx.AttributeProto.TENSOR:
            value = onnx.numpy_helper.to_array(attribute.t)
        elif node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
            value = np.array(attribute.f if attribute.name == "value_float" else list(attribute.floats), np.float32)
        elif node.op_type == "Cast" and attribute.name == "to" and attribute.i in _NARROW.values():
            attribute.i = _DOUBLE
        if value is not None:
            attribute.CopyFrom(onnx.helper.make_attribute("value", onnx.numpy_helper.from_array(_wide(value))))
    return wide


def compared(reference: Reference | None, graph: Graph, placing: Placing) -> str:
    """Return a note on how our reading differs from the package's.  Raises Refused when that is more than rounding.

    What the package cannot evaluate is read all the same where its input is one point.
    """
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (max(placing.count, _POINTS), *graph.point))
    try:
        with torch.inference_mode():
            flat = graph(torch.from_numpy(points.reshape(len(points), -1)))
    except RUN_ERRORS as error:
        raise Refused(
            f"its graph does not run on several points ({first_line(error)})", "export it with an input of shape (1, 3)"
        ) from error
    ours = flat.numpy().reshape(len(points), *graph.shape)
    try:
        if reference is not None:
            return _compared(reference, points, ours, placing)
    except RUN_ERRORS:
        pass
    if placing.axes:
        raise Refused("onnx.reference cannot evaluate it for several points", "export it with an input of shape (1, 3)")
    return "not compared with onnx.reference, which cannot evaluate it"


def _compared(reference: Reference, points: NDArray[np.float64], ours: NDArray[np.float64], placing: Placing) -> str:
    if placing.axes:
        points, ours = points[: placing.count], ours[: placing.count]
        together = reference(_joined(points, placing.axes, placing.counts))
        difference = _difference(ours, together, placing.counts)
    else:
        points, ours = points[: reference.points], ours[: reference.points]
        each = np.stack([reference(point) for point in points])
        difference = _largest(ours, each) if each.shape[1:] == ours.shape[1:] else math.inf
    if not difference <= _TOLERANCE:
        size = f"by {difference:.2g} of the largest value" if math.isfinite(difference) else "in its shape"
        raise Refused(f"our reading differs from onnx.reference {size}", "export it in another way")
    for axis in placing.free:
        try:
            together = reference(_joined(points, (axis,), (len(points),)))
        except RUN_ERRORS:
            continue  # the graph fits one point only, whatever its input says
        if not _difference(ours, together, (len(points),)) <= _TOLERANCE:
            raise Refused(
                "what it computes for a point depends on the other points of a batch",
                "export it with an input of shape (1, 3), for one point",
            )
    return f"compared with onnx.reference on {len(points)} points: differs by {difference:.1e} of the largest value"


def _joined(parts: NDArray[np.float64], axes: tuple[int, ...], counts: tuple[int, ...]) -> NDArray[np.float64]:
    """Parts (n, ...) along axes of which each of them has 1, n = the product of the counts."""
    grid = parts.reshape(*counts, *parts.shape[1:])
    bare = grid.squeeze(tuple(len(axes) + axis for axis in axes))
    return np.moveaxis(bare, tuple(range(len(axes))), axes)


def _difference(ours: NDArray[np.float64], together: NDArray[np.float64], counts: tuple[int, ...]) -> float:
    """Of what was computed point by point (n, ...) and for all points at once, along whichever axes these lie."""
    fitting = [k for k, side in enumerate(ours.shape[1:]) if side == 1]
    ways = [(axes, sizes) for sizes in {counts, (len(ours),)} for axes in combinations(fitting, len(sizes))]
    joined = [_joined(ours, axes, sizes) for axes, sizes in ways]
    joined += [np.moveaxis(ours, 0, k) for k in range(ours.ndim)]  # the axis of one point may have been squeezed
    return min((_largest(part, together) for part in joined if part.shape == together.shape), default=math.inf)


def _largest(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    with np.errstate(invalid="ignore"):
        return float(np.abs(ours - theirs).max(initial=0.0) / max(np.abs(theirs).max(initial=0.0), 1e-30))
