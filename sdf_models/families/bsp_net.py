"""BSP-Net: planes, which a decoder makes of a latent code or the file holds, and the convexes that they are joined to.

Chen et al., "BSP-Net" (2020), BSP-NET-pytorch, modelAE.py: the generator is another function in each phase of the
training.  Once the code is fixed, it is piecewise linear in the points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import torch
from torch import Tensor, nn

from sdf_models.architectures import linear
from sdf_models.families.ends import drawn, last_activation
from sdf_models.families.family import Built, Family
from sdf_models.families.latent import SPACE, Held, latent_code, latent_tables
from sdf_models.families.layers import Layer
from sdf_models.families.modules import Call, Chain, Least, Operation
from sdf_models.families.network import Definition, FoundNetwork
from sdf_models.families.weights import Weights
from sdf_models.formats.format import Refused, check_finite
from sdf_models.reading import Alternative, Choices, Question

_NAME: Final = "bsp-net"
_CONVEX, _CONCAVE = "convex_layer", "concave_layer"
_PLANES = re.compile(r"(^|\.)(plane_m|planes?)$")
_SLOPE: Final = 0.01
"""Of the leaky ReLU in the decoder."""
_CONNECTED: Final = 0.01
"""Weights of more than this join a plane to a convex in the phases 1 and 2."""


def find(layers: Sequence[Layer], weights: Weights) -> Iterator[FoundNetwork]:
    """The generators of a file, with the decoder beside them that makes their planes, or with planes (4, count)."""
    by_name = {layer.name: layer for layer in layers}
    for name, convex in by_name.items():
        module, _, last = name.rpartition(".")
        if last != _CONVEX or convex.kind != "linear" or convex.bias is not None:
            continue
        path, _, generator = module.rpartition(".")
        decoder = _decoder(by_name, f"{path}.decoder" if path else "decoder") if generator == "generator" else ()
        decoder = decoder or _held_planes(weights, convex.outputs)
        concave = by_name.get(f"{module}.{_CONCAVE}" if module else _CONCAVE)
        if not decoder or decoder[-1].outputs != 4 * convex.outputs:
            continue
        if concave is not None and tuple(concave.weight.shape) != (convex.inputs, 1):
            continue
        order = (
            *decoder,
            replace(convex, roles=dict.fromkeys(convex.roles, "connections of planes to convexes")),
            *([replace(concave, roles=dict.fromkeys(concave.roles, "weight, in phase 0 alone,"))] if concave else []),
        )
        parts = tuple(layer.name for layer in order)
        yield FoundNetwork(path, order, weights, parts=parts, definition=Definition(_NAME, SPACE, decoder[0].inputs))


def _decoder(by_name: Mapping[str, Layer], path: str) -> tuple[Layer, ...]:
    """linear_1, linear_2, ... of a module, where these are all of its layers and their shapes chain; else nothing."""
    parts = [layer for name, layer in by_name.items() if name.startswith(f"{path}.")]
    order = tuple(by_name[name] for i in range(len(parts)) if (name := f"{path}.linear_{i + 1}") in by_name)
    whole = len(order) == len(parts) and all(layer.kind == "linear" for layer in order)
    if not whole or any(layer.bias is not None and len(layer.bias) != layer.outputs for layer in order):
        return ()
    return order if all(before.outputs == after.inputs for before, after in pairwise(order)) else ()


def _held_planes(weights: Weights, count: int) -> tuple[Layer, ...]:
    """Planes that the file holds, as a layer that makes them of no code; nothing where there are none, or several."""
    found = {
        name: tensor
        for name, tensor in weights.tensors.items()
        if _PLANES.search(name) and tuple(tensor.shape) in ((4, count), (1, 4, count))
    }
    if len(found) != 1:
        return ()
    ((name, tensor),) = found.items()
    held = {"weight": tensor.new_zeros(4 * count, 0), "bias": tensor.reshape(-1)}
    return (Layer(name, "linear", held, roles={name: "planes"}),)


def _fits(network: FoundNetwork) -> str | None:
    if network.definition is None or network.definition.family != _NAME:
        return "it has no generator of convexes with the decoder of its planes, or with planes, as BSP-Net has"
    return None


def _evidence(network: FoundNetwork, specs: Mapping[str, Any]) -> str | None:
    return "the names of all its layers are those of BSP-Net's decoder and generator"


def _build(network: FoundNetwork, specs: Mapping[str, Any], choices: Choices) -> Built:
    convex = next(layer for layer in network.layers if layer.name.rpartition(".")[2] == _CONVEX)
    concave = next((layer for layer in network.layers if layer.name.rpartition(".")[2] == _CONCAVE), None)
    decoder = network.layers[: network.layers.index(convex)]
    phase = _phase(convex, concave, choices)
    planes = _planes(decoder, network, choices)
    operations: list[Operation] = [Call("planes", linear(planes[:SPACE].T, planes[SPACE])), Call("sides", nn.ReLU())]
    joined = convex.weight > _CONNECTED if phase in "12" else convex.weight
    matrix = joined.double().T
    if phase == "0" and concave is not None:
        operations += [
            Call("convexes", linear(-matrix, torch.ones(len(matrix), dtype=torch.float64))),
            Call("inside", nn.Hardtanh(0.0, 1.0)),
            Call("sum", linear(concave.weight.double().T, None)),
            Call("shape", nn.Hardtanh(0.0, 1.0)),
        ]
    else:
        operations += [Call("convexes", linear(matrix, None)), Call("least", Least())]
    choices.notes.append(
        "its values are from 0 to 1, larger inside, and its surface is their level 0.5: --output-transform=-1,0.5 "
        "makes that 0, with negative values inside"
        if phase == "0"
        else "its values are 0 inside and larger outside, and its surface is their level 0.01, as in its public code: "
        "--output-transform=1,-0.01 makes that 0"
    )
    end = last_activation("none", True, "its definition", choices)
    sizes = f"{SPACE} → {convex.outputs} planes → {convex.inputs} convexes → 1"
    return Built(Chain([*operations, *drawn(end)]), end, {"layers": sizes})


def _phase(convex: Layer, concave: Layer | None, choices: Choices) -> str:
    """The phase of the training, which defines the generator.  Raises Refused and Open."""
    soft = [Alternative("0", "continuous: sums over planes and convexes, cut off at 0 and 1")] if concave else []
    question = Question(
        "phase",
        f"BSP-Net's generator ({convex.name!r:.60}) is another function in each phase of its training, which the file "
        "does not say",
        (
            *soft,
            Alternative("1", "discrete, as phase 2: the least of the convexes, of planes with weights above 0.01"),
            Alternative("3", "soft discrete, as phase 4: the least of the convexes, with weights as they are"),
        ),
        other="2, 4",
    )
    phase = str(choices.settle(question))
    if phase == "0" and concave is None:
        raise Refused(f"phase 0 takes {_CONCAVE}_weights, which the file does not hold", "choose another --phase")
    return phase


def _planes(decoder: Sequence[Layer], network: FoundNetwork, choices: Choices) -> Tensor:
    """The planes (4, count), float64: of each the normal and the offset."""
    made = torch.zeros(0, dtype=torch.float64)
    if decoder[0].inputs:
        held = Held(decoder[0].inputs, SPACE, network.weights.path, latent_tables(network.weights))
        made = latent_code(held, choices).double()
        check_finite("the latent code", made.numpy())
        choices.notes.append(f"the decoder of the planes has leaky ReLU {_SLOPE}: BSP-Net's definition")
    for i, layer in enumerate(decoder):
        made = nn.functional.leaky_relu(made, _SLOPE) if i else made
        made = layer.weight.double() @ made
        made = made if layer.bias is None else made + layer.bias
    return made.reshape(4, -1)


BSP_NET = Family(_NAME, "BSP-Net's planes and convexes, of a latent code that is held", _fits, _evidence, _build)
