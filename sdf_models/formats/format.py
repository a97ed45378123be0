"""The readers of container formats: what each of them gives, and the checks that all share."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import nn

from sdf_models.last_activation import NOTHING, LastActivation
from sdf_models.reading import Choices

if TYPE_CHECKING:
    from sdf_models.families.weights import Weights

LARGEST_FILE = 1 << 29
"""Bytes; files, and what they unpack to, are refused beyond it.  Neural distance fields have megabytes at most."""
PEEK = 1 << 16
"""Bytes at the start and at the end of a file by which it is recognised."""


class Refused(Exception):  # noqa: N818  becomes a CheckpointError once the file's name is known
    """A file's content cannot be opened: the reason, what to do about it, and code that does it where there is some."""

    def __init__(self, reason: str, remedy: str, recipe: str = "") -> None:
        super().__init__(f"{reason}; {remedy}")
        self.recipe = recipe


class Damaged(Refused):
    """The content contradicts its own format."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, "the file seems damaged: copy or download it again")


@dataclass(frozen=True, eq=False, slots=True)
class Peek:
    """The first and the last bytes of a file, PEEK each at most."""

    head: bytes
    tail: bytes


@dataclass(frozen=True, eq=False, slots=True)
class CheckpointFile:
    """A file to be opened: its path, beside which side files are looked for, its content, and the choices made."""

    path: Path
    data: bytes
    choices: Choices


@dataclass(frozen=True, slots=True)
class TensorUse:
    """A floating-point tensor of a file, and what it was taken for."""

    name: str
    shape: tuple[int, ...]
    role: str


@dataclass(frozen=True, eq=False, slots=True)
class Opened:
    """The network that a reader finds in a file.

    domain: (2, D) float64, lower and upper corner, or None when the file does not say; facts and notes: for people;
    domain_note: what the file says of its domain, and why that is not used where domain is None; tensors: what each of
    the file was taken for, where it is a file of tensors; own_forward: whether the module computes by code or a graph
    of the network's own, so that it can be compared with.
    """

    module: nn.Module
    inputs: int
    domain: NDArray[np.float64] | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    last_activation: LastActivation = NOTHING
    domain_note: str = ""
    tensors: tuple[TensorUse, ...] = ()
    own_forward: bool = True


@dataclass(frozen=True, eq=False, slots=True)
class Format:
    """A container format.  recognise looks at a few bytes only; open raises Refused or Open, and nothing else."""

    name: str
    recognise: Callable[[Peek], bool]
    open: Callable[[CheckpointFile], Opened]


@dataclass(frozen=True, eq=False, slots=True)
class Container:
    """A format of named tensors, which its family makes a network.  read: from path and content; raises Refused."""

    name: str
    recognise: Callable[[Peek], bool]
    read: Callable[[Path, bytes], Weights]


def first_line(error: BaseException, width: int = 160) -> str:
    """Return an error's first line, of `width` characters at most, cut between words; its class when that is empty."""
    return shortened((str(error).strip().splitlines() or [type(error).__name__])[0], width)


def shortened(text: str, width: int) -> str:
    """The beginning of a text, on one line and cut between words."""
    return textwrap.shorten(text, width, placeholder=" ...")


def with_article(name: str) -> str:
    """A name with its indefinite article."""
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def printable(text: str) -> str:
    """A text of a file, with escapes in place of what a terminal would obey: control characters, overrides."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def check_finite(name: str, array: NDArray[np.generic]) -> None:
    """Refuse weights that are not numbers."""
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise Refused(f"{bad} of the {array.size} weights of {name} are NaN or infinite", "train the network again")
