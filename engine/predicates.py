"""Three-valued signs: the only file with a tolerance.

The sign of a row (a pre-activation minus its breakpoint) at a vertex is +, - or 0, where 0 means "rounding cannot
tell". One formula serves signs, merging and snapping: with u the unit roundoff and h the values that the row's affine
map reads,

    tolerance(v, k) = c u (|W_k|_2 |h_v|_2 + |b_k|) + delta_v g_k(v)

Rounding is local and does not travel through the layers; the uncertainty delta_v of a vertex's position does, times
the actual gradient g_k.  `rounding_of` generalises the first term to any chain of affine steps: it is a sum over
the values h_i that the chain reads of (norm of h_i at v) * coefficient_i(k), plus a constant.  Norms are taken of
features divided by their largest size on the map, so that a layer whose neurons are scaled very differently loses
nothing.

Signs are packed into 64-bit words, one set of words for + and one for -.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from engine.jit import inline, kernel, lowest_bit, summing_kernel
from engine.steps import Affine, Float, Gather, Linear, Scale, Sum

UNIT_ROUNDOFF = 2.0**-52
SAFETY = 64.0
NEGLIGIBLE_UNCERTAINTY = 1e-12  # of the domain's diameter: below it the position term is under the rounding term
WORD = 64
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@dataclass(frozen=True, eq=False, slots=True)
class Rounding:
    """Coefficients of the rounding bound of one value's features, given the values that its chain of steps reads.

    bases: slots of the values read; inverse_units: for each the (size,) float64 that its features are multiplied by
    before the norm is taken; scale: (len(bases), n) float64; constant: (n,) float64.
    """

    bases: tuple[int, ...]
    inverse_units: tuple[Float, ...]
    scale: Float
    constant: Float


@dataclass(frozen=True, eq=False, slots=True)
class Bound:
    """Bounds of a value, given the norms s_i of the bases: |feature j| <= sum_i s_i magnitude[i, j] + constant[j].

    spread[i]: norm of the features, each divided by its magnitude[i, j], over s_i.  error and constant_error bound the
    rounding error like magnitude and constant the value.  Shapes: (bases, n) float64, (n,), and spread (bases,).
    """

    magnitude: Float
    spread: Float
    error: Float
    constant: Float
    constant_error: Float


def bounds_of(steps: Sequence[Affine], units: Mapping[int, Float]) -> dict[int, Bound]:
    """Bounds of all values that `steps` compute from the slots in `units`, which count as exact, and of those."""
    bounds: dict[int, Bound] = {}
    for position, (slot, unit) in enumerate(units.items()):
        zeros = np.zeros((len(units), len(unit)))
        magnitude, spread = zeros.copy(), np.zeros(len(units))
        magnitude[position], spread[position] = unit, 1.0
        bounds[slot] = Bound(magnitude, spread, zeros, zeros[0], zeros[0])
    for step in steps:
        bounds[step.target] = _propagate(step, bounds, len(units))
    return bounds


def rounding_of(bound: Bound, units: Mapping[int, Float]) -> Rounding:
    """The rounding bound of a value, whatever chain of steps it comes from."""
    scale = bound.error
    used = [(i, slot) for i, slot in enumerate(units) if scale[i].any()]
    return Rounding(
        tuple(slot for _, slot in used),
        tuple(_inverse(units[slot]) for _, slot in used),
        np.ascontiguousarray(scale[[i for i, _ in used]]),
        bound.constant_error,
    )


def rounding_of_linear(step: Linear, slot: int, unit: Float) -> Rounding:
    """What rounding_of gives for the value of one linear step on a base: the usual case, without the machinery."""
    weight = np.abs(step.weight)
    magnitude = np.minimum(_row_norms(weight * unit), weight @ unit)
    rounding = max(SAFETY, float(weight.shape[1])) * UNIT_ROUNDOFF
    return Rounding((slot,), (_inverse(unit),), (rounding * magnitude)[None], rounding * np.abs(step.bias))


def _row_norms(matrix: Float) -> Float:
    """Norms over the last axis, of numbers of any size."""
    largest = matrix.max(axis=-1, initial=0.0)
    divisor = np.where(largest > 0.0, largest, 1.0)
    return np.asarray(np.linalg.norm(matrix / divisor[..., None], axis=-1) * divisor)


def _inverse(unit: Float) -> Float:
    """1 / unit; 0 for features that are zero on the whole map, as all new vertices' will be, and for denormal ones."""
    usable = unit >= np.finfo(np.float64).tiny
    return np.where(usable, 1.0 / np.where(usable, unit, 1.0), 0.0)


def _propagate(step: Affine, bounds: Mapping[int, Bound], bases: int) -> Bound:
    match step:
        case Linear():
            return _through_linear(step, bounds[step.source])
        case Scale():
            source, factor = bounds[step.source], np.abs(step.factor)
            constant = source.constant * factor + np.abs(step.shift)
            errors = source.error * factor, source.constant_error * factor
            return _rounded(source.magnitude * factor, source.spread, constant, *errors, SAFETY)
        case Sum():
            left, right = bounds[step.left], bounds[step.right]
            return _rounded(
                left.magnitude + right.magnitude,
                left.spread + right.spread,
                left.constant + right.constant,
                left.error + right.error,
                left.constant_error + right.constant_error,
                SAFETY,
            )
        case Gather():
            return _through_gather(step, [bounds[slot] for slot in step.sources], bases)
        case _:
            assert_never(step)


def _rounded(
    magnitude: Float, spread: Float, constant: Float, error: Float, constant_error: Float, safety: float
) -> Bound:
    unit = safety * UNIT_ROUNDOFF
    return Bound(magnitude, spread, error + unit * magnitude, constant, constant_error + unit * constant)


def _through_linear(step: Linear, source: Bound) -> Bound:
    weight, groups = np.abs(step.weight), step.groups
    inputs = weight.shape[1]

    def apply(matrix: Float, features: Float) -> Float:
        blocks = features.reshape(*features.shape[:-1], groups, inputs)
        return (blocks @ matrix.T).reshape(*features.shape[:-1], groups * len(matrix))

    # Cauchy-Schwarz is the sharper bound when the source is one of the bases, the row sums after a cancelling chain.
    blocks = source.magnitude.reshape(len(source.spread), groups, inputs)
    by_norm = _row_norms(weight * blocks[:, :, None, :]).reshape(len(source.spread), -1) * source.spread[:, None]
    magnitude = np.minimum(by_norm, apply(weight, source.magnitude))
    return _rounded(
        magnitude,
        np.full(len(source.spread), np.sqrt(magnitude.shape[1])),
        apply(weight, source.constant) + np.tile(np.abs(step.bias), groups),
        apply(weight, source.error),
        apply(weight, source.constant_error),
        max(SAFETY, float(inputs)),
    )


def _through_gather(step: Gather, sources: Sequence[Bound], bases: int) -> Bound:
    constants = np.zeros((bases, len(step.constants)))
    repeats = np.bincount(step.index).max(initial=1)

    def gather(parts: list[Float], last: Float) -> Float:
        return np.concatenate([*parts, last], axis=-1)[..., step.index]

    return Bound(
        gather([s.magnitude for s in sources], constants),
        np.sqrt(repeats * sum((s.spread**2 for s in sources), np.zeros(bases))),
        gather([s.error for s in sources], constants),
        gather([s.constant for s in sources], np.abs(step.constants)),
        gather([s.constant_error for s in sources], np.zeros(len(step.constants))),
    )


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


# What the kernels need to know of a tolerance travels as the tuple
#   norms (V, r), loose (V, r), scale (r, R), constant (R,), uncertainty (V,), first (V + 1,), incident (I,), edges (E,
# 2),   positions (V, 2)
# uncertainty is 0 where it is negligible; first and incident list the edges at the other vertices.  loose are norms
# enlarged such that constant + loose @ scale is never below the tolerance: nearly every sign is decided by it.


@inline
def distance(positions, a, b):
    """Distance of two vertices (faster than hypot, whose care about overflow is not needed here)."""
    dx, dy = positions[a, 0] - positions[b, 0], positions[a, 1] - positions[b, 1]
    return np.sqrt(dx * dx + dy * dy)


@inline
def tolerance(v, k, rows, norms, scale, constant, uncertainty, first, incident, edges, positions):
    """The bound of row k at a vertex that existed before the cut."""
    result = constant[k]
    for i in range(norms.shape[1]):
        result += norms[v, i] * scale[i, k]
    if uncertainty[v] > 0.0:
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
    v, k, rows, parents, weights, vertices, norms, scale, constant, uncertainty, first, incident, edges, positions
):
    """The bound of row k at an old vertex or at one that this cut made on an edge."""
    if v < vertices:
        return tolerance(v, k, rows, norms, scale, constant, uncertainty, first, incident, edges, positions)
    a, b = parents[v - vertices, 0], parents[v - vertices, 1]
    t, dt = weights[v - vertices, 0], weights[v - vertices, 1]
    at_a = tolerance(a, k, rows, norms, scale, constant, uncertainty, first, incident, edges, positions)
    at_b = tolerance(b, k, rows, norms, scale, constant, uncertainty, first, incident, edges, positions)
    return (1.0 - t) * at_a + t * at_b + abs(rows[a, k] - rows[b, k]) * dt


@inline
def crossing(za, zb, tol_a, tol_b):
    """Parameter t in [0, 1] of the zero between za and zb, and its uncertainty."""
    dz = za - zb
    if dz == 0.0:
        return 0.5, 0.5
    t = min(max(za / dz, 0.0), 1.0)
    return t, ((1.0 - t) * tol_a + t * tol_b) / abs(dz) + 2.0 * UNIT_ROUNDOFF


@kernel
def list_incident(edges, uncertainty, first, incident):
    """first (V + 1,), zero on entry, and incident (I,): the edges at each vertex of uncertain position."""
    for e in range(len(edges)):
        for end in range(2):
            if uncertainty[edges[e, end]] > 0.0:
                first[edges[e, end] + 1] += 1
    for v in range(len(first) - 1):
        first[v + 1] += first[v]
    filled = first.copy()
    for e in range(len(edges)):
        for end in range(2):
            v = edges[e, end]
            if uncertainty[v] > 0.0:
                incident[filled[v]] = e
                filled[v] += 1


@kernel
def loosen(lo, hi, bound):
    """Enlarge the norms of the vertices lo..hi by what the uncertainty of their position can add to any row's bound."""
    norms, loose, _, _, uncertainty, first, incident, edges, positions = bound
    for v in range(lo, hi):
        for i in range(norms.shape[1]):
            steepest = 0.0
            for j in range(first[v], first[v + 1]):
                a, b = edges[incident[j], 0], edges[incident[j], 1]
                length = distance(positions, a, b)
                if length > 0.0:
                    steepest = max(steepest, (norms[a, i] + norms[b, i]) / length)
            loose[v, i] = norms[v, i] + uncertainty[v] * steepest / (SAFETY * UNIT_ROUNDOFF)


@inline
def _loose_bound(v, loose, scale, constant, out):
    count = len(constant)
    for i in range(loose.shape[1]):
        norm = loose[v, i]
        if i == 0:
            for k in range(count):
                out[k] = constant[k] + norm * scale[0, k]
        else:
            for k in range(count):
                out[k] += norm * scale[i, k]
    if loose.shape[1] == 0:
        for k in range(count):
            out[k] = constant[k]


@kernel
def classify(lo, hi, rows, bound, plus, minus, undecided):
    """Signs of all rows at the vertices lo..hi, into the words plus, minus (V, W).

    undecided[v]: some row has a value within the loose bound; `settle` decides it.
    """
    _, loose_norms, scale, constant, _, _, _, _, _ = bound
    count, words = rows.shape[1], plus.shape[1]
    loose = np.empty(count)
    for v in range(lo, hi):
        _loose_bound(v, loose_norms, scale, constant, loose)
        undecided[v] = False
        for w in range(words):
            first = w * WORD
            width = max(0, min(WORD, count - first))
            p = np.uint64(0)
            m = np.uint64(0)
            for i in range(width):
                z = rows[v, first + i]
                t = loose[first + i]
                p |= np.uint64(z > t) << np.uint64(i)
                m |= np.uint64(z < -t) << np.uint64(i)
            plus[v, w] = p
            minus[v, w] = m
            undecided[v] |= width > 0 and (p | m) != ALL >> np.uint64(WORD - width)


@kernel
def settle(lo, hi, vertices, rows, bound, plus, minus):
    """Decide by the full bound what `classify` left open at vertices[lo:hi]; returns the zeros that it found."""
    norms, _, scale, constant, uncertainty, first, incident, edges, positions = bound
    snapped = 0
    for n in range(lo, hi):
        v = vertices[n]
        for k in range(rows.shape[1]):
            w, bit = k // WORD, np.uint64(1) << np.uint64(k % WORD)
            if (plus[v, w] | minus[v, w]) & bit:
                continue
            z, full = (
                rows[v, k],
                tolerance(v, k, rows, norms, scale, constant, uncertainty, first, incident, edges, positions),
            )
            if z > full:
                plus[v, w] |= bit
            elif z < -full:
                minus[v, w] |= bit
            else:
                snapped += full > 0.0
    return snapped


@kernel
def flatten_zeros(vertices, rows, plus, minus):
    """Write the zeros that were found into the rows: exact zeros pass through a kink exactly."""
    for v in vertices:
        for k in range(rows.shape[1]):
            if not (plus[v, k // WORD] | minus[v, k // WORD]) >> np.uint64(k % WORD) & np.uint64(1):
                rows[v, k] = 0.0


@kernel
def classify_new(
    lo, hi, rows, bound, plus, minus, first_new, parents, weights, carried, vertices, edge_parents, edge_weights
):  # fmt: skip
    """Interpolate the rows at the new vertices lo..hi (counted from `first_new`), and find their signs.

    parents (N, 2) int32, weights (N, 2) float64 (t, dt), carried (N, W) uint64: rows that are zero by construction.  A
    value within its bound is set to zero.  Returns the number of those.  `vertices`, edge_parents and edge_weights
    tell what the parents are (see tolerance_after_edges).
    """
    norms, loose_norms, scale, constant, uncertainty, first_incident, incident, edges, positions = bound
    count, words = rows.shape[1], plus.shape[1]
    loose = np.empty(count)
    snapped = 0
    for n in range(lo, hi):
        a, b = parents[n, 0], parents[n, 1]
        t, dt = weights[n, 0], weights[n, 1]
        s = 1.0 - t
        v = first_new + n
        for i in range(norms.shape[1]):
            norms[v, i] = s * norms[a, i] + t * norms[b, i]
            along = dt * (norms[a, i] + norms[b, i]) / (SAFETY * UNIT_ROUNDOFF)
            loose_norms[v, i] = s * loose_norms[a, i] + t * loose_norms[b, i] + along
        _loose_bound(v, loose_norms, scale, constant, loose)
        for k in range(count):
            rows[v, k] = s * rows[a, k] + t * rows[b, k]
        for w in range(words):
            first = w * WORD
            width = max(0, min(WORD, count - first))
            p = np.uint64(0)
            m = np.uint64(0)
            for i in range(width):
                z = rows[v, first + i]
                bound_i = loose[first + i]
                p |= np.uint64(z > bound_i) << np.uint64(i)
                m |= np.uint64(z < -bound_i) << np.uint64(i)
            p &= ~carried[n, w]
            m &= ~carried[n, w]
            if width > 0:
                open_bits = ~(p | m) & (ALL >> np.uint64(WORD - width))
                while open_bits != 0:
                    bit = open_bits & (~open_bits + np.uint64(1))
                    row = first + np.int64(lowest_bit(open_bits))
                    open_bits &= ~bit
                    za, zb, z = rows[a, row], rows[b, row], rows[v, row]
                    if not carried[n, w] & bit and not (za == 0.0 and zb == 0.0):
                        full = abs(za - zb) * dt
                        full += s * tolerance_after_edges(
                            a,
                            row,
                            rows,
                            edge_parents,
                            edge_weights,
                            vertices,
                            norms,
                            scale,
                            constant,
                            uncertainty,
                            first_incident,
                            incident,
                            edges,
                            positions,
                        )
                        full += t * tolerance_after_edges(
                            b,
                            row,
                            rows,
                            edge_parents,
                            edge_weights,
                            vertices,
                            norms,
                            scale,
                            constant,
                            uncertainty,
                            first_incident,
                            incident,
                            edges,
                            positions,
                        )
                        if z > full:
                            p |= bit
                            continue
                        if z < -full:
                            m |= bit
                            continue
                        snapped += full > 0.0
                    rows[v, row] = 0.0
            plus[v, w] = p
            minus[v, w] = m
    return snapped


# The level surface.  Signs there are of affine maps around a reference point, which have their own bound: H is the norm
# of what a layer reads at that point, G that of its gradients, so |h| <= H + G r at the distance r.

SHORT_EDGE = 1e-9  # of the domain's diameter: a shorter edge that only one of its two facets has is rounding's
CERTIFIED_SLACK = 1e-9  # relative: enclosures and covers are widened by it, far above their rounding
SAME_DIRECTION = 1e-9  # radians: creases closer than that around a common edge are one


@inline
def map_tolerance(norm, value, slope, reach, constant):
    """The bound of a row up to the distance `reach` from the reference point: norm |W_k|, value H, slope G."""
    return SAFETY * UNIT_ROUNDOFF * (norm * (value + slope * reach) + constant)
