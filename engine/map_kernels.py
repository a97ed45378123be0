"""Kernels over a whole planar map: new loops, signs of faces, coincident rows, faces of edges, interpolation."""

from __future__ import annotations

import numpy as np

from engine.face_loop import signs_of_loop
from engine.jit import inline, kernel, lowest_bit
from engine.predicates import distance


@kernel
def copy_loops(lo, hi, active, offsets, half_edges, first_face, first_half_edge, lengths, out):
    """Faces lo..hi that are not active keep their loops."""
    for f in range(lo, hi):
        if active[f] == 0:
            start, length = offsets[f], offsets[f + 1] - offsets[f]
            lengths[first_face[f]] = length
            to = first_half_edge[f]
            for i in range(length):
                out[to + i] = half_edges[start + i]


@kernel
def sign_faces(
    lo, hi, parent, active, old_plus, old_minus, offsets, half_edges, edges, rows, plus, minus, face_plus, face_minus
):
    """Signs of the new faces lo..hi: their parent's where it was not cut, else those of their vertices.

    Rounding may leave both signs among a face's vertices (a row whose places were adjacent): the larger value decides.
    """
    words = plus.shape[1]
    for f in range(lo, hi):
        g = parent[f]
        if active[g] == 0:
            for w in range(words):
                face_plus[f, w] = old_plus[g, w]
                face_minus[f, w] = old_minus[g, w]
            continue
        for w in range(words):
            p, m = signs_of_loop(f, w, offsets, half_edges, edges, plus, minus)
            both = p & m
            while both != 0:
                bit = both & (~both + np.uint64(1))
                k = w * 64 + np.int64(lowest_bit(both))
                both &= both - np.uint64(1)
                top, bottom = 0.0, 0.0
                for i in range(offsets[f], offsets[f + 1]):
                    h = half_edges[i]
                    z = rows[edges[h >> 1, h & 1], k]
                    top = max(top, z)
                    bottom = min(bottom, z)
                if top >= -bottom:
                    m &= ~bit
                else:
                    p &= ~bit
            face_plus[f, w] = p
            face_minus[f, w] = m


@inline
def _zero_rows(e, w, edges, edge_layer, edge_row, layer, plus, minus, last_word):
    """Word w of the rows of a layer that are zero at both ends of edge e, but for the one that made the edge."""
    a, b = edges[e, 0], edges[e, 1]
    zeros = ~(plus[a, w] | minus[a, w] | plus[b, w] | minus[b, w])
    if w == plus.shape[1] - 1:
        zeros &= last_word
    if edge_layer[e] == layer and edge_row[e] // 64 == w:
        zeros &= ~(np.uint64(1) << np.uint64(edge_row[e] % 64))
    return zeros


@kernel
def count_coincident(lo, hi, edges, edge_layer, edge_row, layer, plus, minus, last_word, counts):
    """counts[e] = number of rows of this layer that are zero at both ends of edge e, but for the one that made it."""
    words = plus.shape[1]
    total = 0
    for e in range(lo, hi):
        counts[e] = 0
        for w in range(words):
            zeros = _zero_rows(e, w, edges, edge_layer, edge_row, layer, plus, minus, last_word)
            while zeros != 0:
                zeros &= zeros - np.uint64(1)
                counts[e] += 1
                total += 1
    return total


@kernel
def find_zero_edges(edges, plus, minus, mask, zero):
    """zero[e]: some row in use is zero at both ends of edge e."""
    for e in range(len(edges)):
        a, b = edges[e, 0], edges[e, 1]
        zero[e] = False
        for w in range(len(mask)):
            zero[e] |= (~(plus[a, w] | minus[a, w] | plus[b, w] | minus[b, w]) & mask[w]) != 0


@kernel
def list_coincident(
    counts, edges, edge_layer, edge_row, layer, plus, minus, last_word, edge_faces, face_plus, face_minus, out
):  # fmt: skip
    """The coincident rows (edge, layer, row) whose sign differs between the edge's two faces; returns how many."""
    words = plus.shape[1]
    n = 0
    for e in range(len(counts)):
        left, right = edge_faces[e, 0], edge_faces[e, 1]
        if counts[e] == 0 or left < 0 or right < 0:
            continue
        for w in range(words):
            zeros = _zero_rows(e, w, edges, edge_layer, edge_row, layer, plus, minus, last_word)
            zeros &= (face_plus[left, w] ^ face_plus[right, w]) | (face_minus[left, w] ^ face_minus[right, w])
            while zeros != 0:
                out[n, 0] = e
                out[n, 1] = layer
                out[n, 2] = w * 64 + np.int64(lowest_bit(zeros))
                zeros &= zeros - np.uint64(1)
                n += 1
    return n


@kernel
def vertices_of_loops(lo, hi, edges, half_edges, vertices, loop_edges):
    """The first vertex and the edge of each of the half-edges lo..hi."""
    for i in range(lo, hi):
        h = half_edges[i]
        vertices[i] = edges[h >> 1, h & 1]
        loop_edges[i] = h >> 1


@kernel
def faces_of_edges(offsets, half_edges, edge_faces):
    """edge_faces[e] = faces to the left and right of edge e; entries without a face are left as they are."""
    for f in range(len(offsets) - 1):
        for i in range(offsets[f], offsets[f + 1]):
            edge_faces[half_edges[i] >> 1, half_edges[i] & 1] = f


@kernel
def interpolate(lo, hi, values, vertices, parents, weights):
    """values at the new vertices lo..hi (counted from `vertices`) from those at their parents: convex combinations."""
    width = values.shape[1]
    for n in range(lo, hi):
        a, b, t = parents[n, 0], parents[n, 1], weights[n, 0]
        s = 1.0 - t
        for k in range(width):
            values[vertices + n, k] = s * values[a, k] + t * values[b, k]


@kernel
def place_vertices(lo, hi, positions, uncertainty, vertices, parents, weights):
    """Positions of the new vertices lo..hi and how uncertain rounding leaves them, in the slice's units."""
    for n in range(lo, hi):
        a, b, t, dt = parents[n, 0], parents[n, 1], weights[n, 0], weights[n, 1]
        s = 1.0 - t
        v = vertices + n
        positions[v, 0] = s * positions[a, 0] + t * positions[b, 0]
        positions[v, 1] = s * positions[a, 1] + t * positions[b, 1]
        uncertainty[v] = s * uncertainty[a] + t * uncertainty[b] + dt * distance(positions, a, b)
