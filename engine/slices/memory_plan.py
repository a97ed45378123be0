"""What a planar map grows by when it is cut, and whether there is memory for it: asked before any of it is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.errors import MemoryLimitError
from engine.machine import memory
from engine.machine.table import Recycler, Table
from engine.planar_map.unfinished_map import PlanarMap
from engine.slices.schedule import Segment

_MOST_HALF_EDGES = 2**30  # ids of half-edges, two for an edge, are 32 bits


class Growth(NamedTuple):
    """What a cut makes, once the edges are cut.

    on_edges, on_chords: new vertices; chords: new edges along them; faces, half_edges: all that there will be; words:
    64-bit words of the signs of the cut's rows; idle: vertices that are set aside and will not be made.
    """

    on_edges: int
    on_chords: int
    chords: int
    faces: int
    half_edges: int
    words: int
    idle: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Admission:
    """Refuses a cut of a map that does not fit.

    before: the map; values: those at its vertices that are to be kept, all with values at the new vertices, but `rows`
    only with those on edges where the cut is `passing`; segment: that of the cut; following: the next one, if any.
    """

    before: PlanarMap
    rows: Table
    values: Sequence[Table]
    passing: bool
    segment: Segment
    following: Segment | None
    recycler: Recycler

    def admit_edges(self, vertices: int, words: int) -> None:
        """Refuse so many vertices on edges, and the signs of the faces."""
        needed = _vertex_bytes(words) * vertices + 16 * vertices + _face_bytes(words) * self.before.faces
        if memory.worth_asking(needed):  # else the words alone take longer
            self.recycler.admit(needed, f"a partition of more than {len(self.rows) + vertices:,} vertices")

    def admit_faces(self, most: Growth, least: Callable[[], Growth]) -> None:
        """Refuse a growth, unless crossings in the same points make it so much less that it fits."""
        if not memory.worth_asking(self._at_most(most)):
            return
        try:
            self._ask(most)
        except MemoryLimitError:
            self._ask(least())
        if most.half_edges > _MOST_HALF_EDGES:
            share = math.sqrt(_MOST_HALF_EDGES / most.half_edges)
            raise MemoryLimitError(
                f"a partition of {most.half_edges:,} half-edges is beyond 32 bits; "
                f"slice a domain at most {share:.0%} as wide, or a smaller network"
            )

    def _at_most(self, growth: Growth) -> int:
        """More than what is asked for, in a moment."""
        vertices = len(self.rows) + growth.on_edges + growth.on_chords
        following = 0 if self.following is None else self.following.vertex_bytes
        at_vertex = self.segment.most_vertex_bytes + following + _vertex_bytes(growth.words)
        of_faces = _face_bytes(growth.words) * growth.faces + 4 * growth.half_edges
        return vertices * at_vertex + 16 * growth.chords + of_faces + 100 * growth.idle

    def _ask(self, growth: Growth) -> None:
        """Refuse what does not fit: the map with its values when it has grown, and with those of the next layer."""
        added = growth.on_edges + growth.on_chords
        vertices = len(self.rows) + added
        tables = [(value, added) for value in self.values if value is not self.rows]
        tables.append((self.rows, growth.on_edges if self.passing else added))
        kept = sum(table.bytes_of(count) for table, count in tables)
        kept += 24 * growth.on_chords + 16 * growth.chords
        kept += _face_bytes(growth.words) * growth.faces + 4 * growth.half_edges
        origins = (_vertex_bytes(growth.words) - 24) * growth.on_chords
        if self.segment.kink is not None and not self.segment.passing:
            kept += 8 * vertices * self.segment.width
        # While a table moves, or while gaps are closed: idle vertices have two edges and four half-edges each.
        briefly = max(100 * growth.idle, *(table.bytes_moved(count) for table, count in tables))
        needed, what = kept + origins + briefly, f"a partition of {vertices:,} vertices"
        if self.following is not None:
            values = vertices * self.following.vertex_bytes
            freed = 4 * (len(self.before.half_edges) + self.before.faces) + self.before.edges.nbytes
            later = kept + (origins if self.passing else 0) - freed + values
            if later > needed:
                needed = later
                what = self.following.described(vertices) if 2 * values > later else what
        self.recycler.admit(needed, what)


def _vertex_bytes(words: int) -> int:
    """Of a new vertex: place and its uncertainty; parents, weights and carried rows, until its values are known."""
    return 48 + 8 * words


def _face_bytes(words: int) -> int:
    """Of a face: where its loop starts, its parent and its signs."""
    return 8 + 16 * words
