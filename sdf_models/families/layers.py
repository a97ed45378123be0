"""From named tensors to layers: linear ones with what was folded into them, norms, slopes, convolutions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import Tensor

from sdf_models.families.folding import folded_bias, folded_weight
from sdf_models.families.spelling import spelled
from sdf_models.formats.format import Damaged

Kind = Literal["linear", "batch_norm", "norm", "prelu", "convolution"]

_NUMBER = re.compile(r"(\d+)")
_SLOPES = re.compile(r"p_?re_?lu", re.IGNORECASE)
_ACTIVATION = re.compile(r"(^|[._])(act\w*|\w*relu\w*|non_?lin\w*)($|[._\d])", re.IGNORECASE)
_NORM = re.compile(r"norm|(^|[._\d])(bn|ln|gn|rms)", re.IGNORECASE)
_SHORTCUT = re.compile(
    r"(^|[._])(gates?|film|modulat\w*|hyper\w*|short_?cut|short|bypass|down_?sample|(res|residual|skip)_?(proj|projection|connection)|highway)($|[._\d])",
    re.IGNORECASE,
)
_STATISTICS = (
    ("running_mean", "running_var", 1e-5),
    ("moving_mean", "moving_variance", 1e-3),
    ("mean", "var", None),
)
"""Of batch norms: the names of their parameters in torch, Keras and others, and the default of eps, in no file."""
_SCALES, _SHIFTS = ("weight", "gamma", "scale"), ("bias", "beta")


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """A layer of a file: its name and its tensors.

    linear: weight (out, in), bias (out,) or None; convolution: weight of more dimensions; batch_norm: running_mean,
    running_var, weight, bias, each (n,) or None but for the first two, and eps, None where frameworks differ; norm:
    weight and bias (n,), a norm without statistics; prelu: weight (n,) or (1,), and whether it is certain that these
    are slopes.  normalised: whether weight norm was folded; roles: of the file's tensors that it was made of, by their
    names; notes: what was assumed of it.
    """

    name: str
    kind: Kind
    tensors: Mapping[str, Tensor]
    normalised: bool = False
    certain: bool = True
    eps: float | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

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

    @property
    def features(self) -> int:
        """Of a layer that is not linear: how many numbers it has."""
        return next(iter(self.tensors.values())).numel()


def layers_of(tensors: Mapping[str, Tensor], low_rank_scale: float | None = None) -> list[Layer]:
    """The layers in the tensors' order; tensors that no layer's `roles` name belong to none.  Raises Refused.

    low_rank_scale: alpha of low-rank corrections, where the file states it.
    """
    grouped: dict[str, dict[str, str]] = {}
    for name, place in spelled(tensors).items():
        grouped.setdefault(place.layer, {}).setdefault(place.parameter, name)
    found = (
        _layer(name, {parameter: tensors[full] for parameter, full in parts.items()}, parts, low_rank_scale)
        for name, parts in grouped.items()
    )
    return [layer for layer in found if layer is not None]


def _layer(name: str, parts: Mapping[str, Tensor], names: Mapping[str, str], scale: float | None) -> Layer | None:
    """names: the full name of each part's tensor."""
    normed = _batch_norm(name, parts, names)
    if normed is not None:
        return normed
    folded = folded_weight(name, parts, scale)
    if folded is None:
        return _vectors(name, parts, names)
    weight, (bias, bias_roles) = folded.weight, folded_bias(parts)
    kernel = "kernel" in folded.roles
    weight = _squeezed(weight, leading=kernel)
    roles = {names[part]: role for part, role in (*folded.roles.items(), *bias_roles.items())}
    notes = (folded.note,) if folded.note else ()
    if weight.dim() == 1 and bias is not None and bias.numel() == 1 < weight.numel():
        weight = weight[:, None] if kernel else weight[None]  # of one output, flattened
    if not weight.numel() or (bias is not None and bias.dim() != 1):
        return None
    given = {} if bias is None else {"bias": bias}
    if weight.dim() > 2:
        return Layer(name, "convolution", {"weight": weight, **given}, roles=roles)
    if weight.dim() < 2:
        return _vectors(name, parts, names)
    matrix = weight.T.contiguous() if kernel else weight
    return Layer(name, "linear", {"weight": matrix, **given}, folded.normalised, roles=roles, notes=notes)


def _squeezed(weight: Tensor, *, leading: bool) -> Tensor:
    """The matrix that a convolution of size 1 is: (out, in, 1, ...), or with `leading` (1, ..., in, out)."""
    axis = 0 if leading else -1
    while weight.dim() > 2 and weight.shape[axis] == 1:
        weight = weight.squeeze(axis)
    return weight


def _batch_norm(name: str, parts: Mapping[str, Tensor], names: Mapping[str, str]) -> Layer | None:
    """A norm with running statistics, under the names of torch, Keras, Flax and Haiku."""
    known = next((row for row in _STATISTICS if row[0] in parts and row[1] in parts), None)
    if known is None or (known[0] == "mean" and not _NORM.search(name)):
        return None
    mean, variance, eps = known
    scale = next((part for part in _SCALES if part in parts), None)
    shift = next((part for part in _SHIFTS if part in parts), None)
    used = {mean: "running mean", variance: "running variance"}
    used |= {part: role for part, role in ((scale, "scale"), (shift, "shift")) if part is not None}
    flat = {part: parts[part].reshape(-1) if 1 in parts[part].shape else parts[part] for part in used}
    if len({tuple(part.shape) for part in flat.values()}) != 1 or flat[mean].dim() != 1:
        raise Damaged(f"the batch norm {name!r:.80} has tensors of different shapes")
    if bool((flat[variance] < 0).any()):
        raise Damaged(f"the batch norm {name!r:.80} has a negative variance")
    tensors = {"running_mean": flat[mean], "running_var": flat[variance]}
    tensors |= {key: flat[part] for key, part in (("weight", scale), ("bias", shift)) if part is not None}
    roles = {names[part]: f"{role} of a batch norm" for part, role in used.items()}
    roles |= {full: "state of a running mean" for part, full in names.items() if part.endswith("_ema.hidden")}
    return Layer(name, "batch_norm", tensors, eps=eps, roles=roles)


def _vectors(name: str, parts: Mapping[str, Tensor], names: Mapping[str, str]) -> Layer | None:
    """A norm without statistics, or slopes, which are certain where the name or the number of them says so."""
    scale = next((part for part in _SCALES if part in parts), None)
    shift = next((part for part in _SHIFTS if part in parts), None)
    paired = scale is not None and shift is not None and parts[scale].shape == parts[shift].shape
    if paired and not name:
        return None  # of the network as a whole, as features that are scaled
    if scale is not None and shift is not None and paired and parts[scale].dim() == 1:
        roles = {names[scale]: "scale of a norm", names[shift]: "shift of a norm"}
        return Layer(name, "norm", {"weight": parts[scale], "bias": parts[shift]}, roles=roles)
    slopes = next((part for part in ("weight", "alpha") if part in parts), None)
    if slopes is None or shift is not None or not parts[slopes].numel() or _NORM.search(name):
        return None
    count = parts[slopes].numel()
    if count != max(parts[slopes].shape, default=1):
        return None
    last = name.rpartition(".")[2]
    certain = _SLOPES.search(last) is not None or (
        slopes == "weight" and ((count == 1 and last.isdecimal()) or _ACTIVATION.search(name) is not None)
    )
    if not certain and count == 1:
        return None  # one number, that may be anything
    roles = {names[slopes]: "slopes of a PReLU"}
    return Layer(name, "prelu", {"weight": parts[slopes].reshape(-1)}, certain=certain, roles=roles)


def is_shortcut(layer: Layer) -> bool:
    """Return whether a layer's name says that it stands beside others, not in their chain."""
    return _SHORTCUT.search(layer.name) is not None


def first_outputs(layer: Layer, count: int) -> Layer:
    """A linear layer with its first `count` outputs alone."""
    return replace(layer, tensors={name: tensor[:count] for name, tensor in layer.tensors.items()})


def turned(layer: Layer) -> Layer:
    """The same with its matrix the other way, unless its bias says how it stands, as plain arrays do not."""
    if layer.kind != "linear" or layer.normalised:
        return layer
    if layer.bias is not None and layer.inputs != len(layer.bias) == layer.outputs:
        return layer
    return replace(layer, tensors={**layer.tensors, "weight": layer.weight.T.contiguous()})


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts numbers in names by value."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _NUMBER.split(name) if part]
