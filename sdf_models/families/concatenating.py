"""DeepSDF, SAL, IGR and IDR: layers lin0, lin1, ... with concatenations [features, input].

Park et al., "DeepSDF" (2019), networks/deep_sdf_decoder.py; Atzmon and Lipman, "SAL" (2020), model/network.py; Gropp et
al., "Implicit Geometric Regularization" (2020), model/network.py; Yariv et al., "Multiview Neural Surface
Reconstruction" (2020), model/implicit_differentiable_renderer.py, and its descendants VolSDF and NeuS.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from sdf_models.families.ends import drawn, last_activation
from sdf_models.families.family import Built, Family
from sdf_models.families.latent import coordinate_columns
from sdf_models.families.layers import first_outputs
from sdf_models.families.modules import (
    Call,
    Chain,
    Concatenation,
    Operation,
    activation,
    linear_call,
    with_default_noted,
)
from sdf_models.families.network import FoundNetwork
from sdf_models.formats.format import Refused
from sdf_models.reading import Alternative, Choices, Question

SQRT_HALF = math.sqrt(0.5)
LIN = re.compile(r"lin\d+")
_IDR = re.compile(r"(^|\.)(implicit_network|sdf_network(_fine)?)$")


def _fits(network: FoundNetwork) -> str | None:
    odd = next((layer for layer in network.layers if not LIN.fullmatch(network.leaf_name(layer))), None)
    if odd is not None:
        return f"its layer {odd.name!r:.60} is not named lin0, lin1, ..."
    return next(
        (f"it has {x.name!r:.60}, which is no linear layer" for x in network.layers if x.kind != "linear"), None
    )


def _fits_deepsdf(network: FoundNetwork) -> str | None:
    norm = next((layer for layer in network.layers if layer.kind == "norm"), None)
    if norm is not None and re.fullmatch(r"bn\d+", network.leaf_name(norm)):
        raise Refused(
            f"{norm.name!r:.60} is a layer norm, which divides by a quantity that depends on the input: not piecewise "
            "linear",
            'train DeepSDF with "weight_norm": true to have linear regions',
        )
    return _fits(network)


def _is_deepsdf(network: FoundNetwork, specs: Mapping[str, Any]) -> str | None:
    if specs:
        return f"{specs['specs.json']} describes it"
    normalised = [layer.normalised for layer in network.linear]
    if any(normalised) and not normalised[-1] and not network.path.endswith(("decoder", "network")):
        return "the hidden layers lin0, lin1, ... have weight norm and the last has none, as in its public code"
    return None


def _is_sal(network: FoundNetwork, specs: Mapping[str, Any]) -> str | None:
    """Its public settings have weight norm or a concatenation, not both; others call a part of theirs decoder too."""
    both = bool(network.skips()) and any(layer.normalised for layer in network.linear)
    if network.path != "model_state_dict.decoder" or both:
        return None
    return "its layers are decoder.lin0, decoder.lin1, ... in model_state_dict, as in its public code"


def _is_idr(network: FoundNetwork, specs: Mapping[str, Any]) -> str | None:
    return f"its layers are in {network.path!r:.40}" if _IDR.search(network.path) else None


def _is_never_certain(network: FoundNetwork, specs: Mapping[str, Any]) -> str | None:
    return None


def _deepsdf(network: FoundNetwork, specs: Mapping[str, Any], choices: Choices) -> Built:
    relu = choices.settle(_activation_question("DeepSDF"), "relu", "DeepSDF's definition")
    twice = specs.get("use_tanh")
    known = "tanh-twice" if twice is True else "tanh"
    certain = isinstance(twice, bool)
    why = "its definition ends with tanh" + (
        f", and specs.json says use_tanh: {str(twice).lower()}"
        if certain
        else "; a second one with use_tanh is possible"
    )
    return _built(network, relu, 1.0, known, certain, why, choices)


def _sal(network: FoundNetwork, specs: Mapping[str, Any], choices: Choices) -> Built:
    relu = choices.settle(_activation_question("SAL"), "relu", "SAL's definition")
    why = "SAL's networks end with nothing or with x + tanh(x), which the file does not say"
    return _built(network, relu, SQRT_HALF, "x+tanh", False, why, choices)


def _igr(network: FoundNetwork, specs: Mapping[str, Any], choices: Choices) -> Built:
    question = Question(
        "activation",
        "IGR's networks have Softplus(100) unless they were made with beta = 0, which the file does not say",
        (
            Alternative("relu", "made with beta = 0"),
            Alternative("softplus:100", "its default, not piecewise linear: its ReLU limit can be drawn"),
        ),
    )
    chosen = choices.settle(question)
    return _built(network, chosen, SQRT_HALF, "none", True, "IGR's definition", choices)


def _idr(network: FoundNetwork, specs: Mapping[str, Any], choices: Choices) -> Built:
    encoded = network.inputs - 3
    if encoded and encoded % 6 == 0 and choices.peek("latent") is None:
        raise Refused(
            f"it takes {network.inputs} inputs, x, y, z in a positional encoding of {encoded // 6} frequencies: not "
            "piecewise linear",
            "train it with multires = 0 and ReLU to have linear regions",
        )
    chosen = choices.settle(_activation_question("IDR"), "softplus:100", "IDR's definition")
    if network.outputs > 1:
        choices.notes.append(f"of the {network.outputs} outputs the first is the distance, the others are features")
    return _built(network, chosen, SQRT_HALF, "none", True, "IDR's definition", choices, outputs=1)


def _activation_question(name: str) -> Question:
    return Question("activation", f"{name}'s activation", ())


def _built(
    network: FoundNetwork,
    between: str,
    scale: float,
    last: str,
    last_known: bool,
    why: str,
    choices: Choices,
    outputs: int | None = None,
) -> Built:
    with_default_noted(between, choices)
    skips = network.skips()
    if skips:
        question = Question(
            "skip_scale",
            "concatenations with the input are scaled or not",
            (Alternative("1", "as in DeepSDF"), Alternative("1/sqrt2", "as in SAL, IGR and IDR")),
        )
        scale = choices.settle(question, scale, "the family's definition")
        where = ", ".join(network.linear[i].name for i in skips)
        choices.notes.append(f"from the shapes: the input is concatenated before {where}")
    partly = any(count != network.inputs for count in skips.values())
    columns = coordinate_columns(network.inputs, choices, "last", "the family's definition") if partly else ()
    operations: list[Operation] = []
    *hidden, final = network.linear
    for i, layer in enumerate(hidden):
        operations += _joined(i, skips, network, scale, columns)
        operations.append(linear_call(network.leaf_name(layer), layer))
        operations.append(Call(f"{between.partition(':')[0]}{i}", activation(between)))
    operations += _joined(len(hidden), skips, network, scale, columns)
    operations.append(
        linear_call(network.leaf_name(final), final if outputs is None else first_outputs(final, outputs))
    )
    left_out = last_activation(last, last_known, why, choices)
    return Built(Chain([*operations, *drawn(left_out)]), left_out)


def _joined(
    i: int, skips: Mapping[int, int], network: FoundNetwork, scale: float, columns: tuple[int, ...]
) -> list[Operation]:
    return [Concatenation(None if skips[i] == network.inputs else columns, scale)] if i in skips else []


DEEPSDF = Family("deepsdf", "ReLU, concatenations unscaled, tanh at the end", _fits_deepsdf, _is_deepsdf, _deepsdf)
SAL = Family("sal", "ReLU, concatenations times 1/sqrt2", _fits, _is_sal, _sal)
IGR = Family("igr", "Softplus or ReLU, concatenations times 1/sqrt2", _fits, _is_never_certain, _igr)
IDR = Family("idr", "Softplus, concatenations times 1/sqrt2", _fits, _is_idr, _idr)
