"""Numbers of pinned regions, painted anywhere in a view."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter

from app.application import application
from app.state.paper import WHITE
from app.views.marks.paper_of import color_of
from app.views.marks.pin_marks import paint_badge

_SIZE = 200


def _ink(at: QPointF, half: QPointF) -> int:
    """Pixels of the badge of a region that is so large to both sides."""
    image = QImage(_SIZE, _SIZE, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    corners = [at - half, at + QPointF(half.x(), -half.y()), at + QPointF(0, half.y())]
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint_badge(painter, 8, at, corners, in_place=True, paper=WHITE)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(_SIZE, _SIZE, 4)[..., :3]
    mark = color_of(WHITE.ink)
    ink = [mark.blue(), mark.green(), mark.red()]
    return int((pixels == ink).all(axis=-1).sum())


@pytest.mark.parametrize("y", [2.0, 10.0, 20.0, 40.0, 100.0, 190.0])
@pytest.mark.parametrize("height", [4, 60, 150, 190, 300])
def test_the_number_is_whole_wherever_the_region_is(y: float, height: int) -> None:
    application()
    whole = _ink(QPointF(100, 100), QPointF(2, 2))
    assert whole > 50
    assert _ink(QPointF(100, y), QPointF(2, height / 2)) >= whole - 15  # of the stalk
