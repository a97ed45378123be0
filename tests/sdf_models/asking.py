"""All the ways in which a file opens: its questions are answered with every alternative in turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sdf_models import Checkpoint, CheckpointError, OpenQuestionError, Reading, load_checkpoint

RELU = Reading(activation="relu")
POINTS = torch.rand(100, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64) * 2 - 1

Answers = tuple[tuple[str, str], ...]
Forward = Callable[[Tensor], Tensor]


def ways(path: Path, reading: Reading = RELU, answers: Answers = ()) -> list[tuple[Answers, Checkpoint | str]]:
    """The outcome of each sequence of answers: a checkpoint, or the line of a refusal."""
    try:
        return [(answers, load_checkpoint(path, reading))]
    except OpenQuestionError as error:
        choice, found = error.question.choice, error.question.alternatives
        assert all(answered != choice for answered, _ in answers)  # it is asked once
        return [
            way
            for alternative in found
            for way in ways(path, reading.answered(choice, alternative.value), (*answers, (choice, alternative.value)))
        ]
    except CheckpointError as error:
        return [(answers, str(error))]


def is_function(checkpoint: Checkpoint, forward: Forward, tolerance: float = 1e-12) -> bool:
    """Return whether a checkpoint's module is a function of points, in float64 relative to its largest value."""
    if checkpoint.domain.shape[1] != POINTS.shape[1]:
        return False
    with torch.no_grad():
        values, expected = checkpoint.module.double()(POINTS).reshape(-1), forward(POINTS).double().reshape(-1)
    return bool((values - expected).abs().max() <= tolerance * expected.abs().max())


def asked(path: Path, reading: Reading = RELU) -> str:
    """The first choice that is asked for, "" when the file opens."""
    try:
        load_checkpoint(path, reading)
    except OpenQuestionError as error:
        return error.question.choice
    return ""


def right_ways(path: Path, forward: Forward, tolerance: float = 1e-12, reading: Reading = RELU) -> list[Answers]:
    """The answers that lead to the function; each tensor of the file has a role in all that opens."""
    right = []
    for answers, found in ways(path, reading):
        if isinstance(found, Checkpoint):
            assert all(use.role for use in found.tensors)
            if is_function(found, forward, tolerance):
                right.append(answers)
    return right


def refusals(path: Path, reading: Reading = RELU) -> list[str]:
    """The refusals, where nothing opens."""
    found = [outcome for _, outcome in ways(path, reading)]
    assert all(isinstance(outcome, str) for outcome in found)
    return [str(outcome) for outcome in found]


class Formula(nn.Module):
    """Parts by name, tensors among them as buffers, and a forward of them: function(self, x)."""

    def __init__(self, function: Callable[[Any, Tensor], Tensor], **parts: nn.Module | Tensor) -> None:
        super().__init__()
        self._function = function
        for name, part in parts.items():
            if isinstance(part, Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self._function(self, x)


def saved(folder: Path, content: Any, name: str = "net.pth") -> Path:
    """A file of torch.save, or with the suffix .npz one of arrays by name."""
    path = folder / name
    if path.suffix == ".npz":
        np.savez(path, **{key: np.asarray(value) for key, value in content.items()})
    else:
        torch.save(content, path)
    return path
