"""Containers of named tensors, whose networks are told by shapes and names: PyTorch's, safetensors, plain npz."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sdf_models.families import opened_weights
from sdf_models.families.weights import Weights
from sdf_models.formats import plain_npz, plain_safetensors, torch_file
from sdf_models.formats.format import LARGEST_FILE, PEEK, CheckpointFile, Format, Opened, Peek, Refused


@dataclass(frozen=True, eq=False, slots=True)
class Container:
    """read: from a file's path and content to its tensors; raises Refused."""

    name: str
    recognise: Callable[[Peek], bool]
    read: Callable[[Path, bytes], Weights]


CONTAINERS: tuple[Container, ...] = (
    Container(plain_safetensors.NAME, plain_safetensors.recognise, plain_safetensors.read),
    Container(plain_npz.NAME, plain_npz.recognise, plain_npz.read),
    Container(torch_file.NAME, torch_file.recognise, torch_file.read),
    Container(torch_file.LEGACY_NAME, torch_file.recognise_legacy, torch_file.read),
)


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
        raise Refused(f"{path.name}: it cannot be read ({error})", "check the path") from error
    peek = Peek(data[:PEEK], data[-PEEK:])
    container = next((candidate for candidate in CONTAINERS if candidate.recognise(peek)), None)
    if container is None:
        raise Refused(f"{path.name}: not a file of tensors", "give one that torch.save has written")
    return container.read(path, data)
