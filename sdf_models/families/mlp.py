"""Multilayer perceptrons under any names: plain and residual, with batch norm, PReLU, and concatenations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sdf_models.families.between import Group, after, settled
from sdf_models.families.ends import drawn, last_activation
from sdf_models.families.family import Built, Family
from sdf_models.families.latent import coordinate_columns
from sdf_models.families.layers import Layer, natural
from sdf_models.families.modules import (
    Call,
    Chain,
    Concatenation,
    Operation,
    batch_norm,
    linear_call,
)
from sdf_models.families.network import FoundNetwork
from sdf_models.families.residual import residual_kind, with_sums
from sdf_models.families.weights import stated
from sdf_models.formats.format import Refused
from sdf_models.last_activation import LastActivation
from sdf_models.reading import PARSERS, Alternative, Choices, Question

_LAST_ACTIVATIONS = ("last_activation", "final_activation", "output_activation", "out_activation")


def _fits(network: FoundNetwork) -> str | None:
    return None


def _evidence(network: FoundNetwork, specs: Mapping[str, Any]) -> str | None:
    return None


def _build(network: FoundNetwork, specs: Mapping[str, Any], choices: Choices) -> Built:
    norm = next((layer for layer in network.layers if layer.kind == "norm"), None)
    if norm is not None:
        raise Refused(
            f"{norm.name!r:.60} has a scale and a shift of {norm.features} features without running statistics: a "
            "layer norm or a group norm, which divide by a quantity that depends on the input and are not piecewise "
            "linear, or another part that the file does not define",
            "train the network without it or with batch norm, or open it with --module package.module:function",
        )
    _note_order(network.layers, choices)
    leading, groups = _groups(network)
    between = settled(network, groups, choices)
    concatenations = _concatenations(network, choices)
    residual = residual_kind(network, choices)
    if leading and concatenations:
        raise Refused(
            f"{leading[0].name!r:.60} is a batch norm of the input, which is also concatenated; "
            "whether before or after it is not in the file",
            "open it with --module package.module:function",
        )
    operations: list[Operation] = [Call(network.leaf_name(norm), batch_norm(norm, between.eps)) for norm in leading]
    calls = [linear_call(network.leaf_name(layer), layer) for layer in network.linear]
    following = [after(between, i, *group, network) for i, group in enumerate(groups[:-1])]
    for i, part in enumerate(with_sums(calls, [*following, []], residual, network)):
        operations += [concatenations[i], *part] if i in concatenations else part
    last = _last(network, choices)
    return Built(Chain([*operations, *drawn(last)]), last)


def _note_order(layers: tuple[Layer, ...], choices: Choices) -> None:
    """Say the order of the layers, unless it is that of the numbers in names that differ in nothing else."""
    names = [layer.name for layer in layers]
    if names != sorted(names, key=natural) or len({re.sub(r"\d+", "", name) for name in names}) > 1:
        choices.notes.append(f"layers in the order {', '.join(names)}")


def _last(network: FoundNetwork, choices: Choices) -> LastActivation:
    found = stated(network.weights.metadata, _LAST_ACTIVATIONS)
    if found is not None:
        name = str(found[1]).lower()
        name = "none" if name in ("none", "identity", "linear", "") else name
        try:
            return last_activation(PARSERS["last_activation"](name), True, f"the file's {found[0]} says so", choices)
        except ValueError as error:
            raise Refused(f"its last activation: {error}", "say --last-activation") from error
    why = (
        "nothing is assumed to follow the last layer; tanh there would change the values, but neither the regions nor "
        "the zero level set"
    )
    return last_activation("none", False, why, choices)


def _groups(network: FoundNetwork) -> tuple[list[Layer], list[Group]]:
    """The batch norm of the input, if any, and each linear layer with the other layers that follow it."""
    leading: list[Layer] = []
    groups: list[Group] = []
    for layer in network.layers:
        if layer.kind == "linear":
            groups.append((layer, []))
        else:
            (groups[-1][1] if groups else leading).append(layer)
    if groups[-1][1]:
        raise Refused(
            f"{groups[-1][1][0].name!r:.60} follows the last linear layer",
            "open it with --module package.module:function",
        )
    return leading, groups


def _concatenations(network: FoundNetwork, choices: Choices) -> dict[int, Concatenation]:
    skips = network.skips()
    if not skips:
        return {}
    where = ", ".join(network.linear[i].name for i in skips)
    scale = choices.settle(
        Question(
            "skip_scale",
            f"the shapes say that the input is concatenated before {where}, but not whether the result is scaled",
            (Alternative("1", "not scaled, as in DeepSDF"), Alternative("1/sqrt2", "as in SAL, IGR and IDR")),
        )
    )
    order = choices.settle(
        Question(
            "skip_order",
            f"whether the input stands first or last in the concatenation before {where} is not in the file",
            (
                Alternative("last", "[features, input], as in DeepSDF"),
                Alternative("first", "[input, features], as in NeRF"),
            ),
        )
    )
    return {
        i: Concatenation(
            None if count == network.inputs else coordinate_columns(network.inputs, choices), scale, order == "first"
        )
        for i, count in skips.items()
    }


MLP = Family("mlp", "layers one after the other, with the activation that you say", _fits, _evidence, _build)
