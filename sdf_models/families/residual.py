"""Sums with earlier layers: where they are likely, and what a chain of layers becomes with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from torch import nn

from sdf_models.families.modules import Add, Call, Operation, Remember
from sdf_models.families.network import FoundNetwork
from sdf_models.formats.format import Refused
from sdf_models.reading import Alternative, Choices, Question

_NAMED = re.compile(
    r"(^|[._])(res(idual)?s?_?(net|block|layer|fc|linear|mlp|unit)?s?|([a-z]+_)?blocks?)_?\d*([._]|$)", re.IGNORECASE
)


def residual_kind(network: FoundNetwork, choices: Choices) -> str:
    """One of reading.RESIDUALS.  Shapes do not show sums; layers in blocks, or so named, are asked about."""
    same = any(layer.inputs == layer.outputs for layer in network.linear[:-1])
    named = same and any(_NAMED.search(layer.name) for layer in network.linear)
    if choices.peek("residual") is None and not named and not _blocks(network):
        if same:
            choices.notes.append("no residual sums are assumed (--residual layer otherwise)")
        return "none"
    question = Question(
        "residual",
        "its layers stand in blocks, which may be residual; the file does not say",
        (
            Alternative("none", "a plain chain"),
            Alternative("sum", "x + B(act(A(x))) for each block"),
            Alternative("pre", "x + B(act(A(act(x)))), as in ResNets of occupancy networks"),
            Alternative("post", "act(x + B(act(A(x))))"),
            Alternative("layer", "x + act(A(x)) for each layer"),
        ),
    )
    kind = str(choices.settle(question))
    if not (same if kind == "layer" else kind == "none" or _blocks(network) or _pairs(network)):
        none = (
            "none of its layers gives as many features as it takes"
            if kind == "layer"
            else "no two layers between the first and the last give as many features as they take"
        )
        raise Refused(f"--residual {kind}: {none}", "choose another --residual, or leave it out")
    return kind


def with_sums(
    calls: Sequence[Call], following: Sequence[Sequence[Call]], residual: str, network: FoundNetwork
) -> list[list[Operation]]:
    """The operations of each linear layer and of what follows it, with the sums that it takes part in.

    A batch norm after the last layer of a block is a part of what is added, as in ResNets, unless its name is in the
    next block, which then begins with it.  Raises Refused where a norm's side of a sum is not in the file.
    """
    pairs = list(zip(calls, following, strict=True))
    if residual == "none":
        return [[call, *after] for call, after in pairs]
    if residual == "layer":
        same = [layer.inputs == layer.outputs for layer in network.linear[:-1]] + [False]
        return [
            [Remember(i), call, *after, Add(i)] if same[i] else [call, *after] for i, (call, after) in enumerate(pairs)
        ]
    starts = _blocks(network) or _pairs(network)
    ends = {end: start for start, end in starts.items()}
    operations: list[list[Operation]] = []
    opening: list[Call] = []
    for i, (call, after) in enumerate(pairs):
        part: list[Operation] = [*([Remember(i)] if i in starts else []), *opening, call]
        inside: list[Operation] = list(after)
        opening = []
        if i in ends or i + 1 in starts:
            inside, beyond = _at_a_sum(i, after, residual, i in ends, i + 1 in starts, network)
            if i in ends:
                inside.append(Add(ends[i]))
            if residual == "pre" and i + 1 in starts:
                opening = beyond
            elif residual != "sum" or i not in ends:
                inside += beyond
        operations.append([*part, *inside])
    return operations


def _at_a_sum(
    i: int, after: Sequence[Call], residual: str, ends: bool, begins: bool, network: FoundNetwork
) -> tuple[list[Operation], list[Call]]:
    """Return what follows linear layer i before and after a sum that it ends, or the copy that the next block takes.

    Raises Refused.
    """
    own = network.leaf_name(network.linear[i]).rpartition(".")[0]
    following = network.leaf_name(network.linear[i + 1]).rpartition(".")[0] if begins else own
    inside = list(takewhile(lambda call: _is_norm(call) and _module(call) == own, after))
    beyond = list(after[len(inside) :])
    for j, call in enumerate(beyond):
        if not _is_norm(call):
            continue
        first = _module(call) == following != own
        match residual:
            case "pre":
                fits = first or (ends and not begins)
            case "post":
                fits = not ends or j > 0
            case _:
                fits = not ends
        if not fits or (first and residual != "pre"):
            raise Refused(
                f"on which side of a residual sum the batch norm {call.name!r:.60} stands is not in the file, for "
                f"--residual {residual}",
                "choose another --residual, or open it with --module package.module:function",
            )
    return list(inside), beyond


def _is_norm(call: Call) -> bool:
    return isinstance(call.module, nn.BatchNorm1d)


def _module(call: Call) -> str:
    return call.name.rpartition(".")[0]


def _blocks(network: FoundNetwork) -> dict[int, int]:
    """The indices of the first and the last linear layer of each block of its own that gives as much as it takes."""
    parents = [layer.name.rpartition(".")[0] for layer in network.linear]
    found: dict[int, int] = {}
    for i, parent in enumerate(parents):
        end = i + parents.count(parent) - 1
        numbered = re.search(r"\d", parent.rpartition(".")[2]) is not None
        together = 1 < end + 1 - i < len(parents) and parents[i : end + 1] == [parent] * (end + 1 - i)
        if numbered and together and network.linear[i].inputs == network.linear[end].outputs:
            found[i] = end
    return found


def _pairs(network: FoundNetwork) -> dict[int, int]:
    """The same by shapes alone: pairs of layers from the second on, as long as they give what they take."""
    found: dict[int, int] = {}
    for i in range(1, len(network.linear) - 2):
        if network.linear[i].inputs == network.linear[i + 1].outputs and i not in found.values():
            found[i] = i + 1
    return found
