"""The record of how a command's outputs were made."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from app import __version__
from app.commands.loading import reading_of
from app.provenance.record import Provenance, command_line, versions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sdf_models import Checkpoint

NOT_RECORDED = ("--json",)


def provenance_of(
    arguments: argparse.Namespace,
    checkpoint: Checkpoint,
    outputs: Sequence[str],
    domain: NDArray[np.float64],
    level: float,
    planes: Sequence[str] = (),
    settings: Mapping[str, str | float] | None = None,
    found: Mapping[str, float] | None = None,
) -> Provenance:
    """Return the record of a run; `of_output` makes that of each file.

    outputs: the options that name files to write; domain: (2, D); level: of the file's own output; the others as
    `Provenance` has them.
    """
    return Provenance(
        command=command_line(_inputs(arguments.words, outputs)),
        checkpoint=str(arguments.file),
        sha256=checkpoint.provenance.get("sha256", ""),
        reading=reading_of(arguments).to_json(),
        notes=tuple(checkpoint.notes),
        planes=tuple(planes),
        domain=tuple(tuple(corner) for corner in domain.tolist()),
        level=level,
        settings=dict(settings or {}),
        found=dict(found or {}),
        versions=versions(__version__),
    )


def _inputs(words: Sequence[str], outputs: Sequence[str]) -> list[str]:
    """The words of a command without its options for files to write, and those that only print."""
    kept: list[str] = []
    left_out = False
    for word in words:
        if left_out or word in NOT_RECORDED or word.partition("=")[0] in outputs:
            left_out = not left_out and word in outputs  # its value follows
        else:
            kept.append(word)
    return kept
