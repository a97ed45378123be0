"""npz files of named weight matrices: W0, b0, W1, b1, ... or a flattened state dict; texts beside them are metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from sdf_models.families.weights import Weights, parsed_metadata, weights_of
from sdf_models.formats import neural_implicit_queries, npz
from sdf_models.formats.format import Container, Peek, Refused

NAME = "npz"

_SLICE_ARRAYS = {"edge_layer", "edge_neuron", "face_offsets", "kink_names"}


def recognise(peek: Peek) -> bool:
    return npz.recognise(peek) and not neural_implicit_queries.recognise(peek)


def read(path: Path, data: bytes) -> Weights:
    with npz.directory(data) as archive:
        names = {name.removesuffix(".npy") for name in archive.namelist()}
    if names >= _SLICE_ARRAYS:
        raise Refused(
            "this is the partition of a slice, written by splinescope slice, not a network",
            "read it with numpy.load, and give the checkpoint that was sliced",
        )
    arrays = npz.read(data)
    tensors: dict[str, torch.Tensor] = {}
    text: dict[str, str] = {}
    for name, array in arrays.items():
        if array.dtype.kind == "U" and array.size == 1:
            text[name] = str(array.reshape(-1)[0])
        if array.dtype.kind not in "fiubc" or array.dtype.itemsize not in (1, 2, 4, 8):
            continue  # text, or numbers of which torch has no kind
        native = np.array(array, array.dtype.newbyteorder("="), order="C")  # a copy, which torch may write to
        tensors[name] = torch.from_numpy(native)
    if not tensors:
        raise Refused(
            f"the archive holds no arrays{' of numbers that can be weights' if arrays else ''}",
            "save the weights in float32, as numpy.savez(FILE, W0=..., b0=..., W1=...)",
        )
    return weights_of(tensors, path, ordered=False, metadata=parsed_metadata(text))


CONTAINER = Container(NAME, recognise, read)
