"""Numbers of pinned regions, painted anywhere in a view."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter

from app.application import application
from app.views.pin_marks import INK, paint_badge

_SIZE = 200


def _ink(at: QPointF) -> int:
    """Pixels of the badge of a tiny region."""
    image = QImage(_SIZE, _SIZE, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    corners = [at + QPointF(-2, -2), at + QPointF(2, -2), at + QPointF(0, 2)]
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint_badge(painter, 8, at, corners, in_place=True)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(_SIZE, _SIZE, 4)[..., :3]
    ink = [INK.blue(), INK.green(), INK.red()]
    return int((pixels == ink).all(axis=-1).sum())


@pytest.mark.parametrize("y", [2.0, 10.0, 20.0, 40.0, 190.0])
def test_the_number_is_whole_wherever_the_region_is(y: float) -> None:
    application()
    whole = _ink(QPointF(100, 100))
    assert whole > 50
    assert abs(_ink(QPointF(100, y)) - whole) <= 4  # of the stalk's end
