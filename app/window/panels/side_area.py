"""What stands at the right of the views when it is asked for: one of several panels under tabs."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.window.parts.controls import ToolButton, icon_button
from app.window.parts.icons import icon


class SideArea(QFrame):
    """changed: another panel is shown, or none.

    width_wanted: in pixels, as it was left last, also while it is hidden; 0: never shown.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setMinimumWidth(320)
        self.tabs: list[ToolButton] = []
        self.width_wanted = 0
        self._panels = QStackedWidget(self)
        self._top = QHBoxLayout()
        self._top.setSpacing(4)
        self._top.addStretch(1)
        self.close_button = icon_button(icon("cross"), "Hide this side", 13)
        self.close_button.clicked.connect(self.close_side)
        self._top.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 2, 0)
        layout.setSpacing(6)
        layout.addLayout(self._top)
        layout.addWidget(self._panels, 1)
        self.hide()

    def add(self, name: str, tip: str, panel: QWidget) -> None:
        tab = ToolButton(self)
        tab.setText(name)
        tab.setToolTip(tip)
        tab.setCheckable(True)
        tab.clicked.connect(lambda: self.open(panel))
        self._top.insertWidget(len(self.tabs), tab)
        self.tabs.append(tab)
        self._panels.addWidget(panel)

    @property
    def current(self) -> QWidget | None:
        """The panel in sight."""
        return None if self.isHidden() else self._panels.currentWidget()

    @property
    def shown(self) -> str:
        """The name of the panel in sight, in small letters; "" without one."""
        return "" if self.isHidden() else self.tabs[self._panels.currentIndex()].text().lower()

    def show_named(self, name: str) -> None:
        """The panel with a name as `shown` gives it, none for any other."""
        for place, tab in enumerate(self.tabs):
            panel = self._panels.widget(place)
            if panel is not None and tab.text().lower() == name:
                self.open(panel)
                return
        if not self.isHidden():
            self.close_side()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if not self.isHidden():
            self.width_wanted = self.width()
        super().resizeEvent(event)

    def open(self, panel: QWidget) -> None:
        self._panels.setCurrentWidget(panel)
        self.show()
        self._tell()

    def toggle(self, panel: QWidget) -> None:
        if self.current is panel:
            self.close_side()
        else:
            self.open(panel)

    def close_side(self) -> None:
        self.hide()
        self._tell()

    def _tell(self) -> None:
        for place, tab in enumerate(self.tabs):
            tab.setChecked(place == self._panels.currentIndex())
        self.changed.emit()
