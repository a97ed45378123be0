"""What a click in a slice takes: a region, or the line of a neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QPointF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF, QTransform

from app.views.marks.paper_of import color_of, halo
from app.views.slice.slice_image import HIGHLIGHT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.state.paper import Paper

_TINT: Final = QColor(255, 214, 10, 120)


@dataclass(frozen=True, eq=False, slots=True)
class Target:
    """In a slice's coordinates, or in pixels of a view of space."""

    region: QPolygonF | None
    line: list[QLineF]

    @classmethod
    def of(cls, corners: NDArray[np.float64] | None, line: NDArray[np.float64]) -> Target:
        """A region with corners (M, 2), None: no region; segments (H, 2, 2) of a line."""
        region = None if corners is None else QPolygonF([QPointF(u, v) for u, v in corners.tolist()])
        return cls(region, [QLineF(*ends) for ends in line.reshape(-1, 4).tolist()])


def paint_target(painter: QPainter, target: Target, to_pixels: QTransform, paper: Paper) -> None:
    """to_pixels: from the target's coordinates."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setTransform(to_pixels, True)
    for color, width in ((halo(paper), 4.0), (color_of(HIGHLIGHT), 1.6)):
        painter.setPen(_cosmetic(color, width))
        painter.drawLines(target.line)
    if target.region is not None:
        painter.setPen(_cosmetic(color_of(paper.ink), 1.4))
        painter.setBrush(_TINT)
        painter.drawPolygon(target.region)
    painter.restore()


def _cosmetic(color: QColor, width: float) -> QPen:
    """Width in pixels, whatever the transform."""
    pen = QPen(color, width)
    pen.setCosmetic(True)
    return pen
