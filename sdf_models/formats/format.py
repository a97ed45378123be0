"""What a reader of a container format is, and the checks that all readers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import nn

LARGEST_FILE = 1 << 29
"""Bytes; files, and what they unpack to, are refused beyond it.  Neural distance fields have megabytes at most."""


class Refused(Exception):  # noqa: N818  becomes a CheckpointError once the file's name is known
    """A file's content cannot be opened: the reason, and what to do about it."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")


class Damaged(Refused):
    """The content contradicts its own format."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, "the file seems damaged: copy or download it again")


@dataclass(frozen=True, eq=False, slots=True)
class Opened:
    """What a reader finds in a file.  domain: (2, D) float64, lower and upper corner; facts and notes: for people."""

    module: nn.Module
    domain: NDArray[np.float64]
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Format:
    """A container format.  recognise looks at the file's bytes only; open raises Refused, and nothing else."""

    name: str
    recognise: Callable[[bytes], bool]
    open: Callable[[bytes], Opened]


def check_finite(name: str, array: NDArray[np.generic]) -> None:
    """Refuse weights that are not numbers."""
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise Refused(f"{bad} of the {array.size} weights of {name} are NaN or infinite", "train the network again")
