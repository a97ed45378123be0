"""Where a plane cuts a level surface: the level set of a slice, without partitioning it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int
from engine.errors import EngineError
from engine.machine.jit import kernel
from engine.plane import SlicePlane
from engine.surface.surface import Surface


@dataclass(frozen=True, eq=False, slots=True)
class SurfaceCut:
    """The polylines in which a plane cuts a surface.

    polylines  P arrays (n, 2) float64 in the plane's coordinates; a closed one repeats its first point at the end
    closed     (P,) bool
    facets     P arrays (n - 1,) int32: the facet that each segment lies in
    length     total length of the polylines
    """

    polylines: tuple[Float, ...]
    closed: NDArray[np.bool_]
    facets: tuple[Int, ...]
    length: float

    @property
    def empty(self) -> bool:
        return not self.polylines


def cut_surface(surface: Surface, plane: SlicePlane) -> SurfaceCut:
    """Cut a surface by a plane in its three dimensions.

    The surface's side of the plane keeps what lies in it: of a facet in the plane, the border towards the side of the
    normal is drawn.  Polylines that end at the box come first, then closed ones, each kind in the order of edges.
    """
    if plane.dimension != 3:
        raise EngineError(f"a plane in {plane.dimension} dimensions does not cut a surface in three")
    heights = (surface.vertices - plane.origin) @ plane.normal
    crossed = _crossed_edges(surface.edges, heights)
    edges, offsets, facets = _chain(
        crossed, surface.edges, surface.edge_faces, heights, surface.face_offsets, surface.face_edges
    )
    a, b = surface.edges[edges].T
    t = (heights[a] / (heights[a] - heights[b]))[:, None]
    points = plane.to_plane((1.0 - t) * surface.vertices[a] + t * surface.vertices[b])
    polylines, closed, names = [], [], []
    for start, stop in pairwise(offsets.tolist()):
        line, owners = points[start:stop], facets[start : stop - 1]
        moved = (line[1:] != line[:-1]).any(axis=1)
        if not moved.any():  # a vertex that only touches the plane
            continue
        if not moved.all():
            line, owners = line[np.concatenate([[True], moved])], owners[moved]
        line.setflags(write=False)
        owners.setflags(write=False)
        polylines.append(line)
        names.append(owners)
        closed.append(edges[start] == edges[stop - 1])
    steps = [np.hypot(*np.diff(line, axis=0).T).sum() for line in polylines]
    flags = np.array(closed, np.bool_)
    flags.setflags(write=False)
    return SurfaceCut(tuple(polylines), flags, tuple(names), float(sum(steps)))


@kernel
def _crossed_edges(edges, heights):
    """The edges that have one end above the plane and one that is not."""
    found = np.empty(len(edges), np.int32)
    count = 0
    for e in range(len(edges)):
        if (heights[edges[e, 0]] > 0.0) != (heights[edges[e, 1]] > 0.0):
            found[count] = e
            count += 1
    return found[:count].copy()


@kernel
def _chain(crossed, edges, edge_faces, heights, face_offsets, face_edges):
    """Order the crossed edges along the cut: edges (N,), offsets (P + 1,) of the polylines, and for each edge the facet
    that follows it.

    Around a facet, the cut runs from an edge that rises through the plane to the next one that falls; the neighbour
    sees the latter rise.
    """
    count = len(crossed)
    index = np.full(len(edges), -1, np.int32)
    for i in range(count):
        index[crossed[i]] = i
    following, facet = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    preceded = np.zeros(count, np.bool_)
    for i in range(count):
        e = crossed[i]
        f = edge_faces[e, 0 if heights[edges[e, 1]] > 0.0 else 1]
        if f < 0:
            continue
        start, stop = face_offsets[f], face_offsets[f + 1]
        at = start
        while face_edges[at] != e:
            at += 1
        while True:
            at = at + 1 if at + 1 < stop else start
            if index[face_edges[at]] >= 0:
                break
        following[i], facet[i] = index[face_edges[at]], f
        preceded[following[i]] = True
    order, owners = np.empty(2 * count, np.int32), np.empty(2 * count, np.int32)
    offsets = np.zeros(count + 1, np.int32)
    used = np.zeros(count, np.bool_)
    n, lines = 0, 0
    for loops in range(2):
        for first in range(count):
            if used[first] or (loops == 0 and preceded[first]):
                continue
            i = first
            while i >= 0:
                order[n], owners[n] = crossed[i], facet[i]
                n += 1
                if used[i]:
                    break
                used[i] = True
                i = following[i]
            lines += 1
            offsets[lines] = n
    return order[:n], offsets[: lines + 1], owners[:n]
