"""safetensors files that hold a state dict, with or without metadata of other programs."""

from __future__ import annotations

from pathlib import Path

from sdf_models.families.weights import Weights, parsed_metadata, weights_of
from sdf_models.formats import splinescope
from sdf_models.formats.format import Container, Damaged, Peek

NAME = "safetensors"


def recognise(peek: Peek) -> bool:
    return splinescope.is_safetensors(peek.head)


def read(path: Path, data: bytes) -> Weights:
    metadata = splinescope.header(data).get("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise Damaged("the metadata is not strings by name")
    tensors = splinescope.tensors_in(data)
    # safetensors sorts tensors: their order says nothing.
    return weights_of(tensors, path, ordered=False, metadata=parsed_metadata(metadata))


CONTAINER = Container(NAME, recognise, read)
