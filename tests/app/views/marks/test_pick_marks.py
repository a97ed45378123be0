"""Labels of points and lengths: apart from each other and from the points, inside, each at what it names."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF, QSizeF

from app.views.marks.pick_marks import PickMarks, placed_labels

MARKS = PickMarks(np.zeros((3, 2)), ("1", "2: 123.4°", "3"), ((0, 1, "0.1234"), (1, 2, "0.5678")))


def size(text: str) -> QSizeF:
    return QSizeF(7.0 * len(text) + 10, 16.0)


SPOTS = st.lists(st.tuples(st.floats(-50, 350), st.floats(-50, 250)), min_size=3, max_size=3)


@settings(deadline=None)
@given(SPOTS, st.floats(80, 300), st.floats(60, 200))
def test_no_label_hides_another_or_a_point(places: list[tuple[float, float]], width: float, height: float) -> None:
    area = QRectF(0, 0, width, height)
    spots = [QPointF(*place) for place in places]
    labels = placed_labels(MARKS, spots, area, size)
    for k, label in enumerate(labels):
        assert area.contains(label.box)
        assert not any(label.box.contains(spot) for spot in spots)
        assert not any(label.box.intersects(other.box) for other in labels[:k])
    assert len({label.text for label in labels}) == len(labels)


def test_with_room_everything_is_told_where_it_is() -> None:
    spots = [QPointF(60, 60), QPointF(260, 70), QPointF(240, 260)]
    labels = placed_labels(MARKS, spots, QRectF(0, 0, 400, 400), size)
    assert [label.text for label in labels] == ["1", "2: 123.4°", "3", "0.1234", "0.5678"]
    for label, spot in zip(labels[:3], spots, strict=True):
        assert label.box.left() > spot.x()
        assert label.box.bottom() < spot.y()
        assert np.hypot(label.box.left() - spot.x(), label.box.bottom() - spot.y()) < 8
    assert labels[3].box.center() == (spots[0] + spots[1]) / 2
    assert labels[4].box.center() == (spots[1] + spots[2]) / 2


def test_what_finds_no_place_is_left_out() -> None:
    spots = [QPointF(50, 50), QPointF(52, 50), QPointF(51, 52)]
    labels = placed_labels(MARKS, spots, QRectF(0, 0, 90, 90), size)
    assert labels[0].text == "1"
    assert len(labels) < 5
    assert placed_labels(MARKS, [QPointF(-20, -20)] * 3, QRectF(0, 0, 90, 90), size) == []


@settings(deadline=None)
@given(SPOTS, st.floats(80, 300), st.floats(60, 200))
def test_a_length_is_nearer_to_its_line_than_to_others(
    places: list[tuple[float, float]], width: float, height: float
) -> None:
    spots = [QPointF(*place) for place in places]
    lines = {text: (spots[a], spots[b]) for a, b, text in MARKS.joints}
    for label in placed_labels(MARKS, spots, QRectF(0, 0, width, height), size):
        if label.text in lines:
            near = _distance(label.box.center(), *lines[label.text])
            assert all(near <= _distance(label.box.center(), *line) + 0.1 for line in lines.values())


def _distance(place: QPointF, start: QPointF, end: QPointF) -> float:
    shares = np.linspace(0.0, 1.0, 2001)
    x = start.x() + shares * (end.x() - start.x()) - place.x()
    y = start.y() + shares * (end.y() - start.y()) - place.y()
    return float(np.hypot(x, y).min())
