"""ONNX graphs: every operator against the package's own evaluation, exports of torch, and what is refused."""

from __future__ import annotations

import importlib
import io
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine import Network
from sdf_models import Checkpoint, CheckpointError, OpenQuestionError, Reading, load_checkpoint
from sdf_models.formats import onnx_file
from tests.sdf_models.agreement import assert_same_sides
from tests.sdf_models.definitions import DeepSDFDecoder, Holder, ImplicitNet, plain_mlp, randomised

onnx = pytest.importorskip("onnx")
helper, numpy_helper = onnx.helper, onnx.numpy_helper
reference = importlib.import_module("onnx.reference")

POINTS = np.random.default_rng(1).uniform(-1, 1, (50, 3)).astype(np.float32)
RNG = np.random.default_rng(0)
W = RNG.normal(size=(3, 6)).astype(np.float32)
B = RNG.normal(size=6).astype(np.float32)
V = RNG.normal(size=(6, 1)).astype(np.float32)


def exported(module: nn.Module, inputs: int = 3, *, batch: int = 1, dynamic: bool = True) -> bytes:
    """As torch's exporter writes it."""
    stream = io.BytesIO()
    axes = {"x": {0: "n"}} if dynamic else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module.eval(), (torch.zeros(batch, inputs),), stream, dynamo=False, input_names=["x"], dynamic_axes=axes
        )
    return stream.getvalue()


def graph(
    nodes: Sequence[Any], constants: dict[str, np.ndarray[Any, Any]], *, opset: int = 17, columns: int | None = 3
) -> bytes:
    """A model from x (n, 3) to y."""
    model = helper.make_model(
        helper.make_graph(
            list(nodes),
            "network",
            [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", columns])],
            [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=8,
    )
    return model.SerializeToString()


def opened(tmp_path: Path, data: bytes, reading: Reading | None = None) -> Checkpoint:
    (tmp_path / "net.onnx").write_bytes(data)
    return load_checkpoint(tmp_path / "net.onnx", reading)


def evaluated(data: bytes, points: np.ndarray[Any, Any] = POINTS) -> np.ndarray[Any, Any]:
    return np.asarray(reference.ReferenceEvaluator(data).run(None, {"x": points})[0]).reshape(-1)


def agrees(checkpoint: Checkpoint, expected: np.ndarray[Any, Any], points: np.ndarray[Any, Any] = POINTS) -> Network:
    values = checkpoint.module(torch.from_numpy(points)).detach().numpy().reshape(-1)
    scale = np.abs(expected).max()
    assert np.abs(values - expected).max() <= 1e-6 * scale
    network = Network.trace(checkpoint.module, input_shape=(points.shape[1],))
    assert np.abs(network.forward(points)[:, 0] - expected).max() <= 5e-6 * scale
    return network


def refusal(tmp_path: Path, data: bytes, reading: Reading | None = None) -> str:
    with pytest.raises(CheckpointError) as caught:
        opened(tmp_path, data, reading)
    assert "; " in str(caught.value)
    return str(caught.value)


class Unusual(nn.Module):
    """Operations beside layers."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(3, 8), nn.Linear(8, 8), nn.Linear(11, 1)
        self.norm, self.slope = nn.BatchNorm1d(8), nn.PReLU(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.norm(self.a(x)).clamp(-0.5, 2.0)
        h = self.slope(h + torch.maximum(self.b(h), h) / 2.0)
        h = torch.minimum(h, nn.functional.leaky_relu(h, 0.3) - 0.25).reshape(-1, 2, 4).transpose(1, 2).flatten(1)
        return self.c(torch.cat([h, x[:, [2, 0, 1]]], 1)).abs().squeeze(1) - 0.5


@pytest.mark.parametrize(
    ("module", "inputs"),
    [
        (plain_mlp(), 3),
        (plain_mlp(batch_norm=True), 3),
        (plain_mlp((2, 8, 1)), 2),
        (ImplicitNet(3, [16] * 6, skip_in=[4]), 3),
        (Unusual(), 3),
    ],
)
@pytest.mark.parametrize("dynamic", [True, False])
def test_exports_of_torch(tmp_path: Path, module: nn.Module, inputs: int, dynamic: bool) -> None:
    module = randomised(module)
    points = POINTS[:, :inputs]
    expected = module(torch.from_numpy(points)).detach().numpy().reshape(-1)
    checkpoint = opened(tmp_path, exported(module, inputs, dynamic=dynamic))
    agrees(checkpoint, expected, points)
    assert checkpoint.domain.shape == (2, inputs)
    assert any("onnx.reference" in note for note in checkpoint.notes)
    assert checkpoint.provenance["producer"] == "pytorch"


@pytest.mark.parametrize("twice", [False, True])
def test_last_tanh_is_left_out(tmp_path: Path, twice: bool) -> None:
    decoder = randomised(DeepSDFDecoder(4, [16] * 5, latent_in=[3], norm=None, use_tanh=twice))
    data = exported(decoder, 7)
    with pytest.raises(OpenQuestionError, match="latent code of 4"):
        opened(tmp_path, data)
    with pytest.raises(OpenQuestionError, match="which of its 7 inputs are the coordinates"):
        opened(tmp_path, data, Reading(latent="zeros"))
    checkpoint = opened(tmp_path, data, Reading(latent="zeros", coordinates="last"))
    inputs = torch.cat([torch.zeros(len(POINTS), 4), torch.from_numpy(POINTS)], 1)
    agrees(checkpoint, decoder.linear_part(inputs).detach().numpy().reshape(-1))
    assert checkpoint.last_activation.name == ("tanh-twice" if twice else "tanh")
    level = checkpoint.level(0.1)
    assert_same_sides(decoder.linear_part(inputs), level, decoder(inputs), 0.1)
    every = opened(tmp_path, data, Reading(latent="none"))
    assert every.domain.shape == (2, 7)


N = helper.make_node
OPERATORS: dict[str, tuple[list[Any], dict[str, np.ndarray[Any, Any]], int]] = {
    "Gemm with everything": (
        [N("Gemm", ["x", "w", "b"], ["h"], transB=1, alpha=0.5, beta=2.0), N("Gemm", ["h", "v"], ["y"])],
        {"w": W.T.copy(), "b": B, "v": V},
        9,
    ),
    "MatMul, Add, Relu": (
        [N("MatMul", ["x", "w"], ["h"]), N("Add", ["b", "h"], ["i"]), N("Relu", ["i"], ["j"]),
            N("MatMul", ["j", "v"], ["y"])],
        {"w": W, "b": B, "v": V},
        9,
    ),
    "Sub, Mul, Div, Neg": (
        [
            N("MatMul", ["x", "w"], ["h"]), N("Sub", ["b", "h"], ["i"]), N("Mul", ["i", "b"], ["j"]),
            N("Div", ["j", "two"], ["k"]), N("Neg", ["k"], ["l"]), N("MatMul", ["l", "v"], ["y"]),
        ],
        {"w": W, "b": B, "v": V, "two": np.float32([2.0])},
        13,
    ),
    "LeakyRelu, PRelu, Abs": (
        [
            N("MatMul", ["x", "w"], ["h"]), N("LeakyRelu", ["h"], ["i"], alpha=0.2), N("PRelu", ["i", "b"], ["j"]),
            N("Abs", ["j"], ["k"]), N("MatMul", ["k", "v"], ["y"]),
        ],
        {"w": W, "b": B, "v": V},
        16,
    ),
    "Clip by attributes": (
        [N("MatMul", ["x", "w"], ["h"]), N("Clip", ["h"], ["i"], min=-0.3, max=0.4), N("MatMul", ["i", "v"], ["y"])],
        {"w": W, "v": V},
        9,
    ),
    "Clip by inputs": (
        [N("MatMul", ["x", "w"], ["h"]), N("Clip", ["h", "", "high"], ["i"]), N("MatMul", ["i", "v"], ["y"])],
        {"w": W, "v": V, "high": np.float32(0.4)},
        13,
    ),
    "Max, Min of several": (
        [
            N("MatMul", ["x", "w"], ["h"]), N("Max", ["h", "b", "half"], ["i"]), N("Neg", ["h"], ["n"]),
            N("Min", ["i", "n"], ["j"]), N("MatMul", ["j", "v"], ["y"]),
        ],
        {"w": W, "b": B, "v": V, "half": np.float32([0.1])},
        13,
    ),
    "Concat, Slice by attributes, Gather": (
        [
            N("MatMul", ["x", "w"], ["h"]), N("Slice", ["h"], ["i"], starts=[1], ends=[5], axes=[1]),
            N("Gather", ["x", "two"], ["g"], axis=1), N("Concat", ["i", "g"], ["c"], axis=1),
            N("MatMul", ["c", "v"], ["y"]),
        ],
        {"w": W, "v": V, "two": np.int64([2, -3])},
        9,
    ),
    "Slice backwards, Gather of one": (
        [
            N("Slice", ["x", "s", "e", "a", "t"], ["i"]), N("MatMul", ["i", "w"], ["h"]),
            N("Gather", ["h", "one"], ["y"], axis=1),
        ],
        {
            "w": W, "s": np.int64([-1]), "e": np.int64([-9]), "a": np.int64([1]), "t": np.int64([-1]),
            "one": np.int64(1),
        },
        13,
    ),
    "Reshape, Flatten, Transpose": (
        [
            N("MatMul", ["x", "w"], ["h"]), N("Reshape", ["h", "shape"], ["i"]),
            N("Transpose", ["i"], ["j"], perm=[0, 2, 1]),
            N("Relu", ["j"], ["k"]), N("Flatten", ["k"], ["l"]), N("MatMul", ["l", "v"], ["y"]),
        ],
        {"w": W, "v": V, "shape": np.int64([0, 2, -1])},
        13,
    ),
    "Reshape by a computed shape": (
        [
            N("MatMul", ["x", "w"], ["h"]), N("Shape", ["x"], ["s"]), N("Gather", ["s", "zero"], ["n"]),
            N("Unsqueeze", ["n", "zero1"], ["m"]), N("Concat", ["m", "rest"], ["t"], axis=0),
            N("Reshape", ["h", "t"], ["i"]), N("Squeeze", ["i", "one"], ["j"]), N("Relu", ["j"], ["k"]),
            N("MatMul", ["k", "v"], ["y"]),
        ],
        {
            "w": W, "v": V, "zero": np.int64(0), "zero1": np.int64([0]), "rest": np.int64([1, 6]), "one": np.int64([1]),
        },
        13,
    ),
    "Squeeze and Unsqueeze by attributes": (
        [
            N("Unsqueeze", ["x"], ["i"], axes=[1, 3]), N("Squeeze", ["i"], ["j"], axes=[1, 3]),
            N("MatMul", ["j", "w"], ["h"]),
            N("Relu", ["h"], ["k"]), N("MatMul", ["k", "v"], ["y"]),
        ],
        {"w": W, "v": V},
        11,
    ),
    "Identity, Dropout, Constant, Cast": (
        [
            N("Constant", [], ["c"], value=numpy_helper.from_array(B)), N("Identity", ["x"], ["i"]),
            N("MatMul", ["i", "w"], ["h"]), N("Dropout", ["h"], ["d"]), N("Cast", ["d"], ["e"], to=1),
            N("Add", ["e", "c"], ["f"]), N("Relu", ["f"], ["g"]), N("MatMul", ["g", "v"], ["y"]),
        ],
        {"w": W, "v": V},
        13,
    ),
    "BatchNormalization": (
        [
            N("MatMul", ["x", "w"], ["h"]), N("BatchNormalization", ["h", "s", "b", "m", "u"], ["i"], epsilon=0.01),
            N("Relu", ["i"], ["j"]), N("MatMul", ["j", "v"], ["y"]),
        ],
        {"w": W, "v": V, "b": B, "s": B + 1, "m": -B, "u": np.abs(B) + np.float32(0.1)},
        15,
    ),
    "Split, Sum, ReduceSum": (
        [
            N("MatMul", ["x", "w"], ["h"]), N("Split", ["h", "parts"], ["i", "j"], axis=1),
            N("Sum", ["i", "j", "i"], ["k"]),
            N("Relu", ["k"], ["l"]), N("ReduceSum", ["l", "one"], ["y"], keepdims=0),
        ],
        {"w": W, "parts": np.int64([3, 3]), "one": np.int64([1])},
        13,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_operators_against_the_reference(tmp_path: Path, name: str) -> None:
    nodes, constants, opset = OPERATORS[name]
    data = graph(nodes, constants, opset=opset)
    agrees(opened(tmp_path, data), evaluated(data))


@pytest.mark.parametrize("opset", range(7, onnx.defs.onnx_opset_version() + 1))
def test_operator_sets_from_the_oldest_to_the_newest(tmp_path: Path, opset: int) -> None:
    nodes, constants, _ = OPERATORS["MatMul, Add, Relu"]
    data = graph(nodes, constants, opset=opset)
    checkpoint = opened(tmp_path, data)
    assert checkpoint.provenance["opset"] == str(opset)
    agrees(checkpoint, evaluated(data))


def test_weights_as_typed_data_and_in_double(tmp_path: Path) -> None:
    nodes, constants, _ = OPERATORS["MatMul, Add, Relu"]
    model = onnx.load_model_from_string(graph(nodes, {}))
    for name, value in constants.items():
        model.graph.initializer.append(helper.make_tensor(name, onnx.TensorProto.FLOAT, value.shape, value.reshape(-1)))
    agrees(opened(tmp_path, model.SerializeToString()), evaluated(graph(nodes, constants)))


def test_softplus_has_a_relu_limit(tmp_path: Path) -> None:
    module = randomised(plain_mlp(activation=lambda: nn.Softplus(100)))
    data = exported(module)
    smooth = opened(tmp_path, data)
    with pytest.raises(ValueError, match="not piecewise linear"):
        Network.trace(smooth.module)
    limit = opened(tmp_path, data, Reading(relu_limit=True))
    assert limit.approximation is not None
    agrees(limit, randomised(plain_mlp())(torch.from_numpy(POINTS)).detach().numpy().reshape(-1))


def external(tmp_path: Path, **entries: object) -> bytes:
    nodes, constants, _ = OPERATORS["MatMul, Add, Relu"]
    model = onnx.load_model_from_string(graph(nodes, constants))
    (tmp_path / "weights.bin").write_bytes(b"ABC!" + W.tobytes())
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in ({"location": "weights.bin", "offset": 4, "length": W.nbytes} | entries).items():
        tensor.external_data.add(key=key, value=str(value))
    return model.SerializeToString()


def test_external_data_beside_the_model(tmp_path: Path) -> None:
    nodes, constants, _ = OPERATORS["MatMul, Add, Relu"]
    agrees(opened(tmp_path, external(tmp_path)), evaluated(graph(nodes, constants)))


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"location": "../weights.bin"}, "outside"),
        ({"location": "/etc/passwd"}, "outside"),
        ({"location": "link.bin"}, "outside"),
        ({"location": ""}, "outside"),
        ({"location": "none.bin"}, "cannot be read"),
        ({"location": "."}, "cannot be read|lies outside|not a regular"),
        ({"offset": -4}, "lies outside"),
        ({"offset": 8}, "lies outside"),
        ({"length": 1 << 60}, "lies outside"),
        ({"length": 3}, "lies outside"),
        ({"length": 4}, "claims the shape"),
        ({"offset": "x"}, "no sensible place"),
    ],
)
def test_external_data_stays_in_the_folder(tmp_path: Path, entries: dict[str, object], words: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link.bin").symlink_to("/etc/passwd")
    with pytest.raises(CheckpointError, match=words):
        opened(folder, external(folder, **entries))


def model_with(**changes: Any) -> bytes:
    nodes, constants, _ = OPERATORS["MatMul, Add, Relu"]
    return graph(changes.get("nodes", nodes), constants | changes.get("constants", {}), opset=changes.get("opset", 17))


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([N("LayerNormalization", ["x", "b"], ["y"])], "its operation LayerNormalization is not supported: "),
        ([N("Cos", ["x"], ["y"])], "cosine"),
        ([N("Mish", ["x"], ["y"])], "its operation Mish is not supported: Mish is not piecewise linear; export"),
        ([N("Relu", ["x"], ["y"], domain="custom.ops")], "its operation custom.ops.Relu is not supported; export"),
        ([N("Unheard", ["x"], ["y"])], "its operation Unheard is not supported; export"),
        ([N("Relu", ["z"], ["y"])], "uses the value 'z', which nothing makes"),
        ([N("Relu", ["a"], ["y"]), N("Add", ["x", "y"], ["a"])], "depends on itself"),
        ([N("Relu", ["x"], ["y"]), N("Abs", ["x"], ["y"])], "two operations make the value 'y'"),
        ([N("Relu", ["b"], ["y"])], "does not depend on its input"),
        ([N("Relu", ["x"], ["z"])], "uses the value 'y', which nothing makes"),
        ([N("Gemm", ["x", "b"], ["y"])], "does not run"),
        ([N("Clip", ["x", "x"], ["y"])], "computed from the input"),
        ([N("Reshape", ["x"], ["y"])], "does not say its shape"),
        ([N("Expand", ["b", "x"], ["y"])], "computed from the input"),
        ([N("Concat", ["x", "x"], ["y"])], "Concat cannot be read: it does not say its axis"),
        ([N("BatchNormalization", ["x", "b", "b", "b", "b"], ["y"], training_mode=1)], "training mode"),
        ([N("ReduceSum", ["x"], ["y"], keepdims=0)], "depends on the other points of a batch"),
    ],
)
def test_graphs_that_cannot_be_read(tmp_path: Path, nodes: list[Any], words: str) -> None:
    with pytest.raises(CheckpointError, match=words):
        opened(tmp_path, model_with(nodes=nodes))


def test_sizes_are_bounded_before_anything_is_made(tmp_path: Path) -> None:
    huge = N("ConstantOfShape", ["shape"], ["c"])
    nodes = [huge, N("Add", ["x", "c"], ["y"])]
    assert "numbers" in refusal(tmp_path, model_with(nodes=nodes, constants={"shape": np.int64([1 << 20, 1 << 20])}))
    doubling = [N("Concat", [f"v{i}", f"v{i}"], [f"v{i + 1}"], axis=1) for i in range(40)]
    nodes = [N("Identity", ["x"], ["v0"]), *doubling, N("Relu", ["v40"], ["y"])]
    assert "numbers" in refusal(tmp_path, model_with(nodes=nodes))
    nodes = [N("Reshape", ["x", "col"], ["c"]), N("Mul", ["c", "row"], ["y"])]
    wide = {"col": np.int64([-1, 1]), "row": np.zeros((1, 1 << 21), np.float32)}
    assert "numbers" in refusal(tmp_path, model_with(nodes=nodes, constants=wide))
    model = onnx.load_model_from_string(model_with())
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([1 << 40, 1 << 40])
    assert "claims the shape" in refusal(tmp_path, model.SerializeToString())


@pytest.mark.parametrize(("place", "words"), [(0, "points at once"), (1, "coordinates")])
def test_huge_input_shapes_are_refused(tmp_path: Path, place: int, words: str) -> None:
    model = onnx.load_model_from_string(model_with())
    model.graph.input[0].type.tensor_type.shape.dim[place].dim_value = 1 << 40
    assert words in refusal(tmp_path, model.SerializeToString())


def test_what_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "older than 7" in refusal(tmp_path, model_with(opset=6))
    assert "NaN" in refusal(tmp_path, model_with(constants={"w": np.full_like(W, np.nan)}))
    text = np.array([b"a", b"b"], dtype=object)
    assert "type" in refusal(tmp_path, model_with(constants={"b": text}))
    model = onnx.load_model_from_string(model_with())
    model.graph.input.append(helper.make_tensor_value_info("code", onnx.TensorProto.FLOAT, ["n", 3]))
    assert "2 inputs" in refusal(tmp_path, model.SerializeToString())

    def missing(name: str) -> Any:
        if name.startswith("onnx"):
            raise ImportError(name)
        return importlib.import_module(name)

    monkeypatch.setattr(onnx_file.importlib, "import_module", missing)
    assert f"{sys.executable} -m pip install onnx" in refusal(tmp_path, model_with())


def test_a_batch_size_in_the_graph_stands_for_any(tmp_path: Path) -> None:
    module = randomised(Unusual())
    checkpoint = opened(tmp_path, exported(module, batch=4, dynamic=False))
    agrees(checkpoint, module(torch.from_numpy(POINTS)).detach().numpy().reshape(-1))


def test_several_outputs(tmp_path: Path) -> None:
    module = randomised(Holder(net=plain_mlp((3, 8, 4))))
    module.forward = module.net.forward  # type: ignore[method-assign]
    data = exported(module)
    with pytest.raises(OpenQuestionError, match="4 outputs"):
        opened(tmp_path, data)
    checkpoint = opened(tmp_path, data, Reading(output=3))
    agrees(checkpoint, module.net(torch.from_numpy(POINTS))[:, 3].detach().numpy())
