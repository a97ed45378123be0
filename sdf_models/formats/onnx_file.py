"""ONNX models, as a module of plain operations; the graph is data, and nothing in it is run as code.

Needs the package onnx, which parses the file; operators are in `onnx_operators`.
"""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sdf_models.architectures import LARGEST_WIDTH, ConstantInput
from sdf_models.families.ends import last_activation
from sdf_models.families.latent import latent_code
from sdf_models.formats.format import (
    LARGEST_FILE,
    CheckpointFile,
    Damaged,
    Format,
    Opened,
    Peek,
    Refused,
    check_finite,
    first_line,
)
from sdf_models.formats.onnx_graph import Graph, Operation
from sdf_models.formats.onnx_operators import OPERATORS, UNSUPPORTED
from sdf_models.last_activation import LastActivation
from sdf_models.reading import Choices

NAME: Final = "onnx"

_OLDEST = 9
_MOST_NODES = 20_000
_POINTS = 16
_LARGEST_BATCH = 4096
_TOLERANCE = 1e-5
"""Relative; the two evaluations are in float32."""
_LAST: Final = {"Tanh": "tanh", "Sigmoid": "sigmoid"}
_SPACE = 3
_CHECK_ERRORS = (RuntimeError, NotImplementedError, ValueError, TypeError, LookupError, AttributeError, AssertionError)
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
    model = _parsed(onnx, file.data)
    graph = model.graph
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if opset < _OLDEST:
        raise Refused(f"its operator set {opset} is older than {_OLDEST}", f"export it with opset_version={_OLDEST}")
    if len(graph.node) > _MOST_NODES:
        raise Refused(f"it has {len(graph.node):,} operations, more than {_MOST_NODES:,}", "export the network alone")
    constants = {tensor.name: _tensor(onnx, tensor, file.path) for tensor in graph.initializer}
    for tensor in graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:  # onnx.reference would look for the file itself
            tensor.CopyFrom(onnx.numpy_helper.from_array(constants[tensor.name].numpy(), tensor.name))
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1 or len(graph.output) < 1:
        names = ", ".join(repr(value.name)[:40] for value in inputs)
        raise Refused(
            f"it has {len(inputs)} inputs ({names}) where one, the points, is drawn",
            "export it with one input, [code, x, y, z] where it has a latent code",
        )
    operations = [_operation(onnx, node, opset, file.path) for node in graph.node]
    size = _features(inputs[0])
    batch = _batch(inputs[0])
    whole = _graph(operations, constants, inputs[0].name, graph.output[0].name, batch)
    if size is None:
        size = _trial_size(whole)
    note = _compared(onnx, model, whole, size, batch)
    choices = file.choices
    choices.notes.append(note)
    if len(graph.output) > 1:
        choices.notes.append(f"of its {len(graph.output)} outputs the first, {graph.output[0].name!r:.40}, is drawn")
    last, output = _last(operations, graph.output[0].name, choices)
    module: torch.nn.Module = whole
    if output != graph.output[0].name:
        module = _graph(operations, constants, inputs[0].name, output, batch)
    if size > _SPACE:
        code = latent_code(size - _SPACE, file.path, {}, choices, all_inputs=True)
        if code is not None:
            module, size = ConstantInput(module, code), _SPACE
    facts = {"family": "onnx", "opset": str(opset), "operations": _counted(operations)}
    facts |= {"producer": model.producer_name[:80]} if model.producer_name else {}
    return Opened(module, size, None, facts, (), last)


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
    for node in model.graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
        yield from (attribute.t.name for attribute in node.attribute)
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        yield value.name
    for tensor in model.graph.initializer:
        yield from (text for entry in tensor.external_data for text in (entry.key, entry.value))


def _tensor(onnx: Any, tensor: Any, path: Path) -> Tensor:
    """A tensor of the file, once it is certain that the file holds all of it."""
    name = tensor.name[:80]
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"{name!r} is of the unknown type {tensor.data_type}") from error
    if dtype.kind not in "fiub" or dtype.itemsize < 1 or dtype.name not in np.sctypeDict:
        raise Refused(f"{name!r} is of type {dtype}, not float32 or float64", "export the network in float32")
    shape = tuple(tensor.dims)
    if any(side < 0 for side in shape) or math.prod(shape) * dtype.itemsize > LARGEST_FILE:
        raise Damaged(f"{name!r} claims the shape {shape!s:.60}")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        array = _external(tensor, path, dtype).reshape(-1)
    elif tensor.HasField("raw_data"):
        if len(tensor.raw_data) % dtype.itemsize:
            raise Damaged(f"{name!r} holds {len(tensor.raw_data)} bytes, no whole number of values")
        array = np.frombuffer(tensor.raw_data, dtype.newbyteorder("<"))
    else:
        array = _typed_data(tensor, dtype)
    if array.size != math.prod(shape):
        raise Damaged(f"{name!r} claims the shape {shape!s:.60} and holds {array.size} values")
    native = np.array(array.astype(dtype).reshape(shape))
    if dtype.kind == "f":
        native = native.astype(np.float32) if dtype.itemsize < 4 else native
        check_finite(name, native)
    return torch.from_numpy(native if native.dtype != np.uint64 else native.astype(np.int64))


def _typed_data(tensor: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    fields = {"f8": tensor.double_data, "f4": tensor.float_data, "i8": tensor.int64_data, "u8": tensor.uint64_data}
    values = fields.get(f"{dtype.kind}{dtype.itemsize}", tensor.int32_data)
    array = np.array(values)
    return array.astype(np.uint16).view(np.float16) if dtype == np.float16 else array.astype(dtype)


def _external(tensor: Any, path: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Data in another file, which must lie in the model's folder or below it."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    folder = path.absolute().parent.resolve()
    try:
        file = (folder / location).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a null byte, a loop of links
        raise Damaged(f"{location!r:.60} cannot be the name of a data file") from error
    if not location or not file.is_relative_to(folder):
        raise Refused(f"its data is in {location!r:.60}, outside of the file's folder", "export it into one folder")
    try:
        offset = int(entries.get("offset", "0"))
        size = file.stat().st_size
        length = int(entries.get("length", size - offset))
        if offset < 0 or length < 0 or offset + length > size or length > LARGEST_FILE or length % dtype.itemsize:
            raise Damaged(f"{tensor.name[:60]!r} lies outside of {location!r:.60}")
        if not file.is_file():
            raise Refused(f"its data file {location!r:.60} is not a regular file", "export it again")
        return np.fromfile(file, dtype.newbyteorder("<"), length // dtype.itemsize, offset=offset)
    except ValueError as error:
        raise Damaged(f"{tensor.name[:60]!r} has no sensible place in {location!r:.60}") from error
    except OSError as error:
        raise Refused(f"its data file {location!r:.60} cannot be read", "put it beside the model") from error


def _operation(onnx: Any, node: Any, opset: int, path: Path) -> Operation:
    if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
        name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        what = f"{node.name:.60} ({name:.60})" if node.name and node.name != name else f"{name:.60}"
        reason = f": {UNSUPPORTED[node.op_type]}" if node.op_type in UNSUPPORTED else ""
        raise Refused(
            f"its operation {what} is not supported{reason}",
            "export the network with plain operations, or open it with --module package.module:function",
        )
    attributes: dict[str, Any] = {}
    for attribute in node.attribute:
        kind = attribute.type
        if kind == onnx.AttributeProto.TENSOR:
            attributes[attribute.name] = _tensor(onnx, attribute.t, path)
        elif kind in _VALUES:
            value = getattr(attribute, _VALUES[kind])
            attributes[attribute.name] = list(value) if kind in (6, 7) else value
        else:
            raise Refused(f"its operation {node.op_type:.60} has an attribute of an unusual kind", "export it again")
    return Operation(
        node.name or f"{node.op_type}", node.op_type, tuple(node.input), tuple(node.output), attributes, opset
    )


_VALUES: Final = {1: "f", 2: "i", 3: "s", 6: "floats", 7: "ints"}


def _features(value: Any) -> int | None:
    dims = value.type.tensor_type.shape.dim
    if len(dims) != 2:
        if value.type.tensor_type.HasField("shape"):
            raise Refused(
                f"its input has {len(dims)} dimensions, where points are (N, D)",
                "export it with an input of shape (1, 3)",
            )
        return None
    if dims[1].dim_value > LARGEST_WIDTH:
        raise Refused(f"its input has {dims[1].dim_value:,} coordinates", f"at most {LARGEST_WIDTH:,} are possible")
    return dims[1].dim_value if dims[1].dim_value > 0 else None


def _batch(value: Any) -> int | None:
    """The number of points that the graph was made for, None for any."""
    dims = value.type.tensor_type.shape.dim
    count = dims[0].dim_value if len(dims) == 2 else 0
    if count > _LARGEST_BATCH:
        raise Refused(f"it is made for {count:,} points at once", "export it with an input of shape (1, 3)")
    return count if count > 0 else None


def _graph(
    operations: Sequence[Operation], constants: dict[str, Tensor], source: str, output: str, batch: int | None
) -> Graph:
    try:
        return Graph(operations, constants, source, output, batch)
    except KeyError as error:
        raise Damaged(f"its graph uses the value {str(error.args[0])[:60]!r} before it is made") from error
    except _CHECK_ERRORS as error:
        raise Refused(f"its graph cannot be followed ({first_line(error)})", "export it again") from error


def _trial_size(graph: Graph) -> int:
    """The number of coordinates that the graph runs on, where the file leaves it open."""
    for size in (3, 2):
        try:
            graph(torch.zeros(2, size))
        except _CHECK_ERRORS:
            continue
        return size
    raise Refused("it does not say how many coordinates it takes", "export it with an input of shape (1, 3)")


def _compared(onnx: Any, model: Any, graph: Graph, size: int, batch: int | None) -> str:
    """The difference from the package's own evaluation, as a note.  Raises Refused when there is more than rounding."""
    reference = importlib.import_module("onnx.reference")
    dtype = next((p.dtype for p in graph.parameters()), torch.float32)
    batch = batch or _POINTS
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (max(1, _POINTS // batch) * batch, size))
    x = torch.from_numpy(points).to(dtype)
    try:
        with torch.inference_mode():
            ours = graph(x).double().numpy().reshape(-1)
    except _CHECK_ERRORS as error:
        raise Refused(
            f"its graph does not run on points ({first_line(error)})", "export it with an input of shape (1, 3)"
        ) from error
    try:
        with np.errstate(all="ignore"):
            evaluator = reference.ReferenceEvaluator(model)
            parts = [evaluator.run(None, {graph.source: part.numpy()})[0] for part in torch.split(x, batch)]
    except _CHECK_ERRORS:
        return "not compared with onnx.reference, which cannot evaluate it"
    theirs = np.concatenate([np.asarray(part, dtype=np.float64).reshape(-1) for part in parts])
    if theirs.shape != ours.shape:
        raise Refused(f"its output has {theirs.size} values, not {ours.size}, by onnx.reference", "export it again")
    difference = float(np.abs(ours - theirs).max(initial=0.0) / max(np.abs(theirs).max(initial=0.0), 1e-30))
    if not difference <= _TOLERANCE:
        raise Refused(
            f"our reading differs from onnx.reference by {difference:.2g} of the largest value",
            "export it in another way",
        )
    return f"compared with onnx.reference on {len(x)} points: differs by {difference:.1e} of the largest value"


def _last(operations: Sequence[Operation], output: str, choices: Choices) -> tuple[LastActivation, str]:
    """The last activation, and the name of the value before it.  Movements of data may stand after it."""
    made = {name: operation for operation in operations for name in operation.outputs}
    value, count, kind = output, 0, ""
    while value in made and made[value].kind in _LAST and kind in ("", made[value].kind) and count < 2:
        kind, count, value = made[value].kind, count + 1, made[value].inputs[0]
    name = "none" if not count else _LAST[kind] + ("-twice" if count == 2 else "")
    if name == "sigmoid-twice":
        raise Refused("it ends with two sigmoids", "export it without them")
    return last_activation(name, True, "the graph ends with it", choices), value


def _counted(operations: Sequence[Operation]) -> str:
    kinds = [operation.kind for operation in operations]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))


FORMAT = Format(NAME, recognise, open_file)
