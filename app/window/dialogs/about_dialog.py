"""What the program is, and the versions that a bug report needs."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.jobs.versions import version_report
from app.window.parts.controls import closing, label, without_icons
from app.window.parts.icons import application_icon


class AboutDialog(QDialog):
    def __init__(self, renderer: str, parent: QWidget | None = None) -> None:
        """renderer: of what draws the 3D view."""
        super().__init__(parent)
        self.setWindowTitle("About SplineScope")
        self.setMinimumWidth(470)
        self.report = version_report(renderer)
        icon = QLabel(self)
        icon.setPixmap(application_icon().pixmap(QSize(48, 48)))
        text = QLabel(
            "The exact partition into linear regions of slices of neural signed distance fields. "
            "Method: SplineCam (Humayun, Balestriero, Baraniuk, CVPR 2023).",
            self,
        )
        text.setWordWrap(True)
        column = QVBoxLayout()
        column.addWidget(label(self.report.splitlines()[0], "title"))
        column.addWidget(text)
        top = QHBoxLayout()
        top.setSpacing(14)
        top.addWidget(icon)
        top.addLayout(column, 1)
        versions = QPlainTextEdit(self.report, self)
        versions.setReadOnly(True)
        versions.setMinimumHeight(190)
        versions.setAccessibleName("versions")
        versions.setToolTip("The versions that a bug report needs")
        self.copy = QPushButton("C&opy versions", self)
        self.copy.setToolTip("For a bug report")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.report))
        buttons = without_icons(QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self))
        buttons.addButton(self.copy, QDialogButtonBox.ButtonRole.ActionRole)
        closing(buttons)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(14)
        layout.addLayout(top)
        layout.addWidget(versions)
        layout.addWidget(buttons)
