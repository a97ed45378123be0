"""Places of heads, 3D views and tiles of a comparison."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from app.window.panels.slice_board import best_columns

if TYPE_CHECKING:
    from PySide6.QtWidgets import QGridLayout

    from app.window.comparison.compare_parts import CompareParts

_LEAST_HEIGHT: Final = 190  # pixels of a row
_LIKED: Final = 0.75, 0.48  # height of a row: of its width, but no more of what is in sight
_AROUND: Final = 80  # pixels of the height that are not the tiles'


class CompareGrid:
    """A column for each checkpoint, with rows of slices; or, of two in one picture, as many beside each other as make
    them large."""

    def __init__(self, layout: QGridLayout, parts: CompareParts) -> None:
        self._layout, self._parts = layout, parts
        self._size = (1, 1)
        self._rows, self._across = 0, 1
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)

    def fit(self, width: int, height: int) -> None:
        """Share so many pixels."""
        self._size = width, height
        if self._across != self._wanted_across:
            self.place()
        else:
            self._share_height()

    @property
    def _wanted_across(self) -> int:
        """Number of tiles beside each other: one of each column, or as many as make them large."""
        if not self._parts.pairs:
            return max(len(self._parts.columns), 1)
        return best_columns(len(self._parts.tiles), self._size[0], self._size[1] - _AROUND)

    def place(self) -> None:
        """Put everything where it is to be."""
        grid, count = self._layout, len(self._parts.columns)
        while grid.count():
            grid.takeAt(0)
        for line in range(grid.rowCount()):
            grid.setRowStretch(line, 0)
            grid.setRowMinimumHeight(line, 0)
        for line in range(grid.columnCount()):
            grid.setColumnStretch(line, 0)
        across = self._across = self._wanted_across
        wide = math.lcm(across, max(count, 1))  # columns of the grid
        for place, (column, head) in enumerate(zip(self._parts.columns, self._parts.heads, strict=True)):
            span = wide // count
            grid.addWidget(head, 0, place * span, 1, span)
            if column.space is not None:
                grid.addWidget(column.space, 1, place * span, 1, span)
                grid.setRowStretch(1, 3)
        for at, tile in enumerate(self._parts.tiles.values()):
            span = wide // across
            grid.addWidget(tile, 2 + at // across, at % across * span, 1, span)
        self._rows = -(-len(self._parts.tiles) // across)
        for at in range(self._rows):
            grid.setRowStretch(2 + at, 4)
        for line in range(wide):
            grid.setColumnStretch(line, 1)
        self._share_height()

    def _share_height(self) -> None:
        """Rows are not so low that slices are specks in wide tiles; they scroll then."""
        wide, high = _LIKED[0] * self._size[0] / self._across, _LIKED[1] * self._size[1]
        for at in range(self._rows):
            self._layout.setRowMinimumHeight(2 + at, max(_LEAST_HEIGHT, round(min(wide, high))))
