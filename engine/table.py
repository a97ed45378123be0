"""Arrays that grow by rows without being copied each time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.errors import MemoryLimitError


class Table:
    """A C-contiguous array with room for more rows; memory that was never written costs nothing."""

    __slots__ = ("_buffer", "_used")

    def __init__(self, rows: NDArray[Any], capacity: int = 0) -> None:
        self._used = len(rows)
        self._buffer = rows
        if capacity > len(rows):
            self._buffer = np.empty((capacity, *rows.shape[1:]), rows.dtype)
            self._buffer[: len(rows)] = rows

    @classmethod
    def empty(cls, rows: int, row_shape: tuple[int, ...], dtype: DTypeLike, spare: int) -> Table:
        """A table of `rows` rows that are not yet written, with room for `spare` more."""
        table = cls(np.empty((rows + spare, *row_shape), dtype))
        table._used = rows
        return table

    def __len__(self) -> int:
        return self._used

    @property
    def view(self) -> NDArray[Any]:
        """The rows, sharing memory with the table until it grows beyond its room."""
        return self._buffer[: self._used]

    def grow(self, rows: int) -> NDArray[Any]:
        """Add rows that are not yet written; returns the view of all."""
        needed = self._used + rows
        if needed > len(self._buffer):
            try:
                larger = np.empty((needed, *self._buffer.shape[1:]), self._buffer.dtype)
            except MemoryError as error:
                raise MemoryLimitError(f"{error}; slice a smaller domain or a smaller network") from error
            larger[: self._used] = self._buffer[: self._used]
            self._buffer = larger
        self._used = needed
        return self._buffer[:needed]
