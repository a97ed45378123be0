"""Edges of a mesh that join the same two vertices: all but the first of them get a vertex in their middle.

Where more than two polygons meet along an edge, they are joined in pairs, and each pair has an edge of its own.
Readers of files know edges by their ends alone, so these must differ.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Float, Int
from engine.machine.jit import kernel


@kernel
def list_doubles(edges, vertices):
    """Those of the edges (E, 2) that join the same two of `vertices` vertices as an earlier one, ascending."""
    first = np.zeros(vertices + 1, np.int32)
    for e in range(len(edges)):
        first[min(edges[e, 0], edges[e, 1]) + 1] += 1
    for v in range(vertices):
        first[v + 1] += first[v]
    other, filled = np.empty(len(edges), np.int32), first[:vertices].copy()
    doubles, count = np.empty(len(edges), np.int32), 0
    for e in range(len(edges)):
        low, high = min(edges[e, 0], edges[e, 1]), max(edges[e, 0], edges[e, 1])
        for i in range(first[low], filled[low]):
            if other[i] == high:
                doubles[count] = e
                count += 1
                break
        other[filled[low]] = high
        filled[low] += 1
    return doubles[:count].copy()


def halve_doubles(
    vertices: Float, face_offsets: Int, face_vertices: Int, face_edges: Int, edges: Int
) -> tuple[Float, Int, Int, Int, Int, Int]:
    """The arrays of a mesh whose edges all differ in their ends, and the edges that were halved (N,): their second
    halves come after all other edges, the vertices in their middles after all other vertices.
    """
    doubles = list_doubles(edges, len(vertices))
    if not len(doubles):
        return vertices, face_offsets, face_vertices, face_edges, edges, doubles
    ends = edges[doubles]
    middle = np.arange(len(vertices), len(vertices) + len(doubles), dtype=np.int32)
    second = np.arange(len(edges), len(edges) + len(doubles), dtype=np.int32)
    number = np.full(len(edges), -1)
    number[doubles] = np.arange(len(doubles))
    here = np.flatnonzero(number[face_edges] >= 0)
    n = number[face_edges[here]]
    forward = face_vertices[here] == ends[n, 0]
    halves = face_edges.copy()
    halves[here] = np.where(forward, doubles[n], second[n])
    edges = np.concatenate([edges, np.stack([middle, ends[:, 1]], axis=1)])
    edges[doubles, 1] = middle
    return (
        np.concatenate([vertices, 0.5 * (vertices[ends[:, 0]] + vertices[ends[:, 1]])]),
        (face_offsets + np.searchsorted(here, face_offsets)).astype(np.int32),
        np.insert(face_vertices, here + 1, middle[n]),
        np.insert(halves, here + 1, np.where(forward, second[n], doubles[n])),
        edges,
        doubles,
    )
