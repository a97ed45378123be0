"""The decoders of occupancy networks: a latent code shifts features, and scales them in conditional batch norms.

Mescheder et al., "Occupancy Networks" (2019), im2mesh/onet/models/decoder.py: Decoder, DecoderBatchNorm,
DecoderCBatchNorm, DecoderCBatchNorm2 and DecoderCBatchNormNoResnet.  Once the code is fixed, all of it is affine but
the activations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch import Tensor

from sdf_models.architectures import linear
from sdf_models.families.between import norm_eps
from sdf_models.families.ends import drawn, last_activation
from sdf_models.families.family import Built, Family
from sdf_models.families.latent import SPACE, Held, latent_code, latent_tables
from sdf_models.families.layers import Layer
from sdf_models.families.modules import (
    Add,
    Call,
    Chain,
    Operation,
    Remember,
    activation,
    batch_norm,
    linear_call,
    with_default_noted,
)
from sdf_models.families.network import Definition, FoundNetwork
from sdf_models.families.weights import Weights
from sdf_models.formats.format import Refused, check_finite
from sdf_models.reading import Alternative, Choices, Question

_NAME = "occupancy"


@dataclass(frozen=True, eq=False, slots=True)
class _Norm:
    """A batch norm.  scale, shift: the layers that make them of the code, None where they are its own."""

    statistics: Layer
    scale: Layer | None = None
    shift: Layer | None = None


_Step = tuple[_Norm | None, Layer]
"""A linear layer with the norm before it and the activation in between."""


@dataclass(frozen=True, eq=False, slots=True)
class _Decoder:
    """point, out: the first and the last layer; branches: the steps of each block; norm: before the last activation.

    z, c: the layers of the two codes that shift features; sums: whether what a block takes is added to what it gives;
    second: whether it is a DecoderCBatchNorm2, in which z shifts the code c.
    """

    point: Layer
    branches: tuple[tuple[_Step, ...], ...]
    norm: _Norm | None
    out: Layer
    z: Layer | None
    c: Layer | None
    sums: bool
    second: bool

    @property
    def norms(self) -> list[_Norm | None]:
        return [*(norm for branch in self.branches for norm, _ in branch), self.norm]

    @property
    def lengths(self) -> tuple[int, int]:
        """The numbers of the codes z and c."""
        scale = None if self.norm is None else self.norm.scale
        of_c = self.c if scale is None else scale
        return (0 if self.z is None else self.z.inputs), (0 if of_c is None else of_c.inputs)


def find(layers: Sequence[Layer], weights: Weights) -> Iterator[FoundNetwork]:
    """The decoders of a file: modules all of whose layers have their names and shapes."""
    for path, _, last in (layer.name.rpartition(".") for layer in layers):
        if last not in ("fc_p", "conv_p"):
            continue
        inside = f"{path}." if path else ""
        parts = {x.name.removeprefix(inside): x for x in layers if x.name.startswith(inside)}
        decoder = _decoder(parts)
        if decoder is not None:
            order = (decoder.point, *(part for part in parts.values() if part is not decoder.point))
            definition = Definition(_NAME, decoder.point.inputs, sum(decoder.lengths))
            yield FoundNetwork(path, order, weights, parts=(path,), definition=definition)


def _decoder(parts: Mapping[str, Layer]) -> _Decoder | None:
    """The decoder of layers by their names in it; None where they are not those of a decoder."""
    left = dict(parts)

    def layer(name: str) -> Layer | None:
        return left.pop(name) if name in left and left[name].kind == "linear" else None

    def norm(name: str) -> _Norm | None:
        place = name if name in left else f"{name}.bn"
        if place not in left or left[place].kind != "batch_norm":
            return None
        made = [layer(f"{name}.{kind}_{what}") for what in ("gamma", "beta") for kind in ("conv", "fc")]
        scale, shift = made[0] or made[1], made[2] or made[3]
        return _Norm(left.pop(place), scale, shift)

    second = "conv_p" in left
    block = "blocks." if second else "block"
    sums = second or "block0.fc_0" in left
    point, out = (layer(name) for name in (("conv_p", "conv_out") if second else ("fc_p", "fc_out")))
    branches: list[list[tuple[_Norm | None, Layer | None]]] = []
    for i in count():
        names = [(f"{block}{i}.bn_{k}", f"{block}{i}.fc_{k}") for k in (0, 1)] if sums else [(f"bn_{i}", f"fc_{i}")]
        if names[0][1] not in left:
            break
        branches.append([(norm(before), layer(after)) for before, after in names])
    last = norm("bn" if sums else f"bn_{len(branches)}")
    z, c = layer("fc_z"), layer("fc_c")
    steps = tuple(tuple((n, x) for n, x in branch if x is not None) for branch in branches)
    if point is None or out is None or left or [len(s) for s in steps] != [len(b) for b in branches]:
        return None
    decoder = _Decoder(point, steps, last, out, z, c, sums, second)
    return decoder if branches and _is_defined(decoder) and _fits_together(decoder) else None


def _is_defined(decoder: _Decoder) -> bool:
    """Return whether one of the five decoders has these parts: norms of one kind, and the code where it takes it."""
    kinds = {None if norm is None else (norm.scale is not None, norm.shift is not None) for norm in decoder.norms}
    if kinds == {(True, True)}:
        own = any({"weight", "bias"} & norm.statistics.tensors.keys() for norm in decoder.norms if norm is not None)
        return decoder.c is None and not own
    return decoder.sums and not decoder.second and kinds in ({None}, {(False, False)})


def _fits_together(decoder: _Decoder) -> bool:
    """Return whether the shapes of its layers fit."""
    width, (_, code) = decoder.point.outputs, decoder.lengths
    layers = [decoder.point, decoder.out]
    sizes = [(decoder.out.inputs, width), (min(decoder.point.inputs, SPACE), decoder.point.inputs)]
    for branch in decoder.branches:
        size = width
        for norm, layer in branch:
            sizes += [(layer.inputs, size), *([] if norm is None else [(norm.statistics.features, size)])]
            layers.append(layer)
            size = layer.outputs
        sizes.append((size, width))
    for norm in decoder.norms:
        if norm is not None:
            of_code = [layer for layer in (norm.scale, norm.shift) if layer is not None]
            sizes += [(layer.inputs, code) for layer in of_code]
            sizes += [(layer.outputs, norm.statistics.features) for layer in of_code]
            layers += of_code
    if decoder.norm is not None:
        sizes.append((decoder.norm.statistics.features, width))
    for shift, target in ((decoder.z, code if decoder.second else width), (decoder.c, width)):
        if shift is not None:
            sizes.append((shift.outputs, target))
            layers.append(shift)
    sizes += [(len(layer.bias), layer.outputs) for layer in layers if layer.bias is not None]
    return all(found == wanted for found, wanted in sizes)


def _fits(network: FoundNetwork) -> str | None:
    if network.definition is None or network.definition.family != _NAME:
        return "its layers are not those of a decoder of occupancy networks"
    return None


def _evidence(network: FoundNetwork, specs: Mapping[str, Any]) -> str | None:
    return "the names of all its layers are those of a decoder of occupancy networks"


def _build(network: FoundNetwork, specs: Mapping[str, Any], choices: Choices) -> Built:
    decoder = _decoder({network.leaf_name(layer): layer for layer in network.layers})
    if decoder is None:
        raise Refused("its layers are not those of a decoder of occupancy networks", "choose another --family")
    _settle_residual(decoder, choices)
    between, last = _activations(decoder, choices)
    z, c = _codes(decoder, network, choices)
    eps = norm_eps(network, choices)
    shift = torch.zeros(decoder.point.outputs, dtype=torch.float64)
    if decoder.second:
        c = c if decoder.z is None else c + _applied(decoder.z, z)
    elif decoder.z is not None:
        shift = shift + _applied(decoder.z, z)
    if decoder.c is not None:
        shift = shift + _applied(decoder.c, c)

    def name(layer: Layer) -> str:
        return network.leaf_name(layer)

    def normed(norm: _Norm | None) -> list[Operation]:
        return [] if norm is None else [Call(name(norm.statistics), batch_norm(_fixed(norm, c), eps))]

    bias = shift if decoder.point.bias is None else shift + decoder.point.bias
    operations: list[Operation] = [Call(name(decoder.point), linear(decoder.point.weight.double(), bias))]
    for i, branch in enumerate(decoder.branches):
        operations += [Remember(i)] if decoder.sums else []
        for norm, layer in branch:
            operations += [*normed(norm), Call(f"act_{name(layer)}", activation(between))]
            operations.append(linear_call(name(layer), layer))
        operations += [Add(i)] if decoder.sums else []
    operations += [*normed(decoder.norm), Call(f"act_{name(decoder.out)}", activation(last))]
    operations.append(linear_call(name(decoder.out), decoder.out))
    end = last_activation("none", True, "its definition", choices)
    choices.notes.append(
        "its values are logits of an occupancy, positive inside: --flip-sign makes them negative there"
    )
    sizes = (
        f"{decoder.point.inputs} → {len(decoder.branches)} blocks of {decoder.point.outputs} → {decoder.out.outputs}"
    )
    return Built(Chain([*operations, *drawn(end)]), end, {"layers": sizes})


def _settle_residual(decoder: _Decoder, choices: Choices) -> None:
    """Refuse sums other than those of the definition, where some were chosen."""
    known = "pre" if decoder.sums else "none"
    chosen = choices.settle(
        Question("residual", "sums with earlier layers", ()), known, "occupancy networks' definition"
    )
    if chosen != known:
        raise Refused(f"--residual {chosen}: in the family {_NAME} it is {known}", "leave it out, or say --family mlp")


def _activations(decoder: _Decoder, choices: Choices) -> tuple[str, str]:
    """The activations in the blocks, and before the last layer.

    The leaky ones of the definition stand before the last layer alone where there are blocks, which have ReLU.
    """
    if decoder.second:
        question = Question("activation", "the activation of DecoderCBatchNorm2", ())
        relu = str(choices.settle(question, "relu", "the definition of DecoderCBatchNorm2"))
        return with_default_noted(relu, choices), relu
    where = "before the last layer alone" if decoder.sums else "between all layers"
    question = Question(
        "activation",
        f"occupancy networks have ReLU, or, made with leaky=True, leaky ReLU {where}, which the file does not say",
        (Alternative("relu", "made without, the default"), Alternative("leaky_relu:0.2", "made with leaky=True")),
    )
    chosen = with_default_noted(str(choices.settle(question)), choices)
    return ("relu" if decoder.sums else chosen), chosen


def _codes(decoder: _Decoder, network: FoundNetwork, choices: Choices) -> tuple[Tensor, Tensor]:
    """The codes z and c, float64; empty where it takes none."""
    lengths = decoder.lengths
    if not sum(lengths):
        return torch.zeros(0, dtype=torch.float64), torch.zeros(0, dtype=torch.float64)
    parts = f"{lengths[0]} of z, then {lengths[1]} of c" if all(lengths) else ""
    tables = latent_tables(network.weights)
    code = latent_code(Held(sum(lengths), decoder.point.inputs, network.weights.path, tables, parts), choices)
    check_finite("the latent code", code.numpy())
    return code.double()[: lengths[0]], code.double()[lengths[0] :]


def _applied(layer: Layer, code: Tensor) -> Tensor:
    made = layer.weight.double() @ code
    return made if layer.bias is None else made + layer.bias


def _fixed(norm: _Norm, c: Tensor) -> Layer:
    """A batch norm in float64 whose scale and shift are those of the code."""
    tensors = {name: tensor.double() for name, tensor in norm.statistics.tensors.items()}
    if norm.scale is not None and norm.shift is not None:
        tensors |= {"weight": _applied(norm.scale, c), "bias": _applied(norm.shift, c)}
    return Layer(norm.statistics.name, "batch_norm", tensors)


OCCUPANCY = Family(_NAME, "decoders of occupancy networks, of a latent code that is held", _fits, _evidence, _build)
