"""From a file's path to a checkpoint and its traced network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.errors import CommandError
from app.demos import demo_checkpoint

if TYPE_CHECKING:
    from engine import Network
    from sdf_models import Checkpoint


def open_checkpoint(path: Path) -> Checkpoint:
    """Open a file, or a checkpoint that comes with the program by its bare name when there is no such file."""
    from sdf_models import CheckpointError, load_checkpoint

    try:
        return load_checkpoint((None if path.exists() else demo_checkpoint(str(path))) or path)
    except CheckpointError as error:
        raise CommandError(about(path, str(error))) from error


def trace(path: Path, checkpoint: Checkpoint) -> Network:
    from engine import EngineError, Network

    try:
        return Network.trace(checkpoint.module, input_shape=(checkpoint.domain.shape[1],))
    except EngineError as error:
        raise CommandError(about(path, str(error))) from error


def about(path: Path, reason: str) -> str:
    """The reason, with the path before it once."""
    return reason if reason.startswith(f"{path}:") else f"{path}: {reason}"
