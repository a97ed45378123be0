"""The module that the families' state dicts become: linear layers, activations, and concatenations with the input."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sdf_models.architectures import Sine, linear
from sdf_models.families.layers import Layer
from sdf_models.reading import Choices, activation_parts


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """h becomes module(h)."""

    name: str
    module: nn.Module


@dataclass(frozen=True, slots=True)
class Concatenation:
    """The network's inputs of these columns (all: None) are put after the features h, or first; then times scale."""

    columns: tuple[int, ...] | None
    scale: float = 1.0
    first: bool = False


@dataclass(frozen=True, slots=True)
class Remember:
    """h is kept under a key."""

    key: int


@dataclass(frozen=True, slots=True)
class Add:
    """The features kept under a key are added to h."""

    key: int


Operation = Call | Concatenation | Remember | Add


class Chain(nn.Module):
    """Operations one after the other on h, which is the input x at first: (N, D) -> (N, C), or (N,) where C is 1."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        super().__init__()
        self._operations: list[str | Operation] = []
        for operation in operations:
            if isinstance(operation, Call):
                name = free_name(self, operation.name)
                self.add_module(name, operation.module)
                self._operations.append(name)
            else:
                self._operations.append(operation)

    def forward(self, x: Tensor) -> Tensor:
        h = x
        kept: dict[int, Tensor] = {}
        for operation in self._operations:
            match operation:
                case str():
                    h = self.get_submodule(operation)(h)
                case Concatenation():
                    h = self._joined(operation, h, x)
                case Remember():
                    kept[operation.key] = h
                case Add():
                    h = kept[operation.key] + h
        return h.squeeze(-1) if h.shape[-1] == 1 else h

    @staticmethod
    def _joined(how: Concatenation, h: Tensor, x: Tensor) -> Tensor:
        beside = x if how.columns is None else x[:, list(how.columns)]
        joined = torch.cat([beside, h] if how.first else [h, beside], dim=1)
        return joined if how.scale == 1.0 else joined / (1.0 / how.scale)  # as written: / sqrt(2)


def linear_call(name: str, layer: Layer) -> Call:
    return Call(name, linear(layer.weight, layer.bias))


def free_name(module: nn.Module, name: str) -> str:
    """A name for a new submodule like `name`: torch allows no dots, and an attribute of the module has one meaning."""
    free = re.sub(r"\W", "_", name) or "layer"
    while hasattr(module, free):
        free += "_"
    return free


def activation(text: str) -> nn.Module:
    """The module of an activation as it is written in `Reading.activation`."""
    name, parameter = activation_parts(text)
    match name:
        case "relu":
            return nn.ReLU()
        case "leaky_relu":
            return nn.LeakyReLU(0.01 if parameter is None else parameter)
        case "relu6":
            return nn.ReLU6()
        case "hardtanh":
            return nn.Hardtanh()
        case "abs":
            return Absolute()
        case "softplus":
            return nn.Softplus(1.0 if parameter is None else parameter)
        case "sine":
            return Sine()
        case "elu":
            return nn.ELU(1.0 if parameter is None else parameter)
        case "gelu":
            return nn.GELU()
        case "silu":
            return nn.SiLU()
        case "sigmoid":
            return nn.Sigmoid()
        case _:
            return nn.Tanh()


_DEFAULTS = {"leaky_relu": ("slope", "0.01"), "softplus": ("beta", "1"), "elu": ("alpha", "1")}
"""Of torch's activations: the parameter and its default, as above."""


def with_default_noted(text: str, choices: Choices) -> str:
    """The same text of an activation, with a note on a parameter that it leaves out."""
    name, parameter = activation_parts(text)
    if parameter is None and name in _DEFAULTS:
        what, value = _DEFAULTS[name]
        choices.notes.append(f"{what} {value}, torch's default, is assumed; say {name}:{what.upper()} otherwise")
    return text


class Absolute(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.abs()


class Least(nn.Module):
    """The least feature: (N, C) -> (N, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amin(dim=1, keepdim=True)


class Snake(nn.Module):
    """x + sin(a x)^2 / a (Ziyin et al., 2020).  a: (n,)."""

    def __init__(self, a: Tensor) -> None:
        super().__init__()
        self.a = nn.Parameter(a)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.sin(self.a * x) ** 2 / self.a


def batch_norm(layer: Layer, eps: float) -> nn.BatchNorm1d:
    """With the running statistics, as in eval mode, where it is affine."""
    mean = layer.tensors["running_mean"]
    module = nn.BatchNorm1d(len(mean), eps=eps, dtype=mean.dtype)
    plain = {"weight": torch.ones_like(mean), "bias": torch.zeros_like(mean)}
    module.load_state_dict({**plain, **layer.tensors, "num_batches_tracked": torch.tensor(0)})
    return module


def prelu(layer: Layer) -> nn.PReLU:
    module = nn.PReLU(layer.weight.numel(), dtype=layer.weight.dtype)
    module.load_state_dict({"weight": layer.weight})
    return module
