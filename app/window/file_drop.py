"""Files that are dropped on a window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget


class FileDrop(QObject):
    """opens: what becomes of their paths."""

    def __init__(self, window: QWidget, opens: Callable[[list[Path]], object]) -> None:
        super().__init__(window)
        self._opens = opens
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QDropEvent) or event.type() not in (QEvent.Type.DragEnter, QEvent.Type.Drop):
            return False
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.setDropAction(Qt.DropAction.CopyAction)  # the source may propose to move a file, and then delete it
            event.accept()
        if paths and event.type() == QEvent.Type.Drop:
            self._opens(paths)
        return bool(paths)
