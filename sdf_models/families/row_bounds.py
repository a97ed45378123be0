"""Lipschitz MLPs: a learned bound beside each layer, by which the rows of its matrix are scaled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from sdf_models.families.layers import Layer
from sdf_models.families.network import FoundNetwork
from sdf_models.reading import Alternative, Choices, Question

_BOUNDS = ("c", "ci", "k", "bound", "lip", "lipschitz")


def with_row_bounds(network: FoundNetwork, left: list[str], choices: Choices) -> tuple[FoundNetwork, Mapping[str, str]]:
    """The network with its rows bounded as chosen, and what the tensors of the bounds were taken for.  Raises Open.

    left: the names of the tensors that are left over.
    """
    bounds = {
        layer.name: name
        for layer in network.linear
        for name in left
        if name in {f"{layer.name}.{bound}" for bound in _BOUNDS} and network.weights.tensors[name].numel() == 1
    }
    if len(bounds) < len(network.linear):
        return network, {}
    first = next(iter(bounds.values()))
    question = Question(
        "row_bounds",
        f"{first!r:.60} and one number beside each other layer may bound its matrix, as in Lipschitz MLPs",
        (
            Alternative("softplus", "row i times min(1, softplus(c) / sum_j |W_ij|), as Liu et al. (2022) define it"),
            Alternative("plain", "row i times min(1, c / sum_j |W_ij|)"),
            Alternative("none", "the matrices as they are"),
        ),
    )
    kind = str(choices.settle(question))
    roles = dict.fromkeys(bounds.values(), "bound of a matrix's rows, by --row-bounds")
    if kind == "none":
        return network, roles
    layers = tuple(
        _bounded(layer, network.weights.tensors[bounds[layer.name]], kind) if layer.name in bounds else layer
        for layer in network.layers
    )
    return replace(network, layers=layers), roles


def _bounded(layer: Layer, bound: Tensor, kind: str) -> Layer:
    bound, weight = bound.double().reshape(()), layer.weight.double()
    bound = nn.functional.softplus(bound) if kind == "softplus" else bound
    factors = (bound / weight.abs().sum(dim=1)).clamp(max=1.0)
    return replace(layer, tensors={**layer.tensors, "weight": weight * factors[:, None]})
