"""A view over which marks are painted, and in which a hand takes points: what 2D views and the 3D view share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.state.paper import Paper
from app.views.marks.paper_of import paper_of
from app.views.marks.view_keys import KeyPointer

if TYPE_CHECKING:
    from app.views.marks.crosshair import Crosshair
    from app.views.marks.pick_marks import PickMarks
    from app.views.marks.pin_marks import PinMark


class MarkedView(QWidget):
    """papered: what is shown was drawn on another paper.

    waiting: what is told in the place of a picture; marks, pins, crosshair: painted over it.
    """

    papered = Signal()
    _known: Paper | None = None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.waiting = ""
        self.marks: PickMarks | None = None
        self.pins: tuple[PinMark, ...] = ()
        self.crosshair: Crosshair | None = None
        self._picking = False
        self.pointer = KeyPointer(self)
        self._known = self.paper

    @property
    def paper(self) -> Paper:
        """The ground of the view."""
        return paper_of(self.palette())

    @property
    def picking(self) -> bool:
        """Clicks take points, whatever else they mean."""
        return self._picking

    @picking.setter
    def picking(self, on: bool) -> None:
        self._picking = on
        self.show_cursor()

    def show_cursor(self) -> None:
        """The one of a hand that holds nothing."""
        if self._picking:
            self.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self.unsetCursor()

    def wait(self, text: str) -> None:
        """Tell something until there is a picture, "" for nothing."""
        self.waiting = text
        self.update()

    def show_marks(self, marks: PickMarks | None) -> None:
        """Mark points that were picked."""
        if marks is not None or self.marks is not None:
            self.marks = marks
            self.update()

    def show_pins(self, pins: tuple[PinMark, ...]) -> None:
        """Mark regions for as long as they are pinned."""
        if pins or self.pins:
            self.pins = pins
            self.update()

    def show_crosshair(self, crosshair: Crosshair | None) -> None:
        """Mark the point that the mouse is at in another view."""
        if crosshair is not None or self.crosshair is not None:
            self.crosshair = crosshair
            self.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._known not in (None, self.paper):
            self._known = self.paper
            self.papered.emit()
