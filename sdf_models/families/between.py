"""Activation, slopes, batch norms and their order between the linear layers of a multilayer perceptron."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sdf_models.families.layers import Layer
from sdf_models.families.modules import Call, Snake, activation, batch_norm, prelu, with_default_noted
from sdf_models.families.network import FoundNetwork
from sdf_models.families.orders import decided
from sdf_models.families.weights import stated
from sdf_models.formats.format import Refused
from sdf_models.reading import PARSERS, PIECEWISE_LINEAR, Alternative, Choices, Question

Group = tuple[Layer, list[Layer]]
"""A linear layer, and the other layers that follow it."""

_ACTIVATIONS: Final = (
    "activation", "act", "nonlinearity", "non_linearity", "act_fn", "activation_fn", "hidden_activation"
)  # fmt: skip
_SIREN = re.compile(r"\.linear$")


@dataclass(frozen=True, slots=True)
class Between:
    """activation: its text, None where every place has slopes of its own; slopes: what vectors are that may be those of
    a PReLU; eps: of the batch norms; norm_first: whether they stand before the activation where names do not say."""

    activation: str | None
    slopes: str
    eps: float
    norm_first: bool


def settled(network: FoundNetwork, groups: Sequence[Group], choices: Choices) -> Between:
    """As the file says or as it was chosen.  Raises Refused and Open."""
    slopes = _slopes(network, choices)
    return Between(_activation(network, choices), slopes, norm_eps(network, choices), _norm_first(groups, choices))


def after(between: Between, i: int, layer: Layer, others: Sequence[Layer], network: FoundNetwork) -> list[Call]:
    """The modules between linear layer i and the next."""
    norms = [
        Call(network.leaf_name(other), batch_norm(other, between.eps)) for other in others if other.kind == "batch_norm"
    ]
    learned = next((other for other in others if other.kind == "prelu"), None)
    if learned is not None:
        snake = between.slopes == "snake" and not learned.certain
        act = Call(network.leaf_name(learned), Snake(learned.weight) if snake else prelu(learned))
    elif between.activation is not None:
        act = Call(f"{between.activation.partition(':')[0]}{i}", activation(between.activation))
    else:
        raise Refused(f"no PReLU follows {layer.name!r:.60}", "open it with --module package.module:function")
    if not norms:
        return [act]
    known = _stated_order(layer, others)
    return [*norms, act] if (between.norm_first if known is None else known) else [act, *norms]


def _slopes(network: FoundNetwork, choices: Choices) -> str:
    """The kind of vectors that stand where slopes may, under names that do not say so."""
    unsure = [layer for layer in network.layers if layer.kind == "prelu" and not layer.certain]
    if not unsure:
        return "prelu"
    first, more = unsure[0], len(unsure) - 1
    (tensor,) = first.roles
    question = Question(
        "slopes",
        f"{tensor!r:.60} ({first.features} numbers){f' and {more} more like it' if more else ''} may be the slopes of "
        "a PReLU, or a parameter of another function (Snake, Swish, the scale of a norm)",
        (
            Alternative("prelu", "x where x > 0, else slope x"),
            Alternative("snake", "x + sin(a x)^2 / a, not piecewise linear"),
            Alternative("other", "another function, which the file does not define"),
        ),
    )
    kind = str(choices.settle(question))
    if kind == "other":
        raise Refused(
            f"{tensor!r:.60} is a parameter of a function that the file does not define",
            "open it with --module package.module:function",
        )
    return kind


def _activation(network: FoundNetwork, choices: Choices) -> str | None:
    """The activation between the layers; None where every place has a PReLU of its own."""
    learned = sum(layer.kind == "prelu" for layer in network.layers)
    if learned == len(network.linear) - 1:
        if all(layer.certain for layer in network.layers):
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
            Alternative("softplus:100", "with its beta, not piecewise linear: its ReLU limit can be drawn"),
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


def norm_eps(network: FoundNetwork, choices: Choices) -> float:
    """The number that is added to the variance of the batch norms."""
    norms = [layer for layer in network.layers if layer.kind == "batch_norm"]
    if not norms:
        return 0.0
    found = stated(network.weights.metadata, ("epsilon", "eps", "norm_eps", "bn_eps"))
    known, why = norms[0].eps, "the default where such names come from; the file does not hold it"
    if found is not None and isinstance(found[1], float) and 0 < found[1] < 1:
        known, why = found[1], f"the file's {found[0]} says so"
    question = Question(
        "norm_eps",
        f"what is added to the variance of its batch norms ({norms[0].name!r:.60}, ...) is not in the file",
        (Alternative("1e-05", "the default of Flax, Haiku and torch"), Alternative("0.001", "the default of Keras")),
        other="NUMBER",
    )
    return float(choices.settle(question, known, why))


def _norm_first(groups: Sequence[Group], choices: Choices) -> bool:
    """Return whether batch norm stands before the activation, where names do not say."""
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


def _stated_order(layer: Layer, others: Sequence[Layer]) -> bool | None:
    """Return whether a layer's batch norm stands before the activation; None where the names do not say."""
    norm = next(other for other in others if other.kind == "batch_norm")
    learned = next((other for other in others if other.kind == "prelu"), None)
    if learned is not None:
        return decided(norm.name, learned.name)
    first, second = _index(layer.name), _index(norm.name)
    beside = layer.name.rpartition(".")[0] == norm.name.rpartition(".")[0]
    if first is None or second is None or not beside or second <= first:
        return None
    return second == first + 1


def _index(name: str) -> int | None:
    """The number at the end of a name: the place in a torch.nn.Sequential."""
    last = name.rsplit(".", 1)[-1]
    return int(last) if last.isdecimal() else None
