"""Opening and writing checkpoints: from a file to a module, its domain and where it comes from."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from torch import nn

from sdf_models.architectures import ReluMLP
from sdf_models.files import write_atomically
from sdf_models.finishing import Approximation, finished
from sdf_models.formats import FORMATS, splinescope
from sdf_models.formats.format import (
    LARGEST_FILE,
    PEEK,
    CheckpointFile,
    Format,
    Opened,
    Peek,
    Refused,
    TensorUse,
    first_line,
    printable,
    shortened,
)
from sdf_models.formats.unsupported import refusal
from sdf_models.last_activation import NOTHING, LastActivation
from sdf_models.reading import Choices, Open, Question, Reading

SIDE_FILE_SUFFIX = ".reading.json"
"""Choices for FILE are also read from FILE.reading.json, where there is one (`Reading.to_json`)."""
_LARGEST_SIDE_FILE = 1 << 16


class CheckpointError(ValueError):
    """A file cannot be opened as a checkpoint; one line: the file, the reason, what to do.

    recipe: lines of code that do it, where there are some, for copying.
    """

    def __init__(self, message: str, recipe: str = "") -> None:
        super().__init__(message)
        self.recipe = recipe


class OpenQuestionError(CheckpointError):
    """A file can be read in several ways: `question` lists them.  Ask, and load again with the answer:

    load_checkpoint(path, reading.answered(error.question.choice, text))
    """

    def __init__(self, message: str, question: Question) -> None:
        super().__init__(message)
        self.question = question


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained network and what is known of it.

    module           takes inputs of shape (N, D), in the dtype of its parameters; in eval mode
    domain           (2, D) float64, read-only: the lower and the upper corner of the box that it was made for
    provenance       path, format, sha256 of the file, then the facts that the file states, all strings
    notes            every assumption made that the file does not state, one line each
    last_activation  what was left out at the end: the module's values are those before it
    approximation    how the module differs from the file's network, None when it does not
    tensors          what every floating-point tensor of the file was taken for; empty where its format is no such list
    own_forward      whether the module computes by code or a graph of the network's own, not by our reading of tensors
    """

    module: nn.Module
    domain: NDArray[np.float64]
    provenance: Mapping[str, str]
    notes: tuple[str, ...] = ()
    last_activation: LastActivation = NOTHING
    approximation: Approximation | None = None
    tensors: tuple[TensorUse, ...] = ()
    own_forward: bool = True

    def level(self, value: float) -> float:
        """The level of the module's values where the file's own output is `value`.  Raises CheckpointError."""
        where = self.provenance.get("path", "the checkpoint")
        try:
            return self.last_activation.level(value)
        except Open as error:
            raise OpenQuestionError(f"{where}: {error}", error.question) from error
        except ValueError as error:
            raise CheckpointError(f"{where}: {error}; choose another level") from error


def load_checkpoint(path: str | os.PathLike[str], reading: Reading | None = None) -> Checkpoint:
    """Open a checkpoint, recognised by its content.  No code in the file is run, and memory stays within its limits.

    reading: the choices where the file leaves several readings; a side file FILE.reading.json may hold them too.

    Raises CheckpointError, and of its kinds OpenQuestionError where a choice is missing.
    """
    path = Path(path)
    try:
        side, side_name = _side_file(path)
        choices = Choices(reading or Reading(), side, side_name)
        chosen, data = _read(path)
        opened = chosen.open(CheckpointFile(path, data, choices))
        return _checkpoint(path, chosen.name, hashlib.sha256(data).hexdigest(), opened, choices)
    except Refused as error:
        raise CheckpointError(f"{path}: {printable(' '.join(str(error).split()))}", error.recipe) from error
    except Open as error:
        raise OpenQuestionError(f"{path}: {printable(' '.join(str(error).split()))}", error.question) from error


def _checkpoint(path: Path, name: str, sha256: str, opened: Opened, choices: Choices) -> Checkpoint:
    module, domain, approximation = finished(opened, choices)
    unused = choices.unused()
    if unused:
        raise Refused(f"{unused[0]} does not apply to this file ({name}), which leaves no choice there", "leave it out")
    own = {"path": str(path), "format": name, "sha256": sha256}
    provenance = MappingProxyType({**own, **{key: value for key, value in opened.facts.items() if key not in own}})
    notes = tuple(printable(note) for note in (*opened.notes, *choices.notes))
    last_activation = replace(opened.last_activation, sign=-1.0 if choices.peek("flip_sign") else 1.0)
    return Checkpoint(
        module, domain, provenance, notes, last_activation, approximation, opened.tensors, opened.own_forward
    )


def save_checkpoint(
    path: str | os.PathLike[str], module: ReluMLP, domain: NDArray[np.float64], facts: Mapping[str, str] | None = None
) -> None:
    """Write a network in the project's own format, whole or not at all.

    domain: (2, inputs) float64, lower and upper corner.  facts: what the network was fitted to, how, by which command.
    """
    write_atomically(Path(path), splinescope.encode(module, domain, facts or {}))


def _side_file(path: Path) -> tuple[Reading, str]:
    side = Path(f"{path}{SIDE_FILE_SUFFIX}")
    try:
        if not side.is_file() or side.stat().st_size > _LARGEST_SIDE_FILE:
            return Reading(), ""
        return Reading.from_json(json.loads(side.read_bytes())), side.name
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            return Reading(), ""  # then there is none
        raise Refused(
            f"its side file {side.name} cannot be used ({shortened(str(error), 400)})", "correct or remove it"
        ) from error


def _read(path: Path) -> tuple[Format, bytes]:
    """The format of a file and its content, which is read only when its first and last bytes are recognised."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise Refused("this is a folder", "give the path of a checkpoint in it")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise Refused("not a regular file", "give the path of a checkpoint")
        with path.open("rb") as file:
            head = file.read(PEEK)
            file.seek(max(0, status.st_size - PEEK))
            peek = Peek(head, file.read(PEEK))
            chosen = next((candidate for candidate in FORMATS if candidate.recognise(peek)), None)
            if chosen is None:
                raise refusal(peek, path.name)
            if status.st_size > LARGEST_FILE:
                raise Refused(
                    f"{status.st_size:,} bytes are too many",
                    f"files of at most {LARGEST_FILE:,} can be opened: save the weights of the network alone",
                )
            file.seek(0)
            data = file.read(status.st_size + 1)
    except FileNotFoundError as error:
        raise Refused("no such file", "check the path") from error
    except PermissionError as error:
        raise Refused("reading it is not permitted", "check its permissions") from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            raise Refused("its name is longer than file names can be", "check the path") from error
        raise Refused(f"it cannot be read ({first_line(error)})", "check the path") from error
    if len(data) > status.st_size:
        raise Refused("it grew while it was read", "try again once it is complete")
    return chosen, data
