"""The names of tensors in files of several frameworks: which layer each belongs to, as which parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from torch import Tensor

_SPELLINGS: Final = {
    "weights": "weight",
    "kernels": "kernel",
    "w": "kernel",
    "W": "kernel",
    "A": "kernel",
    "coefs": "kernel",
    "biases": "bias",
    "b": "bias",
    "intercepts": "bias",
    "offset": "beta",
    "moving_var": "moving_variance",
    "~.mean_ema.average": "mean",
    "~.var_ema.average": "var",
    "lora_down": "lora_A",
    "lora_up": "lora_B",
}
"""Of parameters, to that used here: weight (out, in), kernel (in, out), bias, gamma and beta of norms."""

_PARAMETER = re.compile(
    r"(?P<layer>.*?)(?:^|(?<=.)\.)(?P<parameter>"
    r"parametrizations\.weight\.original[01]?|parametrizations\.weight\.0\._[uv]|"
    r"weight_orig|weight_mask|weight_[guv]|bias_orig|bias_mask|weights?|bias(?:es)?|kernel|[wWbA]|"
    r"running_mean|running_var|moving_mean|moving_var(?:iance)?|mean|var|gamma|beta|scale|offset|alpha|"
    r"~\.(?:mean|var)_ema\.(?:average|hidden)|lora_alpha|scaling)"
)
_JOINED = re.compile(
    r"(?P<layer>.+?)_(?P<parameter>weights?|bias(?:es)?|kernel|[wWb]|(?:running|moving)_(?:mean|var)|gamma|beta)"
)
_NUMBERED = re.compile(
    r"(?P<layer>(?:.*\.)?)(?P<parameter>[wWAb]|weights?|bias(?:es)?|kernels?|coefs|intercepts)_?\.?(?P<index>\d+)"
)
_LOW_RANK = re.compile(r"(?P<layer>.*?)\.?(?P<parameter>lora_(?:A|B|up|down))(?:\.(?!weight$)\w+)?(?:\.weight)?")
_VARIABLE = re.compile(r"(?P<layer>.+)\.vars\.(?P<index>\d)")
_NORM: Final = re.compile(r"norm|(^|[._])bn", re.IGNORECASE)
_SLOPES: Final = re.compile(r"p_?re_?lu", re.IGNORECASE)
_BASE = re.compile(r"\.(?:base_layer|original_layer)(?=\.(?:weight|bias)$)")


@dataclass(frozen=True, slots=True)
class Spelled:
    """A tensor's place: the dotted name of its layer, "" for the file's own, and its parameter."""

    layer: str
    parameter: str


def spelled(tensors: Mapping[str, Tensor]) -> Mapping[str, Spelled]:
    """The places of tensors by name, in their order; those whose names are no parameters' are left out."""
    counted = _in_order(tensors)
    if counted:
        return counted
    variables = _variables(tensors)
    flax = any("batch_stats" in name.split(".") for name in tensors)
    places: dict[str, Spelled] = {}
    for name in tensors:
        plain = name.removesuffix(":0").removesuffix(".value")
        if flax:
            plain = ".".join(part for part in plain.split(".") if part not in ("params", "batch_stats"))
        place = variables.get(name) or _place(plain)
        if place is not None:
            places[name] = place
    return places


def _variables(tensors: Mapping[str, Tensor]) -> dict[str, Spelled]:
    """Keras' layers/NAME/vars/0, 1, ...: in the order in which the layer of that name made them, told by their shapes.

    Those of which shapes and names do not tell what they are have no place.
    """
    layers: dict[str, dict[int, str]] = {}
    for name in tensors:
        match = _VARIABLE.fullmatch(name)
        if match is not None:
            layers.setdefault(match["layer"], {})[int(match["index"])] = name
    places: dict[str, Spelled] = {}
    for layer, found in layers.items():
        names = [found[i] for i in range(len(found)) if i in found]
        if len(names) == len(found):
            parameters = _parameters(layer.rpartition(".")[2], [tuple(tensors[name].shape) for name in names])
            places |= {name: Spelled(layer, part) for name, part in zip(names, parameters, strict=False)}
    return places


def _parameters(layer: str, shapes: list[tuple[int, ...]]) -> tuple[str, ...]:
    """The parameters of these shapes, in Keras' order; nothing where it is not certain what they are."""
    first, *others = shapes
    if len(first) > 1 and others in ([], [first[-1:]]):
        return ("kernel", "bias")[: len(shapes)]
    if len(first) == 1 and set(others) <= {first} and _NORM.search(layer) and len(shapes) in (2, 4):
        return ("gamma", "beta", "moving_mean", "moving_variance")[: len(shapes)]
    if not others and _SLOPES.search(layer):
        return ("alpha",)
    return ()


def _place(name: str) -> Spelled | None:
    low_rank = _LOW_RANK.fullmatch(name)
    if low_rank is not None:
        return Spelled(low_rank["layer"], _spelling(low_rank["parameter"]))
    name = _BASE.sub("", name)
    match = _PARAMETER.fullmatch(name) or _NUMBERED.fullmatch(name) or _JOINED.fullmatch(name)
    if match is None:
        return None
    return Spelled(f"{match['layer']}{match.groupdict().get('index', '')}", _spelling(match["parameter"]))


def _spelling(parameter: str) -> str:
    return _SPELLINGS.get(parameter, parameter)


def _in_order(tensors: Mapping[str, Tensor]) -> dict[str, Spelled]:
    """numpy.savez of a list: weight and bias of each layer in turn, or all weights and then all biases, or none."""
    names = [f"arr_{i}" for i in range(len(tensors))]
    if not names or set(names) != set(tensors):
        return {}
    half = len(names) // 2
    for weights, biases in ((names[::2], names[1::2]), (names[:half], names[half:])):
        pairs = list(zip(weights, biases, strict=False))
        fits = (tensors[w].dim() == 2 and tensors[b].numel() == max(tensors[b].shape, default=1) for w, b in pairs)
        if len(weights) == len(biases) and all(fits) and all(tensors[b].numel() in tensors[w].shape for w, b in pairs):
            return {name: Spelled(w, kind) for w, b in pairs for name, kind in ((w, "kernel"), (b, "bias"))}
    if all(tensors[name].dim() == 2 for name in names):
        return {name: Spelled(name, "kernel") for name in names}
    return {}
