"""Saving a picture of the 3D view, at any size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.views.scene_view import SceneView
from app.widgets.parts import without_icons
from app.widgets.picture_file import write_png

_LARGEST = 8192


class PictureDialog(QDialog):
    """show_error(heading, message, detail): when the file cannot be written."""

    def __init__(
        self, view: SceneView, show_error: Callable[[str, str, str], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Picture of the 3D view")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._view, self._show_error = view, show_error
        self.width_field, self.height_field = QSpinBox(self), QSpinBox(self)
        for field, size in ((self.width_field, view.width()), (self.height_field, view.height())):
            field.setRange(16, _LARGEST)
            field.setValue(2 * size)
            field.setSuffix(" px")
        self.transparent = QCheckBox("Transparent background", self)
        fields = QHBoxLayout()
        fields.addWidget(self.width_field)
        fields.addWidget(QLabel("\N{MULTIPLICATION SIGN}", self))
        fields.addWidget(self.height_field)
        form = QFormLayout()
        form.addRow("Size", fields)
        form.addRow("", self.transparent)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel, self)
        without_icons(buttons)
        buttons.accepted.connect(self._choose)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(14)
        layout.addLayout(form)
        layout.addWidget(buttons)

    def _choose(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the picture", "splinescope.png", "PNG (*.png)")
        if name:
            self.save(Path(name if name.lower().endswith(".png") else f"{name}.png"))

    def save(self, path: Path) -> None:
        pixels = self._view.screenshot(
            self.width_field.value(), self.height_field.value(), self.transparent.isChecked()
        )
        height, width, channels = pixels.shape
        format_ = QImage.Format.Format_RGBA8888 if channels == 4 else QImage.Format.Format_RGB888
        try:
            write_png(QImage(pixels.tobytes(), width, height, channels * width, format_), path)
        except OSError as error:
            message = f"{path}: {error.strerror or error}; free some space or choose another folder."
            self._show_error("The picture was not saved", message, str(error))
            return
        self.accept()
