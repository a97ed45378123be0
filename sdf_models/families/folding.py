"""The weight that a layer's tensors stand for: weight norm, spectral norm, pruning and low-rank corrections folded.

All arithmetic is in float64, on the numbers of the file: what is drawn is not the rounding of the file's own type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from sdf_models.formats.format import Damaged, Refused

_WEIGHT_NORM = (("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1"))
_SPECTRAL_NORM = (
    ("weight_orig", "weight_u", "weight_v"),
    ("parametrizations.weight.original", "parametrizations.weight.0._u", "parametrizations.weight.0._v"),
)
_PRUNED = ("weight_orig", "weight_mask")
_LOW_RANK = ("lora_A", "lora_B")
_LOW_RANK_SCALES = ("scaling", "lora_alpha", "alpha")


@dataclass(frozen=True, eq=False, slots=True)
class Folded:
    """A weight, float64 unless it is the file's own, and the role of each parameter that it was made of.

    normalised: whether weight norm was folded; note: what was done that is not in the weight alone.
    """

    weight: Tensor
    roles: Mapping[str, str]
    normalised: bool = False
    note: str = ""


def folded_weight(name: str, parts: Mapping[str, Tensor], low_rank_scale: float | None) -> Folded | None:
    """The weight (out, in) of the layer `name`; None when its parameters are no weight whose meaning is certain.

    low_rank_scale: alpha / r of low-rank corrections, where the file states it.  Raises Refused.
    """
    for length, direction in _WEIGHT_NORM:
        if length in parts and direction in parts:
            roles = {length: "lengths of weight norm", direction: "directions of weight norm"}
            return Folded(_weight_norm(name, parts[length], parts[direction]), roles, normalised=True)
        if (length in parts) != (direction in parts) and "weight_orig" not in parts and "weight_u" not in parts:
            raise Damaged(f"{name!r:.80} has {length} or {direction} but not both")
    for original, u, v in _SPECTRAL_NORM:
        if {original, u, v} <= parts.keys() and "weight_mask" not in parts:
            roles = {
                original: "weight before spectral norm",
                u: "vector of spectral norm",
                v: "vector of spectral norm",
            }
            return Folded(_spectral_norm(name, parts[original], parts[u], parts[v]), roles)
    if set(_PRUNED) <= parts.keys() and "weight_u" not in parts:
        whole, mask = (parts[key] for key in _PRUNED)
        if mask.shape != whole.shape:
            raise Damaged(f"the mask of {name!r:.80} is of shape {tuple(mask.shape)}, its weight {tuple(whole.shape)}")
        roles = dict(zip(_PRUNED, ("weight before pruning", "mask of pruning"), strict=True))
        return Folded(whole.double() * mask.double(), roles)
    plain = next((key for key in ("weight", "kernel") if key in parts), None)
    if plain is None:
        return None
    if set(_LOW_RANK) <= parts.keys():
        return _corrected(name, plain, parts, low_rank_scale)
    return Folded(parts[plain], {plain: "weight"})


def folded_bias(parts: Mapping[str, Tensor]) -> tuple[Tensor | None, Mapping[str, str]]:
    """The bias (n,) or None, and the roles of the parameters that it was made of."""
    if {"bias_orig", "bias_mask"} <= parts.keys() and parts["bias_orig"].shape == parts["bias_mask"].shape:
        bias = parts["bias_orig"].double() * parts["bias_mask"].double()
        return bias, {"bias_orig": "bias before pruning", "bias_mask": "mask of pruning"}
    if "bias" not in parts:
        return None, {}
    bias = parts["bias"]
    flat = bias.reshape(-1) if bias.numel() == max(bias.shape, default=1) else bias  # (1, n), (n, 1), ()
    return flat, {"bias": "bias"}


def _weight_norm(name: str, length: Tensor, direction: Tensor) -> Tensor:
    """g v / |v|, the norm over all dimensions but the one in which g has its size (Salimans and Kingma, 2016)."""
    length, direction = length.double(), direction.double()
    if direction.dim() > 2 and length.dim() == direction.dim() and direction.shape[2:].numel() == 1:
        direction, length = direction.flatten(1), length.flatten(1)  # a convolution of size 1
    if direction.dim() != 2 or not direction.numel():
        raise Refused(f"the weight norm of {name!r:.80} is not that of a linear layer", "save a plain weight")
    rows, columns = direction.shape
    along = {(rows, 1): (1,), (1, columns): (0,)}.get(tuple(length.shape))  # type: ignore[arg-type]
    if along is None and length.numel() != 1:
        raise Damaged(f"the weight norm of {name!r:.80} has lengths of shape {tuple(length.shape)}")
    norm = torch.linalg.vector_norm(direction, dim=along, keepdim=True)
    if bool((norm == 0).any()):
        raise Refused(f"the weight norm of {name!r:.80} divides by zero", "train the network again")
    factors: Tensor = length.reshape(norm.shape) / norm
    return direction * factors


def _spectral_norm(name: str, weight: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """W / (u^T W v) with the vectors of the last power iteration, as in eval mode (Miyato et al., 2018)."""
    weight, u, v = weight.double(), u.double(), v.double()
    matrix = weight.flatten(1) if weight.dim() > 1 else weight.reshape(1, -1)
    if u.shape != matrix.shape[:1] or v.shape != matrix.shape[1:]:
        raise Damaged(f"the spectral norm of {name!r:.80} has vectors that do not fit its weight")
    sigma = torch.dot(u, torch.mv(matrix, v))
    if not bool(sigma != 0):
        raise Refused(f"the spectral norm of {name!r:.80} divides by zero", "train the network again")
    return weight / sigma


def _corrected(name: str, plain: str, parts: Mapping[str, Tensor], stated: float | None) -> Folded:
    """W + (alpha / r) B A (Hu et al., "LoRA", 2021), with alpha beside the layer or stated by the file."""
    down, up, weight = parts["lora_A"], parts["lora_B"], parts[plain]
    whole = (weight.T if plain == "kernel" else weight).shape
    if down.dim() != 2 or up.dim() != 2 or (up.shape[0], down.shape[1]) != tuple(whole) or up.shape[1] != len(down):
        raise Damaged(f"the low-rank correction of {name!r:.80} does not fit its weight of shape {tuple(weight.shape)}")
    beside = next((key for key in _LOW_RANK_SCALES if key in parts and parts[key].numel() == 1), None)
    if beside is None and stated is None:
        raise Refused(
            f"'{name:.80}.lora_A' and lora_B are a low-rank correction of its weight, whose scale is not in the file",
            "merge it into the weights and save them again (merge_and_unload), or open it with --module "
            "package.module:function",
        )
    if beside is None:
        scale, note = float(stated or 0.0) / len(down), f"scale {stated:g} / {len(down)}, as the file states"
    else:
        number = float(parts[beside])
        scale = number if beside == "scaling" else number / len(down)
        note = f"scale {scale:g}, of its {beside}"
    correction = scale * (up.double() @ down.double())
    roles = {plain: "weight", "lora_A": "low-rank correction", "lora_B": "low-rank correction"}
    roles |= {} if beside is None else {beside: "scale of the low-rank correction"}
    weight = weight.double() + (correction.T if plain == "kernel" else correction)
    return Folded(weight, roles, note=f"the low-rank correction of {name} is added to its weight, {note}")
