"""To let the window work for a while."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication


def let_run(milliseconds: int) -> None:
    """Events are worked on for so long.

    ``QTest.qWait`` keeps Python's lock meanwhile: threads that compute for the window run at a fifth of their speed.
    A loop of our own would not run once the application was told to quit, as it was by earlier tests.
    """
    timer = QTimer()
    timer.setSingleShot(True)
    timer.start(milliseconds)
    while timer.isActive():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
