"""The pixels of many drawn sheets, without the squares in which there is nothing."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.views.raster import tiles

Chart = NDArray[np.int32]

_ROOM: Final = 1.25  # of what is needed: a plane that moves takes new tiles before it gives back old ones


class SheetTiles:
    """pixels (T, 16, 16, 4) uint8, colours multiplied by their opacity; raised (T, 16, 16) uint8: see `draw_sheet`."""

    def __init__(self) -> None:
        self.pixels: NDArray[np.uint8] = np.empty((0, tiles.SIDE, tiles.SIDE, 4), np.uint8)
        self.raised: NDArray[np.uint8] = np.empty((0, tiles.SIDE, tiles.SIDE), np.uint8)
        self._free: NDArray[np.int32] = np.empty(0, np.int32)

    def keep(self, pixels: NDArray[np.uint8], raised: NDArray[np.uint8], box: NDArray[np.int64]) -> Chart:
        """Take what is drawn in a box of pixels (H, W, 4); the map says where it is from now on."""
        height, width = raised.shape
        used = np.zeros((-(-height // tiles.SIDE), -(-width // tiles.SIDE)), np.uint8)
        tiles.find_used(pixels, box, used)
        chart = np.full(used.shape, tiles.EMPTY, np.int32)
        places = used.view(bool)
        chart[places] = self._taken(int(used.sum()))
        tiles.cut(pixels, raised, chart, self.pixels, self.raised)
        return chart

    def give_back(self, chart: Chart) -> None:
        """What a map names is not needed any more."""
        self._free = np.concatenate([self._free, chart[chart != tiles.EMPTY]])

    def tidy(self, charts: list[Chart]) -> None:
        """Give memory back when less than half of it is in use; charts: all that are, changed in place."""
        used = len(self.pixels) - len(self._free)
        if len(self.pixels) <= 2 * used:
            return
        kept = np.concatenate([chart[chart != tiles.EMPTY] for chart in charts]) if charts else self._free[:0]
        self.pixels, self.raised = self.pixels[kept], self.raised[kept]
        self._free = np.empty(0, np.int32)
        first = 0
        for chart in charts:
            places = chart != tiles.EMPTY
            chart[places] = np.arange(first, first + int(places.sum()), dtype=np.int32)
            first += int(places.sum())

    def _taken(self, count: int) -> NDArray[np.int32]:
        if count > len(self._free):
            self._grow(count - len(self._free))
        taken, self._free = self._free[:count], self._free[count:]
        return taken

    def _grow(self, more: int) -> None:
        before = len(self.pixels)
        after = max(before + more, int(_ROOM * before))
        for array in (self.pixels, self.raised):  # in place: a large array moves without being copied
            array.resize((after, *array.shape[1:]), refcheck=False)
        self._free = np.concatenate([self._free, np.arange(before, after, dtype=np.int32)])
