"""The way of the Tab key through a window: as one reads it, whenever its parts were made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLayout,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QWidget,
)

_WHOLE: Final = (QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit)


def move_focus(window: QMainWindow, forward: bool) -> bool:
    """Give the focus to the widget after the one that has it, or before it; False when there is none to give it to."""
    order = list(_in_order(window))
    if not order:
        return False
    focus, step = window.focusWidget(), 1 if forward else -1
    at = order.index(focus) + step if focus in order else min(step, 0)
    reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
    following = order[at % len(order)]
    following.setFocus(reason)
    bring_in_sight(following)
    return True


def move_pane(panes: Sequence[QWidget], step: int) -> None:
    """Give the focus to the first widget of the pane so many places after the one that has it, round and round."""
    ways = [way for pane in panes if (way := list(_in_order(pane)))]
    if not ways:
        return
    focus = panes[0].window().focusWidget()
    at = next((place for place, way in enumerate(ways) if focus in way), -1 if step > 0 else 0)
    following = ways[(at + step) % len(ways)][0]
    following.setFocus(Qt.FocusReason.TabFocusReason)
    bring_in_sight(following)


def bring_in_sight(widget: QWidget) -> None:
    """Scroll to it, wherever it is in what scrolls."""
    around = widget.parentWidget()
    while around is not None:
        if isinstance(around, QScrollArea):
            around.ensureWidgetVisible(widget)
        around = around.parentWidget()


def _in_order(widget: QWidget) -> Iterator[QWidget]:
    """What the Tab key reaches in a widget, and it itself, by layouts from first to last."""
    if not (widget.isVisible() and widget.isEnabled()):
        return
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
        yield widget
    for part in _parts(widget):
        yield from _in_order(part)


def _parts(widget: QWidget) -> Iterator[QWidget]:
    parts: list[QWidget | None]
    if isinstance(widget, _WHOLE):
        return
    if isinstance(widget, QMainWindow):
        parts = [widget.centralWidget(), widget.statusBar()]
    elif isinstance(widget, QScrollArea):
        parts = [widget.widget()]
    elif isinstance(widget, QSplitter):
        parts = [widget.widget(place) for place in range(widget.count())]
    elif isinstance(widget, QStackedWidget):
        parts = [widget.currentWidget()]
    else:
        parts = list(_laid_out(widget.layout()))
    yield from (part for part in parts if part is not None)


def _laid_out(layout: QLayout | None) -> Iterator[QWidget | None]:
    for place in range(0 if layout is None else layout.count()):
        item = None if layout is None else layout.itemAt(place)
        if item is not None and item.widget() is not None:
            yield item.widget()
        elif item is not None:
            yield from _laid_out(item.layout())
