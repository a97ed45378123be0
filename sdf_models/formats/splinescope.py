"""The project's own format: a safetensors file whose metadata says all that is needed to use the network.

The metadata has one key, `splinescope`, whose value is a JSON object with `version`, `architecture`, `domain` (lower
and upper corner) and `facts` (strings by name: what the network was fitted to, with which error, by which command).
One key, because safetensors does not keep the order of several, and equal networks shall be equal files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray

from sdf_models.architectures import Architecture, ReluMLP
from sdf_models.formats.format import (
    CheckpointFile,
    Damaged,
    Format,
    Opened,
    Peek,
    Refused,
    TensorUse,
    check_finite,
    first_line,
)

NAME = "splinescope safetensors"
KEY = "splinescope"
VERSION = 1
LARGEST_HEADER = 1 << 20


def encode(module: ReluMLP, domain: NDArray[np.float64], facts: Mapping[str, str]) -> bytes:
    """The file's content; equal arguments give equal bytes.  domain: (2, inputs) float64."""
    description = {
        "version": VERSION,
        "architecture": module.architecture.describe(),
        "domain": np.asarray(domain, dtype=np.float64).tolist(),
        "facts": dict(facts),
    }
    tensors = {name: tensor.detach().contiguous() for name, tensor in module.state_dict().items()}
    return safetensors.torch.save(tensors, metadata={KEY: json.dumps(description)})


def is_safetensors(head: bytes) -> bool:
    return head[8:10] == b'{"'


def recognise(peek: Peek) -> bool:
    """By the key in its header, which the metadata begins."""
    return is_safetensors(peek.head) and f'"{KEY}"'.encode() in peek.head[: LARGEST_HEADER + 8]


def open_file(file: CheckpointFile) -> Opened:
    data = file.data
    description = _description(data)
    version = description.get("version")
    if version != VERSION:
        raise Refused(f"version {version!r:.20} of the format is not known", "open it with a newer SplineScope")
    try:
        architecture = Architecture.from_description(description.get("architecture"))
    except ValueError as error:
        raise Damaged(f"the architecture is not valid: {error}") from error
    domain = _domain(description.get("domain"), architecture.inputs)
    facts = description.get("facts")
    if not isinstance(facts, dict) or not all(isinstance(value, str) for value in facts.values()):
        raise Damaged("the facts in the metadata are not strings by name")
    tensors = tuple(
        TensorUse(name, shape, f"{name.rpartition('.')[2]} of {name.rpartition('.')[0]}")
        for name, shape in architecture.shapes().items()
    )
    module = _module(architecture, data)
    return Opened(module, architecture.inputs, domain, facts, tensors=tensors, own_forward=False)


def header(data: bytes) -> dict[str, Any]:
    """The header of a safetensors file.  Raises Damaged."""
    size = int.from_bytes(data[:8], "little")
    if size > min(LARGEST_HEADER, len(data) - 8):
        raise Damaged(f"the safetensors header declares {size:,} bytes")
    try:
        found = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError) as error:
        raise Damaged(f"the safetensors header cannot be read ({first_line(error)})") from error
    if not isinstance(found, dict):
        raise Damaged("the safetensors header is not a JSON object")
    return found


def _description(data: bytes) -> dict[str, Any]:
    try:
        description = json.loads(header(data)["__metadata__"][KEY])
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise Damaged(f"the metadata cannot be read ({first_line(error)})") from error
    if not isinstance(description, dict):
        raise Damaged("the metadata is not a JSON object")
    return description


def _domain(corners: Any, inputs: int) -> NDArray[np.float64]:
    try:
        domain = np.array(corners, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise Damaged("the domain is not a pair of corners") from error
    if domain.shape != (2, inputs) or not np.isfinite(domain).all() or not (domain[0] < domain[1]).all():
        raise Damaged(f"the domain {corners!s:.80} is not a lower and an upper corner of {inputs} coordinates")
    return domain


def _module(architecture: Architecture, data: bytes) -> ReluMLP:
    """Every shape is compared with the architecture's before the module is allocated."""
    tensors = tensors_in(data)
    shapes = architecture.shapes()
    if set(tensors) != set(shapes):
        odd = sorted(set(tensors) ^ set(shapes))
        raise Damaged(f"the tensors do not fit the architecture: {', '.join(odd[:3])!r:.80}")
    dtypes = {tensor.dtype for tensor in tensors.values()}
    if len(dtypes) > 1 or not dtypes <= {torch.float32, torch.float64}:
        raise Damaged("the weights are not all float32, or all float64")
    for name, shape in shapes.items():
        if tuple(tensors[name].shape) != shape:
            raise Damaged(f"{name} is of shape {tuple(tensors[name].shape)} where the architecture says {shape}")
        check_finite(name, tensors[name].numpy())
    module = ReluMLP(architecture, dtypes.pop())
    module.load_state_dict(tensors)
    return module


def tensors_in(data: bytes) -> dict[str, torch.Tensor]:
    """All the tensors of a safetensors file.  Raises Damaged."""
    try:
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, KeyError, ValueError, RuntimeError, TypeError, OverflowError) as error:
        raise Damaged(f"the tensors cannot be read ({first_line(error)})") from error


FORMAT = Format(NAME, recognise, open_file)
