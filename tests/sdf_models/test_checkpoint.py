"""Opening good files gives what was written; other files are refused in one line."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sdf_models import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from tests.sdf_models.files import BOX, CHECKPOINTS, niq_arrays, npz_bytes, own_bytes, random_mlp


def opened(tmp_path: Path, data: bytes) -> Checkpoint:
    (tmp_path / "file").write_bytes(data)
    return load_checkpoint(tmp_path / "file")


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "; " in line
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


def test_trained_npz_network_is_the_one_that_its_arrays_say(tmp_path: Path) -> None:
    trained = load_checkpoint(CHECKPOINTS / "spot.safetensors").module
    arrays = niq_arrays("relu", (3, *[64] * 8, 1))
    for index, layer in enumerate(layer for layer in trained.modules() if isinstance(layer, nn.Linear)):
        arrays[f"{2 * index:04d}.dense.A"] = layer.weight.detach().numpy().T
        arrays[f"{2 * index:04d}.dense.b"] = layer.bias.detach().numpy()
    checkpoint = opened(tmp_path, npz_bytes(arrays))
    points = np.random.default_rng(0).uniform(-1, 1, (100, 3))
    x = points
    for index in range(0, 17, 2):
        x = x @ arrays[f"{index:04d}.dense.A"].astype(np.float64) + arrays[f"{index:04d}.dense.b"]
        x = np.maximum(x, 0) if index < 16 else x
    values = checkpoint.module.double()(torch.from_numpy(points))
    assert values.shape == (100,)
    assert np.abs(values.detach().numpy() - x[:, 0]).max() < 1e-14
    assert checkpoint.domain.tolist() == BOX.tolist()
    assert any("[-1, 1]^3" in note for note in checkpoint.notes)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("activation", "function", "layer"),
    [
        ("relu", torch.relu, nn.ReLU),
        ("elu", nn.functional.elu, nn.ELU),
        ("tanh", torch.tanh, nn.Tanh),
        ("sin", torch.sin, nn.Module),
    ],
)
def test_npz_network_computes_what_its_arrays_say(tmp_path, activation, function, layer, compressed) -> None:
    arrays = niq_arrays(activation)
    module = opened(tmp_path, npz_bytes(arrays, compressed=compressed)).module
    x = points = torch.linspace(-1, 1, 30).reshape(10, 3)
    for index in (0, 2, 4):
        A, b = (torch.from_numpy(arrays[f"{index:04d}.dense.{key}"]) for key in "Ab")
        x = x @ A + b
        x = function(x) if index < 4 else x
    assert torch.allclose(module(points), x[:, 0], rtol=0, atol=1e-5)
    names = ["dense_0", f"{activation}_1", "dense_2", f"{activation}_3", "dense_4", "squeeze_last_5"]
    assert [name for name, _ in module.named_children()] == names
    assert isinstance(module.get_submodule(f"{activation}_1"), layer)


def test_npz_weights_survive_big_endian_fortran_order_and_float64(tmp_path: Path) -> None:
    arrays = niq_arrays()
    arrays["0002.dense.A"] = np.asfortranarray(arrays["0002.dense.A"]).astype(">f4")
    arrays["0004.dense.b"] = arrays["0004.dense.b"].astype(np.float64)
    module = opened(tmp_path, npz_bytes(arrays)).module
    assert module.dense_2.weight.dtype == torch.float64
    assert np.array_equal(module.dense_2.weight.numpy(), arrays["0002.dense.A"].T)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_own_format_round_trip_is_exact(tmp_path: Path, dtype: torch.dtype) -> None:
    module, path = random_mlp(dtype=dtype), tmp_path / "net.safetensors"
    domain = np.array([[-1.0, -0.1, -2.0], [1.0, 0.30000000000000004, 3.0]])
    facts = {f"fact{i}": "größer; as “it” is\n" for i in range(20)}
    save_checkpoint(path, module, domain, facts)
    checkpoint = load_checkpoint(path)
    assert checkpoint.module.architecture == module.architecture
    for name, tensor in module.state_dict().items():
        assert torch.equal(checkpoint.module.state_dict()[name], tensor)
        assert checkpoint.module.state_dict()[name].dtype == dtype
    assert np.array_equal(checkpoint.domain, domain)
    assert not checkpoint.domain.flags.writeable
    assert not checkpoint.module.training
    assert facts.items() <= checkpoint.provenance.items()
    assert checkpoint.provenance["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert checkpoint.notes == ()
    written = path.read_bytes()
    save_checkpoint(path, checkpoint.module, checkpoint.domain, facts)
    assert path.read_bytes() == written
    assert os.listdir(tmp_path) == [path.name]


def test_facts_do_not_hide_what_was_observed(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a", random_mlp(), BOX, {"sha256": "0", "path": "/elsewhere", "format": "none"})
    provenance = load_checkpoint(tmp_path / "a").provenance
    assert provenance["path"] == str(tmp_path / "a")
    assert provenance["format"] == "splinescope safetensors"
    assert len(provenance["sha256"]) == 64


def test_content_decides_and_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(own_bytes())
    assert load_checkpoint(str(tmp_path / "a.npz")).provenance["format"] == "splinescope safetensors"


class Marker:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    arrays = niq_arrays()
    arrays["0000.dense.A"] = np.array([Marker(marker)], dtype=object)
    files = {
        "a.pth": pickle.dumps(Marker(marker)),
        "a.npz": npz_bytes(arrays),
        "old.pkl": pickle.dumps({"weights": Marker(marker)}, protocol=2),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert "pickle" in refusal(tmp_path / name)
    torch.save({"weights": Marker(marker)}, tmp_path / "b.pth")
    torch.save([Marker(marker)], tmp_path / "c.pth", _use_new_zipfile_serialization=False)
    assert "PyTorch" in refusal(tmp_path / "b.pth")
    assert "PyTorch" in refusal(tmp_path / "c.pth")
    assert not marker.exists()
    pickle.loads(files["a.pth"])
    assert marker.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"v 0 0 0\nv 1 0 0\nf 1 2 3\n", "splinescope train"),
        (b"# a cow\nv 0 0 0\n", "mesh"),
        (b"ply\nformat ascii 1.0\n", "mesh"),
        (b"\x93NUMPY\x01\x00v\x00{", "single array"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x08\x07\x12\x07pytorch\x1a", "ONNX"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"\x1f\x8b\x08\x00", "unpack"),
        (b'{"a": 1}', "JSON"),
        (b"<!DOCTYPE html>", "download"),
        (b"hello\n", "text"),
        (bytes(range(200, 256)), "known format"),
        (b"PK\x05\x06" + bytes(18), "no arrays"),
    ],
)
def test_other_files_are_named(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "file").write_bytes(data)
    assert words in refusal(tmp_path / "file")


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "no such file" in refusal(tmp_path / "nothing")
    assert "folder" in refusal(tmp_path)
    assert "regular" in refusal(tmp_path / "pipe")


def test_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    for head, words in ((b"", "known format"), (own_bytes(), "too many"), (b"PK\x03\x04", "zip archive")):
        with path.open("wb") as file:
            file.write(head)
            file.truncate(1 << 40)
        assert words in refusal(path)


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, random_mlp(), BOX)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_checkpoint(path, random_mlp(), BOX, {"fact": object()})  # type: ignore[dict-item]
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]
