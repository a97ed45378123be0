"""Small ONNX models with random weights, and what they compute by a definition of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Network
from sdf_models import Checkpoint, CheckpointError, Reading, load_checkpoint

onnx = pytest.importorskip("onnx")
helper = onnx.helper
N = helper.make_node

RNG = np.random.default_rng(5)


def weights(*shape: int) -> np.ndarray[Any, Any]:
    return (0.5 * RNG.normal(size=shape)).astype(np.float32)


def ints(*values: int) -> np.ndarray[Any, Any]:
    return np.array(values, dtype=np.int64)


Constants = dict[str, np.ndarray[Any, Any]]
W: Constants = {"W0": weights(3, 8), "b0": weights(8), "W1": weights(8, 1), "b1": weights(1)}
HEAD = [N("MatMul", ["x", "W0"], ["m"]), N("Add", ["m", "b0"], ["a"])]
RELU = [N("Relu", ["a"], ["r"])]
TAIL = [N("MatMul", ["r", "W1"], ["n"]), N("Add", ["n", "b1"], ["y"])]
WIDE = {name: value.astype(np.float64) for name, value in W.items()}


def model(
    nodes: Sequence[Any], constants: Constants, shape: Sequence[int | str | None] = (1, 3), *, opset: int = 17,
    functions: Sequence[Any] = (), outputs: Sequence[str] = ("y",), kind: int = 1,
) -> bytes:  # fmt: skip
    """A graph from x to y, in a file of one operator set and its functions."""
    graph = helper.make_graph(
        list(nodes),
        "network",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(name, kind, None) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    sets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid("own", 1)] if functions else [])
    data: bytes = helper.make_model(
        graph, opset_imports=sets, functions=list(functions), ir_version=8
    ).SerializeToString()
    return data


def opened(tmp_path: Path, data: bytes, reading: Reading | None = None) -> Checkpoint:
    (tmp_path / "net.onnx").write_bytes(data)
    return load_checkpoint(tmp_path / "net.onnx", reading)


def refusal(tmp_path: Path, data: bytes, reading: Reading | None = None) -> str:
    with pytest.raises(CheckpointError) as caught:
        opened(tmp_path, data, reading)
    assert "; " in str(caught.value)
    return str(caught.value)


Function = Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]


def agrees(checkpoint: Checkpoint, function: Function, rounding: float = 1e-12) -> Network:
    """The traced network is a function of points (n, D) float64, on float32's points and in float64."""
    size = checkpoint.domain.shape[1]
    network = Network.trace(checkpoint.module, (size,))
    points = np.random.default_rng(7).uniform(-2.0, 2.0, (100, size))
    expected = function(points).reshape(100, -1)
    assert network.forward(points).shape == expected.shape
    assert np.abs(network.forward(points) - expected).max() <= rounding * np.abs(expected).max()
    assert network.max_forward_error.native <= 1e-4 * np.abs(expected).max()
    return network


def of_two_layers(between: Function, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return between(x @ WIDE["W0"] + WIDE["b0"]) @ WIDE["W1"] + WIDE["b1"]


def relu(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.maximum(x, 0.0)
