"""Kernels that cut the edges of a planar map: every edge once, for both its faces.

A row crosses an edge where its signs at the two ends are opposite.  The crossings of an edge are sorted by their
parameter; those that rounding cannot order become one vertex.
"""

from __future__ import annotations

import numpy as np

from engine.jit import inline, kernel, lowest_bit, popcount
from engine.predicates import crossing, tolerance


@kernel
def count_crossings(lo, hi, edges, plus, minus, counts):
    """counts[e] = number of rows with opposite signs at the ends of edge e."""
    words = plus.shape[1]
    for e in range(lo, hi):
        a, b = edges[e, 0], edges[e, 1]
        total = np.uint64(0)
        for w in range(words):
            total += popcount((plus[a, w] & minus[b, w]) | (minus[a, w] & plus[b, w]))
        counts[e] = total


@kernel
def find_crossings(lo, hi, cut, offsets, edges, rows, bound, plus, minus, row, vertex, weights, made, at_end):
    """Crossings of the edges cut[lo:hi], in order along each edge.

    offsets (C + 1,): where the crossings of each cut edge lie in row (X,), vertex (X,) (index among the edge's new
    vertices) and weights (X, 2) (t, dt).  made[i]: number of new vertices; at_end[i]: a crossing cannot be told from
    an end. Returns the number of merges.
    """
    norms, _, scale, constant, uncertainty, first, incident, _, positions = bound
    words = plus.shape[1]
    merges = 0
    for i in range(lo, hi):
        a, b = edges[cut[i], 0], edges[cut[i], 1]
        start, last = offsets[i], offsets[i]
        at_end[i] = False
        for w in range(words):
            bits = (plus[a, w] & minus[b, w]) | (minus[a, w] & plus[b, w])
            while bits != 0:
                k = np.int32(w * 64 + lowest_bit(bits))
                bits &= bits - np.uint64(1)
                at_a = tolerance(a, k, rows, norms, scale, constant, uncertainty, first, incident, edges, positions)
                at_b = tolerance(b, k, rows, norms, scale, constant, uncertainty, first, incident, edges, positions)
                t, dt = crossing(rows[a, k], rows[b, k], at_a, at_b)
                if t <= dt or t >= 1.0 - dt:
                    at_end[i] = True
                slot = last
                while slot > start and weights[slot - 1, 0] > t:
                    row[slot] = row[slot - 1]
                    weights[slot, 0] = weights[slot - 1, 0]
                    weights[slot, 1] = weights[slot - 1, 1]
                    slot -= 1
                row[slot] = k
                weights[slot, 0] = t
                weights[slot, 1] = dt
                last += 1
        count = np.int32(0)
        reach = -1.0
        for x in range(start, last):
            if x > start and weights[x, 0] - weights[x, 1] <= reach:
                merges += 1
            else:
                count += np.int32(1)
            vertex[x] = count - np.int32(1)
            reach = max(reach, weights[x, 0] + weights[x, 1])
        made[i] = count
    return merges


@inline
def _snap(v, k, rows, plus, minus):
    w, bit = k // 64, np.uint64(1) << np.uint64(k % 64)
    plus[v, w] &= ~bit
    minus[v, w] &= ~bit
    rows[v, k] = 0.0


@kernel
def snap_to_ends(cut, offsets, edges, rows, plus, minus, row, weights, at_end):
    """Crossings that cannot be told from an end make the row zero at that vertex, for every face around it."""
    snapped = 0
    for i in range(len(cut)):
        if at_end[i]:
            for x in range(offsets[i], offsets[i + 1]):
                t, dt = weights[x, 0], weights[x, 1]
                if t <= dt or t >= 1.0 - dt:
                    _snap(edges[cut[i], 0 if t < 0.5 else 1], row[x], rows, plus, minus)
                    snapped += 1
    return snapped


@kernel
def split_edges(
    lo, hi, cut, offsets, edges, edge_layer, edge_row, row, vertex, weights, made, first_vertex, first_edge,
    old_vertices, parents, new_weights, carried,
):  # fmt: skip
    """Make the new vertices and sub-edges of the edges cut[lo:hi].

    Edge e keeps its id for the piece at its first end; the others are first_edge[i], first_edge[i] + 1, ...  New
    vertices are first_vertex[i], ... (counted from 0; `old_vertices` is the id of number 0).
    """
    for i in range(lo, hi):
        e = cut[i]
        a, b = edges[e, 0], edges[e, 1]
        base = first_vertex[i]
        for n in range(base, base + made[i]):
            parents[n, 0] = a
            parents[n, 1] = b
            new_weights[n, 1] = 2.0
        for x in range(offsets[i], offsets[i + 1]):
            n = base + vertex[x]
            carried[n, row[x] // 64] |= np.uint64(1) << np.uint64(row[x] % 64)
            if weights[x, 1] < new_weights[n, 1]:
                new_weights[n, 0] = weights[x, 0]
                new_weights[n, 1] = weights[x, 1]
        edges[e, 1] = old_vertices + base
        for p in range(made[i]):
            piece = first_edge[i] + p
            edges[piece, 0] = old_vertices + base + p
            edges[piece, 1] = old_vertices + base + p + 1 if p + 1 < made[i] else b
            edge_layer[piece] = edge_layer[e]
            edge_row[piece] = edge_row[e]
