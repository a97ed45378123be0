"""A line above the views for what happened by itself, with what can be done about it; nothing waits for it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from app.control.notices import Choice
from app.window.parts.controls import as_tip, breakable, button, icon_button, label
from app.window.parts.icons import icon


class NoticeBar(QFrame):
    """Shows the newest notice until it is acted upon or closed; told: its text, "" without one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.text = label("", "noticeText")
        self.text.setWordWrap(True)
        self.told = ""
        self.buttons: list[QToolButton] = []
        self._row = QHBoxLayout()
        self._row.setSpacing(6)
        self.dismiss = icon_button(icon("cross"), "Close this notice (Esc)", 12)
        self.dismiss.clicked.connect(self.clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 8, 4)
        layout.addWidget(self.text, 1)
        layout.addLayout(self._row)
        layout.addWidget(self.dismiss)
        self.hide()

    def tell(self, text: str, *choices: Choice) -> None:
        """choices: buttons, each with what it does; the notice goes with any of them."""
        self.clear()
        self.told = text
        self.text.setText(breakable(text))
        for name, act in choices:
            made = button(name, as_tip(f"{name}: {text}"), self._chosen(act))
            self.buttons.append(made)
            self._row.addWidget(made)
        self.show()

    def withdraw(self, text: str) -> None:
        """What was told is true no more; another notice stays."""
        if self.told == text:
            self.clear()

    def clear(self) -> None:
        for made in self.buttons:
            made.hide()
            made.deleteLater()
        self.buttons = []
        self.told = ""
        self.text.setText("")
        self.hide()

    def _chosen(self, act: Callable[[], object]) -> Callable[[], None]:
        def choose() -> None:
            self.clear()
            act()

        return choose
