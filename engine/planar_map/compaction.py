"""Closing the gaps that a cut leaves in the numbers of what it made, where crossings became one vertex."""

from __future__ import annotations

import numpy as np

from engine.arrays import Bool, Counts, Int
from engine.machine.table import Table
from engine.planar_map.face_count import EDGES, FACES, HALF_EDGES, VERTICES
from engine.planar_map.face_cut import Faces
from engine.planar_map.new_vertices import NewVertices
from engine.planar_map.unfinished_map import PlanarMap


def without_gaps(
    before: PlanarMap, after: Faces, new: NewVertices, edges: Table, base: Counts, need: Counts, used: Counts
) -> tuple[Faces, NewVertices]:
    """Faces and new vertices numbered anew, without what pieces of work set aside and did not use.

    base, need, used (P, 4 or more): of each piece, where its faces, vertices, edges and half-edges start, and how many
    were set aside and used.  The tables of `before`, and `edges`, which have grown, are changed in place.
    """
    kept_faces, kept_vertices, kept_chords, kept_half_edges = (
        _kept(base[:, c] - base[0, c], need[:, c], used[:, c]) for c in (FACES, VERTICES, EDGES, HALF_EDGES)
    )
    first_vertex, first_edge = len(before.positions) - len(kept_vertices), len(edges) - len(kept_chords)
    for table in (before.positions, before.uncertainty):
        table.keep(first_vertex, kept_vertices)
    for table in (edges, before.edge_layer, before.edge_row):
        table.keep(first_edge, kept_chords)
    new = NewVertices(new.parents[kept_vertices], new.weights[kept_vertices], new.carried[kept_vertices])
    ends = edges.view
    ends[:] = _renumbered(ends, first_vertex, kept_vertices)
    half_edges = after.half_edges[kept_half_edges]
    half_edges = 2 * _renumbered(half_edges >> 1, first_edge, kept_chords) + (half_edges & 1)
    starts = after.offsets[:-1][kept_faces]
    shift = np.cumsum(~kept_half_edges)
    offsets = np.append(starts - np.where(starts > 0, shift[starts - 1], 0), len(half_edges)).astype(np.int32)
    parent, plus, minus = after.parent[kept_faces], after.plus[kept_faces], after.minus[kept_faces]
    return Faces(offsets, half_edges, parent, plus, minus, ends, before.edge_row.view), new


def _kept(base: Counts, need: Counts, used: Counts) -> Bool:
    """False for what pieces of work set aside, `need` from `base` on, but did not use."""
    kept = np.ones(int(need.sum()), np.bool_)
    for start, room, taken in zip(base.tolist(), need.tolist(), used.tolist(), strict=True):
        kept[start + taken : start + room] = False
    return kept


def _renumbered(numbers: Int, first: int, kept: Bool) -> Int:
    """Numbers after those from `first` on that are not kept are left out."""
    after = np.concatenate([np.arange(first), first + np.cumsum(kept) - 1]).astype(np.int32)
    return after[numbers]
