"""Families of architectures: public code that turns the shapes of a state dict into a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from sdf_models.families.network import FoundNetwork
from sdf_models.last_activation import LastActivation
from sdf_models.reading import Choices


@dataclass(frozen=True, eq=False, slots=True)
class Built:
    """The network of all its inputs, and what follows its last layer."""

    module: nn.Module
    last_activation: LastActivation
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Family:
    """A family.  Of a network and what specs.json says of it (nothing when there is none) it says:

    fits      why it cannot be of this family, None when it can
    evidence  why it certainly is, None when that is open
    build     the network; raises Refused and Open
    meaning   what reading it so implies, for people
    """

    name: str
    meaning: str
    fits: Callable[[FoundNetwork], str | None]
    evidence: Callable[[FoundNetwork, Mapping[str, Any]], str | None]
    build: Callable[[FoundNetwork, Mapping[str, Any], Choices], Built]
