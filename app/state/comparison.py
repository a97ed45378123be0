"""Checkpoints beside each other: which of the list, what is drawn between two of them, and what is linked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine import SlicePlane

MOST_COLUMNS: Final = 6
SWITCHES: Final = ("planes", "views", "camera", "space")
"""Those of a comparison, by the names of their fields."""


class Between(Enum):
    """Ways to draw two checkpoints, A and B; side by side, all of them."""

    SIDE = "side by side"
    SWIPE = "swipe"
    OVERLAY = "overlay"
    DIFFERENCE = "difference"
    LINES = "lines per area"
    BLINK = "blink"


@dataclass(frozen=True, slots=True)
class Apart:
    """The plane of a slice in one column alone, while planes are not linked; network: its place in the list."""

    network: int
    key: int
    plane: SlicePlane


@dataclass(frozen=True, slots=True)
class Compared:
    """Two checkpoints or more, up to MOST_COLUMNS.

    columns: their places in the list of what is open, from left to right; pair: the places of A and B among them, one
    that is not there counting as the first or the last.  planes, views, camera: linked, so that what a hand does in one
    column is done in all; space: a 3D view above each column.
    """

    columns: tuple[int, ...]
    between: Between = Between.SIDE
    pair: tuple[int, int] = (0, 1)
    planes: bool = True
    views: bool = True
    camera: bool = True
    space: bool = False
    apart: tuple[Apart, ...] = ()

    @property
    def shown(self) -> tuple[int, ...]:
        """The places in the list of those that are drawn: all columns, or A and B."""
        return self.columns if self.between is Between.SIDE else tuple(self.columns[place] for place in self.pair)

    def with_pair(self, first: int, second: int) -> Compared:
        """With other columns as A and B; the one that is taken twice gives its place to the other."""
        if first == second:
            first, second = (second, self.pair[0]) if first == self.pair[0] else (self.pair[1], second)
        return replace(self, pair=(first, second))

    def swapped(self) -> Compared:
        return replace(self, pair=(self.pair[1], self.pair[0]))

    def adding(self, network: int) -> Compared:
        """With one more column at the right, where there is room."""
        if network in self.columns or len(self.columns) >= MOST_COLUMNS:
            return self
        return replace(self, columns=(*self.columns, network))

    def without(self, network: int) -> Compared | None:
        """Without a column; None where fewer than two are left."""
        columns = tuple(other for other in self.columns if other != network)
        if len(columns) < 2:
            return None
        kept = [columns.index(self.columns[place]) if self.columns[place] in columns else -1 for place in self.pair]
        first = kept[0] if kept[0] >= 0 else next(k for k in range(len(columns)) if k != kept[1])
        second = kept[1] if kept[1] >= 0 else next(k for k in range(len(columns)) if k != first)
        apart = tuple(part for part in self.apart if part.network != network)
        return replace(self, columns=columns, pair=(first, second), apart=apart)

    def after_closing(self, network: int) -> Compared | None:
        """The same when a network has left the list: those behind it have other places now."""
        rest = self.without(network)
        if rest is None:
            return None
        columns = tuple(other - (other > network) for other in rest.columns)
        apart = tuple(replace(part, network=part.network - (part.network > network)) for part in rest.apart)
        return replace(rest, columns=columns, apart=apart)

    def plane_of(self, network: int, key: int, plane: SlicePlane) -> SlicePlane:
        """The plane of a slice in a column; plane: that of the session."""
        if self.planes:
            return plane
        return next((part.plane for part in self.apart if (part.network, part.key) == (network, key)), plane)

    def has_own_plane(self, network: int, key: int) -> bool:
        return any((part.network, part.key) == (network, key) for part in self.apart)

    def with_plane(self, network: int, key: int, plane: SlicePlane) -> Compared:
        """With the plane of a slice moved in one column alone."""
        rest = tuple(part for part in self.apart if (part.network, part.key) != (network, key))
        return replace(self, apart=(*rest, Apart(network, key, plane)))
