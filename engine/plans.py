"""Kernels that number what a cut is about to make: every edge and face gets its own ranges, so that no two meet."""

from __future__ import annotations

import numpy as np

from engine.face_cut import CHORDS, EDGES, FACES, FORCED, HALF_EDGES, IRREGULAR, MERGES, VERTICES
from engine.jit import kernel


@kernel
def list_cut(counts):
    """The (C,) items whose count is not zero, and the (C + 1,) running sums of their counts; both int32."""
    number = 0
    for count in counts:
        number += count > 0
    items = np.empty(number, np.int32)
    offsets = np.zeros(number + 1, np.int32)
    n = 0
    for i in range(len(counts)):
        if counts[i] > 0:
            items[n] = i
            offsets[n + 1] = offsets[n] + counts[i]
            n += 1
    return items, offsets


@kernel
def plan_edges(cut, made, edges, edge_layer, edge_row):
    """Room for the pieces of the edges cut (C,), each of which gets made[i] new vertices.

    Returns first_vertex (C + 1,), first_edge (C,) (ids of the first of the further pieces), and for all edges after the
    cut edges (E, 2), edge_layer and edge_row (E,), filled for the old ones, and origin (E,), the old edge of each; then
    cut_index, for each old edge its place in `cut` or -1.
    """
    old = len(edges)
    first_vertex = np.zeros(len(cut) + 1, np.int32)
    first_edge = np.empty(len(cut), np.int32)
    cut_index = np.full(old, -1, np.int32)
    for i in range(len(cut)):
        first_vertex[i + 1] = first_vertex[i] + made[i]
        first_edge[i] = old + first_vertex[i]
        cut_index[cut[i]] = i
    total = old + first_vertex[len(cut)]
    new_edges = np.empty((total, 2), np.int32)
    new_layer, new_row, origin = np.empty(total, np.int32), np.empty(total, np.int32), np.empty(total, np.int32)
    for e in range(old):
        new_edges[e, 0] = edges[e, 0]
        new_edges[e, 1] = edges[e, 1]
        new_layer[e] = edge_layer[e]
        new_row[e] = edge_row[e]
        origin[e] = e
    for i in range(len(cut)):
        for e in range(first_edge[i], first_edge[i] + made[i]):
            origin[e] = cut[i]
    return first_vertex, first_edge, new_edges, new_layer, new_row, origin, cut_index


@kernel
def plan_faces(faces, need, offsets, first_new_edge):
    """Ranges for the faces that are cut, which need at most `need` (see measure_faces), and for all others.

    Returns starts (N, 4) (first face, chord vertex, chord edge and half-edge of each cut face), first_face and
    first_half_edge (F,) of all faces, totals (4,) int64 of faces, chord vertices, chord edges and half-edges, and most
    (2,) int64, the half-edges and chords of the largest face.
    """
    starts = np.empty((len(faces), 4), np.int32)
    first_face = np.empty(len(offsets) - 1, np.int32)
    first_half_edge = np.empty(len(offsets) - 1, np.int32)
    totals, most = np.zeros(4, np.int64), np.zeros(2, np.int64)
    i = 0
    for f in range(len(offsets) - 1):
        first_face[f] = totals[FACES]
        first_half_edge[f] = totals[HALF_EDGES]
        if i < len(faces) and faces[i] == f:
            starts[i, FACES] = totals[FACES]
            starts[i, VERTICES] = totals[VERTICES]
            starts[i, EDGES] = first_new_edge + totals[EDGES]
            starts[i, HALF_EDGES] = totals[HALF_EDGES]
            for column in range(4):
                totals[column] += need[i, column]
            most[0] = max(most[0], need[i, HALF_EDGES])
            most[1] = max(most[1], need[i, CHORDS] + need[i, VERTICES])
            i += 1
        else:
            totals[FACES] += 1
            totals[HALF_EDGES] += offsets[f + 1] - offsets[f]
    return starts, first_face, first_half_edge, totals, most


@kernel
def extend_edges(edges, edge_layer, edge_row, more, layer):
    """The edges with room for `more` chords of a layer."""
    old = len(edges)
    new_edges = np.empty((old + more, 2), np.int32)
    new_layer, new_row = np.full(old + more, layer, np.int32), np.empty(old + more, np.int32)
    for e in range(old):
        new_edges[e, 0] = edges[e, 0]
        new_edges[e, 1] = edges[e, 1]
        new_layer[e] = edge_layer[e]
        new_row[e] = edge_row[e]
    return new_edges, new_layer, new_row


@kernel
def close_faces(lengths, first_face):
    """offsets (F + 1,) of loops of the given lengths, and the (F,) old face of each new one."""
    offsets = np.zeros(len(lengths) + 1, np.int32)
    parents = np.empty(len(lengths), np.int32)
    old = 0
    for f in range(len(lengths)):
        offsets[f + 1] = offsets[f] + lengths[f]
        while old + 1 < len(first_face) and first_face[old + 1] <= f:
            old += 1
        parents[f] = old
    return offsets, parents


@kernel
def tally(used, need):
    """Irregular rows, merges, forced orders, and whether every face used all that it needed at most."""
    irregular, merges, forced, complete = 0, 0, 0, True
    for i in range(len(used)):
        irregular += used[i, IRREGULAR]
        merges += used[i, MERGES]
        forced += used[i, FORCED]
        for column in range(4):
            complete &= used[i, column] == need[i, column]
    return irregular, merges, forced, complete


@kernel
def pieces(work, most):
    """Where to divide the items 0..len(work) so that pieces have about `most` of the work: (P + 1,) int64."""
    ends = np.zeros(len(work) + 1, np.int64)
    count, total = 0, 0
    for i in range(len(work)):
        total += work[i]
        if total >= most or i == len(work) - 1:
            count += 1
            ends[count] = i + 1
            total = 0
    return ends[: count + 1]
