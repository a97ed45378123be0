"""Saving a picture of the 3D view, at any size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from app.control.file_opener import Problem
from app.files import why_not_written
from app.jobs.worker import Context, Job
from app.state.palette import accent
from app.views.scene.drawing import SceneDrawing, ScenePicture
from app.views.scene.scene_view import SceneView
from app.views.scene.still_picture import TooLargeError, straight
from app.window.parts.controls import Tick, number_box, without_icons
from app.window.parts.picture_file import write_png

_LARGEST = 8192
_NOT_SAVED = "The picture was not saved"


class PictureDialog(QDialog):
    """submit: runs a job elsewhere; draw: what such a job draws a scene with; show_problem: when the file cannot be
    written."""

    def __init__(
        self,
        view: SceneView,
        submit: Callable[[Job], None],
        draw: Callable[[SceneDrawing], ScenePicture],
        show_problem: Callable[[Problem], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Picture of the 3D view")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._view, self._submit, self._draw, self._show_problem = view, submit, draw, show_problem
        self.width_field = number_box(self, 16, _LARGEST, 1, "px", "Pixels from left to right")
        self.height_field = number_box(self, 16, _LARGEST, 1, "px", "Pixels from top to bottom")
        self.width_field.setValue(2 * view.width())
        self.height_field.setValue(2 * view.height())
        self.width_field.setAccessibleName("width")
        self.height_field.setAccessibleName("height")
        self.transparent = Tick("&Transparent background", self)
        self.transparent.setToolTip("Nothing is drawn where there is nothing, instead of white paper")
        fields = QHBoxLayout()
        fields.addWidget(self.width_field)
        fields.addWidget(QLabel("\N{MULTIPLICATION SIGN}", self))
        fields.addWidget(self.height_field)
        form = QFormLayout()
        name = QLabel("S&ize", self)
        name.setBuddy(self.width_field)
        form.addRow(name, fields)
        form.addRow("", self.transparent)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel, self)
        without_icons(buttons)
        self._buttons = buttons
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
        """Write the picture in the background, and close the dialog when it is there."""
        size = self.width_field.value(), self.height_field.value()
        try:
            drawing = self._view.still_drawing(*size, self.transparent.isChecked())
        except TooLargeError as error:
            self._show_problem(Problem(_NOT_SAVED, f"{error}.", str(error)))
            return
        label, draw = self._view.label, self._draw

        def work(_: Context) -> None:
            pixels = np.ascontiguousarray(straight(draw(drawing).pixels))
            height, width = pixels.shape[:2]
            image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
            _write_label(image, label)
            write_png(image, path)

        def failed(error: Exception) -> None:
            self._buttons.setEnabled(True)
            if not isinstance(error, OSError):
                raise error
            message = f"{path}: {why_not_written(error)}."
            self._show_problem(Problem(_NOT_SAVED, message, str(error)))

        self._buttons.setEnabled(False)
        self._submit(Job("picture", work, lambda _: self.accept(), failed))


def _write_label(image: QImage, label: str) -> None:
    """How the network differs from the checkpoint's own, on top of the picture."""
    if not label:
        return
    painter = QPainter(image)
    font = QFont("DejaVu Sans")
    font.setPixelSize(max(11, image.height() // 60))
    painter.setFont(font)
    painter.setPen(QColor.fromRgbF(*accent(0)))
    margin = font.pixelSize()
    area = image.rect().adjusted(margin, margin, -margin, -margin)
    painter.drawText(area, int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), label)
    painter.end()
