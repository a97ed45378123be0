"""Continuous piecewise linear operations, as exact pieces and as torch modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Piece = tuple[float, float]
"""Slope and intercept."""


@dataclass(frozen=True, eq=False)
class Nonlinearity:
    """One operation on n neurons: pieces[j] are the lines between the true breakpoints[j].

    module takes the pre-activation z; for maximum and minimum it takes z + other and other, the pieces are those of
    max(z, 0) and min(z, 0), and other is to be added.
    """

    breakpoints: Sequence[tuple[float, ...]]
    pieces: Sequence[tuple[Piece, ...]]
    module: nn.Module

    def __call__(self, neuron: int, z: float) -> float:
        slope, intercept = self.pieces[neuron][sum(z > t for t in self.breakpoints[neuron])]
        return slope * z + intercept


class Clamp(nn.Module):
    def __init__(self, low: float | None, high: float | None) -> None:
        super().__init__()
        self.low, self.high = low, high

    def forward(self, z: Tensor) -> Tensor:
        return torch.clamp(z, self.low, self.high)


class Absolute(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return torch.abs(z)


class Larger(nn.Module):
    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return torch.maximum(left, right)


class Smaller(nn.Module):
    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return torch.minimum(left, right)


def _alike(size: int, breakpoints: tuple[float, ...], pieces: tuple[Piece, ...], module: nn.Module) -> Nonlinearity:
    return Nonlinearity([breakpoints] * size, [pieces] * size, module)


def _relu(size: int) -> Nonlinearity:
    return _alike(size, (0.0,), ((0.0, 0.0), (1.0, 0.0)), nn.ReLU())


def _leaky_relu(size: int) -> Nonlinearity:
    return _alike(size, (0.0,), ((0.125, 0.0), (1.0, 0.0)), nn.LeakyReLU(0.125))


def _prelu(size: int) -> Nonlinearity:
    slopes = [(1.0, -0.5, 0.25, 0.25, 0.0, 0.25, 2.0)[j % 7] for j in range(size)]
    module = nn.PReLU(size, dtype=torch.float64)
    module.weight = nn.Parameter(torch.tensor(slopes, dtype=torch.float64))
    breakpoints = [() if slope == 1 else (0.0,) for slope in slopes]
    pieces = [((1.0, 0.0),) if slope == 1 else ((slope, 0.0), (1.0, 0.0)) for slope in slopes]
    return Nonlinearity(breakpoints, pieces, module)


def _absolute(size: int) -> Nonlinearity:
    return _alike(size, (0.0,), ((-1.0, 0.0), (1.0, 0.0)), Absolute())


def _clipped(size: int, low: float, high: float, module: nn.Module) -> Nonlinearity:
    return _alike(size, (low, high), ((0.0, low), (1.0, 0.0), (0.0, high)), module)


NONLINEARITIES: dict[str, Callable[[int], Nonlinearity]] = {
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "prelu": _prelu,
    "abs": _absolute,
    "hardtanh": lambda n: _clipped(n, -1.0, 1.0, nn.Hardtanh()),
    "relu6": lambda n: _clipped(n, 0.0, 6.0, nn.ReLU6()),
    "clamp": lambda n: _clipped(n, -0.5, 0.75, Clamp(-0.5, 0.75)),
    "clamp_min": lambda n: _alike(n, (0.25,), ((0.0, 0.25), (1.0, 0.0)), Clamp(0.25, None)),
    "clamp_max": lambda n: _alike(n, (0.5,), ((1.0, 0.0), (0.0, 0.5)), Clamp(None, 0.5)),
    "maximum": lambda n: _alike(n, (0.0,), ((0.0, 0.0), (1.0, 0.0)), Larger()),
    "minimum": lambda n: _alike(n, (0.0,), ((1.0, 0.0), (0.0, 0.0)), Smaller()),
}
"""Operation on a layer of n neurons, by name."""
