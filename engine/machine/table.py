"""Arrays that grow by rows without being copied each time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.errors import MemoryLimitError
from engine.machine import memory

_SPARE = 4096  # rows that a recycled table may grow by at least


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

    def bytes_of(self, rows: int) -> int:
        """Memory for so many more rows."""
        return rows * self._buffer.itemsize * math.prod(self._buffer.shape[1:])

    def bytes_moved(self, rows: int) -> int:
        """Memory for the rows that growing by so many more copies, until those before are given back."""
        return self.bytes_of(self._used) if self._used + rows > len(self._buffer) else 0

    def grow(self, rows: int) -> NDArray[Any]:
        """Add rows that are not yet written; returns the view of all."""
        needed = self._used + rows
        if needed > len(self._buffer):
            row_shape, dtype = self._buffer.shape[1:], self._buffer.dtype
            larger = memory.allocate([(size, *row_shape) for size in (2 * needed, needed)], dtype)
            larger[: self._used] = self._buffer[: self._used]
            self._buffer = larger
        self._used = needed
        return self._buffer[:needed]

    def keep(self, first: int, kept: NDArray[np.bool_]) -> None:
        """Of the rows from `first` on keep some, in order; kept: (len(self) - first,) bool."""
        number = int(np.count_nonzero(kept))
        self._buffer[first : first + number] = self._buffer[first : self._used][kept]
        self._used = first + number


class Recycler:
    """Memory of tables that are no longer read, for tables to come: the system gives fresh memory page by page, and
    writes zeros first.
    """

    __slots__ = ("_free",)

    def __init__(self) -> None:
        self._free: list[NDArray[np.float64]] = []

    def table(self, rows: int, width: int) -> Table:
        """A float64 table of `rows` rows that are not yet written, with room for half as many more and some.

        Where memory is short there is less room, or none.  Raises MemoryLimitError when even the rows do not fit.
        """
        needed = (rows + rows // 2 + _SPARE) * width
        fitting = [buffer for buffer in self._free if needed <= len(buffer) <= 16 * needed]
        if fitting:
            buffer = min(fitting, key=len)
            self._free = [other for other in self._free if other is not buffer]
        else:
            try:
                buffer = memory.allocate([(3 * needed,)])
            except MemoryLimitError:
                self._free.clear()
                buffer = memory.allocate([(needed,), (rows * width,)])
        capacity = len(buffer) // max(1, width)
        table = Table(buffer[: capacity * width].reshape(capacity, width))
        table._used = rows
        return table

    def admit(self, needed: float, what: str) -> None:
        """memory.admit, which may have the memory kept here too."""
        try:
            memory.admit(needed, what)
        except MemoryLimitError:
            self._free.clear()
            memory.admit(needed, what)

    def take_back(self, table: Table) -> None:
        """Nobody reads this table again, nor any view of it."""
        buffer = table._buffer.base
        if isinstance(buffer, np.ndarray) and buffer.ndim == 1 and buffer.dtype == np.float64:
            self._free.append(buffer)
