"""What `info` and the window say of a checkpoint beside its facts: verdicts by layer, a reference, and advice."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from torch import nn

    from engine import EngineError, Network
    from sdf_models import Checkpoint

TOLERANCE: Final = 1e-6
"""Relative; a graph that differs by more from the network's own forward is not the same function."""

_POINTS = 1024
_AFFINE = ("Identity", "BatchNorm1d", "SqueezeLast", "Negate", "OneOutput", "AffineInput", "ConstantInput")
_SMOOTH = ("ELU", "GELU", "SiLU", "Sine", "Tanh", "Sigmoid")


@dataclass(frozen=True, slots=True)
class LayerVerdict:
    """An innermost layer: its path in the module, its class, and whether it is affine, piecewise linear, or why not."""

    name: str
    kind: str
    verdict: str


@dataclass(frozen=True, slots=True)
class ReferenceCheck:
    """Our graph against the network's own forward on `points` points of the domain, relative to the largest value.

    relative_difference: from the forward in float64, which tells whether the graph is right; relative_rounding: from
    the forward in the network's own dtype, which is that dtype's rounding besides.
    """

    points: int
    dtype: str
    largest_value: float
    relative_difference: float
    relative_rounding: float

    @property
    def agrees(self) -> bool:
        return self.relative_difference <= TOLERANCE

    def __str__(self) -> str:
        return (
            f"{'agrees with' if self.agrees else 'DIFFERS from'} the network's own forward on {self.points:,} points "
            f"of the domain: differs by {self.relative_difference:.1e} of the largest value in float64, by "
            f"{self.relative_rounding:.1e} in {self.dtype}"
        )


def layer_verdicts(module: nn.Module) -> list[LayerVerdict]:
    """The verdict on every innermost layer; activations are judged by tracing them alone."""
    from torch import nn

    from engine import EngineError, Network, NotPiecewiseLinearError

    verdicts: list[LayerVerdict] = []
    for path, layer in module.named_modules():
        if not path or any(layer.children()):
            continue
        kind, weight = type(layer).__name__, getattr(layer, "weight", None)
        if isinstance(layer, nn.Linear):
            verdict = f"affine, {layer.in_features} → {layer.out_features}"
        elif kind in _AFFINE:
            verdict = "affine"
        elif kind == "Function":
            kind, verdict = layer.extra_repr(), "as traced"
        else:
            try:
                Network.trace(layer, input_shape=(4 if weight is None else weight.numel(),))
                verdict = "piecewise linear"
            except NotPiecewiseLinearError as error:
                verdict = f"NOT piecewise linear: {error.reason.partition(';')[0]}"
            except EngineError:
                verdict = "as traced"
        verdicts.append(LayerVerdict(path, kind, verdict))
    return verdicts


def reference_check(checkpoint: Checkpoint, network: Network) -> ReferenceCheck:
    """Compare a traced network with the module that it was traced from."""
    import torch

    lower, upper = checkpoint.domain
    dtype = next((p.dtype for p in checkpoint.module.parameters()), torch.float32)
    x = torch.from_numpy(np.random.default_rng(0).uniform(lower, upper, (_POINTS, len(lower)))).to(dtype)
    with torch.inference_mode():
        native = checkpoint.module(x).double().reshape(_POINTS, -1).numpy()
        double = copy.deepcopy(checkpoint.module).double()(x.double()).reshape(_POINTS, -1).numpy()
    ours = network.forward(x.double().numpy())
    largest = float(np.abs(double).max()) or 1.0
    difference, rounding = (float(np.abs(ours - theirs).max()) / largest for theirs in (double, native))
    return ReferenceCheck(_POINTS, str(dtype).removeprefix("torch."), largest, difference, rounding)


def with_advice(error: EngineError) -> str:
    """What the engine says of a network that it cannot draw, and what its owner can do."""
    from engine import NotPiecewiseLinearError

    if not isinstance(error, NotPiecewiseLinearError):
        return str(error)
    if error.layer_class == "Softplus":
        return f"{error}; train it with ReLU, or say --relu-limit to draw its ReLU limit, an approximation"
    if error.layer_class in _SMOOTH:
        return f"{error}; train it with ReLU to have linear regions"
    return str(error)
