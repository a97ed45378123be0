"""What a person wants to be otherwise; taken at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.widgets.parts import Choice, closing, label, without_icons
from app.widgets.settings import Settings
from app.widgets.theme import dress

_THEMES: Final = (("system", "As the desktop"), ("light", "Light"), ("dark", "Dark"))


class PreferencesDialog(QDialog):
    """changed: called after every change."""

    def __init__(self, settings: Settings, changed: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self.setMinimumWidth(440)
        self._settings, self._told = settings, changed
        self.theme = Choice(self)
        for value, text in _THEMES:
            self.theme.addItem(text, value)
        self.theme.setToolTip("Colours of the window; views stay on white paper, as figures do")
        self.budget = QSpinBox(self)
        self.budget.setRange(20, 1000)
        self.budget.setSingleStep(10)
        self.budget.setSuffix(" ms")
        self.budget.setToolTip("While a plane moves: a slice that takes longer is drawn by its first layers")
        self.threads = QSpinBox(self)
        self.threads.setRange(1, os.cpu_count() or 1)
        self.threads.setToolTip("For the exact surface; fewer leave more of the machine to slices that follow the hand")
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(10)
        form.addRow("Theme", self.theme)
        form.addRow("Frame budget", self.budget)
        form.addRow("Threads for the surface", self.threads)
        usual = QDialogButtonBox.StandardButton.RestoreDefaults
        self.buttons = without_icons(QDialogButtonBox(QDialogButtonBox.StandardButton.Close | usual, self))
        closing(self.buttons)
        self.buttons.rejected.connect(self.reject)
        self.buttons.button(usual).clicked.connect(self._restore)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(14)
        layout.addLayout(form)
        layout.addWidget(label("Changes are taken at once, and kept.", "muted"))
        layout.addWidget(self.buttons)
        self._show()
        self.theme.activated.connect(lambda _: self._take())
        self.budget.valueChanged.connect(lambda _: self._take())
        self.threads.valueChanged.connect(lambda _: self._take())

    def _show(self) -> None:
        settings = self._settings
        for field in (self.budget, self.threads):
            field.blockSignals(True)
        self.theme.setCurrentIndex([value for value, _ in _THEMES].index(settings.theme))
        self.budget.setValue(round(1000 * settings.frame_seconds))
        self.threads.setValue(settings.surface_threads)
        for field in (self.budget, self.threads):
            field.blockSignals(False)

    def _restore(self) -> None:
        self._settings.forget_preferences()
        self._show()
        self._tell()

    def _take(self) -> None:
        self._settings.theme = self.theme.currentData()
        self._settings.frame_seconds = self.budget.value() / 1000
        self._settings.surface_threads = self.threads.value()
        self._tell()

    def _tell(self) -> None:
        application = QApplication.instance()
        if isinstance(application, QApplication):
            dress(application, self._settings.theme)
        self._told()
