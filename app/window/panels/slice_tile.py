"""One slice's card: its title, its 2D view, and how far its computation is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from app.state.palette import ink
from app.state.session import Slice
from app.state.slices import axis_labels
from app.state.texts.numbers import counted, place_text
from app.views.marks.paper_of import color_of
from app.views.slice.framing import shadow
from app.views.slice.slice_view import SliceView
from app.window.parts.chip import Chip
from app.window.parts.controls import ElidedLabel, icon_button, restyle
from app.window.parts.icons import icon

if TYPE_CHECKING:
    from app.control.drawn_slice import DrawnSlice

_SLOW_MILLISECONDS = 350
_MOST_OF_PLACE = 150  # pixels that the place takes before the number of regions: oblique ones have long texts


class SliceTile(QFrame):
    """chosen: a click; enlarged: a double click on the title; cancelled: the button beside the progress bar;
    menu_wanted(place): a menu is called at a place of the screen.
    """

    chosen = Signal()
    enlarged = Signal()
    cancelled = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(self, part: Slice, parent: QWidget | None = None, view: SliceView | None = None) -> None:
        """view: that shows the slice, in colours of its own; None: one in the slice's."""
        super().__init__(parent)
        self.setObjectName("card")
        self.key = part.key
        self.view = SliceView(part.accent) if view is None else view
        self._chip = Chip(part.accent)
        self._chip.setVisible(view is None)
        self._name, self._place, self._count = ElidedLabel(self), ElidedLabel(self), QLabel(self)
        self._name.setObjectName("heading")
        self._name.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        color = f"color: {color_of(ink(part.accent)).name()}; " if view is None else ""
        self._place.setStyleSheet(f"{color}font-weight: 600;")
        self._count.setObjectName("muted")
        self._progress = QProgressBar(self)
        self._progress.setTextVisible(False)
        self._cancel = icon_button(icon("cross"), "Stop computing this slice", 12)
        self._cancel.setFixedSize(18, 18)
        self._cancel.clicked.connect(self.cancelled)
        for passing in (self._progress, self._cancel):  # nothing else moves when they come and go
            kept = passing.sizePolicy()
            kept.setRetainSizeWhenHidden(True)
            passing.setSizePolicy(kept)
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(_SLOW_MILLISECONDS)
        self._slow.timeout.connect(lambda: self._show_progress(True))

        header = self._header = QHBoxLayout()
        header.setContentsMargins(10, 7, 8, 3)
        header.setSpacing(7)
        header.addWidget(self._chip)
        header.addWidget(self._name)
        header.addWidget(self._place, 1)
        header.addWidget(self._count)
        header.addWidget(self._cancel)
        layout = self._frame = QVBoxLayout(self)
        layout.setContentsMargins(2, 0, 6, 4)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self._progress)
        layout.addWidget(self.view, 1)
        self._show_progress(False)
        self.show_slice(part, False)

    def show_slice(self, part: Slice, active: bool) -> None:
        """Name and whether it is the active one."""
        if part.name != self._name.whole:
            self._name.show_text(part.name)
            self._share_title()
            self.view.setAccessibleName(f"slice {part.name}")
        restyle(self, "active", active)

    def show_result(self, drawn: DrawnSlice, current: bool) -> None:
        """current: whether it is the whole slice at the place where the plane is now."""
        answer = drawn.answer
        self.view.axis_names = axis_labels(drawn.plane)
        regions, note = counted(answer.partition.regions, "region"), ""
        if answer.done < answer.layers:
            note = f"layers 0..{answer.done - 1} of {answer.layers - 1}"
            regions = ""
        elif not answer.complete:
            note = f"{counted(answer.partition.tie_counts.unexamined, 'decision')} left to rounding"
        elif answer.level_set is not None and answer.level_set.empty:
            level = answer.request.level
            note = f"no {f'level set f = {level:g}' if level else 'zero level set'} in this slice"
        self._count.setText(regions)
        self._place.show_text(place_text(drawn.plane, answer.request.domain), regions)
        self.view.show_picture(drawn.picture, note, shadow(drawn.plane, answer.request.domain))
        self._share_title()
        if current:
            self.finished()
        else:
            self._progress.setRange(0, 100)
            self._progress.setValue(round(100 * answer.share))

    def show_failure(self, message: str) -> None:
        """Why there is nothing to see."""
        self.finished()
        self.view.tell(message)

    def show_nothing(self, message: str, place: str) -> None:
        """There is no slice at the place where the plane is now, and why."""
        self.clear()
        self._place.show_text(place)
        self.show_failure(message)

    def clear(self) -> None:
        """Nothing is known of the slice; what is shown of it stays in the same frame when it comes."""
        self.view.show_nothing()
        self._count.setText("")
        self._place.show_text(self._place.whole)

    def started(self) -> None:
        """A computation is on its way."""
        if not self._slow.isActive() and not self._progress.isVisible():
            self._progress.setRange(0, 0)
            self._slow.start()

    def finished(self) -> None:
        self._slow.stop()
        self._show_progress(False)

    def _show_progress(self, visible: bool) -> None:
        self._progress.setVisible(visible)
        self._cancel.setVisible(visible)

    def _share_title(self) -> None:
        """Name and place come first; the tip of the place has the number of regions where there is no room for it."""
        name, place, count = (
            part.sizeHint().expandedTo(part.minimumSizeHint()).width()
            for part in (self._name, self._place, self._count)
        )
        gap, title = self._header.spacing(), self._header.contentsMargins()
        room = (self.contentsRect() - self._frame.contentsMargins() - title).width()
        taken = self._chip.width() + name + min(place, _MOST_OF_PLACE) + self._cancel.width() + 4 * gap
        self._count.setVisible(count <= room - taken)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_title()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit()
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.chosen.emit()
        self.menu_wanted.emit(self.view.mapToGlobal(self.view.pointer.called(event)).toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.enlarged.emit()
