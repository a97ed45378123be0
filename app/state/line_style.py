"""How lines are drawn: what a person chooses of their colours and widths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.state.palette import Palette

NARROWEST: Final = 25
WIDEST: Final = 400


@dataclass(frozen=True, slots=True)
class LineStyle:
    """palette: of the depths; lines, level: widths of the partition's lines and of level sets, in percent of the usual
    ones, from NARROWEST to WIDEST."""

    palette: Palette = Palette.TIDE
    lines: int = 100
    level: int = 100

    @property
    def line_factor(self) -> float:
        return self.lines / 100

    @property
    def level_factor(self) -> float:
        return self.level / 100


USUAL: Final = LineStyle()
