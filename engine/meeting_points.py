"""Vertices as what they stand for: the points where lines meet, and all values there, to the last digit of float64.

A vertex is made on an edge or a chord, at a place that is as uncertain as rounding is large beside the change of a row
along it: where lines are nearly parallel, by far more than a digit.  That uncertainty travels, times the gradient of
what comes later.  Here it ends: on any face at a vertex all rows are affine, with maps that `face_maps` bounds the
errors of, and the vertex is where two of these are zero.

Let e_p, e_q bound the errors of these two rows p, q, and n_k = x n_p + y n_q be the gradient of another row, where
x = det(n_k, n_q) / det(n_p, n_q).  Then its value where p and q meet is off by no more than
e_k + |x| e_p + |y| e_q: only the rows' own errors count, in the direction in which they are errors, not how far the
point may be away times the steepest gradient.  What p and q are not zero by, at the point found, is counted to e_p and
e_q.  The bound is doubled for the errors of the gradients, which the determinant must exceed twice.

A vertex on more than two lines is where those two meet that leave its position the least uncertain; where another one
is not zero there within its bound, it is no such point.  Of the faces at a vertex the one counts that says most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.double_double import of, over, plus, times
from engine.face_maps import FaceMaps, face_maps
from engine.planar_map import BORDER, FaceSigns
from engine.plane import SlicePlane
from engine.steps import Float, Int, Kink, Step

Numbers = NDArray[np.int64] | Int

_ROUNDING = 2.0**-50  # of a product and a difference in float64

_NUMBERS = 1 << 20  # in all maps of a batch of faces


@dataclass(frozen=True, eq=False, slots=True)
class Meeting:
    """Where the lines at N vertices meet.

    error (N,) float64: how far that may be from the point meant, in slice units; inf where the lines do not say: all
    else is of no use then.  positions (N, 2); values: of every slot asked for, (2, N, size) double-double, 0 where they
    are no more than `errors`, their bounds, (N, size).
    """

    error: Float
    positions: Float
    values: Mapping[int, Float]
    errors: Mapping[int, Float]


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """Affine functions of the slice's coordinates, as FaceMaps has them: (2, K, 3), and error (K,): their bounds in
    the domain.
    """

    coefficients: Float
    error: Float

    def __getitem__(self, which: Numbers) -> _Rows:
        return _Rows(self.coefficients[:, which], self.error[which])

    @property
    def length(self) -> Float:
        """(K,): of the gradient."""
        return np.asarray(np.hypot(*self.coefficients[0, :, :2].T))


def meet(
    steps: Sequence[Step], slots: Sequence[int], sizes: Sequence[int], plane: SlicePlane, polygon: Float,
    face_signs: Sequence[FaceSigns], faces: Int, lines: Int, count: int,
) -> Meeting:  # fmt: skip
    """Where the lines through `count` vertices meet, and the values of `slots` there.

    steps: those up to the slots, a kink for each of face_signs among them; sizes: of all slots; polygon (M, 2): the
    domain.  faces (K, 2) int32: a vertex n and a face at it; lines (L, 3) int32: n, layer and row of a line through it,
    BORDER and side of the polygon, ordered by n.
    """
    found = Meeting(
        np.full(count, np.inf),
        np.zeros((count, 2)),
        {slot: np.zeros((2, count, sizes[slot])) for slot in slots},
        {slot: np.zeros((count, sizes[slot])) for slot in slots},
    )
    order = np.argsort(faces[:, 1], kind="stable")
    different, own = np.unique(faces[order, 1], return_inverse=True)
    batch = max(1, _NUMBERS // (6 * sum(sizes)))
    for start in range(0, len(different), batch):
        first, stop = np.searchsorted(own, [start, start + batch])
        signs = _signs(face_signs, different[start : start + batch].astype(np.int32))
        with np.errstate(all="ignore"):  # what leaves the range of float64 is NaN, which is not known
            maps = face_maps(steps, plane, signs, min(batch, len(different) - start))
            _meet_on_faces(maps, steps, polygon, faces[order[first:stop], 0], own[first:stop] - start, lines, found)
    return found


def _signs(face_signs: Sequence[FaceSigns], faces: Int) -> list[NDArray[np.int8]]:
    found = []
    for signs in reversed(face_signs):
        found.append(signs.signs(faces))
        faces = signs.parent[faces]
    return found[::-1]


def _meet_on_faces(
    maps: FaceMaps, steps: Sequence[Step], polygon: Float, vertex: Int, face: Numbers, lines: Int, found: Meeting
) -> None:
    """Write into `found` what is better known by the maps of face[i] at vertex[i] than before."""
    extent = np.append(np.abs(polygon).max(axis=0), 1.0)
    first, stop = (np.searchsorted(lines[:, 0], vertex, side=side) for side in ("left", "right"))
    count = stop - first
    item = np.repeat(np.arange(len(vertex)), count)
    line = lines[np.repeat(first - np.cumsum(count) + count, count) + np.arange(len(item)), 1:]
    rows = _rows_of_lines(maps, steps, polygon, extent, face[item], line)

    farness = rows.error / rows.length
    p = _least(item, np.where(np.isfinite(farness), farness, np.inf), len(vertex))
    q = _least(item, _uncertainty(rows, rows[p[item]], extent), len(vertex))
    point, pair = _meeting_point(rows[p], rows[q])
    error = _uncertainty(*pair, extent)
    value, bound = _at(rows, point[:, item], (pair[0][item], pair[1][item]))
    apart = np.bincount(item, ~(np.abs(value[0]) <= bound), len(vertex)) > 0
    error[apart | ~np.isfinite(point[0]).all(axis=1)] = np.inf

    best = np.lexsort((error, vertex))
    best = best[np.unique(vertex[best], return_index=True)[1]]
    best = best[error[best] < found.error[vertex[best]]]
    target = vertex[best]
    found.error[target], found.positions[target] = error[best], point[0, best]
    for slot, values in found.values.items():
        size = values.shape[2]
        features = maps.coefficients[slot][:, face[best]].swapaxes(2, 3).reshape(2, -1, 3)
        bounds = maps.unit * extent @ maps.sizes[slot][face[best]]
        which = np.repeat(best, size)
        value, bound = _at(_Rows(features, bounds.ravel()), point[:, which], (pair[0][which], pair[1][which]))
        values[:, target] = np.where(np.abs(value[0]) <= bound, 0.0, value).reshape(2, -1, size)
        found.errors[slot][target] = bound.reshape(-1, size)


def _rows_of_lines(
    maps: FaceMaps, steps: Sequence[Step], polygon: Float, extent: Float, face: Numbers, line: Numbers
) -> _Rows:
    """The rows line[k] = (layer, row), minus their breakpoints, on face[k]."""
    coefficients, error = np.empty((2, len(line), 3)), np.empty(len(line))
    layer, row = line.T
    on_border = layer == BORDER
    sides = _sides(polygon)
    coefficients[:, on_border] = sides.coefficients[:, row[on_border]]
    error[on_border] = maps.unit * sides.error[row[on_border]]
    kinks = [step for step in steps if isinstance(step, Kink)]
    for number in np.unique(layer[~on_border]).tolist():
        kink, own = kinks[number], layer == number
        neuron, breakpoint_ = kink.row_neuron[row[own]], kink.row_breakpoint[row[own]]
        map_ = maps.coefficients[kink.source][:, face[own], :, neuron].transpose(1, 0, 2).copy()
        map_[..., 2] = plus(map_[..., 2], of(-breakpoint_))
        coefficients[:, own] = map_
        size = maps.sizes[kink.source][face[own], :, neuron]
        error[own] = maps.unit * (size @ extent + np.abs(breakpoint_))
    return _Rows(coefficients, error)


def _sides(polygon: Float) -> _Rows:
    """The lines along the sides of a polygon (M, 2); `error` counts in units of the rounding."""
    start, end = of(polygon), of(np.roll(polygon, -1, axis=0))
    x, y = np.moveaxis(plus(end, -start), 2, 0)
    constant = plus(times(y, start[..., 0]), -times(x, start[..., 1]))
    size = np.abs(polygon).max() ** 2
    return _Rows(np.stack([-y, x, constant], axis=2), np.full(len(polygon), 8.0 * size))


def _least(item: Numbers, values: Float, count: int) -> Numbers:
    """(count,): for each item the number of its smallest value; every item has one."""
    order = np.lexsort((values, item))
    return np.asarray(order[np.searchsorted(item[order], np.arange(count))])


def _product(rows: _Rows, i: int, others: _Rows, j: int) -> Float:
    return times(rows.coefficients[..., i], others.coefficients[..., j])


def _minor(rows: _Rows, others: _Rows, i: int, j: int) -> Float:
    return plus(_product(rows, i, others, j), -_product(rows, j, others, i))


def _determinant(rows: _Rows, others: _Rows) -> Float:
    """(K,) float64: of the gradients."""
    return np.asarray(_minor(rows, others, 0, 1)[0])


def _uncertainty(p: _Rows, q: _Rows, extent: Float) -> Float:
    """(K,): how far from each other points may be at which both rows are zero; inf where that is not known."""
    determinant = np.abs(_determinant(p, q))
    both = p.error * q.length + q.error * p.length
    known = (determinant > 4.0 * both / extent[:2].min()) & np.isfinite(both / determinant)
    return np.where(known, 2.0 * both / determinant, np.inf)


def _meeting_point(p: _Rows, q: _Rows) -> tuple[Float, tuple[_Rows, _Rows]]:
    """(2, K, 2) double-double: where both are zero; and they, with what they differ from zero there as an error."""
    determinant = _minor(p, q, 0, 1)
    point = np.stack([over(_minor(p, q, 1, 2), determinant), over(_minor(p, q, 2, 0), determinant)], axis=2)
    # Cramer's rule loses by the angle what a step of Newton's method brings back.
    at_p, at_q = _value(p, point)[0], _value(q, point)[0]
    (a, b), (c, d) = (np.moveaxis(rows.coefficients[0, :, :2], 1, 0) for rows in (p, q))
    step = np.stack([b * at_q - d * at_p, c * at_p - a * at_q], axis=1) / determinant[0][:, None]
    point = plus(point, of(step))
    return point, (
        _Rows(p.coefficients, p.error + np.abs(_value(p, point)[0])),
        _Rows(q.coefficients, q.error + np.abs(_value(q, point)[0])),
    )


def _value(rows: _Rows, point: Float) -> Float:
    """(2, K) double-double: the rows at the points."""
    a, b, constant = np.moveaxis(rows.coefficients, 2, 0)
    return plus(plus(times(a, point[..., 0]), times(b, point[..., 1])), constant)


def _at(rows: _Rows, point: Float, pair: tuple[_Rows, _Rows]) -> tuple[Float, Float]:
    """The rows' values (2, K) at the points where each one's pair is zero, and the bounds of their errors (K,)."""
    p, q = pair
    along = np.abs(_determinant(p, q))
    by_p, by_q = (
        (np.abs(_determinant(rows, other)) + _ROUNDING * rows.length * other.length) / along for other in (q, p)
    )
    return _value(rows, point), 2.0 * (rows.error + by_p * p.error + by_q * q.error)
