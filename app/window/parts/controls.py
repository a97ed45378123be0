"""Labels and buttons in the window's style."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QKeyEvent, QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionButton,
    QToolButton,
    QWidget,
)

_BESIDE: Final = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
_ARROWS: Final = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


def label(text: str, role: str) -> QLabel:
    """role: heading, section, muted or title, see the theme.  The text is shown as it is, whatever is in it."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)  # names come from files
    made.setObjectName(role)
    return made


def message_label(text: str, role: str = "", longest: int = 40) -> QLabel:
    """As many lines as the text needs; longest: of a word that is not broken, see `breakable`."""
    made = label(breakable(text, longest), role)
    made.setWordWrap(True)
    return made


def breakable(text: str, longest: int = 40) -> str:
    """With places to go on in the next line in words of more than `longest` characters: a name of a file may be one.

    To be shown, not to be copied: the places are characters without width.
    """
    return re.sub(
        rf"[^\s/\\]{{{longest + 1},}}", lambda word: re.sub(r".{10}(?=.)", "\\g<0>\N{ZERO WIDTH SPACE}", word[0]), text
    )


def shortened(text: str, most: int) -> str:
    """At most so many characters: of a longer text the middle is left out."""
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}…{text[len(text) - end :]}"


def as_tip(text: str) -> str:
    """For a tool tip, which would take a name like <h1> for HTML."""
    if "<" in text or "&lt;" in text:  # where Qt might
        return f"<p style='white-space: pre-wrap'>{html.escape(text)}</p>"
    return text


class Choice(QComboBox):
    """With a chevron, which the style sheet's combo boxes lack."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.PlaceholderText), 1.5))
        x, y = self.width() - 13, self.height() / 2
        painter.drawPolyline([QPointF(x - 4, y - 2), QPointF(x, y + 2), QPointF(x + 4, y - 2)])
        painter.end()


class ToolButton(QToolButton):
    """Leaves arrow keys to the window, where they move planes and the camera: the focus goes by the Tab key."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ARROWS:
            event.ignore()
        else:
            super().keyPressEvent(event)


class Slider(QSlider):
    """A horizontal one; leaves arrow keys with Alt to the window, where they move the camera."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ARROWS and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            event.ignore()
        else:
            super().keyPressEvent(event)


class ScrollArea(QScrollArea):
    """Scrolls upwards and downwards, by the mouse: keys move planes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()


class Tick(QCheckBox):
    """With a tick, which the style sheet's check boxes lack.  Leaves arrow keys to the window, as buttons do."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ARROWS:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self).toRectF()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.HighlightedText), 1.8))
        x, y = box.center().x(), box.center().y()
        painter.drawPolyline([QPointF(x - 3.2, y), QPointF(x - 0.8, y + 2.6), QPointF(x + 3.4, y - 2.8)])
        painter.end()


class ElidedLabel(QLabel):
    """One line of text that ends in dots where there is no room for all of it, and then has it as a tip.

    It takes what is left of a line; with a size policy of Maximum as much as the text needs, if that is left.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = self._tip = ""
        self.setTextFormat(Qt.TextFormat.PlainText)  # names come from files
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    @property
    def whole(self) -> str:
        """The text, also where it is not shown whole."""
        return self._text

    def show_text(self, text: str, tip: str = "") -> None:
        """tip: what else the tip says, also where the text is shown whole."""
        if (text, tip) == (self._text, self._tip):
            return  # a new layout, and with it new pictures of all around, costs as much as a moment of a slice
        self._text, self._tip = text, tip
        self.updateGeometry()
        self._fit()

    def sizeHint(self) -> QSize:
        plain, metrics = super().sizeHint(), self.fontMetrics()
        around = max(2, plain.width() - metrics.horizontalAdvance(self.text()))  # margins, a style's padding
        return QSize(metrics.horizontalAdvance(self._text) + around, plain.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(20, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, self.contentsRect().width())
        if shown != self.text():
            self.setText(shown)
        rest = "" if shown == self._text else self._text
        self.setToolTip(as_tip("\n".join(part for part in (rest, self._tip) if part)))


def in_menu(name: str, most: int) -> str:
    """A name in a menu, where & would underline a letter; at most so many characters."""
    return shortened(name, most).replace("&", "&&")


def command_button(action: QAction, words: bool = True) -> ToolButton:
    """A button that does what an action does, and has its icon, its name, its tip and its state; words: the name is to
    be read."""
    made = ToolButton()
    made.setToolButtonStyle(_BESIDE if words else Qt.ToolButtonStyle.ToolButtonIconOnly)
    made.setDefaultAction(action)
    if not (words and _is_name(action.iconText())):
        made.setAccessibleName(action.toolTip())
    return made


def _is_name(text: str) -> bool:
    """A sign is none."""
    return any(word.isalpha() and len(word) > 1 for word in text.rstrip("…").split())


def button(text: str, tip: str, act: Callable[[], object]) -> ToolButton:
    made = ToolButton()
    made.setText(text)
    made.setToolTip(tip)
    if not _is_name(text):
        made.setAccessibleName(tip)
    made.clicked.connect(lambda _=False: act())
    return made


def icon_button(icon: QIcon, tip: str, size: int = 16) -> ToolButton:
    """Without a frame until the mouse is over it."""
    made = ToolButton()
    made.setObjectName("flat")
    made.setIcon(icon)
    made.setIconSize(QSize(size, size))
    made.setToolTip(tip)
    made.setAccessibleName(tip)
    return made


def number_box(parent: QWidget, least: int, most: int, step: int, unit: str, tip: str) -> QSpinBox:
    """A whole number; unit: what stands behind it."""
    made = QSpinBox(parent)  # at once: the Tab key follows the order in which widgets got their parent
    made.setRange(least, most)
    made.setSingleStep(step)
    made.setSuffix(f" {unit}" if unit else "")
    made.setToolTip(tip)
    made.setKeyboardTracking(False)  # a typed number is taken when it is whole, not with each digit
    made.lineEdit().setTextMargins(6, 0, 6, 0)  # as in other fields, which the style sheet does not reach
    return made


def row(*widgets: QWidget) -> QHBoxLayout:
    """Widgets side by side, at the left."""
    layout = QHBoxLayout()
    layout.setSpacing(4)
    for widget in widgets:
        layout.addWidget(widget)
    layout.addStretch(1)
    return layout


def keep_in(layout: QBoxLayout, before: Sequence[QWidget], now: Sequence[QWidget]) -> None:
    """The widgets of a list that changed, in their order; those that left it go."""
    for widget in before:
        if widget not in now:
            layout.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
    for place, widget in enumerate(now):
        if layout.indexOf(widget) != place:
            layout.insertWidget(place, widget)


def restyle(widget: QWidget, name: str, value: bool) -> None:
    """Set a property that the style sheet asks for."""
    if bool(widget.property(name)) != value or widget.property(name) is None:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def closing(buttons: QDialogButtonBox) -> QDialogButtonBox:
    """Return closes the dialog: no other button is the one that it presses."""
    for made in buttons.buttons():
        if isinstance(made, QPushButton):
            close = buttons.standardButton(made) == QDialogButtonBox.StandardButton.Close
            made.setAutoDefault(close)
            made.setDefault(close)
    return buttons


def without_icons(buttons: QDialogButtonBox) -> QDialogButtonBox:
    """Words alone: some styles put a picture of their own before them."""
    for made in buttons.buttons():
        made.setIcon(QIcon())
    return buttons
