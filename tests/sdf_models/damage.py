"""Good files of every format, and what comes of them when they are damaged."""

from __future__ import annotations

import io
import json
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from sdf_models import CheckpointError, OpenQuestionError, Reading, load_checkpoint
from tests.sdf_models.definitions import DeepSDFDecoder, plain_mlp, randomised
from tests.sdf_models.files import niq_arrays, npz_bytes, own_bytes

MEBIBYTE = 1 << 20
STATE = randomised(plain_mlp((3, 5, 4, 1))).state_dict()
DEEPSDF = nn.DataParallel(randomised(DeepSDFDecoder(2, [6, 6, 8, 6], latent_in=[2]))).state_dict()
ANSWERED = Reading(activation="relu", latent="zeros", output=0, residual="none", skip_scale=1.0, skip_order="last")


def outcome(folder: Path, data: bytes, reading: Reading | None = None) -> str | None:
    """The refusal of a file with this content, or None when it is opened as a sound network; anything else fails."""
    path = folder / "file"
    path.write_bytes(data)
    try:
        checkpoint = load_checkpoint(path, reading)
    except CheckpointError as error:
        line, most = str(error), 1200 if isinstance(error, OpenQuestionError) else 400
        assert line.startswith(f"{path}: ")
        assert "; " in line
        assert len(line.splitlines()) == 1
        assert len(line) < len(str(path)) + most
        return line
    assert all(parameter.isfinite().all() for parameter in checkpoint.module.parameters())
    points = torch.zeros(2, checkpoint.domain.shape[1], dtype=next(checkpoint.module.parameters()).dtype)
    assert len(checkpoint.module(points)) == 2
    return None


def peak_memory(folder: Path, data: bytes) -> int:
    """Bytes allocated while a file of this content is refused, beyond the content itself."""
    tracemalloc.start()
    try:
        assert outcome(folder, data) is not None
        return tracemalloc.get_traced_memory()[1] - len(data)
    finally:
        tracemalloc.stop()


def torch_bytes(content: Any, *, legacy: bool = False) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=not legacy)
    return stream.getvalue()


def onnx_bytes() -> bytes:
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node
    arrays = {name.replace(".", "_"): value.numpy() for name, value in STATE.items()}
    nodes = [
        node("Gemm", ["x", "0_weight", "0_bias"], ["a"], transB=1), node("Relu", ["a"], ["b"]),
        node("Gemm", ["b", "2_weight", "2_bias"], ["c"], transB=1), node("Relu", ["c"], ["d"]),
        node("Reshape", ["d", "shape"], ["e"]), node("Concat", ["e", "e"], ["f"], axis=1),
        node("Slice", ["f", "start", "end", "start"], ["g"]), node("Gather", ["g", "index"], ["h"], axis=1),
        node("Gemm", ["h", "4_weight", "4_bias"], ["i"], transB=1), node("Tanh", ["i"], ["y"]),
    ]  # fmt: skip
    arrays |= {
        "shape": np.int64([-1, 4]),
        "start": np.int64([1]),
        "end": np.int64([7]),
        "index": np.int64([0, 1, 2, 3]),
    }
    graph = onnx.helper.make_graph(
        nodes,
        "network",
        [onnx.helper.make_tensor_value_info("x", 1, ["n", 3])],
        [onnx.helper.make_tensor_value_info("y", 1, ["n", 1])],
        [onnx.numpy_helper.from_array(value, name) for name, value in arrays.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


@dataclass(frozen=True)
class Good:
    """A file that opens, with the first of the readings; the others answer what a damaged one may ask."""

    data: bytes
    readings: tuple[Reading, ...] = (Reading(),)


GOOD: dict[str, Good] = {
    "neural-implicit-queries": Good(npz_bytes(niq_arrays())),
    "compressed neural-implicit-queries": Good(npz_bytes(niq_arrays(), compressed=True)),
    "own": Good(own_bytes()),
    "torch zip": Good(torch_bytes({"epoch": 3, "model_state_dict": DEEPSDF}), (Reading(latent="zeros"), ANSWERED)),
    "torch legacy": Good(
        torch_bytes({"epoch": 3, "model_state_dict": DEEPSDF}, legacy=True), (Reading(latent="zeros"), ANSWERED)
    ),
    "safetensors": Good(safetensors.torch.save(dict(STATE), {"activation": "relu"}), (Reading(), ANSWERED)),
    "npz": Good(
        npz_bytes({key: value.numpy() for key, value in STATE.items()}), (Reading(activation="relu"), ANSWERED)
    ),
    "onnx": Good(onnx_bytes(), (Reading(), ANSWERED)),
}
NO_SHORTER = ("neural-implicit-queries", "compressed neural-implicit-queries", "own")
"""Formats of which no part is a whole file."""


def own_file(tensors: dict[str, torch.Tensor] | None = None, metadata: str | None = None, **fields: object) -> bytes:
    """The good file of our own format, with other tensors, metadata or fields of the metadata."""
    size = int.from_bytes(GOOD["own"].data[:8], "little")
    description = json.loads(json.loads(GOOD["own"].data[8 : 8 + size])["__metadata__"]["splinescope"])
    metadata = json.dumps(description | fields) if metadata is None else metadata
    return safetensors.torch.save(tensors or safetensors.torch.load(GOOD["own"].data), {"splinescope": metadata})
