"""Three-valued signs: the only file with a tolerance.

The sign of a row (a pre-activation minus its breakpoint) at a vertex is +, - or 0, where 0 means "rounding cannot tell".
One formula serves signs, merging and snapping: with u the unit roundoff and h the values that the row's affine map reads,

    tolerance(v, k) = c u (|W_k|_2 |h_v|_2 + |b_k|) + delta_v g_k(v)

Rounding is local and does not travel through the layers; the uncertainty delta_v of a vertex's position does, times
the actual gradient g_k.  `rounding_coefficients` generalises the first term to any chain of affine steps: it is a sum over
the values h_i that the chain reads of (norm of h_i at v) * coefficient_i(k), plus a constant.

Signs are packed into 64-bit words, one set of words for + and one for -.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.jit import inline, kernel
from engine.steps import Affine, Float, Gather, Linear, Scale, Sum

UNIT_ROUNDOFF = 2.0**-52
SAFETY = 64.0
NEGLIGIBLE_UNCERTAINTY = 1e-12  # of the domain's diameter: below it the position term is under the rounding term
_WORD = 64


@dataclass(frozen=True, eq=False, slots=True)
class Rounding:
    """Coefficients of the rounding bound of one value's features, given the values that its chain of steps reads.

    bases: slots of the values read; scale: (len(bases), n) float64; constant: (n,) float64.
    """

    bases: tuple[int, ...]
    scale: Float
    constant: Float


@dataclass(slots=True)
class _Bound:
    """Bounds of a value by the norms of the bases: magnitude and error of each feature, and of the feature vector's norm."""

    magnitude: Float  # (bases, n)
    norm: Float  # (bases,)
    error: Float  # (bases, n)
    constant: Float  # (n,)
    constant_error: Float  # (n,)


def rounding_coefficients(steps: Sequence[Affine], bases: Sequence[int], sizes: Sequence[int], target: int) -> Rounding:
    """The rounding bound of `target`, computed by `steps` from the values `bases`, which count as exact."""
    count = len(bases)
    bounds: dict[int, _Bound] = {}
    for position, slot in enumerate(bases):
        size = sizes[slot]
        magnitude = np.zeros((count, size))
        magnitude[position] = 1.0
        norm = np.zeros(count)
        norm[position] = 1.0
        bounds[slot] = _Bound(magnitude, norm, np.zeros((count, size)), np.zeros(size), np.zeros(size))
    for step in steps:
        bounds[step.target] = _propagate(step, bounds)
    bound = bounds[target]
    floor = SAFETY * UNIT_ROUNDOFF
    scale = np.maximum(bound.error, floor * bound.magnitude)
    constant = np.maximum(bound.constant_error, floor * bound.constant)
    used = [i for i in range(count) if scale[i].any()]
    return Rounding(tuple(bases[i] for i in used), np.ascontiguousarray(scale[used]), constant)


def _propagate(step: Affine, bounds: dict[int, _Bound]) -> _Bound:
    if isinstance(step, Linear):
        return _through_linear(step, bounds[step.source])
    if isinstance(step, Scale):
        source, factor = bounds[step.source], np.abs(step.factor)
        return _rounded(
            source.magnitude * factor,
            source.norm * factor.max(initial=0.0),
            source.error * factor,
            source.constant * factor + np.abs(step.shift),
            source.constant_error * factor,
            SAFETY,
        )
    if isinstance(step, Sum):
        left, right = bounds[step.left], bounds[step.right]
        return _rounded(
            left.magnitude + right.magnitude,
            left.norm + right.norm,
            left.error + right.error,
            left.constant + right.constant,
            left.constant_error + right.constant_error,
            SAFETY,
        )
    return _through_gather(step, [bounds[slot] for slot in step.sources])


def _rounded(
    magnitude: Float, norm: Float, error: Float, constant: Float, constant_error: Float, safety: float
) -> _Bound:
    unit = safety * UNIT_ROUNDOFF
    return _Bound(magnitude, norm, error + unit * magnitude, constant, constant_error + unit * constant)


def _through_linear(step: Linear, source: _Bound) -> _Bound:
    weight, groups = np.abs(step.weight), step.groups
    row_norms = np.tile(np.linalg.norm(step.weight, axis=1), groups)

    def apply(features: Float) -> Float:
        blocks = features.reshape(*features.shape[:-1], groups, weight.shape[1])
        return (blocks @ weight.T).reshape(*features.shape[:-1], groups * weight.shape[0])

    # Cauchy-Schwarz is the sharper bound when the source is one of the bases, the row sums after a cancelling chain.
    magnitude = np.minimum(row_norms * source.norm[:, None], apply(source.magnitude))
    return _rounded(
        magnitude,
        np.linalg.norm(magnitude, axis=1),
        apply(source.error),
        apply(source.constant) + np.tile(np.abs(step.bias), groups),
        apply(source.constant_error),
        max(SAFETY, float(weight.shape[1])),
    )


def _through_gather(step: Gather, sources: list[_Bound]) -> _Bound:
    index = step.index
    repeats = np.bincount(index).max(initial=1)
    zeros = np.zeros((len(sources[0].norm), len(step.constants))) if sources else np.zeros((0, len(step.constants)))
    return _Bound(
        np.concatenate([*(s.magnitude for s in sources), zeros], axis=1)[:, index],
        np.sqrt(repeats * np.sum([s.norm**2 for s in sources], axis=0)),
        np.concatenate([*(s.error for s in sources), zeros], axis=1)[:, index],
        np.concatenate([*(s.constant for s in sources), np.abs(step.constants)])[index],
        np.concatenate([*(s.constant_error for s in sources), np.zeros(len(step.constants))])[index],
    )


# A tolerance travels through the kernels as the tuple
#   (norms (V, r), scale (r, R), constant (R,), position (V,) int32, position_term (P, R))
# where position[v] is the row of position_term for a vertex of uncertain position, or -1.


@inline
def tolerance(v, k, bound):  # type: ignore[no-untyped-def]
    """The bound of row k at a vertex that existed before the cut."""
    norms, scale, constant, position, position_term = bound
    result = constant[k]
    for i in range(norms.shape[1]):
        result += norms[v, i] * scale[i, k]
    if position[v] >= 0:
        result += position_term[position[v], k]
    return result


@inline
def crossing(za, zb, tol_a, tol_b):  # type: ignore[no-untyped-def]
    """Parameter t in [0, 1] of the zero between za and zb, and its uncertainty."""
    dz = za - zb
    if dz == 0.0:
        return 0.5, 0.5
    t = min(max(za / dz, 0.0), 1.0)
    return t, ((1.0 - t) * tol_a + t * tol_b) / abs(dz) + 2.0 * UNIT_ROUNDOFF


@kernel
def classify(lo, hi, rows, bound, plus, minus):  # type: ignore[no-untyped-def]
    """Signs of all rows at the vertices lo..hi: fills the words plus, minus (V, W); zeros are written into `rows`.

    Returns the number of zeros that are decided by the tolerance (not exact by construction).
    """
    norms, scale, constant, position, position_term = bound
    count, words, bases = rows.shape[1], plus.shape[1], norms.shape[1]
    tol = np.empty(count)
    snapped = 0
    for v in range(lo, hi):
        if bases == 1:
            norm = norms[v, 0]
            for k in range(count):
                tol[k] = constant[k] + norm * scale[0, k]
        else:
            tol[:] = constant
            for i in range(bases):
                norm = norms[v, i]
                for k in range(count):
                    tol[k] += norm * scale[i, k]
        if position[v] >= 0:
            for k in range(count):
                tol[k] += position_term[position[v], k]
        for w in range(words):
            first = w * _WORD
            width = max(0, min(_WORD, count - first))
            p = np.uint64(0)
            m = np.uint64(0)
            for i in range(width):
                z = rows[v, first + i]
                t = tol[first + i]
                p |= np.uint64(z > t) << np.uint64(i)
                m |= np.uint64(z < -t) << np.uint64(i)
            plus[v, w] = p
            minus[v, w] = m
            if width > 0 and (p | m) != (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(_WORD - width)):
                for i in range(width):
                    if not ((p | m) >> np.uint64(i)) & np.uint64(1):
                        snapped += tol[first + i] > 0.0
                        rows[v, first + i] = 0.0
    return snapped


@inline
def tolerance_after_edges(v, k, rows, parents, weights, bound, vertices):  # type: ignore[no-untyped-def]
    """The bound of row k at an old vertex or at one that this cut made on an edge."""
    if v < vertices:
        return tolerance(v, k, bound)
    a, b = parents[v - vertices, 0], parents[v - vertices, 1]
    t, dt = weights[v - vertices, 0], weights[v - vertices, 1]
    return (
        (1.0 - t) * tolerance(a, k, bound) + t * tolerance(b, k, bound) + abs(rows[a, k] - rows[b, k]) * dt
    )


@kernel
def classify_new(
    lo, hi, rows, bound, plus, minus, first_new, parents, weights, carried, vertices, edge_parents, edge_weights
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Interpolate the rows at the new vertices lo..hi (counted from `first_new`), and find their signs.

    parents (N, 2) int32, weights (N, 2) float64 (t, dt), carried (N, W) uint64: rows that are zero by construction.  A value
    within its bound is set to zero: exact zeros pass through a kink exactly.  Returns the number of those.  `vertices`,
    edge_parents and edge_weights tell what the parents are (see tolerance_after_edges).
    """
    norms, scale, constant = bound[0], bound[1], bound[2]
    count, words, bases = rows.shape[1], plus.shape[1], norms.shape[1]
    tol = np.empty(count)
    snapped = 0
    for n in range(lo, hi):
        a, b = parents[n, 0], parents[n, 1]
        t, dt = weights[n, 0], weights[n, 1]
        s = 1.0 - t
        v = first_new + n
        # The cheap bound leaves out the parents' own position; where that is good it is needed only near the bound.
        careful = len(bound[4]) > 0 or dt > NEGLIGIBLE_UNCERTAINTY
        for parent in (a, b):
            if parent >= vertices and edge_weights[parent - vertices, 1] > NEGLIGIBLE_UNCERTAINTY:
                careful = True
        tol[:] = constant
        for i in range(bases):
            norm = s * norms[a, i] + t * norms[b, i]
            norms[v, i] = norm
            for k in range(count):
                tol[k] += norm * scale[i, k]
        for w in range(words):
            first = w * _WORD
            p = np.uint64(0)
            m = np.uint64(0)
            own = carried[n, w]
            for i in range(min(_WORD, count - first)):
                k = first + i
                bit = np.uint64(1) << np.uint64(i)
                za, zb = rows[a, k], rows[b, k]
                z = s * za + t * zb
                cheap = tol[k] + abs(za - zb) * dt
                zero = (own & bit) != 0 or (za == 0.0 and zb == 0.0)
                if not zero and (careful or abs(z) <= 1e6 * cheap):
                    full = s * tolerance_after_edges(a, k, rows, edge_parents, edge_weights, bound, vertices)
                    full += t * tolerance_after_edges(b, k, rows, edge_parents, edge_weights, bound, vertices)
                    full += abs(za - zb) * dt
                    if abs(z) <= full:
                        zero = True
                        snapped += full > 0.0
                if zero:
                    rows[v, k] = 0.0
                else:
                    rows[v, k] = z
                    if z > 0.0:
                        p |= bit
                    else:
                        m |= bit
            plus[v, w] = p
            minus[v, w] = m
    return snapped


@kernel
def position_terms(edges, vertices, uncertainty, position, rows, terms):  # type: ignore[no-untyped-def]
    """terms[position[v], k] = uncertainty of v times the largest slope of row k over the edges at v."""
    count = rows.shape[1]
    for e in range(edges.shape[0]):
        a, b = edges[e, 0], edges[e, 1]
        if position[a] < 0 and position[b] < 0:
            continue
        length = np.hypot(vertices[a, 0] - vertices[b, 0], vertices[a, 1] - vertices[b, 1])
        if length == 0.0:
            continue
        for k in range(count):
            slope = abs(rows[a, k] - rows[b, k]) / length
            if position[a] >= 0:
                terms[position[a], k] = max(terms[position[a], k], uncertainty[a] * slope)
            if position[b] >= 0:
                terms[position[b], k] = max(terms[position[b], k], uncertainty[b] * slope)
