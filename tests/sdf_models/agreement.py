"""Networks that are the same but for rounding: products of matrices have last bits of their library's choice."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from sdf_models import load_checkpoint

ERRORS = ("near_error", "box_error", "surface_error", "slope_error")


def assert_same_training(found: Path, expected: Path) -> None:
    """Rounding moves the weights by some 1e-7 in so few steps, another step of Adam by 1e-3."""
    one, two = load_checkpoint(found), load_checkpoint(expected)
    torch.testing.assert_close(dict(one.module.state_dict()), dict(two.module.state_dict()), rtol=0.0, atol=1e-5)
    said = [dict(checkpoint.provenance) for checkpoint in (one, two)]
    for facts in said:
        del facts["path"], facts["sha256"]
    errors = [[float(facts.pop(name).split(",")[0]) for name in ERRORS] for facts in said]
    assert errors[0] == pytest.approx(errors[1], rel=0.02)
    assert said[0] == said[1]


def assert_same_sides(values: Tensor, level: float, others: Tensor, other_level: float) -> None:
    """(N,) values are below their level where the others are below theirs, except next to it."""
    clear = (values - level).abs() > 1e-5
    assert clear.double().mean() > 0.9
    assert torch.equal((values < level)[clear], (others < other_level)[clear])
