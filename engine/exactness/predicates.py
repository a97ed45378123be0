"""Three-valued signs, and places on edges and chords.

The sign of a row (a pre-activation minus its breakpoint) at a vertex is +, - or 0, where 0 means "rounding cannot
tell". One formula serves signs, merging and snapping: with u the unit roundoff and h the values that the row's affine
map reads,

    tolerance(v, k) = c u (|W_k|_2 |h_v|_2 + |b_k|) + delta_v g_k(v)

Rounding is local and does not travel through the layers; the uncertainty delta_v of a vertex's position does, times
the actual gradient g_k.  The first term is found by error_estimate.py, for any chain of affine steps: a sum over
groups of the features h_i that the chain reads of (norm of h_i at v) * coefficient_i(k), plus a constant.

Signs are packed into 64-bit words, one set of words for + and one for -.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.arrays import Float, Int
from engine.machine.jit import inline, inner, kernel, summing_kernel
from engine.machine.vertex_simd import signs_beyond
from engine.tolerances import DOUBT, NEAREST, QUOTIENT, SAFETY, UNIT_ROUNDOFF

WORD = 64
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@summing_kernel
def weighted_norms(values, inverse_unit, norms, column):
    """norms[v, column] = |values[v] * inverse_unit|_2 at all vertices v of a block."""
    width = values.shape[1]
    for v in range(len(values)):
        total = 0.0
        for k in range(width):
            z = values[v, k] * inverse_unit[k]
            total += z * z
        norms[v, column] = np.sqrt(total)


class Tolerance(NamedTuple):
    """What kernels need to know of the tolerances of one cut's R rows at the vertices.

    norms (V, r), scale (r, R), constant (R,) float64: the rounding term is constant + norms @ scale.  loose (V', r):
    norms enlarged such that constant + loose @ scale is never below the tolerance, known for the vertices on cut edges
    too; nearly every sign is decided by it.  uncertainty (V,), positions (V, 2): of the vertices; `negligible` and less
    of the former counts for nothing.  edges (E, 2) int32: before the cut; first (V + 1,), incident (I,) int32: those at
    each vertex of uncertain position, empty when there is none.

    Kernels unpack it once: taking an array out of a tuple counts a reference, which costs more than what is done with
    it.
    """

    norms: Float
    loose: Float
    scale: Float
    constant: Float
    uncertainty: Float
    negligible: float
    positions: Float
    edges: Int
    first: Int
    incident: Int


@inline
def distance(positions, a, b):
    """Distance of two vertices (faster than hypot, whose care about overflow is not needed here)."""
    dx, dy = positions[a, 0] - positions[b, 0], positions[a, 1] - positions[b, 1]
    return np.sqrt(dx * dx + dy * dy)


@inline
def local_rounding(v, k, norms, scale, constant):
    """The rounding term of row k at a vertex that existed before the cut."""
    result = constant[k]
    for i in range(norms.shape[1]):
        result += norms[v, i] * scale[i, k]
    return result


@inline
def tolerance(v, k, rows, norms, scale, constant, uncertainty, negligible, positions, edges, first, incident):
    """The bound of row k at a vertex that existed before the cut."""
    result = local_rounding(v, k, norms, scale, constant)
    if uncertainty[v] > negligible:
        steepest = 0.0
        for i in range(first[v], first[v + 1]):
            a, b = edges[incident[i], 0], edges[incident[i], 1]
            length = distance(positions, a, b)
            if length > 0.0:
                steepest = max(steepest, abs(rows[a, k] - rows[b, k]) / length)
        result += uncertainty[v] * steepest
    return result


@inline
def tolerance_after_edges(
    v, k, rows, vertices, parents, weights, norms, scale, constant, uncertainty, negligible, positions, edges, first,
    incident,
):  # fmt: skip
    """The bound of row k at one of the `vertices` old vertices, or at one that this cut made on an edge."""
    if v < vertices:
        return tolerance(v, k, rows, norms, scale, constant, uncertainty, negligible, positions, edges, first, incident)
    a, b = parents[v - vertices, 0], parents[v - vertices, 1]
    t, dt = weights[v - vertices, 0], weights[v - vertices, 1]
    at_a = tolerance(a, k, rows, norms, scale, constant, uncertainty, negligible, positions, edges, first, incident)
    at_b = tolerance(b, k, rows, norms, scale, constant, uncertainty, negligible, positions, edges, first, incident)
    return (1.0 - t) * at_a + t * at_b + abs(rows[a, k] - rows[b, k]) * dt


# Where a line crosses the way from a to b is said as a share of it, counted from the nearer of the two: a place in
# 0..1/2 is so far behind a, one in -1/2..0 so far before b.  So its rounding is relative to itself, however close to an
# end it is: where a row's values at a and b differ by more than 2^53, a share counted from a alone would not tell it
# from b, nor from others near b.


@inline
def crossing(za, zb, tol_a, tol_b):
    """The place of the zero between za and zb, and its uncertainty, which is no more than the whole way.

    Both shares are quotients of numbers without cancellation: off by 2 u of themselves, beside the errors of za and zb.
    """
    dz = za - zb
    if dz == 0.0:
        return 0.5, 0.5
    if abs(za) <= abs(zb):
        t = max(za / dz, 0.0)
        dt = ((1.0 - t) * tol_a + t * tol_b) / abs(dz) + QUOTIENT * t
        return t, dt if dt < 1.0 else 1.0
    s = max(-zb / dz, NEAREST)
    ds = (s * tol_a + (1.0 - s) * tol_b) / abs(dz) + QUOTIENT * s
    return -s, ds if ds < 1.0 else 1.0


@inline
def is_behind(place, other):
    """Whether a place is farther from a than another one."""
    return place > other if (place < 0.0) == (other < 0.0) else place < 0.0


@inline
def way_between(place, other):
    """The share of the way from a place to another one that is not before it."""
    return other - place if (place < 0.0) == (other < 0.0) else 1.0 + other - place


@kernel
def list_incident(edges, uncertainty, negligible):
    """first (V + 1,) and incident (I,): the edges at each vertex of uncertain position."""
    uncertain, first = uncertainty > negligible, np.zeros(len(uncertainty) + 1, np.int32)
    found = np.empty(256, np.int32)
    count = _list_uncertain(edges, uncertain, found)
    if count > len(found):
        found = np.empty(count, np.int32)
        _list_uncertain(edges, uncertain, found)
    for e in found[:count]:
        for end in range(2):
            first[edges[e, end] + 1] += uncertain[edges[e, end]]
    for v in range(len(uncertainty)):
        first[v + 1] += first[v]
    incident, filled = np.empty(first[len(uncertainty)], np.int32), first.copy()
    for e in found[:count]:
        for end in range(2):
            v = edges[e, end]
            if uncertain[v]:
                incident[filled[v]] = e
                filled[v] += 1
    return first, incident


@inner
def _list_uncertain(edges, uncertain, found):
    """Fill `found` with the edges that have an uncertain end, as far as it goes; returns how many there are."""
    count = 0
    for e in range(len(edges)):
        if uncertain[edges[e, 0]] or uncertain[edges[e, 1]]:
            if count < len(found):
                found[count] = e
            count += 1
    return count


@inline
def doubt_of(local, noise):
    """Return what a value must exceed to have a sign without a closer look.

    local: its own rounding bound, which counts with much to spare; noise: what earlier rounding may have made.
    """
    return DOUBT * local + noise


@inline
def _doubts_of(v, norms, scale, constant, noise, out):
    """out[k]: see doubt_of."""
    count = len(constant)
    for k in range(count):
        out[k] = constant[k]
    for i in range(norms.shape[1]):
        norm = norms[v, i]
        for k in range(count):
            out[k] += norm * scale[i, k]
    for k in range(count):
        out[k] = doubt_of(out[k], noise[k])


@inline
def doubt_by_norm(norms, scale, constant, noise, limits, slopes):
    """Return whether doubt_of is limits[k] + norm * slopes[k] for every row k at any vertex: where there is one norm.

    Fills in limits and slopes (R,).
    """
    simple = norms.shape[1] == 1
    for k in range(len(constant)):
        limits[k] = DOUBT * constant[k] + noise[k]
        slopes[k] = DOUBT * scale[0, k] if simple else 0.0
    return simple


@inline
def _pack_signs(v, rows, limits, slopes, norm, plus, minus):
    """The words of the rows' signs at v where they exceed limits + norm * slopes; returns whether that decides all."""
    count, decided = rows.shape[1], True
    for w in range(plus.shape[1]):
        first = w * WORD
        width = max(0, min(WORD, count - first))
        p, m = signs_beyond(rows, v * count + first, limits, slopes, norm, first, width)
        plus[v, w] = p
        minus[v, w] = m
        decided &= width == 0 or (p | m) == ALL >> np.uint64(WORD - width)
    return decided


@kernel
def classify(lo, hi, rows, norms, scale, constant, noise, plus, minus, undecided):
    """Signs of all rows at the vertices lo..hi that are beyond doubt, into the words plus, minus (V, W).

    noise (R,): see doubt_of.  undecided[v]: some row has none yet.
    """
    limits, slopes = np.empty(rows.shape[1]), np.empty(rows.shape[1])
    simple = doubt_by_norm(norms, scale, constant, noise, limits, slopes)
    for v in range(lo, hi):
        undecided[v] = not classify_vertex(v, rows, norms, scale, constant, noise, simple, limits, slopes, plus, minus)


@inline
def classify_vertex(v, rows, norms, scale, constant, noise, simple, limits, slopes, plus, minus):
    """What `classify` does at a vertex; simple, limits, slopes: see doubt_by_norm.  Returns whether all is decided."""
    norm = 0.0
    if simple:
        norm = norms[v, 0]
    else:
        _doubts_of(v, norms, scale, constant, noise, limits)
    return _pack_signs(v, rows, limits, slopes, norm, plus, minus)


@kernel
def settle(lo, hi, vertices, rows, bound, noise, exact_zeros, plus, minus, zero):
    """Decide by the full bound what `classify` left open at vertices[lo:hi], and all rows where the position is
    uncertain.  zero[n]: some row is zero at vertices[n].

    exact_zeros: what is added up is exactly zero where it is zero in float64.

    Returns the signs that are in doubt, (N, 2) int32 vertex and row; those within their bounds are zero.
    """
    norms, loose, scale, constant, uncertainty, negligible, positions, edges, first, incident = bound
    bounds, slopes, wide = np.empty(rows.shape[1]), np.zeros(rows.shape[1]), np.empty((1, norms.shape[1]))
    doubtful, doubts = np.empty((16, 2), np.int32), 0
    for n in range(lo, hi):
        v = vertices[n]
        if uncertainty[v] > negligible:
            _loosen(v, norms, loose, uncertainty, positions, edges, first, incident)
            for i in range(norms.shape[1]):
                wide[0, i] = max(norms[v, i], loose[v, i] / DOUBT)
            _doubts_of(0, wide, scale, constant, noise, bounds)
            _pack_signs(v, rows, bounds, slopes, 0.0, plus, minus)
        zero[n] = False
        for k in range(rows.shape[1]):
            w, bit = k // WORD, np.uint64(1) << np.uint64(k % WORD)
            if (plus[v, w] | minus[v, w]) & bit:
                continue
            z = rows[v, k]
            full = tolerance(
                v, k, rows, norms, scale, constant, uncertainty, negligible, positions, edges, first, incident
            )
            if abs(z) <= full:
                zero[n] = True
                if full == 0.0 and exact_zeros:
                    continue
            elif z > 0.0:
                plus[v, w] |= bit
            else:
                minus[v, w] |= bit
            if abs(z) <= max(full, doubt_of(local_rounding(v, k, norms, scale, constant), noise[k])):
                if doubts == len(doubtful):
                    doubtful = np.concatenate((doubtful, np.empty_like(doubtful)))
                doubtful[doubts, 0] = v
                doubtful[doubts, 1] = k
                doubts += 1
    return doubtful[:doubts]


@inline
def _loosen(v, norms, loose, uncertainty, positions, edges, first, incident):
    """Enlarge the norms at v by what the uncertainty of its position can add to any row's"""
    for i in range(norms.shape[1]):
        steepest = 0.0
        for j in range(first[v], first[v + 1]):
            a, b = edges[incident[j], 0], edges[incident[j], 1]
            length = distance(positions, a, b)
            if length > 0.0:
                steepest = max(steepest, (norms[a, i] + norms[b, i]) / length)
        loose[v, i] = norms[v, i] + uncertainty[v] * steepest / (SAFETY * UNIT_ROUNDOFF)


@kernel
def flatten_zeros(lo, hi, vertices, rows, plus, minus):
    """Write the zeros that were found at vertices[lo:hi] into the rows: exact zeros pass through a kink exactly."""
    for v in vertices[lo:hi]:
        for k in range(rows.shape[1]):
            if not (plus[v, k // WORD] | minus[v, k // WORD]) >> np.uint64(k % WORD) & np.uint64(1):
                rows[v, k] = 0.0


@kernel
def set_values(pairs, values, rows, plus, minus):
    """Give the (vertex, row) pairs (N, 2) their exact values, and signs; returns how many signs that changes."""
    changed = 0
    for n in range(len(pairs)):
        v, k = pairs[n, 0], pairs[n, 1]
        w, bit = k // WORD, np.uint64(1) << np.uint64(k % WORD)
        positive, negative = plus[v, w] & bit != 0, minus[v, w] & bit != 0
        if positive != (values[n] > 0.0) or negative != (values[n] < 0.0):
            changed += 1
        plus[v, w] &= ~bit
        minus[v, w] &= ~bit
        if values[n] > 0.0:
            plus[v, w] |= bit
        elif values[n] < 0.0:
            minus[v, w] |= bit
        rows[v, k] = values[n]
    return changed


# The level surface.  Signs there are of affine maps around a reference point, which have their own bound: with H, the
# size of a row's sum at that point, and G, that of its gradient's, it is no larger than H + G r at the distance r.


@inline
def map_tolerance(value, slope, reach, constant):
    """The bound of a row up to the distance `reach` from the reference point: value H, slope G."""
    return SAFETY * UNIT_ROUNDOFF * (value + slope * reach + constant)
