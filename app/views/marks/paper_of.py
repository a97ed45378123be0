"""The paper of the window's views, and its colours for a painter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtGui import QColor, QPalette

from app.state.paper import NIGHT, WHITE, Paper

if TYPE_CHECKING:
    from app.state.palette import RGB

GROUND: Final = QPalette.ColorRole.AlternateBase
"""The role of the application's palette that says on which ground views draw."""
_HALO: Final = 225  # of 255: opacity of what keeps marks apart from what is below them


def paper_of(palette: QPalette) -> Paper:
    return WHITE if palette.color(GROUND).lightness() > 127 else NIGHT


def color_of(rgb: RGB, opacity: int = 255) -> QColor:
    """opacity: from 0 to 255."""
    color = QColor.fromRgbF(*rgb)
    color.setAlpha(opacity)
    return color


def halo(paper: Paper) -> QColor:
    """Around and behind marks."""
    return color_of(paper.ground, _HALO)
