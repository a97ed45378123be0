"""Whatever is done to a file of any format, it is opened whole or refused in one line, in bounded memory.

FUZZ_EXAMPLES=2000 in the environment tries more damages of each kind.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from sdf_models import CheckpointError, Reading, load_checkpoint
from tests.sdf_models.definitions import DeepSDFDecoder, plain_mlp, randomised

GIBIBYTE = 1 << 30
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
READING = Reading(activation="relu", latent="zeros", output=0, residual="none", skip_scale=1.0, skip_order="last")
STATE = randomised(plain_mlp((3, 5, 4, 1))).state_dict()
DEEPSDF = nn.DataParallel(randomised(DeepSDFDecoder(2, [6, 6, 8, 6], latent_in=[2]))).state_dict()


def torch_bytes(content: Any, *, legacy: bool = False) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=not legacy)
    return stream.getvalue()


def npz_bytes() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **{key: value.numpy() for key, value in STATE.items()})
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


GOOD: dict[str, bytes] = {
    "torch zip": torch_bytes({"epoch": 3, "model_state_dict": DEEPSDF}),
    "torch legacy": torch_bytes({"epoch": 3, "model_state_dict": DEEPSDF}, legacy=True),
    "safetensors": safetensors.torch.save(dict(STATE), {"activation": "relu"}),
    "npz": npz_bytes(),
    "onnx": onnx_bytes(),
}
each_format = pytest.mark.parametrize("name", sorted(GOOD))
fuzz = settings(
    deadline=None,
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
places = st.floats(0, 1, exclude_max=True)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(autouse=True)
def bounded_memory() -> Iterator[None]:
    """The peak of the process, as the kernel counts it, stays within a gibibyte of where the test began."""
    clear = Path("/proc/self/clear_refs")
    if not clear.exists():
        yield
        return
    clear.write_text("5")
    before = peak()
    yield
    assert peak() - before < GIBIBYTE


def peak() -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def outcome(folder: Path, data: bytes, reading: Reading = READING) -> str | None:
    """The refusal of a file with this content, None when it opens as a sound network; anything else fails the test."""
    path = folder / "file"
    path.write_bytes(data)
    try:
        checkpoint = load_checkpoint(path, reading)
    except CheckpointError as error:
        line = str(error)
        assert line.startswith(f"{path}: ")
        assert "; " in line
        assert len(line.splitlines()) == 1
        assert len(line) < len(str(path)) + 1200
        return line
    assert all(parameter.isfinite().all() for parameter in checkpoint.module.parameters())
    points = torch.zeros(2, checkpoint.domain.shape[1], dtype=next(checkpoint.module.parameters()).dtype)
    assert len(checkpoint.module(points)) == 2
    return None


@each_format
def test_the_files_to_damage_are_good(name: str, folder: Path) -> None:
    reading = Reading() if name in ("safetensors", "onnx") else READING
    if name == "npz":
        reading = Reading(activation="relu")
    elif name.startswith("torch"):
        reading = Reading(latent="zeros")
    assert outcome(folder, GOOD[name], reading) is None


@each_format
@fuzz
@given(share=places)
def test_truncated(name: str, folder: Path, share: float) -> None:
    outcome(folder, GOOD[name][: int(share * len(GOOD[name]))])


@each_format
@fuzz
@given(flips=st.lists(st.tuples(places, st.integers(0, 7)), min_size=1, max_size=8))
def test_bit_flips(name: str, folder: Path, flips: list[tuple[float, int]]) -> None:
    damaged = bytearray(GOOD[name])
    for share, bit in flips:
        damaged[int(share * len(damaged))] ^= 1 << bit
    outcome(folder, bytes(damaged))


@each_format
@fuzz
@given(first=places, second=places, insert=st.binary(max_size=40))
def test_spliced(name: str, folder: Path, first: float, second: float, insert: bytes) -> None:
    data = GOOD[name]
    outcome(folder, data[: int(first * len(data))] + insert + data[int(second * len(data)) :])


@each_format
@fuzz
@given(place=places, size=st.integers(1, 8), value=st.sampled_from([0xFF, 0x7F, 0x80, 0x00]))
def test_huge_declared_sizes(name: str, folder: Path, place: float, size: int, value: int) -> None:
    """Runs of extreme bytes: where they meet a size, it declares exabytes."""
    damaged = bytearray(GOOD[name])
    start = int(place * len(damaged))
    damaged[start : start + size] = bytes([value]) * len(damaged[start : start + size])
    outcome(folder, bytes(damaged))


@fuzz
@given(place=places, flips=st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_pickles_in_good_archives(folder: Path, place: float, flips: list[tuple[float, int]]) -> None:
    """The archive's checksums hold, so that the unpickler sees the damage."""

    def change(content: bytes) -> bytes:
        damaged = bytearray(content)
        for share, value in flips:
            damaged[int(share * len(damaged))] = value
        return bytes(damaged)

    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD["torch zip"])) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.infolist():
            content = old.read(member.filename)
            new.writestr(member.filename, change(content) if member.filename.endswith("data.pkl") else content)
    outcome(folder, stream.getvalue())


@fuzz
@given(st.integers(0, 1 << 32))
def test_swapped_tensors_and_shapes(folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    names = list(DEEPSDF)
    shuffled = [*names]
    rng.shuffle(shuffled)
    state = {name: DEEPSDF[shuffled[i] if rng.random() < 0.2 else name].clone() for i, name in enumerate(names)}
    if rng.random() < 0.5:
        state[rng.choice(names)] = torch.ones([rng.randrange(0, 7) for _ in range(rng.randrange(0, 4))])
    if rng.random() < 0.5:
        state.pop(rng.choice(names))
    outcome(folder, torch_bytes({"model_state_dict": state}))
    outcome(folder, safetensors.torch.save(state))


@settings(fuzz, max_examples=EXAMPLES // 2)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_anything_beside_the_weights(folder: Path, content: Any) -> None:
    outcome(folder, torch_bytes({"state_dict": dict(STATE), "other": content}))
    outcome(folder, torch_bytes(content))
    try:
        text = json.dumps(content)
    except (TypeError, ValueError):
        return
    (folder / "file.reading.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    outcome(folder, torch_bytes(dict(STATE)))
    (folder / "file.reading.json").unlink()
    (folder / "specs.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    outcome(folder, torch_bytes({"model_state_dict": DEEPSDF}))
    (folder / "specs.json").unlink()


SPECS = {"dims": [6, 6, 8, 6], "latent_in": [2], "use_tanh": False, "xyz_in_all": False, "weight_norm": True}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)


@fuzz
@given(st.dictionaries(st.sampled_from([*SPECS, "CodeLength", "NetworkArch", "NetworkSpecs"]), ANYTHING, min_size=1))
def test_anything_in_the_fields_of_specs(folder: Path, changes: dict[str, Any]) -> None:
    network = SPECS | {name: value for name, value in changes.items() if name in SPECS}
    others = {name: value for name, value in changes.items() if name not in SPECS}
    (folder / "specs.json").write_text(json.dumps({"CodeLength": 2, "NetworkSpecs": network, **others}))
    outcome(folder, torch_bytes({"model_state_dict": DEEPSDF}), Reading(latent="zeros"))
    (folder / "specs.json").unlink()


@fuzz
@given(
    location=st.text(st.sampled_from("ext.bin/\\\0\n~\U0001f600"), max_size=12)
    | st.sampled_from(["ext.bin\0", "a" * 5000]),
    offset=st.text(st.sampled_from("-0123456789 x\0"), max_size=6),
    length=st.text(st.sampled_from("-0123456789 x\0"), max_size=20),
)
def test_anything_in_the_place_of_external_data(folder: Path, location: str, offset: str, length: str) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_model_from_string(GOOD["onnx"])
    weight = next(tensor for tensor in model.graph.initializer if tensor.name == "0_weight")
    (folder / "ext.bin").write_bytes(weight.raw_data)
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        entry = weight.external_data.add()
        entry.key, entry.value = key, value
    outcome(folder, model.SerializeToString(), Reading())


class Marker:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_pickle_never_runs(folder: Path, legacy: bool) -> None:
    marker = folder / "executed"
    for content in (Marker(marker), {"state_dict": STATE, "args": Marker(marker)}, [Marker(marker)]):
        assert outcome(folder, torch_bytes(content, legacy=legacy)) is not None
    assert not marker.exists()
    pickle.loads(pickle.dumps(Marker(marker)))
    assert marker.exists()
