"""Files made to be wrong: each is refused in one line, in bounded memory, and nothing in it runs."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from sdf_models.formats import npz
from tests.sdf_models.damage import ANSWERED, GOOD, MEBIBYTE, STATE, outcome, own_file, peak_memory, torch_bytes
from tests.sdf_models.files import niq_arrays, npz_bytes


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_numbers(tmp_path: Path, value: float) -> None:
    arrays = niq_arrays()
    arrays["0002.dense.A"][1, 2] = value
    assert "1 of the 20 weights of dense_2.A are NaN or infinite" in str(outcome(tmp_path, npz_bytes(arrays)))
    tensors = safetensors.torch.load(GOOD["own"].data)
    tensors["linear1.bias"][3] = value
    assert "linear1.bias" in str(outcome(tmp_path, own_file(tensors=tensors)))


@pytest.mark.parametrize("dtype", [np.int32, np.float16, np.complex64, np.bool_, "S3", "datetime64[s]"])
def test_arrays_of_other_types(tmp_path: Path, dtype: object) -> None:
    arrays = niq_arrays()
    arrays["0000.dense.b"] = np.zeros(5, dtype)
    assert outcome(tmp_path, npz_bytes(arrays)) is not None


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
def test_wrong_metadata(tmp_path: Path, fields: dict[str, object]) -> None:
    assert outcome(tmp_path, own_file(**fields)) is not None
    assert peak_memory(tmp_path, own_file(**fields)) < MEBIBYTE


@pytest.mark.parametrize("metadata", ["", "3", "[]", "{", "[" * 100_000, '{"version": ' + "9" * 10_000 + "}", "\ud800"])
def test_metadata_that_is_not_ours(tmp_path: Path, metadata: str) -> None:
    header = json.dumps({"__metadata__": {"splinescope": metadata}}).encode()
    assert outcome(tmp_path, len(header).to_bytes(8, "little") + header) is not None


@pytest.mark.parametrize(
    "header", ['{"__metadata__": []}', '{"__metadata__": 3}', '{"a": {"dtype": "F32"}}', '{""}', '{"' * 50_000]
)
def test_headers_that_are_not_safetensors(tmp_path: Path, header: str) -> None:
    assert outcome(tmp_path, len(header).to_bytes(8, "little") + header.encode()) is not None


def test_other_safetensors_files_are_named(tmp_path: Path) -> None:
    assert "one weight matrix alone" in str(outcome(tmp_path, safetensors.torch.save({"0.weight": torch.ones(2, 2)})))


def test_half_precision_is_refused_in_own_format(tmp_path: Path) -> None:
    tensors = {name: tensor.to(torch.bfloat16) for name, tensor in safetensors.torch.load(GOOD["own"].data).items()}
    assert "float32" in str(outcome(tmp_path, own_file(tensors=tensors)))


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
def test_bombs_are_refused_in_bounded_memory(tmp_path: Path, name: str) -> None:
    data = BOMBS[name]()
    assert len(data) < 8 * MEBIBYTE
    assert peak_memory(tmp_path, data) < 4 * MEBIBYTE


def test_archive_beyond_the_limit_is_refused_before_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "LARGEST_UNPACKED", MEBIBYTE)
    bomb = zipped({"0000.dense.A.npy": bytes(64 * MEBIBYTE)})
    assert peak_memory(tmp_path, bomb) < MEBIBYTE


def npy(dtype: str, shape: str, content: bytes) -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


def zeros_npz(*shapes: tuple[int, int]) -> bytes:
    """A chain of matrices of zeros, which deflate to a thousandth."""
    return npz_bytes({f"W{i}": np.zeros(shape, np.float32) for i, shape in enumerate(shapes)}, compressed=True)


def test_arrays_that_deflate_as_no_weights_do_are_refused_before_unpacking(tmp_path: Path) -> None:
    data = zeros_npz((3, 4000), (4000, 2000), (2000, 1))
    assert peak_memory(tmp_path, data) < MEBIBYTE
    line = outcome(tmp_path, data)
    assert line is not None
    assert "as no trained weights do" in line
    # pruned ones are possible as long as they are small
    small = outcome(tmp_path, zeros_npz((3, 64), (64, 64), (64, 1)))
    assert small is not None
    assert "--activation" in small


def test_headers_are_checked_before_anything_is_unpacked(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    good = npz_bytes({"W0": rng.normal(size=(3, 1 << 20)).astype(np.float32)}, compressed=True)
    stream = io.BytesIO(good)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("W1.npy", npy("<f4", "(1048576, 2)", bytes(64)))
    assert peak_memory(tmp_path, stream.getvalue()) < 2 * MEBIBYTE
    assert "declares the shape" in str(outcome(tmp_path, stream.getvalue()))


def test_directory_that_lies_about_sizes_does_not_unpack_more(tmp_path: Path) -> None:
    data = bytearray(zipped({"0000.dense.A.npy": bytes(64 * MEBIBYTE)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(signature) + offset
        data[place : place + 4] = struct.pack("<L", 1000)
    assert peak_memory(tmp_path, bytes(data)) < MEBIBYTE


def test_member_paths_are_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    assert outcome(there, zipped({"../evil.npy": declared_shape("(16,)")})) is not None
    assert sorted(tmp_path.rglob("*")) == [here, there, there / "file"]


def test_encrypted_member_is_refused(tmp_path: Path) -> None:
    data = bytearray(GOOD["neural-implicit-queries"].data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    assert outcome(tmp_path, bytes(data)) is not None


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO(GOOD["neural-implicit-queries"].data)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("0000.dense.b.npy", declared_shape("(16,)"))
    assert "same name" in str(outcome(tmp_path, stream.getvalue()))


class Marker:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_pickle_never_runs(tmp_path: Path, legacy: bool) -> None:
    marker = tmp_path / "executed"
    for content in (Marker(marker), {"state_dict": STATE, "args": Marker(marker)}, [Marker(marker)]):
        assert outcome(tmp_path, torch_bytes(content, legacy=legacy), ANSWERED) is not None
    assert not marker.exists()
    pickle.loads(pickle.dumps(Marker(marker)))
    assert marker.exists()
