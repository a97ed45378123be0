"""Damaged files of any format are opened whole or refused in one line, in bounded memory.

FUZZ_EXAMPLES=2000 in the environment tries more damages of each kind.
"""

from __future__ import annotations

import io
import json
import os
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

from sdf_models import Reading
from tests.sdf_models.damage import ANSWERED, DEEPSDF, GOOD, NO_SHORTER, STATE, outcome, own_file, torch_bytes
from tests.sdf_models.files import niq_arrays, npz_bytes

GIBIBYTE = 1 << 30
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
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


@each_format
def test_the_files_to_damage_are_good(name: str, folder: Path) -> None:
    assert outcome(folder, GOOD[name].data, GOOD[name].readings[0]) is None


def damaged_outcome(name: str, folder: Path, data: bytes, answered: bool) -> str | None:
    """outcome of a damaged file, with or without answers to what only a damaged one asks."""
    return outcome(folder, data, GOOD[name].readings[-1 if answered else 0])


@each_format
@fuzz
@given(share=places, answered=st.booleans())
def test_truncated(name: str, folder: Path, share: float, answered: bool) -> None:
    data = GOOD[name].data
    refusal = damaged_outcome(name, folder, data[: int(share * len(data))], answered)
    assert refusal is not None or name not in NO_SHORTER


@each_format
@fuzz
@given(flips=st.lists(st.tuples(places, st.integers(0, 7)), min_size=1, max_size=8), answered=st.booleans())
def test_bit_flips(name: str, folder: Path, flips: list[tuple[float, int]], answered: bool) -> None:
    damaged = bytearray(GOOD[name].data)
    for share, bit in flips:
        damaged[int(share * len(damaged))] ^= 1 << bit
    damaged_outcome(name, folder, bytes(damaged), answered)


@each_format
@fuzz
@given(first=places, second=places, insert=st.binary(max_size=40), answered=st.booleans())
def test_spliced(name: str, folder: Path, first: float, second: float, insert: bytes, answered: bool) -> None:
    data = GOOD[name].data
    damaged_outcome(name, folder, data[: int(first * len(data))] + insert + data[int(second * len(data)) :], answered)


@each_format
@fuzz
@given(place=places, size=st.integers(1, 8), value=st.sampled_from([0xFF, 0x7F, 0x80, 0x00]), answered=st.booleans())
def test_huge_declared_sizes(name: str, folder: Path, place: float, size: int, value: int, answered: bool) -> None:
    """Runs of extreme bytes: where they meet a size, it declares exabytes."""
    damaged = bytearray(GOOD[name].data)
    start = int(place * len(damaged))
    damaged[start : start + size] = bytes([value]) * len(damaged[start : start + size])
    damaged_outcome(name, folder, bytes(damaged), answered)


@fuzz
@given(
    st.sampled_from([b"", b"PK\x03\x04", b"\x80\x04", b'\x10\0\0\0\0\0\0\0{"', b"\x93NUMPY", b"{", b"v "]), st.binary()
)
def test_arbitrary_bytes(folder: Path, start: bytes, data: bytes) -> None:
    assert outcome(folder, start + data) is not None


@fuzz
@given(st.data())
def test_swapped_and_renamed_arrays(folder: Path, data: st.DataObject) -> None:
    arrays = niq_arrays()
    keys = sorted(arrays)
    other = st.sampled_from(
        [*keys, "0000.dense", "x", "0009.relu._", "0001.gelu._", "0000.dense.C", "../../evil", "0001.relu.A"]
    )
    renamed = {
        data.draw(other) if data.draw(st.booleans()) else key: arrays[data.draw(st.sampled_from(keys))] for key in keys
    }
    sound = all(np.array_equal(renamed.get(key, np.nan), arrays[key]) for key in keys) and len(renamed) == len(keys)
    assert outcome(folder, npz_bytes(renamed)) is None or not sound


shapes = st.lists(st.integers(0, 7), max_size=3).map(tuple)


@fuzz
@given(st.sampled_from(sorted(niq_arrays())), shapes)
def test_wrong_shapes_in_npz(folder: Path, key: str, shape: tuple[int, ...]) -> None:
    arrays = niq_arrays()
    free = key == "0000.dense.A" and len(shape) == 2 and shape[0] > 0 and shape[1] == 5  # any number of inputs will do
    right = shape == arrays[key].shape or ("_" in key.split(".") and 0 in shape)
    arrays[key] = np.ones(shape, np.float32)
    assert (outcome(folder, npz_bytes(arrays)) is None) == (right or free)


@fuzz
@given(st.sampled_from(["linear0.weight", "linear1.bias", "output.weight", "output.bias"]), shapes)
def test_wrong_shapes_in_own_format(folder: Path, key: str, shape: tuple[int, ...]) -> None:
    tensors = safetensors.torch.load(GOOD["own"].data)
    right = shape == tuple(tensors[key].shape)
    tensors[key] = torch.ones(shape)
    assert (outcome(folder, own_file(tensors=tensors)) is None) == right


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
    with zipfile.ZipFile(io.BytesIO(GOOD["torch zip"].data)) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.infolist():
            content = old.read(member.filename)
            new.writestr(member.filename, change(content) if member.filename.endswith("data.pkl") else content)
    outcome(folder, stream.getvalue(), ANSWERED)


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
    outcome(folder, torch_bytes({"model_state_dict": state}), ANSWERED)
    outcome(folder, safetensors.torch.save(state), ANSWERED)


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
    outcome(folder, torch_bytes({"state_dict": dict(STATE), "other": content}), ANSWERED)
    outcome(folder, torch_bytes(content), ANSWERED)
    try:
        text = json.dumps(content)
    except (TypeError, ValueError):
        return
    (folder / "file.reading.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    outcome(folder, torch_bytes(dict(STATE)), ANSWERED)
    (folder / "file.reading.json").unlink()
    (folder / "specs.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    outcome(folder, torch_bytes({"model_state_dict": DEEPSDF}), ANSWERED)
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
    model = onnx.load_model_from_string(GOOD["onnx"].data)
    weight = next(tensor for tensor in model.graph.initializer if tensor.name == "0_weight")
    (folder / "ext.bin").write_bytes(weight.raw_data)
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        entry = weight.external_data.add()
        entry.key, entry.value = key, value
    outcome(folder, model.SerializeToString(), Reading())
