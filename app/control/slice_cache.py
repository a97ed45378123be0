"""Slices that were computed, so that what was seen is there at once when it is seen again."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine import Network, available_memory

if TYPE_CHECKING:
    from app.control.drawn_slice import DrawnSlice
    from app.state.session import OpenNetwork
    from engine import Location, SlicePlane

_MOST_BYTES: Final = 1 << 30
_SHARE: Final = 8  # of the memory that is free at the start: one part in so many

_Key = tuple[str | int, str, bytes, bytes, float]


@dataclass(frozen=True, eq=False, slots=True)
class KeptSlice:
    """A whole slice, and its index once that was built."""

    drawn: DrawnSlice
    location: Location | None
    size: int


class SliceCache:
    """Whole slices by the content and the reading of their checkpoint, plane, domain and level.

    Those that were asked for last are kept, of at most `budget` bytes; windows of one program may share it.
    """

    def __init__(self, budget: float | None = None) -> None:
        self.budget = min(_MOST_BYTES, available_memory() / _SHARE) if budget is None else budget
        self._kept: dict[_Key, KeptSlice] = {}  # from the one that was asked for longest ago
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, opened: OpenNetwork, plane: SlicePlane) -> KeptSlice | None:
        """Return the slice of a network in a plane, if it is kept; of equal networks as one of this one."""
        key = _key(opened, plane)
        kept = self._kept.pop(key, None)
        if kept is None:
            return None
        self._kept[key] = kept = _of(kept, opened)
        return kept

    def holds(self, opened: OpenNetwork, plane: SlicePlane) -> bool:
        """Return whether a slice is kept; it is not asked for by that."""
        return _key(opened, plane) in self._kept

    def keep(self, opened: OpenNetwork, drawn: DrawnSlice, location: Location | None) -> None:
        """Keep a whole slice of a network, in the place of an earlier one of the same plane."""
        key = _key(opened, drawn.plane)
        before = self._kept.pop(key, None)
        if before is not None:
            self.size -= before.size
            if location is None and before.drawn.answer.partition is drawn.answer.partition:
                location = before.location
        size = _bytes_of((drawn, location), set())
        if size > self.budget:
            return
        self._kept[key] = KeptSlice(drawn, location, size)
        self.size += size
        while self.size > self.budget:
            oldest = next(iter(self._kept))
            self.size -= self._kept.pop(oldest).size


def _key(opened: OpenNetwork, plane: SlicePlane) -> _Key:
    """A module of the caller's has no file: it is told by its network, which its slices hold."""
    content = opened.sha256 or id(opened.network)
    reading = "" if opened.reading is None else json.dumps(opened.reading.to_json(), sort_keys=True)
    place = plane.origin.tobytes() + plane.axes.tobytes()
    return content, reading, place, opened.domain.tobytes(), opened.level


def _of(kept: KeptSlice, opened: OpenNetwork) -> KeptSlice:
    """The same slice, of the network that a file became when it was opened again."""
    drawn = kept.drawn
    if drawn.answer.request.network is opened.network:
        return kept
    partition = replace(drawn.answer.partition, network=opened.network)
    request = replace(drawn.answer.request, network=opened.network, domain=opened.domain)
    answer = replace(drawn.answer, request=request, partition=partition)
    picture = replace(drawn.picture, partition=partition)
    return KeptSlice(replace(drawn, answer=answer, picture=picture), None, kept.size)


def _bytes_of(value: Any, counted: set[int]) -> int:
    """Of all arrays in a value, each once; networks are their session's."""
    if id(value) in counted:
        return 0
    counted.add(id(value))
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, tuple | list):
        return sum(_bytes_of(part, counted) for part in value)
    if not is_dataclass(value) or isinstance(value, Network):
        return 0
    parts = (getattr(value, field.name, None) for field in fields(value))
    return sum(_bytes_of(part, counted) for part in parts)
