"""A module and its description are two forms of the same thing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdf_models import ReluMLP
from sdf_models.architectures import Architecture

sizes = st.integers(1, 9)


@given(sizes, sizes, sizes)
def test_description_round_trip(width: int, depth: int, inputs: int) -> None:
    architecture = Architecture(width, depth, inputs)
    assert Architecture.from_description(json.loads(json.dumps(architecture.describe()))) == architecture
    module = ReluMLP(architecture)
    assert {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()} == architecture.shapes()
    assert sum(name.startswith("relu") for name, _ in module.named_children()) == depth


@pytest.mark.parametrize(
    "description",
    [
        None,
        {},
        {"type": "siren", "width": 4, "depth": 2, "inputs": 3},
        {"type": "relu_mlp", "width": 4, "depth": 2},
        {"type": "relu_mlp", "width": 4, "depth": 2, "inputs": 3, "skip": 1},
        {"type": "relu_mlp", "width": 4.0, "depth": 2, "inputs": 3},
        {"type": "relu_mlp", "width": True, "depth": 2, "inputs": 3},
        {"type": "relu_mlp", "width": 0, "depth": 2, "inputs": 3},
        {"type": "relu_mlp", "width": 10**9, "depth": 2, "inputs": 3},
        {"type": "relu_mlp", "width": 4, "depth": "2", "inputs": 3},
    ],
)
def test_bad_descriptions_are_refused(description: object) -> None:
    with pytest.raises(ValueError, match=r"architecture|fields|whole number"):
        Architecture.from_description(description)
