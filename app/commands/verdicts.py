"""What each layer of a module is: affine, piecewise linear, or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

_AFFINE = ("Linear", "Identity", "BatchNorm1d", "SqueezeLast", "Negate", "OneOutput", "AffineInput", "ConstantInput")


def layer_verdicts(module: nn.Module) -> list[tuple[str, str, str]]:
    """For each innermost layer its path, its class and the verdict; activations are judged by tracing them alone."""
    from engine import EngineError, Network
    from engine.errors import NotPiecewiseLinearError

    verdicts: list[tuple[str, str, str]] = []
    for path, layer in module.named_modules():
        if not path or any(layer.children()):
            continue
        kind = type(layer).__name__
        weight = getattr(layer, "weight", None)
        if kind == "Linear" and weight is not None:
            verdict = f"affine, {weight.shape[1]} → {weight.shape[0]}"
        elif kind in _AFFINE:
            verdict = "affine"
        elif kind == "Function":
            kind, verdict = layer.extra_repr(), "as traced"
        else:
            try:
                size = weight.numel() if weight is not None else 4
                Network.trace(layer, input_shape=(size,))
                verdict = "piecewise linear"
            except NotPiecewiseLinearError as error:
                verdict = f"NOT piecewise linear: {error.reason.partition(';')[0]}"
            except EngineError:
                verdict = "as traced"
        verdicts.append((path, kind, verdict))
    return verdicts
