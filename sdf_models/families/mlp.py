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
    Add,
    Call,
    Chain,
    Concatenation,
    Operation,
    Remember,
    batch_norm,
    linear_call,
)
from sdf_models.families.network import FoundNetwork
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
    residual = _residual(network, choices)
    if leading and concatenations:
        raise Refused(
            f"{leading[0].name!r:.60} is a batch norm of the input, which is also concatenated; "
            "whether before or after it is not in the file",
            "open it with --module package.module:function",
        )
    operations: list[Operation] = [Call(network.leaf_name(norm), batch_norm(norm, between.eps)) for norm in leading]
    for i, (layer, others) in enumerate(groups):
        final = i == len(groups) - 1
        if i in concatenations:
            operations.append(concatenations[i])
        call = linear_call(network.leaf_name(layer), layer)
        following = [] if final else after(between, i, layer, others, network)
        operations += _with_sums(i, call, following, residual, network)
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


def _residual(network: FoundNetwork, choices: Choices) -> str:
    """Return where sums are, which shapes do not show: names in blocks of two make them likely, and are asked about."""
    chosen = choices.peek("residual")
    if chosen is None and not _blocks(network):
        if any(layer.inputs == layer.outputs for layer in network.linear[1:-1]):
            choices.notes.append("no residual sums are assumed (--residual layer otherwise)")
        return "none"
    question = Question(
        "residual",
        "its layers stand in blocks of two, which may be residual; the file does not say",
        (
            Alternative("none", "a plain chain"),
            Alternative("sum", "x + B(act(A(x))) for each block"),
            Alternative("pre", "x + B(act(A(act(x)))), as in ResNets of occupancy networks"),
            Alternative("post", "act(x + B(act(A(x))))"),
            Alternative("layer", "x + act(A(x)) for each layer"),
        ),
    )
    return str(choices.settle(question))


def _blocks(network: FoundNetwork) -> set[int]:
    """The indices of linear layers that, with the next one, are a block of their own with as many outputs as inputs."""
    parents = [layer.name.rpartition(".")[0] for layer in network.linear]
    return {
        i
        for i in range(len(parents) - 1)
        if re.search(r"\d", parents[i].rpartition(".")[2])
        and parents.count(parents[i]) == 2
        and parents[i] == parents[i + 1]
        and network.linear[i].inputs == network.linear[i + 1].outputs
    }


def _pairs(network: FoundNetwork) -> set[int]:
    """The same by shapes alone: pairs of layers from the second on, as long as they give what they take."""
    starts: set[int] = set()
    for i in range(1, len(network.linear) - 2):
        same = network.linear[i].inputs == network.linear[i + 1].outputs
        if same and i - 1 not in starts:
            starts.add(i)
    return starts


def _with_sums(i: int, call: Call, after: list[Call], residual: str, network: FoundNetwork) -> list[Operation]:
    """The operations of linear layer i and what follows it, with the sums that it takes part in."""
    layer = network.linear[i]
    if residual == "none":
        return [call, *after]
    if residual == "layer":
        return [Remember(i), call, *after, Add(i)] if layer.inputs == layer.outputs and after else [call, *after]
    starts = _blocks(network) or _pairs(network)
    if i in starts:
        opening = [Call(f"{part.name}_before", part.module) for part in after] if residual == "pre" else []
        return [Remember(i), *opening, call, *after]
    if i - 1 in starts:
        followed = residual == "post" or (residual == "pre" and i + 1 not in starts)
        return [call, Add(i - 1), *(after if followed else [])]
    return [call] if residual == "pre" and i + 1 in starts else [call, *after]


MLP = Family("mlp", "layers one after the other, with the activation that you say", _fits, _evidence, _build)
