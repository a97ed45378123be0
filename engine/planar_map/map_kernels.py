"""Kernels over a whole planar map after a cut: what its edges say, their names, and the vertices of its loops."""

from __future__ import annotations

import numpy as np

from engine.machine.jit import kernel, lowest_bit


@kernel
def find_coincident(lo, hi, edge_layer, edge_row, layer, edge_faces, plus, minus):
    """(K, 2) int32 (edge, row): rows of this layer that run along one of the edges lo..hi made by another row or layer.

    The row's sign differs between the edge's two faces.
    """
    words = plus.shape[1]
    count, found = 0, np.empty((16, 2), np.int32)
    for e in range(lo, hi):
        left, right = edge_faces[e, 0], edge_faces[e, 1]
        if left < 0 or right < 0:
            continue
        own = edge_row[e] if edge_layer[e] == layer else -1
        for w in range(words):
            differ = (plus[left, w] ^ plus[right, w]) | (minus[left, w] ^ minus[right, w])
            if own >= 0 and own // 64 == w:
                differ &= ~(np.uint64(1) << np.uint64(own % 64))
            while differ != 0:
                if count == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                found[count, 0] = e
                found[count, 1] = w * 64 + np.int64(lowest_bit(differ))
                differ &= differ - np.uint64(1)
                count += 1
    return found[:count].copy()


@kernel
def faces_of_edges(lo, hi, offsets, half_edges, edge_faces):
    """edge_faces[e] = faces to the left and right of edge e, for the loops of the faces lo..hi."""
    for f in range(lo, hi):
        for i in range(offsets[f], offsets[f + 1]):
            edge_faces[half_edges[i] >> 1, half_edges[i] & 1] = f


@kernel
def find_zero_edges(lo, hi, edges, rows, zero):
    """zero[e]: some row is zero at both ends of the edge, so all along it."""
    for e in range(lo, hi):
        a, b = edges[e, 0], edges[e, 1]
        zero[e] = False
        for k in range(rows.shape[1]):
            zero[e] |= rows[a, k] == 0.0 and rows[b, k] == 0.0


@kernel
def vertices_of_loops(lo, hi, starts, half_edges, vertices, loop_edges):
    """The first vertex and the edge of each of the half-edges lo..hi; `starts` (2 E,) has the first vertices of all."""
    for i in range(lo, hi):
        h = half_edges[i]
        vertices[i] = starts[h]
        loop_edges[i] = h >> 1


@kernel
def name_edges(lo, hi, edge_layer, edge_row, first_row, row_neuron, row_breakpoint, neuron, breakpoint_):
    """The neuron and the breakpoint of the edges lo..hi; rows of all layers follow each other from first_row[layer]."""
    for e in range(lo, hi):
        if edge_layer[e] < 0:
            neuron[e] = edge_row[e]
            breakpoint_[e] = 0.0
        else:
            r = first_row[edge_layer[e]] + edge_row[e]
            neuron[e] = row_neuron[r]
            breakpoint_[e] = row_breakpoint[r]
