"""From named tensors to layers in order: linear layers with weight norm folded, batch norm, layer norm, PReLU."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from sdf_models.formats.format import Damaged, Refused
from sdf_models.reading import Choices

Kind = Literal["linear", "batch_norm", "layer_norm", "prelu"]

_WEIGHT_NORM = (("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1"))
_PARAMETERS = re.compile(
    r"(?P<layer>.*?)\.?(?P<parameter>parametrizations\.weight\.original[01]|weight_g|weight_v|weight|bias|kernel|scale|"
    r"running_mean|running_var|alpha)"
)
_SHORT = re.compile(r"(?P<layer>(?:.*\.)?)(?P<kind>W|w|A|b|weights?|bias(?:es)?|kernel)_?\.?(?P<index>\d+)")
_NATURAL = re.compile(r"(\d+)")
_FIRST = re.compile(r"(^|[._])(in|input|first|inp|fc_?in|pos|fc_p|fc_pos|stem)($|[._\d])", re.IGNORECASE)
_LAST = re.compile(r"(^|[._])(out|output|last|final|head|fc_?out|sdf)($|[._\d])", re.IGNORECASE)


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """A layer of a file: its name and its tensors.

    linear: weight (out, in), bias (out,) or None; batch_norm: running_mean, running_var, weight, bias, each (n,) or
    None but for the first two; prelu: weight (n,) or (1,).  normalised: whether weight norm was folded.
    """

    name: str
    kind: Kind
    tensors: Mapping[str, Tensor]
    normalised: bool = False

    @property
    def weight(self) -> Tensor:
        return self.tensors["weight"]

    @property
    def bias(self) -> Tensor | None:
        return self.tensors.get("bias")

    @property
    def inputs(self) -> int:
        return int(self.weight.shape[1])

    @property
    def outputs(self) -> int:
        return int(self.weight.shape[0])


def layers_of(tensors: Mapping[str, Tensor]) -> tuple[list[Layer], list[str]]:
    """The layers in the tensors' order, and the names of tensors that belong to none.  Raises Refused."""
    grouped: dict[str, dict[str, Tensor]] = {}
    other: list[str] = []
    for name, tensor in tensors.items():
        match = _PARAMETERS.fullmatch(name) or _SHORT.fullmatch(name)
        if match is None:
            other.append(name)
        elif "index" in match.groupdict():
            parameter = "bias" if match["kind"].startswith("b") else "kernel" if match["kind"] != "weight" else "weight"
            grouped.setdefault(f"{match['layer']}{match['index']}", {})[parameter] = tensor
        else:
            grouped.setdefault(match["layer"], {})[match["parameter"]] = tensor
    layers: list[Layer] = []
    for name, parts in grouped.items():
        layer = _layer(name, parts)
        if layer is None:
            other += [f"{name}.{part}" for part in parts]
        else:
            layers.append(layer)
    return layers, other


def _layer(name: str, parts: dict[str, Tensor]) -> Layer | None:
    normalised = False
    for length, direction in _WEIGHT_NORM:
        if (length in parts) != (direction in parts):
            raise Damaged(f"{name!r:.80} has {length} or {direction} but not both")
        if length in parts:
            parts = {**parts, "weight": _folded(name, parts.pop(length), parts.pop(direction))}
            normalised = True
    bias = parts.get("bias")
    if "running_mean" in parts and "running_var" in parts:
        sizes = {tuple(part.shape) for key, part in parts.items() if key in (*_BATCH_NORM, "scale")}
        if len(sizes) != 1 or len(next(iter(sizes))) != 1:
            raise Damaged(f"the batch norm {name!r:.80} has tensors of different shapes")
        if bool((parts["running_var"] < 0).any()):
            raise Damaged(f"the batch norm {name!r:.80} has a negative variance")
        kept = {key: parts[key] for key in _BATCH_NORM if key in parts}
        return Layer(name, "batch_norm", kept)
    weight = parts.get("weight", parts.get("kernel", parts.get("scale", parts.get("alpha"))))
    if weight is None:
        return None
    while weight.dim() > 2 and weight.shape[-1] == 1:  # convolutions of size 1 are linear layers
        weight = weight.squeeze(-1)
    if weight.dim() == 2 and weight.numel() and (bias is None or bias.dim() == 1):
        matrix = weight.T.contiguous() if "kernel" in parts else weight
        return Layer(name, "linear", {"weight": matrix, **({} if bias is None else {"bias": bias})}, normalised)
    if weight.dim() <= 1 and weight.numel() and bias is None:
        return Layer(name, "prelu", {"weight": weight.reshape(-1)})
    if weight.dim() == 1 and bias is not None and bias.shape == weight.shape:
        return Layer(name, "layer_norm", {"weight": weight, "bias": bias})
    return None


_BATCH_NORM = ("running_mean", "running_var", "weight", "bias")


def _folded(name: str, length: Tensor, direction: Tensor) -> Tensor:
    """g v / |v|, the norm over all dimensions but the one in which g has its size (Salimans and Kingma, 2016)."""
    if direction.dim() != 2 or not direction.numel():
        raise Refused(f"the weight norm of {name!r:.80} is not that of a linear layer", "save a plain weight")
    rows, columns = direction.shape
    kept = {(rows, 1): 0, (1, columns): 1}.get(tuple(length.shape))  # type: ignore[arg-type]
    if kept is not None:
        norm = torch.linalg.vector_norm(direction, dim=1 - kept)
    elif length.numel() == 1:
        norm = torch.linalg.vector_norm(direction)
    else:
        raise Damaged(f"the weight norm of {name!r:.80} has lengths of shape {tuple(length.shape)}")
    if bool((norm == 0).any()):
        raise Refused(f"the weight norm of {name!r:.80} divides by zero", "train the network again")
    # torch's own kernel, which rounds as it did in the training on a machine of the same kind.
    return torch._weight_norm(direction, length.to(direction.dtype), -1 if kept is None else kept)


def first_outputs(layer: Layer, count: int) -> Layer:
    """A linear layer with its first `count` outputs alone."""
    return replace(layer, tensors={name: tensor[:count] for name, tensor in layer.tensors.items()})


def chain_error(layers: Iterable[Layer]) -> str | None:
    """Why the layers, in this order, are not one network; None when they are.

    Each linear layer takes what the one before it gives, or that and all inputs of the network, or the last three.
    """
    layers = list(layers)
    linear = [layer for layer in layers if layer.kind == "linear"]
    if len(linear) < 2:
        return "it has fewer than two linear layers"
    extra = {0, linear[0].inputs, 3} if linear[0].inputs > 3 else {0, linear[0].inputs}
    size, before = linear[0].inputs, ""
    if layers[0].kind == "batch_norm" and len(layers[0].tensors["running_mean"]) == size:
        layers = layers[1:]  # of the input
    for layer in layers:
        if layer.kind == "linear":
            if layer.inputs - size not in (extra if before else {0}):
                return f"{layer.name!r:.60} takes {layer.inputs} features where {before!r:.60} gives {size}"
            if layer.bias is not None and len(layer.bias) != layer.outputs:
                return f"{layer.name!r:.60} gives {layer.outputs} features with a bias of {len(layer.bias)}"
            size, before = layer.outputs, layer.name
        else:
            count = next(iter(layer.tensors.values())).numel()
            if not before:
                return f"{layer.name!r:.60}, for {count} features, stands before the first linear layer"
            if count not in ((size, 1) if layer.kind == "prelu" else (size,)):
                return f"{layer.name!r:.60} is for {count} features where {before!r:.60} gives {size}"
    return None


def in_order(layers: list[Layer], *, ordered: bool) -> list[Layer] | None:
    """The layers in an order in which they chain: the file's, that of the names, or that with its ends moved."""
    by_name = sorted(layers, key=lambda layer: natural(layer.name))

    def rank(layer: Layer) -> int:
        return -1 if _FIRST.search(layer.name) else 1 if _LAST.search(layer.name) else 0

    candidates = [layers] if ordered else []
    candidates += [by_name, sorted(by_name, key=rank), _interleaved(by_name)]
    for candidate in candidates:
        for turned in (candidate, _turned(candidate)):
            if chain_error(turned) is None:
                return turned
    return None


def _interleaved(layers: list[Layer]) -> list[Layer]:
    """Each linear layer followed by the other layer of its number: lists of layers and of norms, side by side."""
    linear = [layer for layer in layers if layer.kind == "linear"]
    others = [layer for layer in layers if layer.kind != "linear"]
    if len(others) > len(linear):
        return layers
    return [layer for i, first in enumerate(linear) for layer in (first, *others[i : i + 1])]


def _turned(layers: list[Layer]) -> list[Layer]:
    """The same with all weights as (in, out): plain arrays do not say which way they stand."""
    return [
        replace(layer, tensors={**layer.tensors, "weight": layer.weight.T.contiguous()})
        if layer.kind == "linear" and not layer.normalised
        else layer
        for layer in layers
    ]


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts numbers in names by value."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _NATURAL.split(name) if part]


def note_order(layers: list[Layer], choices: Choices) -> None:
    names = [layer.name for layer in layers]
    if names == sorted(names, key=natural) and len({re.sub(r"\d+", "", name) for name in names}) == 1:
        return
    choices.notes.append(f"layers in the order {', '.join(names)}")
