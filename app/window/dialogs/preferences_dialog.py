"""What a person wants to be otherwise; taken at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QVBoxLayout,
    QWidget,
)

from app.control.settings import Settings
from app.state import actions
from app.state.line_style import NARROWEST, USUAL, WIDEST, LineStyle
from app.state.palette import Palette, depth_colors
from app.state.store import Store
from app.views.marks.paper_of import color_of
from app.window.parts.controls import Choice, closing, label, number_box, without_icons
from app.window.parts.theme import dress

_THEMES: Final = (("system", "As the desktop"), ("light", "Light"), ("dark", "Dark"))
_PAPERS: Final = ((False, "As the theme"), (True, "Always white"))
_PALETTES: Final = tuple(Palette)
_SWATCH: Final = QSize(64, 14)
_SWATCHED: Final = 8  # depths
_FINE: Final = 3  # pixels of a swatch's picture to a pixel of it: sharp on dense screens


class PreferencesDialog(QDialog):
    """Colours and widths of lines belong to the session, and new windows start with them; the rest is the machine's.

    changed: called after every change of that.
    """

    def __init__(
        self, settings: Settings, store: Store, changed: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self.setMinimumWidth(460)
        self._settings, self._store, self._told = settings, store, changed
        self.palettes = Choice(self)
        self.palettes.setIconSize(_SWATCH)
        for palette in _PALETTES:
            self.palettes.addItem(swatch(palette), palette.title)
        self.palettes.setToolTip("Colours of the layers, from the first to the last; kept in the session")
        about_lines = "Of the partition's lines and of creases, in 2D and in 3D; kept in the session"
        about_level = "Of the zero level sets, in 2D and in 3D; kept in the session"
        self.lines, self.level = (
            number_box(self, NARROWEST, WIDEST, 25, "%", about) for about in (about_lines, about_level)
        )
        self.theme = Choice(self)
        for value, text in _THEMES:
            self.theme.addItem(text, value)
        self.theme.setToolTip("Colours of the window")
        self.paper = Choice(self)
        for white, text in _PAPERS:
            self.paper.addItem(text, white)
        self.paper.setToolTip("On which the views draw; figures and pictures for files are always on white")
        about_budget = "While a plane moves: a slice that takes longer is drawn by its first layers"
        self.budget = number_box(self, 20, 1000, 10, "ms", about_budget)
        about_threads = "For the exact surface; fewer leave more of the machine to slices that follow the hand"
        self.threads = number_box(self, 1, os.cpu_count() or 1, 1, "", about_threads)
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(10)
        form.addRow(label("LINES", "section"))
        form.addRow("&Palette", self.palettes)
        form.addRow("&Line width", self.lines)
        form.addRow("Level &set width", self.level)
        form.addRow(label("WINDOW", "section"))
        form.addRow("&Theme", self.theme)
        form.addRow("Pap&er", self.paper)
        form.addRow("&Frame budget", self.budget)
        form.addRow("Threads for the s&urface", self.threads)
        usual = QDialogButtonBox.StandardButton.RestoreDefaults
        self.buttons = without_icons(QDialogButtonBox(QDialogButtonBox.StandardButton.Close | usual, self))
        closing(self.buttons)
        self.buttons.rejected.connect(self.reject)
        self.buttons.button(usual).clicked.connect(self._restore)
        note = label(
            "Changes are taken at once, and kept. Those of lines can be undone and are saved with the session.", "muted"
        )
        note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(14)
        layout.addLayout(form)
        layout.addWidget(note)
        layout.addWidget(self.buttons)
        self._show()
        self.palettes.activated.connect(lambda _: self._take_style())
        for width in (self.lines, self.level):
            width.valueChanged.connect(lambda _: self._take_style(live=True))
            width.editingFinished.connect(store.history.pause)
        self.finished.connect(lambda _: store.history.pause())
        for choice in (self.theme, self.paper):
            choice.activated.connect(lambda _: self._take())
        for field in (self.budget, self.threads):
            field.valueChanged.connect(lambda _: self._take())

    def _show(self) -> None:
        settings, style = self._settings, self._store.session.look.style
        fields = (self.lines, self.level, self.budget, self.threads)
        for field in fields:
            field.blockSignals(True)
        self.palettes.setCurrentIndex(_PALETTES.index(style.palette))
        self.lines.setValue(style.lines)
        self.level.setValue(style.level)
        self.theme.setCurrentIndex([value for value, _ in _THEMES].index(settings.theme))
        self.paper.setCurrentIndex(int(settings.white_paper))
        self.budget.setValue(round(1000 * settings.frame_seconds))
        self.threads.setValue(settings.surface_threads)
        for field in fields:
            field.blockSignals(False)

    def _restore(self) -> None:
        self._settings.forget_preferences()
        self._store.history.pause()
        self._draw_with(USUAL)
        self._show()
        self._tell()

    def _take_style(self, live: bool = False) -> None:
        """live: the next change of the same width will be of the same step."""
        palette = _PALETTES[self.palettes.currentIndex()]
        style = LineStyle(palette, self.lines.value(), self.level.value())
        self._settings.style = style
        self._draw_with(style, live)

    def _draw_with(self, style: LineStyle, live: bool = False) -> None:
        look = self._store.session.look
        if look.style != style:
            self._store.do(actions.ChangeLook(replace(look, style=style), live))

    def _take(self) -> None:
        self._settings.theme = self.theme.currentData()
        self._settings.white_paper = self.paper.currentData()
        self._settings.frame_seconds = self.budget.value() / 1000
        self._settings.surface_threads = self.threads.value()
        self._tell()

    def _tell(self) -> None:
        application = QApplication.instance()
        if isinstance(application, QApplication):
            dress(application, self._settings.theme, self._settings.white_paper)
        self._told()


def swatch(palette: Palette) -> QIcon:
    """A palette's colours side by side."""
    pixmap = QPixmap(_SWATCH * _FINE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    width = pixmap.width() / _SWATCHED
    for place, color in enumerate(depth_colors(_SWATCHED, palette)):
        painter.fillRect(QRectF(place * width, 0.0, width, pixmap.height()), color_of(color))
    painter.end()
    return QIcon(pixmap)
