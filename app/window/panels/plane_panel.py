"""The side panel: the list of slices, and the active plane's position as sliders, numbers and buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.state import actions
from app.state.geometry.planes import at_offset, offset, offset_range, tilted
from app.state.session import Session, Slice
from app.state.store import Change, Store
from app.state.texts.numbers import place_text, short_place_text
from app.window.commands.commands import Commands
from app.window.parts.chip import Chip
from app.window.parts.controls import (
    ElidedLabel,
    ScrollArea,
    Slider,
    as_tip,
    command_button,
    icon_button,
    label,
    restyle,
    row,
)
from app.window.parts.icons import eye, icon
from app.window.parts.number_field import NumberField, VectorField
from engine import SlicePlane

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_STEPS = 2000  # of the slider
_SHOWN: Final = 5e-4  # of the box's size: numbers of planes are shown so finely
_LATE_MILLISECONDS: Final = 60  # after the first live move: the slice, which takes all cores, comes first


class SliceRow(QFrame):
    """One slice in the list; menu_wanted(place): a menu is called at a place of the screen."""

    menu_wanted = Signal(QPoint)

    def __init__(self, part: Slice, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.key, self._store = part.key, store
        self.name = QLineEdit(part.name, self)
        self.name.setStyleSheet("border: none; background: transparent; padding: 0; font-weight: 600;")
        self.name.setCursorPosition(0)
        self.name.setMinimumWidth(30)
        self.name.setAccessibleName("name of the slice")
        self.name.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # the slice's, not that of its text
        self.name.editingFinished.connect(self._rename)
        self.place = label("", "muted")
        self.place.setMinimumWidth(20)
        self._known: tuple[Slice, bool, NDArray[np.float64]] | None = None
        self.eye = icon_button(eye(True), "Show or hide this slice")
        self.eye.setCheckable(True)
        self.eye.clicked.connect(lambda shown: store.do(actions.ShowSlice(self.key, shown)))
        self.delete = icon_button(icon("cross"), "Delete this slice", 13)
        self.delete.clicked.connect(lambda: store.do(actions.RemoveSlice(self.key)))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 4, 4)
        layout.setSpacing(7)
        layout.addWidget(Chip(part.accent))
        layout.addWidget(self.name, 1)  # with the room that the place leaves
        layout.addWidget(self.place)
        layout.addWidget(self.eye)
        layout.addWidget(self.delete)

    def show_slice(self, part: Slice, active: bool, domain: NDArray[np.float64]) -> None:
        known, self._known = self._known, (part, active, domain)
        if known is not None and known[0] is part and known[1] == active and known[2] is domain:
            return
        self.name.setToolTip(as_tip(f"{part.name}: type another name"))
        if not self.name.hasFocus() and self.name.text() != part.name:
            self.name.setText(part.name)
            self.name.setCursorPosition(0)
        self.place.setText(short_place_text(part.plane, domain))
        self.place.setToolTip(place_text(part.plane, domain))
        if known is None or known[0].visible != part.visible:
            self.eye.setIcon(eye(part.visible))
        self.eye.setChecked(part.visible)
        restyle(self, "active", active)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._store.do(actions.ActivateSlice(self.key))

    def _rename(self) -> None:
        if self.name.isModified():
            self.name.setModified(False)
            self._store.do(actions.RenameSlice(self.key, self.name.text()))
            kept = self._store.session.slice(self.key).name  # also where nothing that is a name was typed
            if self.name.text() != kept:
                self.name.setText(kept)
            self.name.setCursorPosition(0)  # of a long name one sees the beginning


class PlanePanel(QWidget):
    """menu_wanted(key, place): a menu is called on a slice in the list, at a place of the screen."""

    menu_wanted = Signal(int, QPoint)

    def __init__(self, store: Store, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self._store = store
        self.rows: dict[int, SliceRow] = {}
        self._list = QVBoxLayout()
        self._list.setSpacing(5)
        self.add = command_button(commands["add"], words=False)
        self.duplicate = command_button(commands["duplicate"], words=False)
        self.snaps = {axis: command_button(commands[f"snap {axis}"]) for axis in "xyz"}
        self.to_camera, self.flip = command_button(commands["snap camera"]), command_button(commands["flip"])
        self.left, self.right = command_button(commands["left"]), command_button(commands["right"])

        self.slider = Slider(self)
        self.slider.setRange(0, _STEPS)
        self.slider.setAccessibleName("offset")
        self.slider.setToolTip("Offset along the normal; in the views: arrow keys, Page Up and Down, Ctrl and wheel")
        self.offset = NumberField("offset", self)
        self.origin, self.normal = VectorField("origin", self), VectorField("normal", self)
        self.slider.valueChanged.connect(self._slide)
        self.slider.sliderReleased.connect(self._release)
        self.offset.entered.connect(lambda value: self._move(lambda plane: at_offset(plane, value)))
        self.origin.entered.connect(self._type_origin)
        self.normal.entered.connect(self._type_normal)
        self._controls = self._build_controls()

        inner = QWidget(self)
        inner.setObjectName("panel")
        column = QVBoxLayout(inner)
        column.setContentsMargins(10, 10, 6, 10)
        column.setSpacing(8)
        heading = QHBoxLayout()
        heading.addWidget(label("SLICES", "section"))
        heading.addStretch(1)
        heading.addWidget(self.duplicate)
        heading.addWidget(self.add)
        self._column = column
        column.addLayout(heading)
        column.addLayout(self._list)
        column.addSpacing(6)
        column.addWidget(self._controls)
        column.addStretch(1)
        area = ScrollArea(self)
        area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self.setFixedWidth(278)  # with a bar to scroll by too
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(_LATE_MILLISECONDS)
        self._late.timeout.connect(lambda: self._show(store.session))
        store.listen(self._changed)
        self._show_plane(store.session)

    def put_above(self, widget: QWidget) -> None:
        """Above the list of slices, scrolling with it."""
        self._column.insertWidget(0, widget)

    def put_below(self, name: str, widget: QWidget) -> None:
        """Another row of what can be done with the active plane."""
        grid = self._grid
        line = grid.rowCount()
        grid.addWidget(label(name, "muted"), line, 0)
        grid.addWidget(widget, line, 1)

    def _build_controls(self) -> QWidget:
        controls = QWidget(self)
        grid = self._grid = QGridLayout(controls)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(7)
        grid.setHorizontalSpacing(8)
        self._heading = ElidedLabel(self)
        self._heading.setObjectName("section")
        grid.addWidget(self._heading, 0, 0, 1, 2)
        slide = QWidget(self)
        sliding = QHBoxLayout(slide)
        sliding.setContentsMargins(0, 0, 0, 0)
        sliding.addWidget(self.slider, 1)
        sliding.addWidget(self.offset)
        self.offset.setFixedWidth(74)
        rows = ("offset", slide), ("origin", self.origin), ("normal", self.normal)
        for line, (name, widget) in enumerate(rows, start=1):
            grid.addWidget(label(name, "muted"), line, 0)
            grid.addWidget(widget, line, 1)
        grid.addWidget(label("snap", "muted"), 4, 0)
        grid.addLayout(row(*self.snaps.values(), self.to_camera), 4, 1)
        grid.addWidget(label("turn", "muted"), 5, 0)
        grid.addLayout(row(self.flip, self.left, self.right), 5, 1)
        return controls

    def _changed(self, change: Change) -> None:
        match change.action:
            case actions.MovePlane(live=True):
                if not self._late.isActive():
                    self._late.start()
            case _:
                self._late.stop()
                self._show(change.after)

    def _show(self, session: Session) -> None:
        for key in set(self.rows) - {part.key for part in session.slices}:
            gone = self.rows.pop(key)
            gone.name.setModified(False)  # what was typed into it and not entered goes with it
            self._list.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for place, part in enumerate(session.slices):
            if part.key not in self.rows:
                self.rows[part.key] = self._row(part)
            row_ = self.rows[part.key]
            if session.opened is not None:
                row_.show_slice(part, part.key == session.active, session.opened.domain)
            if self._list.indexOf(row_) != place:
                self._list.insertWidget(place, row_)
        self._show_plane(session)

    def _row(self, part: Slice) -> SliceRow:
        made = SliceRow(part, self._store, self)
        made.menu_wanted.connect(lambda place: self.menu_wanted.emit(made.key, place))
        return made

    def _show_plane(self, session: Session) -> None:
        part = session.active_slice
        self._controls.setEnabled(part is not None)
        self._controls.setVisible(session.opened is not None)
        if part is None or session.opened is None:
            self._heading.show_text("NO SLICE")
            return
        self._heading.show_text(f"PLANE OF {part.name.upper()}")
        low, high = offset_range(part.plane, session.opened.domain)
        self.slider.blockSignals(True)
        if not self.slider.isSliderDown():
            share = (offset(part.plane) - low) / (high - low)
            self.slider.setValue(round(_STEPS * min(max(share, 0.0), 1.0)))  # a plane may be far from the box
        self.slider.blockSignals(False)
        self.offset.step = _SHOWN * (high - low)
        self.offset.show_value(offset(part.plane) + 0.0)
        for field, size in zip(self.origin.fields, np.ptp(session.opened.domain, axis=0).tolist(), strict=True):
            field.step = _SHOWN * size
        self.origin.show_values(part.plane.origin.tolist())
        self.normal.show_values(part.plane.normal.tolist())

    def _move(self, way: Callable[[SlicePlane], SlicePlane], live: bool = False) -> None:
        part = self._store.session.active_slice
        if part is not None:
            self._store.do(actions.MovePlane(part.key, way(part.plane), live))

    def _slide(self, step: int) -> None:
        session = self._store.session
        if session.opened is None or session.active_slice is None:
            return
        low, high = offset_range(session.active_slice.plane, session.opened.domain)
        share = min(max(step / _STEPS, 1e-6), 1 - 1e-6)
        self._move(lambda plane: at_offset(plane, low + share * (high - low)), live=True)

    def _release(self) -> None:
        self._move(lambda plane: plane)

    def _type_origin(self, place: int, value: float) -> None:
        self._move(lambda plane: SlicePlane(_with(plane.origin, place, value), plane.axes))

    def _type_normal(self, place: int, value: float) -> None:
        session = self._store.session
        part = session.active_slice
        if part is None or session.opened is None:
            return
        normal = _with(part.plane.normal, place, value)
        if not np.linalg.norm(normal) > 0:
            self.normal.show_values(part.plane.normal.tolist())
            return
        axis = int(np.argmax(np.abs(normal)))
        if np.count_nonzero(normal) == 1 and normal[axis] > 0:
            plane = SlicePlane.from_normal(part.plane.origin, normal)
        else:
            plane = tilted(part.plane, normal, part.plane.origin)
        self._store.do(actions.MovePlane(part.key, plane))


def _with(vector: NDArray[np.float64], place: int, value: float) -> NDArray[np.float64]:
    """A vector (3,) with another number at a place."""
    changed = vector.copy()
    changed[place] = value
    return changed
