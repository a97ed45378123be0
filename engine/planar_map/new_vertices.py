"""Kernels for the vertices that a cut makes on edges and chords: where they are, and every value there.

A new vertex lies between two others, its parents, at the parameter t of a crossing: all values there are convex
combinations, which cannot blow up.  The first parent is the nearer one, so that t and 1 - t are both as accurate as
rounding allows, relative to themselves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int
from engine.exactness.predicates import distance, tolerance_after_edges
from engine.machine.jit import inline, kernel, lowest_bit
from engine.tolerances import SAFETY, UNIT_ROUNDOFF


class NewVertices(NamedTuple):
    """Vertices made on edges or chords: parents (N, 2) int32, weights (N, 2) float64 (t, dt), carried (N, W) uint64:
    the
    rows that are zero there by construction.
    """

    parents: Int
    weights: Float
    carried: NDArray[np.uint64]

    @classmethod
    def empty(cls, count: int, words: int) -> NewVertices:
        return cls(np.empty((count, 2), np.int32), np.empty((count, 2)), np.zeros((count, words), np.uint64))


@inline
def count_from_nearer(n, parents, weights):
    """Turn the place in weights[n, 0] into the share t from the nearer parent, which becomes the first one."""
    if weights[n, 0] < 0.0:
        parents[n, 0], parents[n, 1] = parents[n, 1], parents[n, 0]
        weights[n, 0] = -weights[n, 0]


@inline
def place(v, a, b, t, dt, positions, uncertainty):
    """The position of vertex v and how uncertain rounding leaves it, in the slice's units."""
    s = 1.0 - t
    positions[v, 0] = s * positions[a, 0] + t * positions[b, 0]
    positions[v, 1] = s * positions[a, 1] + t * positions[b, 1]
    uncertainty[v] = s * uncertainty[a] + t * uncertainty[b] + dt * distance(positions, a, b)


@inline
def loose_between(a, b, t, dt, i, loose):
    """The loose norm i at a vertex between a and b."""
    return (1.0 - t) * loose[a, i] + t * loose[b, i] + dt * (loose[a, i] + loose[b, i]) / (SAFETY * UNIT_ROUNDOFF)


@inline
def loosen_between(v, a, b, t, dt, loose):
    """The loose norms at a new vertex; a row's size is its bound's over the unit of rounding, its change no more."""
    for i in range(loose.shape[1]):
        loose[v, i] = loose_between(a, b, t, dt, i, loose)


@kernel
def interpolate(lo, hi, values, first, new):
    """values at the new vertices lo..hi, whose rows start at `first`."""
    parents, weights, _ = new
    width = values.shape[1]
    for n in range(lo, hi):
        a, b, t = parents[n, 0], parents[n, 1], weights[n, 0]
        s = 1.0 - t
        for k in range(width):
            values[first + n, k] = s * values[a, k] + t * values[b, k]


@kernel
def interpolate_rows(lo, hi, rows, out, shift, new, on_edges, bound, old_vertices):
    """The rows of a cut at its new vertices lo..hi: out[n + shift] for vertex n.  Zeros become exact: those that the
    vertex carries, and values within their bound; returns how many of the latter rounding made.

    rows: at the `old_vertices` vertices before, and those `on_edges` after them; the new ones may be these or others.
    """
    norms, loose, scale, constant, uncertainty, negligible, positions, edges, first, incident = bound
    parents, weights, carried = new
    edge_parents, edge_weights, _ = on_edges
    count, words = rows.shape[1], carried.shape[1]
    bounds = np.empty(count)
    snapped = 0
    for n in range(lo, hi):
        a, b, t, dt = parents[n, 0], parents[n, 1], weights[n, 0], weights[n, 1]
        s, u = 1.0 - t, n + shift
        near = 0
        if loose.shape[1] == 1:
            norm = loose_between(a, b, t, dt, 0, loose)
            for k in range(count):
                out[u, k] = s * rows[a, k] + t * rows[b, k]
            for k in range(count):
                near += abs(out[u, k]) <= constant[k] + norm * scale[0, k]
            for w in range(words):
                bits = carried[n, w]
                while bits != 0:
                    row = w * 64 + np.int64(lowest_bit(bits))
                    bits &= bits - np.uint64(1)
                    near -= abs(out[u, row]) <= constant[row] + norm * scale[0, row]
                    out[u, row] = 0.0
            if near == 0:
                continue
        for k in range(count):
            out[u, k] = s * rows[a, k] + t * rows[b, k]
            bounds[k] = constant[k]
        for i in range(loose.shape[1]):
            norm = loose_between(a, b, t, dt, i, loose)
            for k in range(count):
                bounds[k] += norm * scale[i, k]
        for k in range(count):
            za, zb, z = rows[a, k], rows[b, k], out[u, k]
            if not carried[n, k // 64] >> np.uint64(k % 64) & np.uint64(1):
                if abs(z) > bounds[k] or (za == 0.0 and zb == 0.0):
                    continue
                at_a = tolerance_after_edges(
                    a, k, rows, old_vertices, edge_parents, edge_weights, norms, scale, constant, uncertainty,
                    negligible, positions, edges, first, incident,
                )  # fmt: skip
                at_b = tolerance_after_edges(
                    b, k, rows, old_vertices, edge_parents, edge_weights, norms, scale, constant, uncertainty,
                    negligible, positions, edges, first, incident,
                )  # fmt: skip
                full = s * at_a + t * at_b + abs(za - zb) * dt
                if abs(z) > full:
                    continue
                snapped += full > 0.0
            out[u, k] = 0.0
    return snapped
