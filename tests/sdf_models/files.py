"""Small checkpoints to take apart."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sdf_models import ReluMLP
from sdf_models.architectures import Architecture
from sdf_models.formats import splinescope

CHECKPOINTS = Path(__file__).parents[2] / "resources" / "checkpoints"
BOX = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])


def niq_arrays(activation: str = "relu", sizes: tuple[int, ...] = (3, 5, 4, 1)) -> dict[str, NDArray[np.float32]]:
    """The arrays of a random network, as neural-implicit-queries saves them."""
    rng = np.random.default_rng(0)
    arrays: dict[str, NDArray[np.float32]] = {}
    index = 0
    for columns, rows in pairwise(sizes):
        if index:
            arrays[f"{index:04d}.{activation}._"] = np.zeros(0, np.float32)
            index += 1
        arrays[f"{index:04d}.dense.A"] = rng.normal(size=(columns, rows)).astype(np.float32)
        arrays[f"{index:04d}.dense.b"] = rng.normal(size=rows).astype(np.float32)
        index += 1
    arrays[f"{index:04d}.squeeze_last._"] = np.zeros(0, np.float32)
    return arrays


def npz_bytes(arrays: dict[str, NDArray[np.float32]], *, compressed: bool = False) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


def random_mlp(width: int = 5, depth: int = 2, dtype: torch.dtype = torch.float32) -> ReluMLP:
    module = ReluMLP(Architecture(width, depth), dtype)
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, generator=generator)
    return module


def own_bytes() -> bytes:
    return splinescope.encode(random_mlp(), BOX, {"fitted_to": "nothing"})
