"""Signs of a network's rows in the faces of a slice that was cut in cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from engine.arrays import Int, Words
from engine.machine.jit import kernel
from engine.planar_map.planar_map import FaceSigns


@dataclass(frozen=True, eq=False)
class CellSigns(Sequence[FaceSigns]):
    """The FaceSigns of all layers, made when they are asked for.

    first_row (K + 2,): the rows of each layer, the level's as the last one; bits (F,) uint64, face_cell (F,): as in
    Pieces, of each face; first_of_cell (C + 1,), rows, on, zeros: as in Pieces.  edge_layer (E,), edge_faces (E, 2): of
    the map.
    """

    first_row: Int
    bits: Words
    face_cell: Int
    first_of_cell: NDArray[np.int64]
    rows: Int
    on: Words
    zeros: Int
    edge_layer: Int
    edge_faces: Int

    def __len__(self) -> int:
        return len(self.first_row) - 1

    @overload
    def __getitem__(self, layer: int) -> FaceSigns: ...
    @overload
    def __getitem__(self, layer: slice) -> Sequence[FaceSigns]: ...
    def __getitem__(self, layer: int | slice) -> FaceSigns | Sequence[FaceSigns]:
        if isinstance(layer, slice):
            return [self[k] for k in range(*layer.indices(len(self)))]
        k = range(len(self))[layer]
        label, face = self._faces_after(k)
        before, _ = self._faces_after(k - 1)
        parent = np.empty(len(face), np.int32)
        parent[label] = before
        return FaceSigns(parent, *self._words(face, k), self._count(k))

    def of(self, faces: Int) -> list[FaceSigns]:
        """Return the signs of some faces, by layer: the n-th row of each is the n-th face's."""
        number = np.arange(len(faces), dtype=np.int32)
        return [FaceSigns(number, *self._words(faces, k), self._count(k)) for k in range(len(self))]

    def _count(self, layer: int) -> int:
        return int(self.first_row[layer + 1] - self.first_row[layer])

    def _words(self, faces: Int, layer: int) -> tuple[Words, Words]:
        words = max(1, -(-self._count(layer) // 64))
        plus, minus = np.zeros((2, len(faces), words), np.uint64)
        _fill_words(
            faces, self.bits, self.face_cell, self.first_of_cell, self.rows, self.on, self.zeros, self._first_zero,
            int(self.first_row[layer]), int(self.first_row[layer + 1]), layer == len(self) - 1, plus, minus,
        )  # fmt: skip
        return plus, minus

    @cached_property
    def _first_zero(self) -> NDArray[np.int64]:
        return np.searchsorted(self.zeros[:, 0], np.arange(len(self.on) + 1))

    @cached_property
    def _labels(self) -> dict[int, tuple[Int, Int]]:
        count = np.arange(len(self.bits), dtype=np.int32)
        return {len(self) - 1: (count, count)}

    def _faces_after(self, layer: int) -> tuple[Int, Int]:
        """Return of the map after a layer's cut the face that each final one is in, and one final face in each."""
        if layer not in self._labels:
            inner = self.edge_faces[self.edge_layer > layer]
            graph = coo_array((np.ones(len(inner), np.bool_), inner.T), shape=(len(self.bits),) * 2)
            count, label = connected_components(graph, directed=False)
            some = np.empty(count, np.int32)
            some[label] = np.arange(len(label), dtype=np.int32)
            self._labels[layer] = label.astype(np.int32), some
        return self._labels[layer]


@kernel
def _fill_words(faces, bits, face_cell, first_of_cell, rows, on, zeros, first_zero, start, stop, last, plus, minus):
    """Set the bits of the rows start..stop in each of the faces; last: they are the level's, which no cell lists."""
    for n in range(len(faces)):
        f = faces[n]
        cell = face_cell[f]
        begin, end = first_of_cell[cell], first_of_cell[cell + 1]
        if last:
            for r in range(stop - start):
                plus[n, 0] |= ((bits[f] >> np.uint64(end - begin + r)) & np.uint64(1)) << np.uint64(r)
        else:
            for r in range(start, stop):
                bit = (on[cell, r // 64] >> np.uint64(r % 64)) & np.uint64(1)
                plus[n, (r - start) // 64] |= bit << np.uint64((r - start) % 64)
            for i in range(begin, end):
                if start <= rows[i] < stop:
                    bit = (bits[f] >> np.uint64(i - begin)) & np.uint64(1)
                    plus[n, (rows[i] - start) // 64] |= bit << np.uint64((rows[i] - start) % 64)
        for r in range(stop - start):
            minus[n, r // 64] |= (~plus[n, r // 64] >> np.uint64(r % 64) & np.uint64(1)) << np.uint64(r % 64)
        for z in range(first_zero[cell], first_zero[cell + 1]):
            r = zeros[z, 1] - start
            if 0 <= r < stop - start:
                plus[n, r // 64] &= ~(np.uint64(1) << np.uint64(r % 64))
                minus[n, r // 64] &= ~(np.uint64(1) << np.uint64(r % 64))
