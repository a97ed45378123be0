"""The exact partition of a slice, as a planar map of flat, read-only arrays."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import EngineError
from engine.machine.workers import single_threaded_blas
from engine.network.network import Network
from engine.plane import SlicePlane

T = TypeVar("T", bound=np.generic)

BORDER = -1
OUTSIDE = -1


def _read_only(array: NDArray[T]) -> NDArray[T]:
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True)
class Ties:
    """Coincidences, and decisions that rounding could not make, by kind.

    snapped: pre-activations at vertices that are at their breakpoint; edge_merges, chord_merges: crossings that are one
    vertex with another; irregular: loops without exactly two sign changes; forced: crossings whose order was forced;
    unexamined: decisions in doubt that were left to rounding, and are none of these.
    """

    snapped: int = 0
    edge_merges: int = 0
    chord_merges: int = 0
    irregular: int = 0
    forced: int = 0
    unexamined: int = 0

    @property
    def total(self) -> int:
        return sum(self._counts())

    def describe(self) -> str:
        """Return the number of ties for people, and how many of them were left to rounding."""
        ties = f"{self.total:,} tie{'' if self.total == 1 else 's'}"
        return ties + (f", {self.unexamined:,} of them unexamined" if self.unexamined else "")

    def __add__(self, other: Ties) -> Ties:
        return Ties(*map(operator.add, self._counts(), other._counts()))

    def _counts(self) -> tuple[int, ...]:
        # dataclasses.astuple copies every number deeply: a fifth of a small slice's time.
        return self.snapped, self.edge_merges, self.chord_merges, self.irregular, self.forced, self.unexamined


@dataclass(frozen=True, eq=False, slots=True)
class FaceSigns:
    """Signs of one layer's rows in the faces that its cut made, as bits.

    parent (F,) int32: the face before the cut; plus, minus (F, W) uint64: bit r % 64 of word r // 64 is row r; neither
    set where the row is zero throughout.  rows: how many there are.
    """

    parent: NDArray[np.int32]
    plus: NDArray[np.uint64]
    minus: NDArray[np.uint64]
    rows: int

    def __post_init__(self) -> None:
        for name in ("parent", "plus", "minus"):
            object.__setattr__(self, name, _read_only(getattr(self, name)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are made anew, so that their arrays are read-only too."""
        return type(self), (self.parent, self.plus, self.minus, self.rows)

    def signs(self, faces: NDArray[np.int32]) -> NDArray[np.int8]:
        """(len(faces), rows) int8 in -1, 0, 1."""
        plus, minus = (
            np.unpackbits(words[faces].astype("<u8").view(np.uint8), axis=1, count=self.rows, bitorder="little")
            for words in (self.plus, self.minus)
        )
        return plus.astype(np.int8) - minus.astype(np.int8)


def signs_of(layers: Sequence[FaceSigns], faces: NDArray[np.int32]) -> list[FaceSigns]:
    """Return the signs of some final faces, by layer: the n-th row of each is the n-th face's."""
    if isinstance(layers, SignsOfFaces):
        return layers.of(faces)
    found, number = [], np.arange(len(faces), dtype=np.int32)
    for signs in reversed(layers):
        found.append(FaceSigns(number, signs.plus[faces], signs.minus[faces], signs.rows))
        faces = signs.parent[faces]
    return found[::-1]


@runtime_checkable
class SignsOfFaces(Protocol):
    """Signs that are known without those of the faces before the last cut."""

    def of(self, faces: NDArray[np.int32]) -> list[FaceSigns]:
        """See signs_of."""


@dataclass(frozen=True, eq=False)
class Partition:
    """The partition of a convex polygon of a slice plane into the linear regions (faces) of a network.

    vertices         (V, 2) float64  in the plane's coordinates
    values           (V,) float64 or (V, C) float64  the network's output at each vertex; `output` is what the walk knew
                                     of it: None in a snapshot, whose values are computed when they are asked for
    edges            (E, 2) int32    end vertices; the edge is directed from the first to the second
    edge_layer       (E,) int32      kink (depth) that made the edge; -1 border of the domain; number of kinks: the
                                     level
    edge_neuron      (E,) int32      neuron of that kink (output component for the level, side of the polygon for the
                                     border)
    edge_breakpoint  (E,) float64    the pre-activation's value along the edge (the level for the level; 0 for the
                                     border)
    edge_on_level    (E,) bool       an output component equals the level along the edge
    edge_faces       (E, 2) int32    faces to the left and right of the directed edge, -1 outside
    edge_also_offsets (E + 1,) int32, edge_also (K, 2) int32 (layer, neuron), edge_also_breakpoint (K,) float64
                                     the other rows whose sign changes across the edge
    face_offsets     (F + 1,) int32, face_vertices (H,) int32, face_edges (H,) int32
                                     counter-clockwise loops; face_edges[i] joins face_vertices[i] to the next
    face_signs       signs of the rows of each layer in the faces it made (see activation_pattern)
    linear_regions   number of regions before the level cut
    ties             number of decisions that rounding could not make (`tie_counts` by kind)
    level            the level, or None when the output did not cut
    seconds          seconds by stage
    """

    network: Network
    plane: SlicePlane
    vertices: NDArray[np.float64]
    output: NDArray[np.float64] | None
    edges: NDArray[np.int32]
    edge_layer: NDArray[np.int32]
    edge_neuron: NDArray[np.int32]
    edge_breakpoint: NDArray[np.float64]
    edge_on_level: NDArray[np.bool_]
    edge_faces: NDArray[np.int32]
    edge_also_offsets: NDArray[np.int32]
    edge_also: NDArray[np.int32]
    edge_also_breakpoint: NDArray[np.float64]
    face_offsets: NDArray[np.int32]
    face_vertices: NDArray[np.int32]
    face_edges: NDArray[np.int32]
    face_signs: Sequence[FaceSigns]
    linear_regions: int
    level: float | None
    tie_counts: Ties
    seconds: dict[str, float]

    def __post_init__(self) -> None:
        # Views: the walk goes on with the arrays that a snapshot shares, and compiled code tells read-only ones apart.
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                object.__setattr__(self, name, _read_only(value))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrays lose their flags in copies and pickles."""
        vars(self).update(state)
        self.__post_init__()

    @property
    def regions(self) -> int:
        return len(self.face_offsets) - 1

    @property
    def ties(self) -> int:
        return self.tie_counts.total

    @property
    def origin(self) -> NDArray[np.float64]:
        return self.plane.origin

    @property
    def axes(self) -> NDArray[np.float64]:
        return self.plane.axes

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """(V,) float64, or (V, C) of a network with several outputs: the output at each vertex."""
        if self.output is not None:
            return self.output
        with single_threaded_blas():  # as during the walk: the number of threads changes last digits
            values = self.network.forward(self.points)
        return _read_only(values[:, 0] if values.shape[1] == 1 else values)

    @cached_property
    def points(self) -> NDArray[np.float64]:
        """(V, D) float64: the vertices in the network's input space."""
        return _read_only(self.plane.to_input(self.vertices))

    def face_numbers(self, faces: ArrayLike | None = None) -> NDArray[np.int32]:
        """(N,) int32: region numbers as given, all when None.  Raises EngineError for what no region has as number."""
        if faces is None:
            return np.arange(self.regions, dtype=np.int32)
        face = np.asarray(faces)
        if face.ndim != 1 or not (face.size == 0 or np.issubdtype(face.dtype, np.integer)):
            raise EngineError(f"regions are asked for by their numbers, an array (N,) of integers, not {faces!r}")
        outside = face[(face < 0) | (face >= self.regions)]
        if len(outside):
            raise EngineError(f"there is no region {outside[0]}; the partition has the regions 0 to {self.regions - 1}")
        return face.astype(np.int32)

    def activation_pattern(self, faces: NDArray[np.int32] | None = None) -> NDArray[np.int8]:
        """Sign vectors of regions: -1, 0 or 1 for every row of every kink, then for the output minus the level.

        faces: (N,) region numbers, all when None.  Returns (N, R) int8; rows are ordered by kink, neuron and
        breakpoint. A sign is 0 where the pre-activation equals its breakpoint throughout the region.  Raises
        EngineError for numbers that no region has.
        """
        face = self.face_numbers(faces)
        return np.concatenate([signs.signs(signs.parent) for signs in self.signs_of(face)], axis=1)

    def signs_of(self, faces: NDArray[np.int32]) -> list[FaceSigns]:
        """Return the signs of some regions, (N,) numbers, by layer: the n-th row of each is the n-th region's."""
        return signs_of(self.face_signs, faces)
