"""The ground of the views: dark in the dark theme, unless a person wants white; white on all that leaves the window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.state import actions
from app.state.look import Fill
from app.state.paper import NIGHT, WHITE, Paper
from app.window.dialogs.preferences_dialog import PreferencesDialog
from app.window.parts.theme import dress
from tests.app.on_screen import LEFT, Driver, press
from tests.app.waiting import let_run


@pytest.fixture(autouse=True)
def usual_theme() -> Iterator[None]:
    yield
    dress(QApplication.instance())


def pixels(image: QImage) -> NDArray[np.uint8]:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(-1, 3).copy()


def share(widget: QWidget | QImage, paper: Paper) -> float:
    """Of pixels in the colour of the paper's ground."""
    image = widget if isinstance(widget, QImage) else widget.grab().toImage()
    return float((np.abs(pixels(image) - 255.0 * np.array(paper.ground)).max(axis=1) <= 1).mean())


def wear(driver: Driver, theme: str, white_paper: bool = False) -> None:
    dress(QApplication.instance(), theme, white_paper)
    let_run(50)
    driver.settle()


def test_views_take_the_ground_of_the_theme_at_once(window: Driver) -> None:
    main, tile = window.window, window.tile
    for theme, paper, other in (("dark", NIGHT, WHITE), ("light", WHITE, NIGHT)):
        wear(window, theme)
        for view in (tile.view, main.scene_view):
            assert view.paper == paper
            assert share(view, paper) > 0.3
            assert share(view, other) < 0.02
    wear(window, "dark", white_paper=True)
    assert main.palette().window().color().lightness() < 60
    assert share(tile.view, WHITE) > 0.3
    assert share(main.scene_view, WHITE) > 0.3


def test_paper_is_a_preference(window: Driver) -> None:
    wear(window, "dark")
    window.window.settings.theme = "dark"
    press(window, "Ctrl+,")
    dialog = window.window.helper.dialog
    assert isinstance(dialog, PreferencesDialog)
    for key, paper in ((Qt.Key.Key_Down, WHITE), (Qt.Key.Key_Up, NIGHT), (Qt.Key.Key_Down, WHITE)):
        QTest.keyClick(dialog.paper, key)
        assert window.window.settings.white_paper is (paper is WHITE)
        assert window.tile.view.paper == window.window.scene_view.paper == paper
    usual = dialog.buttons.button(dialog.buttons.StandardButton.RestoreDefaults)
    QTest.mouseClick(usual, LEFT)
    assert not window.window.settings.white_paper
    dialog.close()


def test_pictures_of_slices_leave_the_window_on_white(window: Driver) -> None:
    main, view = window.window, window.tile.view
    for fill in (Fill.NONE, Fill.AREA):
        main.store.do(actions.ChangeFill(fill))
        wear(window, "light")
        expected = pixels(view.white_picture().toImage())
        np.testing.assert_array_equal(expected, pixels(view.grab().toImage()))
        wear(window, "dark")
        assert share(view, NIGHT) > 0.1
        np.testing.assert_array_equal(pixels(view.white_picture().toImage()), expected)


def test_a_picture_of_space_leaves_the_window_on_white(window: Driver) -> None:
    wear(window, "dark")
    assert window.window.scene_view.still_drawing(80, 60, transparent=False).paper is WHITE


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Of WCAG 2."""
    low, high = sorted(
        sum(w * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for w, c in zip(
            (0.2126, 0.7152, 0.0722), color, strict=True)) for color in (one, other)
    )  # fmt: skip
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("paper", [WHITE, NIGHT])
def test_words_and_marks_are_read_on_both_papers(paper: Paper) -> None:
    assert contrast(paper.ink, paper.ground) > 12
    assert contrast(paper.muted, paper.ground) > 4.5
    assert contrast(paper.axes, paper.ground) > 4.5
    assert contrast(paper.border, paper.ground) > 4.5
