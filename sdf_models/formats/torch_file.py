"""The files that torch.save writes: a zip archive, or before PyTorch 1.6 a sequence of pickles.

Only torch.load(weights_only=True) reads them, whose unpickler makes tensors, plain containers and numbers and nothing
else.
"""

from __future__ import annotations

import io
import pickle
import re
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from sdf_models.families.weights import Weights, weights_of
from sdf_models.formats import npz, numpy_scalars, recipes
from sdf_models.formats.format import Container, Damaged, Peek, Refused, first_line, with_article

NAME = "PyTorch zip"
LEGACY_NAME = "PyTorch before 1.6"

LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_PROGRAM = re.compile(rb"/(?:code/|constants\.pkl)|archive_format|serialized_exported_program|models/model\.json")
_GLOBAL = re.compile(r"(?:GLOBAL|class|function) '?([\w.]+)'?")
_LOAD_ERRORS = (
    RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, EOFError, OSError,
    OverflowError, MemoryError, UnicodeError, RecursionError, struct.error, pickle.UnpicklingError, zipfile.BadZipFile,
)  # fmt: skip


def recognise(peek: Peek) -> bool:
    """A zip archive whose members lie in one folder with data.pkl, and which has no code."""
    length = int.from_bytes(peek.head[26:28], "little")
    first = peek.head[30 : 30 + length]
    listed = re.search(rb"(^|/)data\.pkl$", first) is not None or b"/data.pkl" in peek.tail
    return peek.head.startswith(b"PK\x03\x04") and listed and not is_program(peek)


def recognise_legacy(peek: Peek) -> bool:
    return peek.head.startswith(LEGACY_MAGIC)


def is_program(peek: Peek) -> bool:
    """Return whether the archive's directory lists what TorchScript or torch.export write."""
    directory = peek.tail[max(0, peek.tail.find(b"PK\x01\x02")) :]
    return _PROGRAM.search(directory) is not None


def read(path: Path, data: bytes) -> Weights:
    if data.startswith(b"PK"):
        _check_directory(data)
    content = _loaded(data, path)
    if isinstance(content, torch.Tensor):
        content = {"tensor": content}
    if not isinstance(content, (dict, list, tuple)):
        raise Refused(f"it holds {with_article(type(content).__name__)}, not weights", "save the network's state_dict")
    return weights_of(content, path)


def _check_directory(data: bytes) -> None:
    """Stored members alone, which together are no longer than the file: nothing unpacks to more than it holds."""
    with npz.directory(data) as archive:
        members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise Refused("its archive is compressed, which torch.save never does", "save it again with torch.save")
    if sum(member.file_size for member in members) > len(data):
        raise Damaged("the archive's members overlap")


def _loaded(data: bytes, path: Path) -> Any:
    try:
        with warnings.catch_warnings():  # of unusual pickle protocols, which only damaged files have
            warnings.simplefilter("ignore", UserWarning)
            with torch.serialization.safe_globals(numpy_scalars.SAFE):
                return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        name = _GLOBAL.search(str(error))
        what = f"an object of {name[1]:.60}" if name is not None else "objects"
        if name is None and "Unsupported" not in str(error) and "Weights only" not in str(error):
            raise Damaged(f"its pickle cannot be read ({first_line(error)})") from error
        raise Refused(
            f"a PyTorch file with {what} in it (a pickled module, or settings), and loading those could run code",
            "where it was made, save the weights alone: torch.save(model.state_dict(), 'weights.pth')",
            recipes.OF_TORCH.format(name=path.name),
        ) from error
    except _LOAD_ERRORS as error:
        raise Damaged(f"torch cannot read it ({first_line(error)})") from error


CONTAINER = Container(NAME, recognise, read)
LEGACY = Container(LEGACY_NAME, recognise_legacy, read)
