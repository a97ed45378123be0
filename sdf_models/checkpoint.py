"""Opening and writing checkpoints: from a file to a module, its domain and where it comes from."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from torch import nn

from sdf_models.architectures import ReluMLP
from sdf_models.files import write_atomically
from sdf_models.formats import FORMATS, splinescope
from sdf_models.formats.format import LARGEST_FILE, Refused
from sdf_models.formats.unsupported import refusal


class CheckpointError(ValueError):
    """A file cannot be opened as a checkpoint; one line: the file, the reason, what to do."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained network and what is known of it.

    module      takes inputs of shape (N, D), in the dtype of its parameters; in eval mode
    domain      (2, D) float64, read-only: the lower and the upper corner of the box that it was made for
    provenance  path, format, sha256 of the file, then the facts that the file states, all strings
    notes       every assumption made that the file does not state, one line each
    """

    module: nn.Module
    domain: NDArray[np.float64]
    provenance: Mapping[str, str]
    notes: tuple[str, ...] = ()


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Open a checkpoint, recognised by its content.  No code in the file is run, and memory stays within its limits.

    Raises CheckpointError.
    """
    path = Path(path)
    try:
        data = _read(path)
        reader = next((candidate for candidate in FORMATS if candidate.recognise(data)), None)
        if reader is None:
            raise refusal(data)
        opened = reader.open(data)
    except Refused as error:
        line = " ".join(str(error).split())
        raise CheckpointError(f"{path}: {line}") from error
    domain = np.array(opened.domain, dtype=np.float64)
    domain.flags.writeable = False
    own = {"path": str(path), "format": reader.name, "sha256": hashlib.sha256(data).hexdigest()}
    provenance = MappingProxyType({**own, **{key: value for key, value in opened.facts.items() if key not in own}})
    return Checkpoint(opened.module.eval().requires_grad_(False), domain, provenance, opened.notes)


def save_checkpoint(
    path: str | os.PathLike[str], module: ReluMLP, domain: NDArray[np.float64], facts: Mapping[str, str] | None = None
) -> None:
    """Write a network in the project's own format, whole or not at all.

    domain: (2, inputs) float64, lower and upper corner.  facts: what the network was fitted to, how, by which command.
    """
    write_atomically(Path(path), splinescope.encode(module, domain, facts or {}))


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise Refused("this is a folder", "give the path of a checkpoint in it")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise Refused("not a regular file", "give the path of a checkpoint")
        if status.st_size > LARGEST_FILE:
            raise Refused(f"{status.st_size:,} bytes are too many", f"files of at most {LARGEST_FILE:,} can be opened")
        with path.open("rb") as file:
            data = file.read(status.st_size + 1)
    except FileNotFoundError as error:
        raise Refused("no such file", "check the path") from error
    except PermissionError as error:
        raise Refused("reading it is not permitted", "check its permissions") from error
    except (OSError, ValueError) as error:
        raise Refused(f"it cannot be read ({error})", "check the path") from error
    if len(data) > status.st_size:
        raise Refused("it grew while it was read", "try again once it is complete")
    return data
