"""The network that this package trains and saves, and the layers that readers of foreign files build modules of."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

LARGEST_WIDTH = 65_536
LARGEST_DEPTH = 1_024


class SqueezeLast(nn.Module):
    """(..., 1) -> (...)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.squeeze(-1)


class Sine(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x)


class Negate(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return -x


class OneOutput(nn.Module):
    """(N, ...) -> (N,): one of the outputs, which are counted in one sequence."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), -1)[:, self.index]

    def extra_repr(self) -> str:
        return str(self.index)


class AffineInput(nn.Module):
    """x -> A x + t for points (N, D), in their dtype.  matrix: (D, D), shift: (D,)."""

    def __init__(self, matrix: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix)
        self.register_buffer("shift", shift)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.get_buffer("matrix").to(x.dtype).T + self.get_buffer("shift").to(x.dtype)


class AffineOutput(nn.Module):
    """f -> s f + t."""

    def __init__(self, scale: float, shift: float) -> None:
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, f: Tensor) -> Tensor:
        return f * self.scale + self.shift

    def extra_repr(self) -> str:
        return f"{self.scale} f + {self.shift}"


class ConstantInput(nn.Module):
    """A network of which some inputs are held constant: points (N, D) -> network of code and point.

    code: (L,), of the other inputs in their order; columns: of the D coordinates among the L + D inputs, by default the
    last.
    """

    def __init__(self, network: nn.Module, code: Tensor, columns: Sequence[int] | None = None) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("code", code)
        self.places: list[int] | None = None  # of each input in [code, point], where that is not their order
        if columns is not None:
            count = len(code) + len(columns)
            held = [column for column in range(count) if column not in set(columns)]
            places = {column: i for i, column in enumerate([*held, *columns])}
            if held + list(columns) != list(range(count)):
                self.places = [places[column] for column in range(count)]

    def forward(self, x: Tensor) -> Any:
        inputs = torch.cat([self.get_buffer("code").expand(len(x), -1), x], dim=1)
        return self.network(inputs if self.places is None else inputs[:, self.places])

    def extra_repr(self) -> str:
        return f"code of {len(self.get_buffer('code'))}"


def linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """A linear layer that holds copies of weight (out, in) and bias (out,), in the weight's dtype."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, dtype=weight.dtype, device="meta")
    layer.weight = nn.Parameter(weight.detach().clone())
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().clone())
    return layer


@dataclass(frozen=True, slots=True)
class Architecture:
    """A ReLU multilayer perceptron inputs -> depth x width -> 1; depth is the number of hidden layers."""

    width: int
    depth: int
    inputs: int = 3

    def __post_init__(self) -> None:
        for name, value, largest in (
            ("width", self.width, LARGEST_WIDTH),
            ("depth", self.depth, LARGEST_DEPTH),
            ("inputs", self.inputs, LARGEST_WIDTH),
        ):
            if type(value) is not int or not 1 <= value <= largest:
                raise ValueError(f"{name} must be a whole number from 1 to {largest}, not {value!r}")

    def describe(self) -> dict[str, Any]:
        """The architecture as a JSON object."""
        return {"type": "relu_mlp", **asdict(self)}

    @classmethod
    def from_description(cls, description: Any) -> Self:
        """The inverse of `describe`; a ValueError says what is wrong with the description."""
        if not isinstance(description, dict) or description.get("type") != "relu_mlp":
            raise ValueError(f"unknown architecture {description!s:.80}")
        names = {"type", *cls.__slots__}
        if set(description) != names:
            raise ValueError(
                f"a relu_mlp has the fields {', '.join(sorted(names))}, not {', '.join(sorted(description))}"
            )
        return cls(**{name: description[name] for name in cls.__slots__})

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every tensor of the module's state dict, without making the module."""
        sizes = [self.inputs, *[self.width] * self.depth, 1]
        names = [*(f"linear{depth}" for depth in range(self.depth)), "output"]
        shapes: dict[str, tuple[int, ...]] = {}
        for name, columns, rows in zip(names, sizes[:-1], sizes[1:], strict=True):
            shapes |= {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}
        return shapes


class ReluMLP(nn.Sequential):
    """linear0, relu0, linear1, relu1, ..., output, squeeze: (N, inputs) -> (N,).

    The number in a layer's name is its depth.
    """

    def __init__(self, architecture: Architecture, dtype: torch.dtype = torch.float32) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        size = architecture.inputs
        for depth in range(architecture.depth):
            layers[f"linear{depth}"] = nn.Linear(size, architecture.width, dtype=dtype)
            layers[f"relu{depth}"] = nn.ReLU()
            size = architecture.width
        layers["output"] = nn.Linear(size, 1, dtype=dtype)
        layers["squeeze"] = SqueezeLast()
        super().__init__(layers)
        self.architecture = architecture
