"""Keys that do in a view what a drag and the wheel do, and a pointer that is moved by keys."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QApplication, QWidget

from app.views.marks.paper_of import halo, paper_of

_ARROWS: Final = {
    Qt.Key.Key_Left: QPointF(-1, 0), Qt.Key.Key_Right: QPointF(1, 0),
    Qt.Key.Key_Up: QPointF(0, -1), Qt.Key.Key_Down: QPointF(0, 1),
}  # fmt: skip
_CLICKS: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_ZOOMS: Final = {Qt.Key.Key_Plus: 1.2, Qt.Key.Key_Equal: 1.2, Qt.Key.Key_Minus: 1 / 1.2}
_STEP: Final = 8.0  # pixels
_BY_KEYS: Final = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
_MOUSE: Final = (QEvent.Type.MouseMove, QEvent.Type.MouseButtonPress)


def dragged_by(event: QKeyEvent) -> QPointF | None:
    """The direction of an arrow key that is pressed with Alt, a drag of length 1."""
    return _ARROWS.get(Qt.Key(event.key())) if event.modifiers() & Qt.KeyboardModifier.AltModifier else None


def zoomed_by(event: QKeyEvent) -> float | None:
    """How much nearer + and - come; None for other keys."""
    held = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    return None if held else _ZOOMS.get(Qt.Key(event.key()))


class KeyPointer(QWidget):
    """Lies over a view.  It shows that the Tab key has led there; Return calls a pointer, which arrows move, Return or
    Space click with, and Esc sends away.  The view gets the events of a mouse."""

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self.at: QPointF | None = None
        """Where the pointer is; None while there is none."""
        self._view = view
        self._ringed = self._sending = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._view.rect())
            self._point(None)
        elif isinstance(event, QFocusEvent) and event.reason() is not Qt.FocusReason.PopupFocusReason:
            self._ringed = event.gotFocus() and event.reason() in _BY_KEYS
            self._point(None)
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._press(event)
        elif event.type() in _MOUSE and not self._sending:
            self._point(None)
        return False

    def called(self, event: QContextMenuEvent) -> QPointF:
        """The place in the view that a menu is called for: by a key that of the pointer, if there is one."""
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        return self.at if by_key and self.at is not None else QPointF(self._view.mapFromGlobal(event.globalPos()))

    def _press(self, event: QKeyEvent) -> bool:
        """Whether the key is for the pointer."""
        key, at = Qt.Key(event.key()), self.at
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            return False
        if at is None:
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._point(QRectF(self._view.rect()).center())
                return True
            return False
        if key in _ARROWS:
            self._point(_inside(self._view, at + _ARROWS[key] * _stride(event.modifiers())))
        elif key in _CLICKS:
            for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
                self._send(kind, at, Qt.MouseButton.LeftButton, event.modifiers())
        elif key == Qt.Key.Key_Escape:
            self._point(None)
            QApplication.sendEvent(self._view, QEvent(QEvent.Type.Leave))
        else:
            return False
        return True

    def _point(self, at: QPointF | None) -> None:
        self.at = at
        self.setVisible(self._ringed or at is not None)
        self.update()
        if at is not None:
            self._send(QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)

    def _send(self, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton, held: Qt.KeyboardModifier) -> None:
        down = button if kind == QEvent.Type.MouseButtonPress else Qt.MouseButton.NoButton
        self._sending = True
        QApplication.sendEvent(self._view, QMouseEvent(kind, at, self._view.mapToGlobal(at), button, down, held))
        self._sending = False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        if self._ringed:
            painter.setPen(QPen(accent, 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 3, 3)
        if self.at is not None:
            for color, width in ((halo(paper_of(self.palette())), 4.5), (accent, 1.8)):
                painter.setPen(QPen(color, width))
                for way in _ARROWS.values():
                    painter.drawLine(self.at + way * 4.0, self.at + way * 13.0)
        painter.end()


def _stride(held: Qt.KeyboardModifier) -> float:
    """In pixels: as for planes, Shift goes ten times as far, Ctrl, here, pixel by pixel."""
    if held & Qt.KeyboardModifier.ShiftModifier:
        return 10 * _STEP
    return 1.0 if held & Qt.KeyboardModifier.ControlModifier else _STEP


def _inside(view: QWidget, at: QPointF) -> QPointF:
    return QPointF(min(max(at.x(), 0.0), view.width() - 1.0), min(max(at.y(), 0.0), view.height() - 1.0))
