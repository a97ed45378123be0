"""Norms, masks and corrections folded in float64: the network is that of the file's numbers, whatever their type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine import Network
from sdf_models import Reading, load_checkpoint
from tests.sdf_models.asking import POINTS, RELU, saved
from tests.sdf_models.definitions import new_weight_norm, old_weight_norm, plain_mlp

SIZES = ((3, 16), (16, 16), (16, 1))
State = dict[str, Tensor]
Norm = Callable[[nn.Module], nn.Module]


class Numbers:
    """Random ones that a type can hold, in float64."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self._generator = torch.Generator().manual_seed(0)

    def __call__(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._generator).to(self.dtype).double()


def weight_norm(draw: Numbers, rows: int, columns: int, names: tuple[str, str], *axes: int) -> tuple[State, Tensor]:
    """axes: those that the norm is over."""
    v = draw(rows, columns)
    squares = (v * v).sum(axes, keepdim=len(axes) == 1)
    g = draw(*squares.shape)
    return dict(zip(names, (g, v), strict=True)), g * v / squares.sqrt()


def spectral_norm(draw: Numbers, rows: int, columns: int, names: tuple[str, str, str]) -> tuple[State, Tensor]:
    w, u, v = draw(rows, columns), draw(rows), draw(columns)
    return dict(zip(names, (w, u, v), strict=True)), w / (u @ w @ v)


def pruned(draw: Numbers, rows: int, columns: int) -> tuple[State, Tensor]:
    w, mask = draw(rows, columns), draw(rows, columns)
    return {"weight_orig": w, "weight_mask": mask}, w * mask


def low_rank(draw: Numbers, rows: int, columns: int) -> tuple[State, Tensor]:
    w, a, b = draw(rows, columns), draw(3, columns), draw(rows, 3)
    return {"weight": w, "lora_A": a, "lora_B": b, "lora_alpha": torch.tensor(2.0)}, w + 2 / 3 * b @ a


def bounded(draw: Numbers, rows: int, columns: int) -> tuple[State, Tensor]:
    w, c = draw(rows, columns), draw(1)
    return {"weight": w, "c": c}, w * torch.clamp(torch.log1p(c.exp()) / w.abs().sum(1), max=1)[:, None]


OLD, NEW = ("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1")
SPECTRAL = ("weight_orig", "weight_u", "weight_v")
NEW_SPECTRAL = ("parametrizations.weight.original", "parametrizations.weight.0._u", "parametrizations.weight.0._v")
KINDS: Mapping[str, Callable[[Numbers, int, int], tuple[State, Tensor]]] = {
    "weight norm": lambda *drawn: weight_norm(*drawn, OLD, 1),
    "weight norm, parametrised": lambda *drawn: weight_norm(*drawn, NEW, 1),
    "weight norm of columns": lambda *drawn: weight_norm(*drawn, OLD, 0),
    "weight norm of the whole": lambda *drawn: weight_norm(*drawn, NEW, 0, 1),
    "spectral norm": lambda *drawn: spectral_norm(*drawn, SPECTRAL),
    "spectral norm, parametrised": lambda *drawn: spectral_norm(*drawn, NEW_SPECTRAL),
    "pruning": pruned,
    "low rank": low_rank,
    "bounds of rows": bounded,
}


def assert_traced(path: Path, expected: Tensor, reading: Reading = RELU) -> None:
    """The traced network of a file has these values at POINTS, in float64."""
    network = Network.trace(load_checkpoint(path, reading).module, input_shape=(3,))
    difference = torch.from_numpy(network.forward(POINTS.numpy())) - expected.detach()
    assert difference.abs().max() <= 1e-12 * expected.abs().max()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_folded_in_float64(tmp_path: Path, kind: str, dtype: torch.dtype) -> None:
    draw = Numbers(dtype)
    state: State = {}
    h = POINTS
    for i, (columns, rows) in enumerate(SIZES):
        (parts, weight), bias = KINDS[kind](draw, rows, columns), draw(rows)
        state |= {f"{2 * i}.{name}": part.to(dtype) for name, part in {**parts, "bias": bias}.items()}
        h = (torch.relu(h) if i else h) @ weight.T + bias
    bounds = "softplus" if kind == "bounds of rows" else None
    assert_traced(saved(tmp_path, state), h, Reading(activation="relu", row_bounds=bounds))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32], ids=str)
def test_batch_norms_are_folded_in_float64(tmp_path: Path, dtype: torch.dtype) -> None:
    module, draw = plain_mlp(batch_norm=True).eval(), Numbers(dtype)
    state = {
        name: (draw(*tensor.shape).abs() + 0.1).to(dtype) if tensor.is_floating_point() else tensor
        for name, tensor in module.state_dict().items()
    }
    module.double().load_state_dict(state)
    assert_traced(saved(tmp_path, state), module(POINTS))


@pytest.mark.parametrize("norm", [old_weight_norm, new_weight_norm])
def test_the_weight_norm_of_torch_agrees(tmp_path: Path, norm: Norm) -> None:
    module = nn.Sequential(norm(nn.Linear(3, 16)), nn.ReLU(), norm(nn.Linear(16, 1)))
    path = saved(tmp_path, module.state_dict())
    assert_traced(path, module.double()(POINTS))  # of the same float32 numbers
