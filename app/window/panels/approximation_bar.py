"""A line above all views that calls an approximation one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from app.state.store import Change, Store


class ApproximationBar(QLabel):
    """Shown while the network in the views is not the file's own."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("approximation")
        self.setTextFormat(Qt.TextFormat.PlainText)  # names come from files
        self.setWordWrap(True)
        self.hide()
        store.listen(self._changed)

    def _changed(self, change: Change) -> None:
        opened = change.after.opened
        if opened is not change.before.opened:
            self.setText("" if opened is None else opened.approximation)
            self.setVisible(bool(self.text()))
