"""Whatever is done to a file, it is opened whole or refused in one line, in bounded memory."""

from __future__ import annotations

import io
import json
import os
import struct
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdf_models import CheckpointError, load_checkpoint
from sdf_models.formats import npz
from tests.sdf_models.files import niq_arrays, npz_bytes, own_bytes

MEBIBYTE = 1 << 20
GOOD: dict[str, bytes] = {
    "npz": npz_bytes(niq_arrays()),
    "compressed npz": npz_bytes(niq_arrays(), compressed=True),
    "own": own_bytes(),
}

fuzz = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
good_files = st.sampled_from(sorted(GOOD)).map(GOOD.__getitem__)


def outcome(data: bytes) -> str | None:
    """The refusal of a file with this content, or None when it is opened as a sound network; anything else fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        try:
            checkpoint = load_checkpoint(path)
        except CheckpointError as error:
            line = str(error)
            assert line.startswith(f"{path}: ")
            assert "; " in line
            assert len(line.splitlines()) == 1
            assert len(line) < len(str(path)) + 400
            return line
    assert all(parameter.isfinite().all() for parameter in checkpoint.module.parameters())
    points = torch.zeros(2, checkpoint.domain.shape[1], dtype=next(checkpoint.module.parameters()).dtype)
    assert len(checkpoint.module(points)) == 2
    return None


def peak_memory(data: bytes) -> int:
    """Bytes allocated while a file of this content is refused, beyond the content itself."""
    tracemalloc.start()
    try:
        assert outcome(data) is not None
        return tracemalloc.get_traced_memory()[1] - len(data)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", sorted(GOOD))
def test_the_files_to_damage_are_good(name: str) -> None:
    assert outcome(GOOD[name]) is None


@fuzz
@given(good_files, st.floats(0, 1, exclude_max=True))
def test_truncated(data: bytes, share: float) -> None:
    assert outcome(data[: int(share * len(data))]) is not None


@fuzz
@given(good_files, st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1, max_size=8))
def test_bit_flips(data: bytes, flips: list[tuple[float, int]]) -> None:
    damaged = bytearray(data)
    for share, bit in flips:
        damaged[int(share * len(data))] ^= 1 << bit
    outcome(bytes(damaged))


@fuzz
@given(good_files, st.floats(0, 1), st.floats(0, 1), st.binary(max_size=40))
def test_spliced(data: bytes, first: float, second: float, insert: bytes) -> None:
    outcome(data[: int(first * len(data))] + insert + data[int(second * len(data)) :])


@fuzz
@given(
    st.sampled_from([b"", b"PK\x03\x04", b"\x80\x04", b'\x10\0\0\0\0\0\0\0{"', b"\x93NUMPY", b"{", b"v "]), st.binary()
)
def test_arbitrary_bytes(start: bytes, data: bytes) -> None:
    assert outcome(start + data) is not None


@fuzz
@given(st.data())
def test_swapped_and_renamed_arrays(data: st.DataObject) -> None:
    arrays = niq_arrays()
    keys = sorted(arrays)
    other = st.sampled_from(
        [*keys, "0000.dense", "x", "0009.relu._", "0001.gelu._", "0000.dense.C", "../../evil", "0001.relu.A"]
    )
    renamed = {
        data.draw(other) if data.draw(st.booleans()) else key: arrays[data.draw(st.sampled_from(keys))] for key in keys
    }
    sound = all(np.array_equal(renamed.get(key, np.nan), arrays[key]) for key in keys) and len(renamed) == len(keys)
    assert outcome(npz_bytes(renamed)) is None or not sound


shapes = st.lists(st.integers(0, 7), max_size=3).map(tuple)


@fuzz
@given(st.sampled_from(sorted(niq_arrays())), shapes)
def test_wrong_shapes_in_npz(key: str, shape: tuple[int, ...]) -> None:
    arrays = niq_arrays()
    free = key == "0000.dense.A" and len(shape) == 2 and shape[0] > 0 and shape[1] == 5  # any number of inputs will do
    right = shape == arrays[key].shape or ("_" in key.split(".") and 0 in shape)
    arrays[key] = np.ones(shape, np.float32)
    assert (outcome(npz_bytes(arrays)) is None) == (right or free)


@fuzz
@given(st.sampled_from(["linear0.weight", "linear1.bias", "output.weight", "output.bias"]), shapes)
def test_wrong_shapes_in_own_format(key: str, shape: tuple[int, ...]) -> None:
    tensors = safetensors.torch.load(GOOD["own"])
    right = shape == tuple(tensors[key].shape)
    tensors[key] = torch.ones(shape)
    assert (outcome(own_file(tensors=tensors)) is None) == right


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_numbers(value: float) -> None:
    arrays = niq_arrays()
    arrays["0002.dense.A"][1, 2] = value
    assert "1 of the 20 weights of dense_2.A are NaN or infinite" in str(outcome(npz_bytes(arrays)))
    tensors = safetensors.torch.load(GOOD["own"])
    tensors["linear1.bias"][3] = value
    assert "linear1.bias" in str(outcome(own_file(tensors=tensors)))


@pytest.mark.parametrize("dtype", [np.int32, np.float16, np.complex64, np.bool_, "S3", "datetime64[s]"])
def test_arrays_of_other_types(dtype: object) -> None:
    arrays = niq_arrays()
    arrays["0000.dense.b"] = np.zeros(5, dtype)
    assert outcome(npz_bytes(arrays)) is not None


def own_file(tensors: dict[str, torch.Tensor] | None = None, metadata: str | None = None, **fields: object) -> bytes:
    """The good file of our own format, with other tensors, metadata or fields of the metadata."""
    size = int.from_bytes(GOOD["own"][:8], "little")
    description = json.loads(json.loads(GOOD["own"][8 : 8 + size])["__metadata__"]["splinescope"])
    metadata = json.dumps(description | fields) if metadata is None else metadata
    return safetensors.torch.save(tensors or safetensors.torch.load(GOOD["own"]), {"splinescope": metadata})


ARCHITECTURE = {"type": "relu_mlp", "width": 5, "depth": 2, "inputs": 3}


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 2},
        {"version": None},
        {"architecture": None},
        {"architecture": ARCHITECTURE | {"width": 60_000, "depth": 1_000}},
        {"architecture": ARCHITECTURE | {"width": 10**30}},
        {"architecture": ARCHITECTURE | {"depth": 3}},
        {"domain": None},
        {"domain": [[-1, -1, -1]]},
        {"domain": [[-1, -1, -1], [1, 1]]},
        {"domain": [[-1, -1, -1], [1, 1, -1]]},
        {"domain": [[-1, -1, -1], [1, 1, float("inf")]]},
        {"domain": [[-1, -1, -1], [1, 1, float("nan")]]},
        {"domain": [[-1, -1, -1], [1, 1, 10**400]]},
        {"domain": "box"},
        {"facts": None},
        {"facts": {"steps": 3}},
    ],
)
def test_wrong_metadata(fields: dict[str, object]) -> None:
    assert outcome(own_file(**fields)) is not None
    assert peak_memory(own_file(**fields)) < MEBIBYTE


@pytest.mark.parametrize("metadata", ["", "3", "[]", "{", "[" * 100_000, '{"version": ' + "9" * 10_000 + "}", "\ud800"])
def test_metadata_that_is_not_ours(metadata: str) -> None:
    header = json.dumps({"__metadata__": {"splinescope": metadata}}).encode()
    assert outcome(len(header).to_bytes(8, "little") + header) is not None


@pytest.mark.parametrize(
    "header", ['{"__metadata__": []}', '{"__metadata__": 3}', '{"a": {"dtype": "F32"}}', '{""}', '{"' * 50_000]
)
def test_headers_that_are_not_safetensors(header: str) -> None:
    assert outcome(len(header).to_bytes(8, "little") + header.encode()) is not None


def test_other_safetensors_files_are_named() -> None:
    assert "one weight matrix alone" in str(outcome(safetensors.torch.save({"0.weight": torch.ones(2, 2)})))


def test_half_precision_is_refused_in_own_format() -> None:
    tensors = {name: tensor.to(torch.bfloat16) for name, tensor in safetensors.torch.load(GOOD["own"]).items()}
    assert "float32" in str(outcome(own_file(tensors=tensors)))


def declared_shape(shape: str) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def overlapping_members(size: int, count: int) -> bytes:
    """An archive of one member of `size` zeros that its directory lists `count` times (Fifield 2019)."""
    data = zipped({"0000.dense.A.npy": bytes(size)})
    start = data.rindex(b"PK\x01\x02")
    end = data.rindex(b"PK\x05\x06")
    entries = b"".join(data[start:end].replace(b"0000", b"%04d" % index) for index in range(count))
    return data[:start] + entries + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entries), start, 0)


BOMBS: dict[str, Callable[[], bytes]] = {
    "array that declares terabytes": lambda: zipped({"0000.dense.A.npy": declared_shape("(1000000, 1000000)")}),
    "array that declares more than an address": lambda: zipped(
        {"0000.dense.A.npy": declared_shape("(999999999999,) * 9")}
    ),
    "array of many dimensions": lambda: zipped({"0000.dense.A.npy": declared_shape(f"({'1, ' * 2000}16)")}),
    "array with no elements and huge sides": lambda: zipped(
        {"0000.dense.A.npy": declared_shape("(0, 99999999999)")[:-64]}
    ),
    "overlapping members": lambda: overlapping_members(32 * MEBIBYTE, 40),
    "many members": lambda: overlapping_members(0, 60_000),
    "unknown compression": lambda: zipped({"0000.dense.A.npy": bytes(32 * MEBIBYTE)}, zipfile.ZIP_LZMA),
    "safetensors header of exabytes": lambda: b"\xff" * 7 + b'\x7f{"a"',
    "safetensors header of a gigabyte": lambda: (1 << 30).to_bytes(8, "little") + b'{"a": ',
    "safetensors tensor of terabytes": lambda: own_header(
        '"shape": [1000000, 1000000], "data_offsets": [0, 4000000000000]'
    ),
    "safetensors sizes that overflow": lambda: own_header('"shape": [4294967296, 4294967296], "data_offsets": [0, 0]'),
}


def own_header(tensor: str) -> bytes:
    description = json.dumps({"version": 1, "architecture": ARCHITECTURE, "domain": [[-1] * 3, [1] * 3], "facts": {}})
    header = (
        f'{{"__metadata__": {json.dumps({"splinescope": description})}, "output.bias": {{"dtype": "F32", {tensor}}}}}'
    )
    return len(header).to_bytes(8, "little") + header.encode()


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_bombs_are_refused_in_bounded_memory(name: str) -> None:
    data = BOMBS[name]()
    assert len(data) < 8 * MEBIBYTE
    assert peak_memory(data) < 4 * MEBIBYTE


def test_archive_beyond_the_limit_is_refused_before_unpacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "LARGEST_UNPACKED", MEBIBYTE)
    bomb = zipped({"0000.dense.A.npy": bytes(64 * MEBIBYTE)})
    assert peak_memory(bomb) < MEBIBYTE


def npy(dtype: str, shape: str, content: bytes) -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


def zeros_npz(*shapes: tuple[int, int]) -> bytes:
    """A chain of matrices of zeros, which deflate to a thousandth."""
    return npz_bytes({f"W{i}": np.zeros(shape, np.float32) for i, shape in enumerate(shapes)}, compressed=True)


def test_arrays_that_deflate_as_no_weights_do_are_refused_before_unpacking() -> None:
    data = zeros_npz((3, 4000), (4000, 2000), (2000, 1))
    assert peak_memory(data) < MEBIBYTE
    line = outcome(data)
    assert line is not None
    assert "as no trained weights do" in line
    small = outcome(zeros_npz((3, 64), (64, 64), (64, 1)))  # pruned ones are possible as long as they are small
    assert small is not None
    assert "--activation" in small


def test_headers_are_checked_before_anything_is_unpacked() -> None:
    rng = np.random.default_rng(0)
    good = npz_bytes({"W0": rng.normal(size=(3, 1 << 20)).astype(np.float32)}, compressed=True)
    stream = io.BytesIO(good)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("W1.npy", npy("<f4", "(1048576, 2)", bytes(64)))
    assert peak_memory(stream.getvalue()) < 2 * MEBIBYTE
    assert "declares the shape" in str(outcome(stream.getvalue()))


def test_directory_that_lies_about_sizes_does_not_unpack_more() -> None:
    data = bytearray(zipped({"0000.dense.A.npy": bytes(64 * MEBIBYTE)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(signature) + offset
        data[place : place + 4] = struct.pack("<L", 1000)
    assert peak_memory(bytes(data)) < MEBIBYTE


def test_member_paths_are_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert outcome(zipped({"../evil.npy": declared_shape("(16,)")})) is not None
    assert os.listdir(tmp_path) == []


def test_encrypted_member_is_refused() -> None:
    data = bytearray(GOOD["npz"])
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    assert outcome(bytes(data)) is not None


def test_two_members_of_one_name_are_refused() -> None:
    stream = io.BytesIO(GOOD["npz"])
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("0000.dense.b.npy", declared_shape("(16,)"))
    assert "same name" in str(outcome(stream.getvalue()))
