"""Parts of a comparison on the screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.control.column import Column
    from app.window.comparison.column_head import ColumnHead
    from app.window.panels.slice_tile import SliceTile


@dataclass(eq=False, slots=True)
class CompareParts:
    """columns, heads: from left to right; tiles: by the place of their column, 0 where two are in one picture, and the
    key of their slice; pairs: two are; leader: the column under the mouse; divider: where it is, of the width.
    """

    columns: list[Column] = field(default_factory=list)
    heads: list[ColumnHead] = field(default_factory=list)
    tiles: dict[tuple[int, int], SliceTile] = field(default_factory=dict)
    pairs: bool = False
    leader: Column | None = None
    divider: float = 0.5
