"""Small checkpoints, and the command line as a user calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from app.cli import main
from app.imports import load_triton
from app.state.slices import SliceResult
from engine import Network, SlicePlane, partition_slice
from engine.facts.level_set import level_set
from sdf_models import ReluMLP, save_checkpoint
from sdf_models.architectures import Architecture

load_triton()  # tests that draw and tests that train share a process
ROOT = Path(__file__).parents[2]
DOMAIN = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
WIDTH, DEPTH = 8, 3


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


def random_module(seed: int = 0, depth: int = DEPTH, inputs: int = 3) -> ReluMLP:
    """A network whose zero level set crosses the middle of the domain."""
    module = ReluMLP(Architecture(WIDTH, depth, inputs))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 2)
        module.output.bias -= module(torch.zeros(1, inputs))
    return module


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoints") / "small.safetensors"
    save_checkpoint(path, random_module(), DOMAIN, {"target": "nothing"})
    return path


@pytest.fixture(scope="session")
def make_slice() -> Callable[..., SliceResult]:
    def make(plane: str = "z=0.1", level: float = 0.0, depth: int = DEPTH) -> SliceResult:
        network = Network.trace(random_module(depth=depth), input_shape=(3,))
        partition = partition_slice(network, SlicePlane.parse(plane), DOMAIN, level)
        return SliceResult("small.safetensors", partition, level_set(partition))

    return make


@pytest.fixture
def splinescope(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """The command line, inside this process."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def splinescope_process(tmp_path: Path) -> Callable[..., Ran]:
    """The command line as a process of its own, in an empty folder."""

    def run(*arguments: object) -> Ran:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        command = [sys.executable, "-W", "error", "-m", "app", *map(str, arguments)]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    return run
