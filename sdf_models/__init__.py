"""The parts of networks and their sources: checkpoints, architectures, shapes and training."""

from __future__ import annotations

from sdf_models.architectures import ReluMLP
from sdf_models.checkpoint import Checkpoint, CheckpointError, OpenQuestionError, load_checkpoint, save_checkpoint
from sdf_models.finishing import Approximation
from sdf_models.last_activation import LastActivation
from sdf_models.reading import Alternative, Question, Reading

__all__ = [
    "Alternative",
    "Approximation",
    "Checkpoint",
    "CheckpointError",
    "LastActivation",
    "OpenQuestionError",
    "Question",
    "Reading",
    "ReluMLP",
    "load_checkpoint",
    "save_checkpoint",
]
