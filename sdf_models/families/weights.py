"""The tensors of a file under one name each, whatever nesting and wrappers they were saved in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from sdf_models.formats.format import Damaged, Refused

MOST_ITEMS = 100_000
"""Of a file: nested containers are refused beyond it."""
_DEEPEST = 32
_LARGEST = 1 << 27
"""Numbers in all tensors together."""

DOMAINS: Final = ("domain", "bounds", "bbox", "aabb")
"""Names under which files state their domain."""
WRAPPERS: Final = frozenset({"module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module"})
"""Components of names that DataParallel, torch.compile and their like add."""
_TRAINING = re.compile(
    r"optim\w*|.*optimi[sz]er\w*|.*sched(uler)?s?(_states?)?|(grad_)?scaler|amp|loops|callbacks|.*rng_states?|.*history|"
    r"loss(_\w*)?",
    re.IGNORECASE,
)
"""Keys of what belongs to the training alone."""
_MOST_OF_TRAINING = 2_000
"""Items that are looked at in each state of a training."""
_TEXT = 200
_FEW = 12

Metadata = Mapping[str, Any]


@dataclass(frozen=True, eq=False, slots=True)
class Weights:
    """The content of a container.

    tensors: float32 or float64, contiguous, by their dotted names without wrappers, in the file's order where it has
    one, not yet known to be finite; metadata: plain values that the file states, by their dotted names; path: of the
    file, for what lies beside it; ordered: whether the tensors' order is the file's own; unreal: the types of
    matrices, tables and masks that are left out since they are not of real numbers, by name; training: the shapes of
    tensors that are the state of a training; holders: of each tensor the dotted path of the container that it is in.
    """

    tensors: Mapping[str, Tensor]
    metadata: Metadata
    path: Path
    ordered: bool
    notes: tuple[str, ...] = ()
    unreal: Mapping[str, str] = field(default_factory=dict)
    training: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    holders: Mapping[str, str] = field(default_factory=dict)


def weights_of(content: Any, path: Path, *, ordered: bool = True, metadata: Metadata | None = None) -> Weights:
    """The weights in nested dicts and lists of tensors.  Raises Refused."""
    tensors: dict[str, Tensor] = {}
    values: dict[str, Any] = dict(metadata or {})
    narrow: set[str] = set()
    unreal: dict[str, str] = {}
    holders: dict[str, str] = {}
    training: dict[str, tuple[int, ...]] = {}
    total = 0
    for keys, item in _items(content, training):
        name = ".".join(keys)
        if not isinstance(item, Tensor):
            values[name] = item
            continue
        total += _checked_size(name, item)
        if total > _LARGEST:
            raise Refused(f"its tensors hold more than {_LARGEST:,} numbers", "save the weights of the network alone")
        short = _unwrapped(name)
        if short.count(".") > _DEEPEST:
            raise Refused("the names of its tensors are nested too deeply", "save the network's state_dict")
        if short in tensors:
            raise Refused(
                f"it holds two tensors {short!r:.80} under different wrappers", "save one state_dict of the network"
            )
        if item.is_floating_point() or (short.endswith("_mask") and not item.is_complex()):
            tensors[short] = _plain(item, narrow)
            holders[short] = _unwrapped(".".join(keys[:-1]))
        elif item.dim() > 1 or (item.numel() > 1 and _may_multiply(short, item)):
            unreal[short] = str(item.dtype).removeprefix("torch.")
    notes = (f"weights in {', '.join(sorted(narrow))} are widened to float32",) if narrow else ()
    return Weights(tensors, values, path, ordered, notes, unreal, training, holders)


def _may_multiply(name: str, vector: Tensor) -> bool:
    """Return whether a vector that is not of real numbers may be a part of the function; sizes and indices are not."""
    return vector.dtype == torch.bool or vector.is_complex() or "mask" in name.lower()


def _unwrapped(name: str) -> str:
    return ".".join(part for part in name.replace("/", ".").split(".") if part not in WRAPPERS)


def _items(content: Any, training: dict[str, tuple[int, ...]]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Tensors and plain values by the keys that lead to them; those of the training alone are noted in `training`.

    A depth and a count bound what a small file can unfold to.
    """
    stack: list[tuple[tuple[str, ...], Any]] = [((), content)]
    visited = 0
    while stack:
        path, item = stack.pop()
        visited += 1
        if visited > MOST_ITEMS or len(path) > _DEEPEST:
            raise Refused("its content is nested too deeply or has too many items", "save the network's state_dict")
        if isinstance(item, Mapping):
            inner = [((*path, str(key)[:_TEXT]), part) for key, part in item.items()]
            for keys, part in inner:
                if _is_of_training(keys[-1], part):
                    training |= _shapes(keys, part)
            stack += reversed([(keys, part) for keys, part in inner if not _is_of_training(keys[-1], part)])
        elif isinstance(item, (list, tuple)) and not _numbers_only(item):
            if len(item) > MOST_ITEMS:
                raise Refused("its content has too many items", "save the network's state_dict")
            stack += reversed([((*path, str(i)), part) for i, part in enumerate(item)])
        elif isinstance(item, (Tensor, str, bool, int, float, list, tuple)):
            yield path, item


def _is_of_training(key: str, content: Any) -> bool:
    """Return whether a key leads to the state of the training; a scaler may also be one of the network's input."""
    if key == "scaler" and isinstance(content, Mapping) and content:
        return "growth_factor" in content
    return _TRAINING.fullmatch(key) is not None


def _shapes(path: tuple[str, ...], content: Any) -> dict[str, tuple[int, ...]]:
    """The shapes of floating-point tensors below, by their dotted names: those that are met first."""
    found: dict[str, tuple[int, ...]] = {}
    stack = [(path, content)]
    for _ in range(_MOST_OF_TRAINING):
        if not stack:
            break
        keys, item = stack.pop()
        if isinstance(item, Tensor) and item.is_floating_point():
            found[".".join(keys)] = tuple(item.shape)
        elif isinstance(item, Mapping):
            stack += reversed(
                [((*keys, str(key)[:_TEXT]), part) for key, part in list(item.items())[:_MOST_OF_TRAINING]]
            )
        elif isinstance(item, (list, tuple)):
            stack += reversed([((*keys, str(i)), part) for i, part in enumerate(item[:_MOST_OF_TRAINING])])
    return found


def _numbers_only(item: list[Any] | tuple[Any, ...]) -> bool:
    return len(item) <= 64 and all(isinstance(part, (bool, int, float)) for part in item)


def _checked_size(name: str, tensor: Tensor) -> int:
    """The number of elements, once it is certain that the file holds them all."""
    if type(tensor) not in (Tensor, torch.nn.Parameter) or tensor.layout != torch.strided or tensor.is_quantized:
        raise Refused(f"{name!r:.80} is not a plain tensor", "save plain dense weights")
    if tensor.device.type != "cpu":
        raise Refused(
            f"{name!r:.80} is without data (on the {tensor.device.type} device)", "save the weights themselves"
        )
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise Damaged(f"{name!r:.80} claims the shape {tuple(tensor.shape)!s:.60}, more than the file holds")
    return tensor.numel()


def _plain(tensor: Tensor, narrow: set[str]) -> Tensor:
    tensor = tensor.detach()
    if tensor.dtype not in (torch.float32, torch.float64):
        if tensor.is_floating_point():
            narrow.add(str(tensor.dtype).removeprefix("torch."))
        tensor = tensor.float()
    return tensor.contiguous()


def parsed_metadata(strings: Mapping[str, str]) -> dict[str, Any]:
    """Metadata of strings, with JSON values read where they are such."""
    found: dict[str, Any] = {}
    for key, text in strings.items():
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = text
        inner = _items({key: value}, {}) if isinstance(value, dict) else [((key,), value)]
        found |= {".".join(keys): part for keys, part in inner}
    return found


def low_rank_scale(metadata: Metadata) -> float | None:
    """alpha of low-rank corrections, where the file states it and that it is divided by the rank."""
    if any(value is True for key, value in metadata.items() if key.rpartition(".")[2] == "use_rslora"):
        return None
    found = stated(metadata, ("lora_alpha",))
    alpha = None if found is None else found[1]
    return float(alpha) if isinstance(alpha, (int, float)) and not isinstance(alpha, bool) else None


def domain_tensor(weights: Weights) -> str | None:
    """The name of the tensor that states the domain; None when nothing does, or a value that is no tensor."""
    found = stated(_with_pairs(weights.metadata), DOMAINS) or stated(weights.tensors, DOMAINS)
    return found[0] if found is not None and isinstance(found[1], Tensor) else None


def stated(metadata: Metadata, names: tuple[str, ...]) -> tuple[str, Any] | None:
    """The first value of metadata whose name ends in one of `names`, with its whole name."""
    for key, value in metadata.items():
        if key.rsplit(".", 1)[-1].lower() in names:
            return key, value
    return None


def stated_domain(weights: Weights, dimension: int) -> tuple[np.ndarray[Any, np.dtype[np.float64]] | None, str]:
    """A box that the file states: `domain`, `bounds`, `bbox` or `aabb`, as corners or as one range; and what to say.

    A text or numbers of the metadata, or a tensor, (2, D) or (2 D,): the lower and then the upper corner.
    """
    found = stated(_with_pairs(weights.metadata), DOMAINS) or stated(weights.tensors, DOMAINS)
    if found is None:
        return None, ""
    name, value = found
    shown = value.tolist() if isinstance(value, Tensor) and value.numel() <= _FEW else value
    corners = _corners(value, dimension)
    if corners is None:
        what = f"a tensor of shape {tuple(value.shape)}" if isinstance(shown, Tensor) else f"{shown!s:.80}"
        return None, f"the file's {name!r:.60} is {what}, no lower and upper corner of {dimension} coordinates"
    return corners, f"domain: the file's {name!r:.60}"


def _with_pairs(metadata: Metadata) -> Metadata:
    """Metadata with lists of two lists, of which `_items` makes NAME.0 and NAME.1, as one value again."""
    bases = [key.removesuffix(".0") for key in metadata if key.endswith(".0") and f"{key[:-2]}.1" in metadata]
    return {**metadata, **{base: [metadata[f"{base}.0"], metadata[f"{base}.1"]] for base in bases}}


def _corners(value: Any, dimension: int) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    if isinstance(value, Tensor):
        if tuple(value.shape) not in ((2, dimension), (2 * dimension,)):
            return None
        value = value.tolist()
    try:
        corners = np.array(value, dtype=np.float64).reshape(2, -1)
        corners = np.stack([np.broadcast_to(corner, dimension) for corner in corners])
    except (ValueError, TypeError):
        return None
    return corners if np.isfinite(corners).all() and (corners[0] < corners[1]).all() else None
