"""What networks are made of and where they come from: checkpoints, architectures, shapes and training."""

from __future__ import annotations

from sdf_models.architectures import ReluMLP
from sdf_models.checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint

__all__ = ["Checkpoint", "CheckpointError", "ReluMLP", "load_checkpoint", "save_checkpoint"]
