"""Kernels that cut the edges of a planar map: every edge once, for both its faces.

A row crosses an edge where its signs at the two ends are opposite.  The crossings of an edge are sorted by their
parameter; those that rounding cannot order become one vertex.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.arrays import Float, Int
from engine.exactness.predicates import crossing, is_behind, tolerance, way_between
from engine.machine.jit import index, inline, inner, kernel, lowest_bit, popcount
from engine.planar_map.new_vertices import count_from_nearer, loosen_between, place
from engine.tolerances import DOUBT, NEAR_END


class Crossings(NamedTuple):
    """The crossings of a piece of the edges.

    edges (C,) int32: those that are cut; first_crossing, first_vertex (C + 1,) int32: where the crossings and the new
    vertices of each start; row, vertex (X,) int32: of each crossing its row, and its place among the edge's vertices;
    weights (X, 2) float64: its place along the edge, see `crossing`, and how uncertain that is; merges; at_end (N, 2)
    int32: vertex and row where a crossing is within NEAR_END of an end; close (N,) int32: the cut edges, as positions
    in `edges`, on which the order of crossings is in doubt.
    """

    edges: Int
    first_crossing: Int
    first_vertex: Int
    row: Int
    vertex: Int
    weights: Float
    merges: int
    at_end: Int
    close: Int


class CutEdges(NamedTuple):
    """Where all edges of a map are cut, as Crossings says; number (E,) int32: which of those it is, or -1."""

    number: Int
    first_crossing: Int
    first_vertex: Int
    row: Int
    vertex: Int

    @classmethod
    def empty(cls, number: Int, cut: int, crossings: int) -> CutEdges:
        return cls(
            number, np.zeros(cut + 1, np.int32), np.zeros(cut + 1, np.int32), *np.empty((2, crossings), np.int32)
        )


@kernel
def find_crossings(lo, hi, edges, rows, lines, bound, plus, minus, number):
    """The Crossings of the edges lo..hi, in order along each edge; number: see CutEdges, counted within this piece.

    lines (R,) int32: equal for rows with the same line, -1 where no other row has it; empty where all are.
    """
    items = np.empty(hi - lo, np.int32)
    cut, total = _find_cut(lo, hi, edges, plus, minus, number, items)
    items = items[:cut].copy()
    first_crossing, first_vertex = np.zeros(cut + 1, np.int32), np.zeros(cut + 1, np.int32)
    row, vertex, weights = np.empty(total, np.int32), np.empty(total, np.int32), np.empty((total, 2))
    room = 16
    while True:
        at_end, close = np.empty((room, 2), np.int32), np.empty(room, np.int32)
        merges, ends, closes = _list_crossings(
            items, edges, rows, lines, bound, plus, minus, first_crossing, first_vertex, row, vertex, weights,
            at_end, close,
        )  # fmt: skip
        if ends <= room and closes <= room:
            break
        room = max(ends, closes)
    return (
        items,
        first_crossing,
        first_vertex,
        row,
        vertex,
        weights,
        merges,
        at_end[:ends],
        close[:closes],
    )


@inner
def _find_cut(lo, hi, edges, plus, minus, number, items):
    """Fill in `number` and the edges cut, `items`; returns how many these are, and all crossings."""
    words = plus.shape[1]
    cut, total = np.int64(0), np.int64(0)
    for edge in range(lo, hi):
        e = index(edge)
        a, b = index(edges[e, 0]), index(edges[e, 1])
        count = np.uint64(0)
        for w in range(words):
            count += popcount((plus[a, w] & minus[b, w]) | (minus[a, w] & plus[b, w]))
        number[e] = cut if count > 0 else -1
        items[index(cut)] = e
        cut += count > 0
        total += np.int64(count)
    return cut, total


@inner
def _list_crossings(
    items, edges, rows, lines, bound, plus, minus, first_crossing, first_vertex, row, vertex, weights, at_end, close
):
    """Fill in the Crossings, at_end and close as far as they go; returns the merges, and how many of those
    there are.
    """
    norms, _, scale, constant, uncertainty, negligible, positions, old_edges, first, incident = bound
    words, merges, ends, closes = plus.shape[1], 0, 0, 0
    for i in range(len(items)):
        e = index(items[i])
        a, b = index(edges[e, 0]), index(edges[e, 1])
        start = first_crossing[i]
        last = start
        for w in range(words):
            bits = (plus[a, w] & minus[b, w]) | (minus[a, w] & plus[b, w])
            while bits != 0:
                k = index(np.int32(w * 64 + lowest_bit(bits)))
                bits &= bits - np.uint64(1)
                at_a = tolerance(
                    a, k, rows, norms, scale, constant, uncertainty, negligible, positions, old_edges, first, incident
                )
                at_b = tolerance(
                    b, k, rows, norms, scale, constant, uncertainty, negligible, positions, old_edges, first, incident
                )
                row[last] = k
                share, dt = crossing(rows[a, k], rows[b, k], at_a, at_b)
                weights[last, 0] = share
                weights[last, 1] = dt
                if abs(share) <= dt + NEAR_END:
                    if ends < len(at_end):
                        at_end[ends, 0] = a if share >= 0.0 else b
                        at_end[ends, 1] = k
                    ends += 1
                last += 1
        _sort(start, last, row, weights)
        count_vertices = _merge(start, last, row, weights, lines, vertex)
        merges += last - start - count_vertices
        first_crossing[i + 1] = last
        first_vertex[i + 1] = first_vertex[i] + count_vertices
        if last > start + 1 and _has_close(start, last, row, weights, lines):
            if closes < len(close):
                close[closes] = i
            closes += 1
    return merges, ends, closes


@inline
def _sort(start, stop, row, weights):
    """Order the crossings start..stop by place: Shell's method, which is insertion where there are few."""
    gap = 1
    while 9 * gap < stop - start:
        gap = 3 * gap + 1
    while gap > 0:
        for x in range(start + gap, stop):
            k, t, dt = row[x], weights[x, 0], weights[x, 1]
            slot = x
            while slot - gap >= start and is_behind(weights[slot - gap, 0], t):
                row[slot] = row[slot - gap]
                weights[slot, 0] = weights[slot - gap, 0]
                weights[slot, 1] = weights[slot - gap, 1]
                slot -= gap
            row[slot] = k
            weights[slot, 0] = t
            weights[slot, 1] = dt
        gap //= 3


@inline
def _same_line(k, other, lines):
    """Return whether two rows have the same line by construction."""
    return len(lines) > 0 and lines[k] >= 0 and lines[k] == lines[other]


@inline
def _merge(start, stop, row, weights, lines, vertex):
    """Number the vertices of an edge's crossings start..stop, which are in order; returns how many there are."""
    count = np.int32(0)
    reach = -1.0
    for x in range(start, stop):
        if x > start and weights[x, 0] < 0.0 <= weights[x - 1, 0]:
            reach -= 1.0  # from here on counted from the other end
        if x == start or (weights[x, 0] - weights[x, 1] > reach and not _same_line(row[x], row[x - 1], lines)):
            count += np.int32(1)
        vertex[x] = count - np.int32(1)
        reach = max(reach, weights[x, 0] + weights[x, 1])
    return count


@inline
def _has_close(start, stop, row, weights, lines):
    """Return whether two neighbouring crossings of an edge are so close that rounding might have made their order."""
    for x in range(start + 1, stop):
        gap = way_between(weights[x - 1, 0], weights[x, 0])
        near = gap <= DOUBT * (weights[x, 1] + weights[x - 1, 1])
        if near and not _same_line(row[x], row[x - 1], lines):
            return True
    return False


@kernel
def doubtful_gaps(start, stop, weights, vertex):
    """Return how many gaps between neighbouring vertices of an edge's crossings start..stop are in doubt."""
    count = 0
    for x in range(start + 1, stop):
        gap = way_between(weights[x - 1, 0], weights[x, 0])
        count += vertex[x] != vertex[x - 1] and gap <= DOUBT * (weights[x, 1] + weights[x - 1, 1])
    return count


@kernel
def split_edges(
    found, first_cut, first_crossing, first_vertex, old_vertices, cut, edges, edge_layer, edge_row, new, loose,
    positions, uncertainty,
):  # fmt: skip
    """Make the new vertices, and the pieces of the edges `found`.

    first_cut, first_crossing, first_vertex: how many edges cut, crossings and new vertices other pieces have before
    these. Edge e keeps its id for the piece at its first end; the others follow all old edges, in the order of the new
    vertices.
    """
    number, cut_crossing, cut_vertex, cut_row, cut_place = cut
    items, own_crossing, own_vertex, own_row, own_place, own_weights, _, _, _ = found
    parents, weights, carried = new
    old_edges = len(number)
    for i in range(len(items)):
        e = index(items[i])
        a, b = index(edges[e, 0]), index(edges[e, 1])
        c = first_cut + i
        number[e] = c
        cut_crossing[c + 1] = first_crossing + own_crossing[i + 1]
        cut_vertex[c + 1] = first_vertex + own_vertex[i + 1]
        base, stop = first_vertex + own_vertex[i], first_vertex + own_vertex[i + 1]
        for n in range(base, stop):
            parents[n, 0] = a
            parents[n, 1] = b
            weights[n, 0] = 0.5
            weights[n, 1] = np.inf
        for x in range(own_crossing[i], own_crossing[i + 1]):
            n, k = index(base + own_place[x]), index(own_row[x])
            cut_row[first_crossing + x] = k
            cut_place[first_crossing + x] = own_place[x]
            carried[n, k // 64] |= np.uint64(1) << np.uint64(k % 64)
            if own_weights[x, 1] < weights[n, 1]:
                weights[n, 0] = own_weights[x, 0]
                weights[n, 1] = own_weights[x, 1]
        edges[e, 1] = old_vertices + base
        for n in range(base, stop):
            v, piece = index(old_vertices + n), index(old_edges + n)
            edges[piece, 0] = v
            edges[piece, 1] = v + 1 if n + 1 < stop else b
            edge_layer[piece] = edge_layer[e]
            edge_row[piece] = edge_row[e]
            count_from_nearer(n, parents, weights)
            near, far, t, dt = parents[n, 0], parents[n, 1], weights[n, 0], weights[n, 1]
            place(v, near, far, t, dt, positions, uncertainty)
            loosen_between(v, near, far, t, dt, loose)
