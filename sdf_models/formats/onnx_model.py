"""An ONNX model in plain form: no local functions, no constants among its operations, one output."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from sdf_models.formats.format import Damaged, Refused, first_line
from sdf_models.formats.onnx_program import needed
from sdf_models.formats.onnx_rules import Branch, Operation
from sdf_models.formats.onnx_tensors import read_tensor

_OLDEST = 7
"""Operator sets before it broadcast in another way."""
_MOST_NODES = 5_000
_DEEPEST = 50
_BRANCHES: Final = ("then_branch", "else_branch")
_GRAPHS: Final = (*_BRANCHES, "body")
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
        """Return the number of operations that some nodes are when all functions are written out."""
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
            for attribute in node.attribute:
                total += size(attribute.g.node, (*inside, ("a graph in", f"{len(inside)}"))) if attribute.g.node else 0
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
    for node in nodes_of(graph.node):
        node.domain = "" if node.domain == "ai.onnx" else node.domain
    known = [*constants, source]
    made = {name for node in graph.node for name in node.output if name}
    clash = next((name for name in known if name in made), None)
    if clash is not None:
        raise Damaged(f"two operations make the value {clash[:40]!r}")
    ordered = needed([_operation(node, opset, {}) for node in graph.node], known, [output])
    for operation in ordered:
        _refuse_external(onnx, operation)
    del graph.node[:]
    graph.node.extend(operation.node for operation in ordered)
    operations, inner = _without_constants([_with_attributes(onnx, operation, path, {}) for operation in ordered])
    return operations, constants | inner


def _refuse_external(onnx: Any, operation: Operation) -> None:
    """Refuse tensors in other files among an operation's attributes, for which onnx.reference would look itself."""
    for attribute in (attribute for node in nodes_of([operation.node]) for attribute in node.attribute):
        if any(t.data_location == onnx.TensorProto.EXTERNAL for t in (attribute.t, *attribute.g.initializer)):
            raise Refused(f"its operation {operation} has weights in another file", "export it into one file")


def nodes_of(nodes: Iterable[Any]) -> Iterator[Any]:
    """Some nodes, and those of the graphs in them."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            yield from nodes_of(attribute.g.node)


def _without_constants(operations: Sequence[Operation]) -> tuple[list[Operation], dict[str, Tensor]]:
    """The operations that are no constants, and the constants by name."""
    values = ((x.outputs[0], x.attributes.get("value")) for x in operations if x.kind == "Constant" and not x.domain)
    constants = {name: value for name, value in values if isinstance(value, Tensor)}
    return [operation for operation in operations if operation.outputs[0] not in constants], constants


def _operation(node: Any, opset: int, names: Mapping[str, str]) -> Operation:
    """A node as an operation; of an If, what its branches take of the graph around it is an input too.

    names: new ones of values, where they have them.
    """
    copied = type(node)()
    copied.CopyFrom(node)
    copied.input[:] = [names.get(name, name) for name in node.input]
    copied.output[:] = [names.get(name, name) for name in node.output]
    inputs = [*copied.input, *(names.get(name, name) for name in _captured(node))]
    return Operation(node.name, node.domain, node.op_type, tuple(inputs), tuple(copied.output), {}, opset, copied)


def _captured(node: Any) -> list[str]:
    """The values that the branches of an If take of the graph around them, each once."""
    found: dict[str, None] = {}
    for graph in (attribute.g for attribute in node.attribute if attribute.name in _BRANCHES):
        own = {tensor.name for tensor in graph.initializer} | {name for inner in graph.node for name in inner.output}
        used = [name for inner in graph.node for name in (*inner.input, *_captured(inner))]
        used += [value.name for value in graph.output]
        found |= dict.fromkeys(name for name in used if name and name not in own)
    return list(found)


def _with_attributes(onnx: Any, operation: Operation, path: Path, names: Mapping[str, str]) -> Operation:
    """An operation with the values of its attributes; names: as in `_operation`."""
    attributes: dict[str, Any] = {}
    for attribute in operation.node.attribute:
        kind = attribute.type
        if kind == onnx.AttributeProto.TENSOR:
            attributes[attribute.name] = read_tensor(onnx, attribute.t, path)
        elif kind in _VALUES:
            value = getattr(attribute, _VALUES[kind])
            attributes[attribute.name] = list(value) if kind in (6, 7) else value
        elif kind == onnx.AttributeProto.GRAPH and operation.kind == "If" and attribute.name in _BRANCHES:
            attributes[attribute.name] = _branch(onnx, attribute, operation, path, names)
        elif attribute.name not in _GRAPHS:
            raise Refused(f"its operation {operation} has an attribute of an unusual kind", "export it again")
    if operation.kind == "If" and not operation.domain and not set(_BRANCHES) <= attributes.keys():
        raise Damaged(f"its operation {operation} lacks a branch")
    return replace(operation, attributes=attributes)


def _branch(onnx: Any, attribute: Any, operation: Operation, path: Path, around: Mapping[str, str]) -> Branch:
    """A branch of an If, whose own values get names that no other value of the graph has; around: those of others."""
    graph, before = attribute.g, f"{'/'.join(operation.outputs)}/{attribute.name}/"
    if len(graph.output) != len(operation.outputs):
        raise Damaged(f"a branch of its operation {operation} has {len(graph.output)} outputs")
    own = [tensor.name for tensor in graph.initializer]
    made = [name for node in graph.node for name in node.output if name]
    names = {**around, **{name: f"{before}{name}" for name in (*own, *made)}}
    constants = {names[tensor.name]: read_tensor(onnx, tensor, path) for tensor in graph.initializer}
    outputs = [names.get(value.name, value.name) for value in graph.output]
    operations = [_operation(node, operation.opset, names) for node in graph.node]
    outer = [name for name in operation.inputs if name]
    ordered = needed(operations, [*constants, *outer], outputs)
    kept, inner = _without_constants([_with_attributes(onnx, each, path, names) for each in ordered])
    kept += [
        replace(operation, name="", kind="Identity", inputs=(inside,), outputs=(outside,), attributes={})
        for inside, outside in zip(outputs, operation.outputs, strict=True)
    ]
    return Branch(tuple(kept), constants | inner)
