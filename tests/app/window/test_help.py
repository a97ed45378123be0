"""Preferences, themes, help, the log, the hint of the first start, and tooltips everywhere."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenuBar,
    QScrollBar,
    QWidget,
)

from app.application import _tell, run_window
from app.jobs.log_file import LOG, start_log, stop_log
from app.jobs.opening import open_file
from app.jobs.slicing import LIVE_SECONDS
from app.state import actions
from app.state.line_style import USUAL, LineStyle
from app.state.palette import RGB, Palette
from app.window.dialogs.preferences_dialog import PreferencesDialog
from app.window.main_window import MainWindow
from app.window.parts.theme import DARK, LIGHT, dress, system_theme
from tests.app.on_screen import LEFT, Driver, press, wait_until
from tests.app.waiting import let_run


def done(driver: Driver) -> None:
    driver.window.helper.dialog.reject()
    wait_until(lambda: driver.window.helper.dialog is None)


def test_every_control_says_what_it_is_for(window: Driver) -> None:
    window.window.notice.tell("something", ("Do it", lambda: None))
    kinds = (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit)
    controls = [child for child in window.window.findChildren(QWidget) if isinstance(child, kinds)]
    bare = [
        child
        for child in controls
        if not (child.toolTip() or isinstance(child, QScrollBar) or isinstance(child.parent(), QLineEdit | QMenuBar))
    ]
    names = [(type(child).__name__, getattr(child, "text", str)(), type(child.parent()).__name__) for child in bare]
    assert names == []


def test_everything_is_reached_by_the_tab_key(window: Driver) -> None:
    kinds = (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit)
    controls = [child for child in window.window.findChildren(QWidget) if isinstance(child, kinds)]
    shown = [child for child in controls if child.isVisible() and not isinstance(child, QScrollBar)]
    out_of_reach = [
        (type(child).__name__, child.toolTip())
        for child in shown
        if not child.focusPolicy() & Qt.FocusPolicy.TabFocus and not child.objectName().startswith("qt_")
    ]
    assert out_of_reach == []


def test_the_sheet_shows_the_keys_of_the_menus(window: Driver) -> None:
    press(window, "F1")
    sections = dict(window.window.helper.dialog.sections)
    assert list(sections) == ["File", "Edit", "Slice", "Camera", "View", "Compare", "Help"]
    assert ("Ctrl+S", "Save session") in sections["File"]
    assert ("Ctrl+Z", "Undo") in sections["Edit"]
    done(window)


def test_the_versions_of_the_about_box_can_be_copied(window: Driver) -> None:
    window.window.helper.show_about()
    QTest.mouseClick(window.window.helper.dialog.copy, LEFT)
    text = QGuiApplication.clipboard().text()
    for name in ("SplineScope 0", "Python 3", "Qt 6", "torch 2", "numba 0", "vtk 9"):
        assert name in text
    done(window)


def test_preferences_are_taken_at_once_and_kept(window: Driver) -> None:
    running = QApplication.instance()
    press(window, "Ctrl+,")
    dialog = window.window.helper.dialog
    assert isinstance(dialog, PreferencesDialog)
    dialog.budget.setValue(60)
    dialog.theme.setCurrentIndex(2)
    dialog.theme.activated.emit(2)
    assert window.window.slices.budget == 0.06
    assert running.palette().window().color().name() == DARK.panel
    done(window)
    other = MainWindow()
    assert other.slices.budget == 0.06
    assert other.settings.theme == "dark"
    other.close()
    other.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    press(window, "Ctrl+,")
    dialog = window.window.helper.dialog
    QTest.mouseClick(dialog.buttons.button(dialog.buttons.StandardButton.RestoreDefaults), LEFT)
    assert window.window.slices.budget == LIVE_SECONDS
    done(window)
    assert running.property("theme") == "system"


def inks(driver: Driver, widget: QWidget, accent: RGB) -> int:
    """How many pixels of a view are coloured otherwise than by an accent."""
    driver.settle()
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    colors = pixels[:, : 3 * image.width()].reshape(-1, 3).astype(float)
    chroma, own = colors - colors.mean(axis=1, keepdims=True), np.array(accent) - np.mean(accent)
    along = np.maximum(chroma @ own / (own @ own), 0.0)
    return int((np.linalg.norm(chroma - along[:, None] * own, axis=1) > 30).sum())


def test_the_palette_and_the_widths_are_those_of_all_views_at_once(window: Driver) -> None:
    running, store = window.window, window.window.store
    running.resize(1200, 800)  # where few lines cover each other
    store.do(actions.ChangeLook(replace(store.session.look, surface=False, box=False, axes=False)))
    key = store.session.active
    for part in store.session.slices:
        if part.key != key:
            store.do(actions.ShowSlice(part.key, False))
    accent = store.session.slice(key).accent
    views = (window.tile.view, running.scene_view, running.legend)
    before = [inks(window, view, accent) for view in views]
    assert min(before) > 300
    press(window, "Ctrl+,")
    dialog = running.helper.dialog
    grey = dialog.palettes.findText(Palette.GREY.title)
    dialog.palettes.setCurrentIndex(grey)
    dialog.palettes.activated.emit(grey)
    assert [inks(window, view, accent) for view in views] == [0, 0, 0]

    def ink(view: QWidget) -> float:
        window.settle()
        image = view.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        inside = rows[:-22, 40 : image.width()]  # of the rulers
        return float((255.0 - inside).sum())

    for field in (dialog.lines, dialog.level):
        for view in views[:2]:
            field.setValue(50)
            thin = ink(view)
            field.setValue(300)
            assert ink(view) > 1.1 * thin
    assert store.session.look.style == LineStyle(Palette.GREY, 300, 300)
    done(window)
    other = MainWindow()
    assert other.store.session.look.style == store.session.look.style
    other.close()
    other.deleteLater()
    running.commands["undo"].trigger()
    assert store.session.look.style == LineStyle(Palette.GREY, 300, 100)  # both steps in that field were one
    press(window, "Ctrl+,")
    dialog = running.helper.dialog
    assert dialog.level.value() == 100
    QTest.mouseClick(dialog.buttons.button(dialog.buttons.StandardButton.RestoreDefaults), LEFT)
    assert store.session.look.style == USUAL
    assert running.settings.style == USUAL
    done(window)
    assert [inks(window, view, accent) for view in views] == before
    assert running.commands["undo"].text() == "&Undo Palette Plum to cyan"


@pytest.mark.parametrize(("wanted", "theme"), [("light", LIGHT), ("dark", DARK)])
def test_themes_are_legible(empty_window: Driver, wanted: str, theme) -> None:
    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:  # WCAG 2.2, 1.4.3
        high, low = sorted((luminance(one), luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    dress(QApplication.instance(), wanted)
    try:
        assert empty_window.window.palette().text().color().name() == theme.text
        for ink, paper in (
            (theme.text, theme.panel), (theme.text, theme.raised), (theme.text, theme.brand_soft),
            (theme.muted, theme.panel), (theme.muted, theme.raised), (theme.on_brand, theme.brand),
            (theme.caution, theme.caution_soft), (theme.brand, theme.brand_soft),
        ):  # fmt: skip
            assert contrast(ink, paper) >= 4.5, (ink, paper)
    finally:
        dress(QApplication.instance())


def test_the_window_follows_the_system(empty_window: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    running = QApplication.instance()
    for theme in (DARK, LIGHT):
        monkeypatch.setattr("app.window.parts.theme.system_theme", lambda _, theme=theme: theme)
        running.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Unknown)  # the desktop's own has no other way here
        assert running.palette().window().color().name() == theme.panel
    assert system_theme(running) is LIGHT


def test_the_log_ends_also_when_there_is_no_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(open_file: object) -> MainWindow:
        LOG.info("not yet")
        raise RuntimeError("no window")

    monkeypatch.setattr("app.application.MainWindow", broken)
    monkeypatch.setattr("platformdirs.user_log_path", lambda *_, **__: tmp_path)
    before = list(LOG.handlers)
    with pytest.raises(RuntimeError, match="no window"):
        run_window(lambda _: None, open_file, lambda: True)
    assert LOG.handlers == before
    assert "not yet" in (tmp_path / "splinescope.log").read_text()


def test_the_log_keeps_errors_with_their_traceback_and_does_not_grow_for_ever(tmp_path: Path, capsys) -> None:
    handler = start_log(tmp_path / "log")
    try:
        try:
            raise RuntimeError("something broke")
        except RuntimeError as error:
            _tell(type(error), error, error.__traceback__)
        text = (tmp_path / "log" / "splinescope.log").read_text()
        assert "something broke" in text
        assert "Traceback" in text
        assert "something broke" in capsys.readouterr().err
        for _ in range(60):
            LOG.info("x" * 50_000)
        files = list((tmp_path / "log").iterdir())
        assert 2 <= len(files) <= 4
        assert sum(file.stat().st_size for file in files) < 3 << 20
    finally:
        stop_log(handler)
    assert handler not in LOG.handlers
    assert logging.getLogger("splinescope") is LOG
    assert sys.excepthook is not None


def test_the_first_start_says_three_lines_once(empty_window: Driver) -> None:
    window = empty_window.window
    window.helper.hint_once()
    assert window.notice.isVisible()
    assert len(window.notice.text.text().splitlines()) == 3
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.notice.isVisible()
    window.helper.hint()
    window.notice.buttons[0].click()
    window.helper.hint_once()
    assert not window.notice.isVisible()


def test_the_layout_survives_a_restart(empty_window: Driver) -> None:
    first = empty_window.window
    first.layouts.keep()
    first.resize(1130, 760)
    first.splitter.setSizes([400, 430])
    first.checkpoints.automatic.setChecked(True)
    let_run(1)
    size, shares = first.size(), first.splitter.sizes()
    first.close()
    second = MainWindow()
    second.layouts.keep()
    second.show()
    assert QTest.qWaitForWindowExposed(second, 60_000)
    assert (second.size(), second.splitter.sizes()) == (size, shares)
    assert second.checkpoints.automatic.isChecked()
    second.close()
    second.deleteLater()
    del second
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_a_hidden_3d_view_and_links_survive_a_restart(empty_window: Driver) -> None:
    first = empty_window.window
    first.layouts.keep()
    widths = first.arrangement.widths
    for shortcut in ("L", "Ctrl+4"):
        press(empty_window, shortcut)
    first.close()
    second = MainWindow()
    second.layouts.keep()
    second.show()
    assert QTest.qWaitForWindowExposed(second, 60_000)
    assert second.arrangement.flat
    assert second.slice_link.linked.on
    assert second.commands["3D hidden"].isChecked()
    second.arrangement.show_space()
    let_run(20)
    assert second.arrangement.widths == widths
    second.close()
    second.deleteLater()
    del second
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_layers_slices_and_checkpoints_by_keys(window: Driver) -> None:
    store, legend = window.window.store, window.window.legend
    legend.setFocus()
    QTest.keyClick(legend, Qt.Key.Key_Right)
    QTest.keyClick(legend, Qt.Key.Key_Space)
    assert store.session.look.hidden_depths == {1}
    QTest.keyClick(legend, Qt.Key.Key_Left)
    QTest.keyClick(legend, Qt.Key.Key_Return)
    assert store.session.look.hidden_depths == {1, 2}
    names = []
    for keys in ("N", "N", "N", "Shift+N"):
        press(window, keys)
        names.append(store.session.active_slice.name)
    assert names == ["x", "y", "z", "y"]
    press(window, "Ctrl+W")
    assert store.session.opened is None
    press(window, "N")
    press(window, "Ctrl+Tab")
    press(window, "Ctrl+Z")
    assert store.session.opened.name == "small.safetensors"
    assert store.session.active_slice.name == "z"  # choosing y belonged to the step that was undone
