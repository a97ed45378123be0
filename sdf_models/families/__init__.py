"""The families of architectures that a state dict can be of, and the way from its tensors to a network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from sdf_models.architectures import ConstantInput
from sdf_models.families.accounting import accounted
from sdf_models.families.bsp_net import BSP_NET
from sdf_models.families.concatenating import DEEPSDF, IDR, IGR, LIN, SAL
from sdf_models.families.defined import find_defined
from sdf_models.families.family import Family
from sdf_models.families.latent import (
    Held,
    coordinate_columns,
    held_length,
    latent_code,
    latent_code_if_any,
    latent_tables,
)
from sdf_models.families.layers import Layer, layers_of
from sdf_models.families.mlp import MLP
from sdf_models.families.network import FoundNetwork, find_network
from sdf_models.families.occupancy import OCCUPANCY
from sdf_models.families.side_files import specifications
from sdf_models.families.specs import fitting_specs
from sdf_models.families.surroundings import note_stated
from sdf_models.families.weights import Weights, low_rank_scale, stated_domain
from sdf_models.formats.format import Opened, Refused, check_finite
from sdf_models.reading import Alternative, Choices, Question

FAMILIES: tuple[Family, ...] = (DEEPSDF, SAL, IGR, IDR, OCCUPANCY, BSP_NET, MLP)

_FIELDS = re.compile(r"(^|\.)(implicit_network|sdf_network(_fine)?)$")
_DECODER = re.compile(r"(^|\.)decoder$")


def opened_weights(weights: Weights, choices: Choices) -> Opened:
    """The network that a container's tensors are.  Raises Refused and Open."""
    layers = layers_of(weights.tensors, low_rank_scale(weights.metadata))
    network = find_defined(layers, weights, choices) or find_network(layers, weights, choices, _is_public)
    network, tensors = accounted(network, choices)
    note_stated(weights.metadata, choices)
    specs = _specs(network, choices)
    family = _family(network, specs, choices)
    built = family.build(network, specs, choices)
    dtypes = {parameter.dtype for parameter in built.module.parameters()}
    dtype = max(dtypes, key=lambda dtype: torch.finfo(dtype).bits)
    module, inputs = _with_code(built.module.to(dtype), dtype, family, network, choices)
    if network.others:
        choices.notes.append(f"not drawn: {', '.join(network.others)}, also in the file")
    facts = {"family": family.name, "layers": _layers(network), **built.facts}
    facts |= {
        key.rpartition(".")[2]: str(value)
        for key, value in weights.metadata.items()
        if key.rpartition(".")[2] in ("epoch", "global_step", "step", "iteration") and isinstance(value, int)
    }
    domain, said = stated_domain(weights, inputs)
    return Opened(module, inputs, domain, facts, weights.notes, built.last_activation, said, tensors, own_forward=False)


def _is_public(path: str, layers: Sequence[Layer]) -> bool:
    """Return whether a network is the distance field of a public code: IDR and its kin, or SAL by its layers."""
    if _FIELDS.search(path):
        return True
    return _DECODER.search(path) is not None and all(LIN.fullmatch(x.name.rpartition(".")[2]) for x in layers)


def _specs(network: FoundNetwork, choices: Choices) -> Mapping[str, Any]:
    """Return what a specs.json says of the network, where it may be DeepSDF's."""
    if choices.peek("family") not in (None, DEEPSDF.name) or DEEPSDF.fits(network) is not None:
        return {}
    return fitting_specs(network, specifications(network.weights.path), choices)


def _family(network: FoundNetwork, specs: Mapping[str, Any], choices: Choices) -> Family:
    by_name = {family.name: family for family in FAMILIES}
    chosen = choices.peek("family")
    if chosen is not None:
        reason = by_name[chosen].fits(network)
        if reason is not None:
            raise Refused(f"it is not of the family {chosen}: {reason}", "choose another --family, or leave it out")
        return by_name[choices.settle(Question("family", "its architecture", ()))]
    fitting = [family for family in FAMILIES if family.fits(network) is None]
    if fitting == [MLP]:
        return MLP
    certain = [(family, why) for family in fitting if (why := family.evidence(network, specs)) is not None]
    question = Question(
        "family",
        "its layers lin0, lin1, ... are those of several public codes, which differ in activation and concatenation",
        tuple(Alternative(family.name, family.meaning) for family in fitting),
    )
    known, why = (certain[0][0].name, certain[0][1]) if certain else (None, "")
    return by_name[choices.settle(question, known, why)]


def _with_code(
    module: nn.Module, dtype: torch.dtype, family: Family, network: FoundNetwork, choices: Choices
) -> tuple[nn.Module, int]:
    """The module as a function of points alone, and their dimension."""
    inputs = network.inputs
    length = held_length(inputs, choices)
    if length <= 0:
        if network.definition is None and choices.peek("latent") not in (None, "none"):
            raise Refused(f"--latent: all of its {inputs} inputs are coordinates, none is held", "leave it out")
        return module, inputs
    tables = latent_tables(network.weights) | {name: network.weights.tensors[name] for name in network.codes}
    held = Held(length, inputs - length, network.weights.path, tables)
    code = latent_code_if_any(held, choices) if family is MLP else latent_code(held, choices)
    if code is None:
        return module, inputs
    check_finite("the latent code", code.numpy())
    known, why = (None, "") if family in (MLP, IDR) else ("last", "the family's definition")
    columns = coordinate_columns(inputs, choices, known, why)
    return ConstantInput(module, code.to(dtype), columns), len(columns)


def _layers(network: FoundNetwork) -> str:
    sizes = [network.inputs, *(layer.outputs for layer in network.linear)]
    return " → ".join(str(size) for size in sizes)
