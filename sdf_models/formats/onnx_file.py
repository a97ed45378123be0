"""ONNX models, as a module of plain operations; the graph is data, and nothing in it is run as code.

Needs the package onnx, which parses the file; operators are in `onnx_operators`.
"""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch

from sdf_models.architectures import LARGEST_WIDTH, ConstantInput
from sdf_models.families.latent import Held, coordinate_columns, held_length, latent_code, latent_code_if_any
from sdf_models.formats.format import CheckpointFile, Damaged, Format, Opened, Peek, Refused, first_line
from sdf_models.formats.onnx_graph import Graph
from sdf_models.formats.onnx_last import without_last
from sdf_models.formats.onnx_model import inlined, nodes_of, opset_of, plain
from sdf_models.formats.onnx_points import Placing, for_one_point, placings, refuse_separate
from sdf_models.formats.onnx_program import RUN_ERRORS, Program, evaluated, needed
from sdf_models.formats.onnx_reference import Reference, compared, evaluate
from sdf_models.formats.onnx_rules import Operation
from sdf_models.reading import Alternative, Choices, Question

NAME: Final = "onnx"

_SPACE = 3
_LARGEST_CODE = 1 << 20
_INSTALL = f"{sys.executable} -m pip install onnx"
EXPORT: Final = """\
import torch
torch.onnx.export(model.eval(), (torch.zeros(1, 3),), "network.onnx", dynamic_axes={"x": {0: "n"}}, input_names=["x"])
"""


def recognise(peek: Peek) -> bool:
    """A protobuf message whose fields, in order, are those of a ModelProto up to its graph."""
    data, place, fields = peek.head, 0, 0
    if not data.startswith(b"\x08"):
        return False
    while place < len(data):
        fields += 1
        tag, place = data[place], place + 1
        field, kind = tag >> 3, tag & 7
        if field == 7 and kind == 2:
            return True
        if field not in (1, 2, 3, 4, 5, 6, 8, 14) or kind != (0 if field in (1, 5) else 2):
            return False
        value, place = _varint(data, place)
        if kind == 2:
            place += value
    return fields >= 2


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 64:
        value |= (data[place] & 127) << shift
        place, shift = place + 1, shift + 7
        if data[place - 1] < 128:
            break
    return value, place


def open_file(file: CheckpointFile) -> Opened:
    onnx = _package()
    model = inlined(_parsed(onnx, file.data))
    opset, choices = opset_of(model), file.choices
    source, output = _source(onnx, model, file), _output(model, choices)
    operations, constants = plain(onnx, model, source.name, output, file.path)
    program = Program(operations, constants, source.name, output, evaluate)
    graph, program, placing = _read(model, opset, program, placings(source, constants), choices)
    kept, last = without_last(program.operations, output, choices)
    if last.name != "none":
        kept = needed(kept, [source.name, *program.constants], [output])
        graph = Graph(evaluated(replace(program, operations=kept), placing.point))
    module: torch.nn.Module = graph
    size = math.prod(placing.point)
    length = held_length(size, choices)
    if length > 0 and sum(side > 1 for side in placing.point) == 1:
        code = latent_code_if_any(Held(length, size - length, file.path), choices)
        if code is not None:
            columns = coordinate_columns(size, choices)
            module, size = ConstantInput(module, code, columns), len(columns)
    if _is_half(onnx, model):
        choices.notes.append("it computes in 16 bits: it is drawn as its weights are, without the rounding in between")
    facts = {"family": "onnx", "opset": str(opset), "operations": _counted(program.operations)}
    facts |= {"producer": model.producer_name[:80]} if model.producer_name else {}
    return Opened(module, size, None, facts, (), last)


def _source(onnx: Any, model: Any, file: CheckpointFile) -> Any:
    """The input of points.  Where there is another one beside it, it is a latent code, and is made a constant."""
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    points = [value for value in inputs if len(inputs) == 1 or _numbers(value) == _SPACE]
    if len(points) != 1 or len(inputs) > 2 or len(model.graph.output) < 1:
        names = ", ".join(f"{value.name:.40} {_described(value)}" for value in inputs[:8])
        raise Refused(
            f"it has {len(inputs)} inputs ({names}) where one, the points, is drawn",
            "export it with one input, [code, x, y, z] where it has a latent code",
        )
    for value in inputs:
        if value.type.tensor_type.elem_type not in (1, 10, 11, 16):
            raise Refused(f"its input {value.name!r:.40} is not of floating point numbers", "export it again")
        if value is not points[0]:
            model.graph.initializer.append(_code(onnx, value, file))
    return points[0]


def _numbers(value: Any) -> int:
    """Return the count of the numbers of an input that belong to one point: those along its last axis."""
    sides = value.type.tensor_type.shape.dim
    return int(sides[-1].dim_value) if sides else 0


def _code(onnx: Any, value: Any, file: CheckpointFile) -> Any:
    """An input that is held as a latent code, as a constant of the graph."""
    sides = [max(1, side.dim_value) for side in value.type.tensor_type.shape.dim]
    length = _numbers(value)
    if not 0 < length <= LARGEST_WIDTH or math.prod(sides) > _LARGEST_CODE:
        raise Refused(f"its input {value.name!r:.40} {_described(value)} is no latent code", "export it with one input")
    code = latent_code(Held(length, _SPACE, file.path), file.choices)
    kind = {10: np.float32, 11: np.float64}.get(value.type.tensor_type.elem_type, np.float32)
    rows = np.broadcast_to(code.detach().numpy().astype(kind), sides)
    return onnx.numpy_helper.from_array(np.ascontiguousarray(rows), value.name)


def _output(model: Any, choices: Choices) -> str:
    """The name of the output that is drawn; the model keeps this alone."""
    outputs = {value.name: value for value in model.graph.output}
    chosen = next(iter(outputs))
    if len(outputs) > 1:
        alternatives = tuple(Alternative(name, _described(value)) for name, value in outputs.items())
        text = f"the graph has {len(outputs)} outputs, of which one is drawn"
        chosen = choices.settle(Question("network", text, alternatives))
        if chosen not in outputs:
            raise Refused(f"there is no output {chosen!r:.60}", f"choose one of {', '.join(outputs)}"[:400])
    del model.graph.output[:]
    model.graph.output.append(outputs[chosen])
    return str(chosen)


def _described(value: Any) -> str:
    sides = [str(d.dim_value or d.dim_param or "?")[:20] for d in value.type.tensor_type.shape.dim]
    return f"of shape ({', '.join(sides)})" if sides else ""


def _read(
    model: Any, opset: int, program: Program, ways: Sequence[Placing], choices: Choices
) -> tuple[Graph, Program, Placing]:
    """The graph that agrees with the package's own evaluation, its program, and the placing of points where it does."""
    try:
        reference = Reference(model, opset, program.source)
    except RUN_ERRORS:
        reference = None
    for placing in ways:
        for constants in for_one_point(program.constants, placing):
            attempt = replace(program, constants=constants)
            try:
                run = evaluated(attempt, placing.point)
                graph = Graph(run)
                note = compared(reference, graph, placing)
            except Refused as error:
                failure = error
                continue
            refuse_separate(graph, [way for way in ways if way.axes and not placing.axes])
            choices.notes.append(note)
            return graph, run.program, placing
    raise failure


def _is_half(onnx: Any, model: Any) -> bool:
    types = {tensor.data_type for tensor in model.graph.initializer}
    casts = (node for node in nodes_of(model.graph.node) if node.op_type == "Cast")
    types |= {attribute.i for node in casts for attribute in node.attribute if attribute.name == "to"}
    return bool(types & {onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16})


def _package() -> Any:
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise Refused("an ONNX model, for which the package onnx is needed", f"run: {_INSTALL}") from error


def _parsed(onnx: Any, data: bytes) -> Any:
    message = importlib.import_module("google.protobuf.message")
    try:
        model = onnx.load_model_from_string(data)  # external data is not followed here
    except (message.DecodeError, ValueError, TypeError, RecursionError) as error:
        raise Damaged(f"an ONNX model whose protobuf cannot be parsed ({first_line(error)})") from error
    if not model.HasField("graph"):
        raise Damaged("it has no graph")
    if not all(isinstance(text, str) for text in _texts(model)):
        raise Damaged("a name in its graph is not text")  # protobuf then gives bytes
    return model


def _texts(model: Any) -> Iterator[object]:
    yield model.producer_name
    yield from (entry.domain for entry in model.opset_import)
    yield from (text for function in model.functions for text in (function.name, function.domain))
    for node in (*nodes_of(model.graph.node), *(x for function in model.functions for x in nodes_of(function.node))):
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
        for attribute in node.attribute:
            yield attribute.t.name
            yield from (value.name for value in (*attribute.g.input, *attribute.g.output, *attribute.g.initializer))
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        yield value.name
    for tensor in model.graph.initializer:
        yield from (text for entry in tensor.external_data for text in (entry.key, entry.value))


def _counted(operations: Sequence[Operation]) -> str:
    kinds = [operation.kind for operation in operations]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))


FORMAT = Format(NAME, recognise, open_file)
