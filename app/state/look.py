"""What is to be seen, apart from what is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from app.state.line_style import USUAL, LineStyle

CLEAREST: Final = 10
"""Percent: a surface with less would be taken for none."""


class Fill(Enum):
    """What the regions of a slice are filled with."""

    NONE = "none"
    SIGN = "sign"
    VALUE = "f"
    GRADIENT = "gradient norm"
    AREA = "area"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class SceneLook:
    """Switches of the 3D view; lines, hidden_depths and style are also those of the slices' 2D views.

    opacity: of the surface, in percent, from CLEAREST to 100; neuron: whether the level set of the neuron that is
    followed is shown in space, None: where it is found in a moment.
    """

    surface: bool = True
    creases: bool = False
    clip: bool = False
    box: bool = True
    axes: bool = True
    lines: bool = True
    hidden_depths: frozenset[int] = frozenset()
    style: LineStyle = USUAL
    opacity: int = 100
    neuron: bool | None = None

    def switched(self, name: str) -> SceneLook:
        """With a switch turned."""
        turned: dict[str, Any] = {name: not getattr(self, name)}
        return replace(self, **turned)

    @property
    def of_lines(self) -> tuple[object, ...]:
        """All that the slices' lines depend on."""
        return self.lines, self.hidden_depths, self.style

    def unseen_depths(self, layers: int) -> frozenset[int]:
        """Of so many layers those without lines in the slices."""
        return self.hidden_depths if self.lines else frozenset(range(layers))

    def with_hidden(self, depths: frozenset[int]) -> SceneLook:
        return replace(self, hidden_depths=depths)
