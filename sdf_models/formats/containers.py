"""Containers of named tensors, whose networks are told by shapes and names: PyTorch's, safetensors, plain npz."""

from __future__ import annotations

from pathlib import Path

from sdf_models.families import opened_weights
from sdf_models.families.weights import Weights
from sdf_models.formats import plain_npz, plain_safetensors, torch_file
from sdf_models.formats.format import LARGEST_FILE, PEEK, CheckpointFile, Container, Format, Opened, Peek, Refused

CONTAINERS: tuple[Container, ...] = (
    plain_safetensors.CONTAINER,
    plain_npz.CONTAINER,
    torch_file.CONTAINER,
    torch_file.LEGACY,
)
"""In the order in which they are tried."""


def as_format(container: Container) -> Format:
    def open_file(file: CheckpointFile) -> Opened:
        return opened_weights(container.read(file.path, file.data), file.choices)

    return Format(container.name, container.recognise, open_file)


def tensors_in(path: Path) -> Weights:
    """The tensors of a file beside the one that is opened, such as that of latent codes.  Raises Refused."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Refused(f"{path.name}: {path.stat().st_size:,} bytes are too many", "give a smaller file")
        data = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path.name}: it cannot be read ({error.strerror})", "check the path") from error
    peek = Peek(data[:PEEK], data[-PEEK:])
    container = next((candidate for candidate in CONTAINERS if candidate.recognise(peek)), None)
    if container is None:
        raise Refused(f"{path.name}: not a file of tensors", "give one that torch.save has written")
    return container.read(path, data)
