"""Multilayer perceptrons under any names: plain and residual, with batch norm, PReLU, and concatenations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sdf_models.families.ends import drawn, last_activation
from sdf_models.families.family import Built, Family
from sdf_models.families.layers import Layer, note_order
from sdf_models.families.modules import (
    Add,
    Call,
    Chain,
    Concatenation,
    Operation,
    Remember,
    activation,
    batch_norm,
    linear_call,
    prelu,
    with_default_noted,
)
from sdf_models.families.network import FoundNetwork
from sdf_models.families.weights import stated
from sdf_models.formats.format import Refused
from sdf_models.last_activation import LastActivation
from sdf_models.reading import PARSERS, PIECEWISE_LINEAR, Alternative, Choices, Question

_ACTIVATIONS = ("activation", "act", "nonlinearity", "non_linearity", "act_fn", "activation_fn", "hidden_activation")
_LAST_ACTIVATIONS = ("last_activation", "final_activation", "output_activation", "out_activation")
_SIREN = re.compile(r"\.linear$")


def _fits(network: FoundNetwork) -> str | None:
    return None


def _evidence(network: FoundNetwork, specs: Mapping[str, Any]) -> str | None:
    return None


def _build(network: FoundNetwork, specs: Mapping[str, Any], choices: Choices) -> Built:
    norm = next((layer for layer in network.layers if layer.kind == "layer_norm"), None)
    if norm is not None:
        raise Refused(
            f"{norm.name!r:.60} is a layer norm, which divides by a quantity that depends on the input: not piecewise "
            "linear",
            "train the network without it, or with batch norm",
        )
    note_order(list(network.layers), choices)
    between = _activation(network, choices)
    leading, groups = _groups(network)
    before = _norm_order(groups, choices)
    concatenations = _concatenations(network, choices)
    residual = _residual(network, choices)
    if leading and concatenations:
        raise Refused(
            f"{leading[0].name!r:.60} is a batch norm of the input, which is also concatenated; "
            "whether before or after it is not in the file",
            "open it with --module package.module:function",
        )
    operations: list[Operation] = [Call(network.leaf_name(norm), batch_norm(norm)) for norm in leading]
    kind = "" if between is None else between.partition(":")[0]
    for i, (layer, others) in enumerate(groups):
        final = i == len(groups) - 1
        if i in concatenations:
            operations.append(concatenations[i])
        call = linear_call(network.leaf_name(layer), layer)
        after = [] if final else _after(i, layer, others, between, kind, network, before)
        operations += _with_sums(i, call, after, residual, network)
    last = _last(network, choices)
    return Built(Chain([*operations, *drawn(last)]), last)


def _activation(network: FoundNetwork, choices: Choices) -> str | None:
    """What is between the layers; None where every place has a PReLU of its own."""
    learned = sum(layer.kind == "prelu" for layer in network.layers)
    if learned == len(network.linear) - 1:
        choices.notes.append("activation PReLU: its slopes are in the file")
        return None
    hint = ""
    if all(_SIREN.search(layer.name) for layer in network.linear[:-1]):
        hint = " (its names are also those of SIREN, whose activation is the sine: not piecewise linear)"
    question = Question(
        "activation",
        f"the file does not say which activation is between its layers{hint}",
        (
            Alternative("relu", ""),
            Alternative("leaky_relu:0.01", "with its slope"),
            Alternative("softplus:100", "with its beta; --relu-limit draws its ReLU limit"),
        ),
        other=", ".join(name for name in (*PIECEWISE_LINEAR[2:], "sine", "tanh", "elu", "gelu", "silu")),
    )
    found = stated(network.weights.metadata, _ACTIVATIONS)
    if found is not None and isinstance(found[1], str):
        try:
            known = PARSERS["activation"](found[1].removeprefix("torch.nn.").removeprefix("nn.").removesuffix("()"))
        except ValueError:
            known = None
        return with_default_noted(str(choices.settle(question, known, f"the file's {found[0]} says so")), choices)
    return with_default_noted(str(choices.settle(question)), choices)


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


def _groups(network: FoundNetwork) -> tuple[list[Layer], list[tuple[Layer, list[Layer]]]]:
    """The batch norm of the input, if any, and each linear layer with the other layers that follow it."""
    leading: list[Layer] = []
    groups: list[tuple[Layer, list[Layer]]] = []
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


def _after(
    i: int, layer: Layer, others: list[Layer], between: str | None, kind: str, network: FoundNetwork, before: bool
) -> list[Call]:
    """The modules between a linear layer and the next."""
    norms = [Call(network.leaf_name(other), batch_norm(other)) for other in others if other.kind == "batch_norm"]
    learned = next((other for other in others if other.kind == "prelu"), None)
    if learned is not None:
        act = Call(network.leaf_name(learned), prelu(learned))
    elif between is not None:
        act = Call(f"{kind}{i}", activation(between))
    else:
        raise Refused(f"no PReLU follows {layer.name!r:.60}", "open it with --module package.module:function")
    first_norm = next((other for other in others if other.kind == "batch_norm"), None)
    if first_norm is None:
        return [act]
    known = _stated_order(layer, others)
    return [*norms, act] if (before if known is None else known) else [act, *norms]


def _stated_order(layer: Layer, others: list[Layer]) -> bool | None:
    """Whether the batch norm after a linear layer stands before the activation; None where the names do not say."""
    norm = next(other for other in others if other.kind == "batch_norm")
    learned = next((other for other in others if other.kind == "prelu"), None)
    if learned is not None:
        return others.index(norm) < others.index(learned)
    first, second = _index(layer.name), _index(norm.name)
    beside = layer.name.rpartition(".")[0] == norm.name.rpartition(".")[0]
    if first is None or second is None or not beside or second <= first:
        return None
    return second == first + 1


def _norm_order(groups: list[tuple[Layer, list[Layer]]], choices: Choices) -> bool:
    """Whether batch norm stands before the activation, where names do not say."""
    unsaid = [
        next(other for other in others if other.kind == "batch_norm")
        for layer, others in groups[:-1]
        if any(other.kind == "batch_norm" for other in others) and _stated_order(layer, others) is None
    ]
    if not unsaid:
        return True
    question = Question(
        "norm_order",
        f"whether its batch norm {unsaid[0].name!r:.60} stands before or after the activation is not in the file",
        (
            Alternative("before", "linear, batch norm, activation, as in most code"),
            Alternative("after", "linear, activation, batch norm"),
        ),
    )
    return str(choices.settle(question)) == "before"


def _index(name: str) -> int | None:
    """The number at the end of a name: the place in a torch.nn.Sequential."""
    last = name.rsplit(".", 1)[-1]
    return int(last) if last.isdecimal() else None


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
        i: Concatenation(None if count == network.inputs else count, scale, order == "first")
        for i, count in skips.items()
    }


def _residual(network: FoundNetwork, choices: Choices) -> str:
    """Where sums are.  Shapes do not show them; names in blocks of two layers make them likely, and are asked about."""
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
