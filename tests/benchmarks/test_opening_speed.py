"""How long checkpoints of ten megabytes take to open, and a gigabyte of something else to be refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from sdf_models import CheckpointError, Reading, load_checkpoint
from tests.sdf_models.definitions import plain_mlp, randomised

SIZES = (3, *[512] * 10, 1)


def content(kind: str, path: Path) -> Path:
    module = randomised(plain_mlp(SIZES))
    if kind == "onnx":
        from tests.sdf_models.test_onnx import exported

        path.write_bytes(exported(module))
    elif kind == "safetensors":
        safetensors.torch.save_file(dict(module.state_dict()), path)
    else:
        torch.save(module.state_dict(), path, _use_new_zipfile_serialization=kind == "torch zip")
    return path


@pytest.mark.parametrize("kind", ["torch zip", "torch legacy", "safetensors", "onnx"])
def test_open_ten_megabytes(benchmark: BenchmarkFixture, tmp_path: Path, kind: str) -> None:
    path = content(kind, tmp_path / "net")
    assert path.stat().st_size > 9_000_000
    reading = Reading() if kind == "onnx" else Reading(activation="relu")
    checkpoint = benchmark(load_checkpoint, path, reading)
    assert sum(parameter.numel() for parameter in checkpoint.module.parameters()) == 2_366_465


def test_refuse_a_gigabyte(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 30)

    def refuse() -> None:
        with pytest.raises(CheckpointError):
            load_checkpoint(path)

    benchmark(refuse)
