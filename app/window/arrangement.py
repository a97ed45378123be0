"""Arrangements of the window: the 3D view or slices large, or a slice alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Final

from app.state import actions

if TYPE_CHECKING:
    from PySide6.QtWidgets import QSplitter, QWidget

    from app.state.store import Store


class Shape(Enum):
    """The value is the name of the command."""

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


class Arrangement:
    """Shares the splitter between its parts: the 3D view, `space`, and `slices`.  The keys to colours are in the layout
    of the first of them that is there, below all else."""

    def __init__(self, store: Store, splitter: QSplitter, space: QWidget, slices: QWidget, keys: QWidget) -> None:
        self._store, self._splitter = store, splitter
        self._space, self._slices, self._keys = space, slices, keys
        self._before: _Before | None = None
        self._widths = (1, 1)  # while the 3D view was seen last
        self._put_keys(space)

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
            self._hide_space()
        else:
            self.share(_SHARES[shape])

    def share(self, widths: tuple[int, int]) -> None:
        """Show the 3D view and the slices, as wide as this or in these shares."""
        self._space.show()
        self._put_keys(self._space)
        whole, room = sum(widths), max(sum(self._splitter.sizes()), 2)
        self._splitter.setSizes([round(room * widths[0] / whole), round(room * widths[1] / whole)])

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
            self._hide_space()
            return
        self._show_slices(before.tiled)
        if not before.flat:
            self.share(before.widths)

    def _show_slices(self, tiled: bool) -> None:
        if self._store.session.tiled != tiled:
            self._store.do(actions.TileSlices(tiled))

    def _hide_space(self) -> None:
        self._widths = self.widths
        self._space.hide()
        self._put_keys(self._slices)

    def _put_keys(self, below: QWidget) -> None:
        layout = below.layout()
        if layout is not None and layout.indexOf(self._keys) < 0:
            layout.addWidget(self._keys)
