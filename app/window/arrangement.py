"""Arrangements of the window: the 3D view or slices large, or a slice alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Signal

from app.state import actions

if TYPE_CHECKING:
    from PySide6.QtWidgets import QHBoxLayout, QSplitter, QWidget

    from app.state.store import Change, Store


class Shape(Enum):
    """Values are the names of their commands."""

    SPACE = "3D large"
    SLICE = "slice large"
    GRID = "grid"
    FLAT = "3D hidden"


_SHARES: Final = {Shape.SPACE: (62, 38), Shape.SLICE: (35, 65), Shape.GRID: (35, 65)}  # percent: 3D view, slices


@dataclass(frozen=True, slots=True)
class _Before:
    """The arrangement that a slice that is shown alone took the place of."""

    flat: bool
    tiled: bool
    widths: tuple[int, int]


class Arrangement(QObject):
    """Shares the splitter between its two parts, the 3D view, `space`, and slices.

    keys: to colours, at the left in the first of two rows, that below the 3D view and that below the slices, which is
    there.  changed: `shape` may be another now.
    """

    changed = Signal()

    def __init__(
        self, store: Store, splitter: QSplitter, space: QWidget, rows: tuple[QHBoxLayout, QHBoxLayout], keys: QWidget
    ) -> None:
        super().__init__(splitter)
        self._store, self._splitter, self._space, self._rows, self._keys = store, splitter, space, rows, keys
        self._before: _Before | None = None
        self._widths = (1, 1)  # while the 3D view was seen last
        self._put_keys(rows[0])
        splitter.splitterMoved.connect(self.changed)
        splitter.handle(1).installEventFilter(self)  # moved once both sides have their sizes
        store.listen(self._session_changed)

    @property
    def shape(self) -> Shape | None:
        """What is seen now, in whichever way it came about; None for none of these."""
        tiled = self._store.session.tiled
        if self.flat:
            return Shape.FLAT if tiled else None
        left, right = self.widths
        if left > right:
            return Shape.SPACE if tiled else None
        return Shape.GRID if tiled else Shape.SLICE

    @property
    def flat(self) -> bool:
        """The 3D view is hidden."""
        return self._space.isHidden()

    @property
    def widths(self) -> tuple[int, int]:
        """Of the 3D view and of the slices, in pixels; as they were last, while the 3D view is hidden."""
        left, right = self._splitter.sizes()
        return self._widths if self.flat else (max(left, 1), max(right, 1))

    def calls(self) -> dict[str, Callable[[], object]]:
        """By the names of the commands."""
        return {shape.value: partial(self.show, shape) for shape in Shape}

    def show(self, shape: Shape) -> None:
        self._before = None
        self._show_slices(tiled=shape is not Shape.SLICE)
        if shape is Shape.FLAT:
            self.hide_space()
        else:
            self.share(_SHARES[shape])

    def share(self, widths: tuple[int, int]) -> None:
        """Show the 3D view and the slices, as wide as this or in these shares."""
        self._space.show()
        self._put_keys(self._rows[0])
        whole, room = sum(widths), max(sum(self._splitter.sizes()), 2)
        self._splitter.setSizes([round(room * widths[0] / whole), round(room * widths[1] / whole)])
        self.changed.emit()

    def show_space(self) -> None:
        """Something is to be done in the 3D view."""
        if self.flat:
            self._before = None
            self.share(self._widths)

    def maximise(self, key: int) -> None:
        """Show a slice alone; where one is, go back to what it took the place of."""
        before, self._before = self._before, None
        if before is None or not self.flat or self._store.session.tiled:
            self._before = _Before(self.flat, self._store.session.tiled, self.widths)
            self._store.do(actions.ActivateSlice(key))
            self._show_slices(tiled=False)
            self.hide_space()
            return
        self._show_slices(before.tiled)
        if not before.flat:
            self.share(before.widths)

    def _show_slices(self, tiled: bool) -> None:
        if self._store.session.tiled != tiled:
            self._store.do(actions.TileSlices(tiled))

    def hide_space(self, widths: tuple[int, int] | None = None) -> None:
        """Leave the room to the slices; widths: that both have when the 3D view comes back, None: as they are now."""
        self._widths = widths or self.widths
        self._space.hide()
        self._put_keys(self._rows[1])
        self.changed.emit()

    def _put_keys(self, row: QHBoxLayout) -> None:
        if row.indexOf(self._keys) < 0:
            row.insertWidget(0, self._keys, 1)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize):
            self.changed.emit()
        return False

    def _session_changed(self, change: Change) -> None:
        if change.after.tiled != change.before.tiled:
            self.changed.emit()
