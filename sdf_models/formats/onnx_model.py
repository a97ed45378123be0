"""An ONNX model in plain form: no local functions, no constants among its operations, one output."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from sdf_models.formats.format import Damaged, Refused, first_line
from sdf_models.formats.onnx_graph import needed
from sdf_models.formats.onnx_rules import Operation
from sdf_models.formats.onnx_tensors import read_tensor

_OLDEST = 7
"""Operator sets before it broadcast in another way."""
_MOST_NODES = 5_000
_DEEPEST = 50
_GRAPHS: Final = ("then_branch", "else_branch", "body")
_VALUES: Final = {1: "f", 2: "i", 3: "s", 6: "floats", 7: "ints"}


def opset_of(model: Any) -> int:
    """The version of ONNX's own operators.  Raises Refused."""
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if opset < _OLDEST:
        raise Refused(f"its operator set {opset} is older than {_OLDEST}", "export it with opset_version=17")
    return int(opset)


def inlined(model: Any) -> Any:
    """The model with its local functions written out."""
    functions = {(function.domain, function.name): function for function in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(nodes: Any, inside: tuple[tuple[str, str], ...]) -> int:
        """How many operations some nodes are when all functions are written out."""
        total = 0
        for node in nodes:
            name = (node.domain, node.op_type)
            if name in inside:
                raise Damaged(f"its function {node.op_type:.60} calls itself")
            if len(inside) > _DEEPEST:
                raise Refused(f"its functions call each other more than {_DEEPEST} deep", "export it without them")
            if name in functions and name not in sizes:
                sizes[name] = size(functions[name].node, (*inside, name))
            total += sizes.get(name, 1)
        return total

    count = size(model.graph.node, ())
    if count > _MOST_NODES:
        raise Refused(f"it has {count:,} operations, more than {_MOST_NODES:,}", "export the network alone")
    if not functions:
        return model
    invalid = importlib.import_module("onnx.checker").ValidationError
    try:
        return importlib.import_module("onnx.inliner").inline_local_functions(model)
    except (invalid, RuntimeError, ValueError, TypeError) as error:
        raise Refused(f"its functions cannot be written out ({first_line(error)})", "export it without them") from error


def plain(onnx: Any, model: Any, source: str, output: str, path: Path) -> tuple[list[Operation], dict[str, Tensor]]:
    """The operations that make the output, in order, and the constants; the model itself keeps these alone."""
    opset, graph = opset_of(model), model.graph
    constants = {tensor.name: read_tensor(onnx, tensor, path) for tensor in graph.initializer}
    for tensor in graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:  # onnx.reference would look for the file itself
            tensor.CopyFrom(onnx.numpy_helper.from_array(constants[tensor.name].numpy(), tensor.name))
    for node in graph.node:
        node.domain = "" if node.domain == "ai.onnx" else node.domain
    known = [*constants, source]
    made = {name for node in graph.node for name in node.output if name}
    clash = next((name for name in known if name in made), None)
    if clash is not None:
        raise Damaged(f"two operations make the value {clash[:40]!r}")
    ordered = needed([_operation(node, opset) for node in graph.node], known, output)
    del graph.node[:]
    graph.node.extend(operation.node for operation in ordered)
    operations = []
    for operation in (_with_attributes(onnx, operation, path) for operation in ordered):
        value = operation.attributes.get("value")
        if operation.kind == "Constant" and not operation.domain and isinstance(value, Tensor):
            constants[operation.outputs[0]] = value
        else:
            operations.append(operation)
    return operations, constants


def _operation(node: Any, opset: int) -> Operation:
    copied = type(node)()
    copied.CopyFrom(node)
    return Operation(node.name, node.domain, node.op_type, tuple(node.input), tuple(node.output), {}, opset, copied)


def _with_attributes(onnx: Any, operation: Operation, path: Path) -> Operation:
    attributes: dict[str, Any] = {}
    for attribute in operation.node.attribute:
        kind = attribute.type
        if kind == onnx.AttributeProto.TENSOR and attribute.t.data_location != onnx.TensorProto.EXTERNAL:
            attributes[attribute.name] = read_tensor(onnx, attribute.t, path)
        elif kind in _VALUES:
            value = getattr(attribute, _VALUES[kind])
            attributes[attribute.name] = list(value) if kind in (6, 7) else value
        elif attribute.name not in _GRAPHS:
            raise Refused(f"its operation {operation} has an attribute of an unusual kind", "export it again")
    return replace(operation, attributes=attributes)
