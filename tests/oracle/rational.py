"""The partition of a slice in exact rational arithmetic: the oracle that the engine is compared with.

Shares no code with the engine.  A point of the slice is homogeneous, (X, Y, W) with W > 0; an affine function on it is
(a, b, c), with value (aX + bY + cW) / W; a list of such functions has one positive denominator, all else is an integer.
Every corner is the crossing of two lines, never computed from other corners, so that integers stay short.  Numbers may
be given as int, float (taken exactly), Fraction or gmpy2.mpq; answers are gmpy2.mpq.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import gcd, lcm
from operator import mul
from typing import Any

from gmpy2 import mpq

Rational = Any
"""int, float, fractions.Fraction or gmpy2.mpq: whatever has as_integer_ratio()."""
Triple = tuple[int, int, int]
Rows = tuple[list[Triple], int]
"""Affine functions on the slice, integer coefficients over one positive denominator."""


@dataclass(frozen=True, eq=False)
class Affine:
    """weight @ source + bias."""

    source: int
    weight: Sequence[Sequence[Rational]]
    bias: Sequence[Rational]


@dataclass(frozen=True, eq=False)
class Piecewise:
    """Neuron by neuron: ascending breakpoints[j], and pieces[j] = ((slope, intercept), ...), one more than these."""

    source: int
    breakpoints: Sequence[tuple[Rational, ...]]
    pieces: Sequence[tuple[tuple[Rational, Rational], ...]]

    def __post_init__(self) -> None:
        for breakpoints, pieces in set(zip(self.breakpoints, self.pieces, strict=True)):
            for t, before, after in zip(breakpoints, pieces[:-1], pieces[1:], strict=True):
                at = mpq(t)
                left, right = (mpq(slope) * at + mpq(intercept) for slope, intercept in (before, after))
                assert left == right, "a jump"


@dataclass(frozen=True, eq=False)
class Maximum:
    """maximum(left, right); the sign of row j is that of left[j] - right[j]."""

    left: int
    right: int


@dataclass(frozen=True, eq=False)
class Minimum:
    """minimum(left, right); the sign of row j is that of left[j] - right[j]."""

    left: int
    right: int


@dataclass(frozen=True, eq=False)
class Add:
    left: int
    right: int


@dataclass(frozen=True, eq=False)
class Concat:
    sources: tuple[int, ...]


Operation = Affine | Piecewise | Maximum | Minimum | Add | Concat
Spec = tuple[Operation, ...]
"""A network: value 0 is the input, value i + 1 the result of operation i, the last one the output."""


@dataclass(frozen=True, eq=False, slots=True)
class Region:
    """corners: homogeneous (X, Y, W), W > 0, counter-clockwise; signs: -1, 0 or 1 for each row, the output's last."""

    corners: tuple[Triple, ...]
    signs: tuple[int, ...]

    @property
    def polygon(self) -> list[tuple[mpq, mpq]]:
        return [(mpq(x, w), mpq(y, w)) for x, y, w in self.corners]

    @property
    def area(self) -> mpq:
        return polygon_area(self.polygon)


@dataclass(frozen=True, eq=False)
class RationalPartition:
    """regions: cut by the level when there is one; linear_regions: how many there were before that cut."""

    regions: list[Region]
    linear_regions: int

    @property
    def sign_vectors(self) -> set[tuple[int, ...]]:
        return {region.signs for region in self.regions}


def polygon_area(polygon: Sequence[tuple[Rational, Rational]]) -> mpq:
    """The signed area: positive when counter-clockwise."""
    following = [*polygon[1:], polygon[0]]
    return sum((x * q - y * p for (x, y), (p, q) in zip(polygon, following, strict=True)), mpq(0)) / 2


def partition(
    spec: Spec,
    polygon: Sequence[Sequence[Rational]],
    origin: Sequence[Rational],
    axes: Sequence[Sequence[Rational]],
    level: Rational | None = 0,
) -> RationalPartition:
    """All maximal open sets of constant sign vector in a convex polygon of a plane.

    polygon: corners (u, v), counter-clockwise and strictly convex; (u, v) is the input origin + u axes[0] + v axes[1].
    Signs: by operation that bends, then by neuron, then by breakpoint; last the output minus the level.
    """
    cells = [_domain_cell(polygon, origin, axes)]
    for operation in spec:
        step = _STEPS[type(operation)](operation)
        cells = [child for cell in cells for child in step(cell)]
    linear_regions = len(cells)
    if level is not None:
        cut = _LevelStep(level)
        cells = [child for cell in cells for child in cut(cell)]
    regions = [Region(tuple(corners), signs) for (corners, _), _, signs in cells]
    found = RationalPartition(regions, linear_regions)
    assert len(found.sign_vectors) == len(regions), "a set of constant signs is convex: no sign vector occurs twice"
    return found


Loop = tuple[list[Triple], list[Triple]]
"""Corners, and lines: lines[i] holds the side from corner i to the next."""
Cell = tuple[Loop, tuple[Rows, ...], tuple[int, ...]]
"""A loop, every value on it, and the signs so far."""


def _domain_cell(
    polygon: Sequence[Sequence[Rational]], origin: Sequence[Rational], axes: Sequence[Sequence[Rational]]
) -> Cell:
    corners: list[Triple] = []
    for u, v in polygon:
        (x, y), w = _integers([u, v])
        corners.append((x, y, w))
    lines = [_line(a, b) for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)]
    for line in lines:
        assert sum(_at(line, corner) == 0 for corner in corners) == 2, "the polygon is not strictly convex"
        assert all(_at(line, corner) >= 0 for corner in corners), "the polygon is not counter-clockwise and convex"
    flat, denominator = _integers([*axes[0], *axes[1], *origin])
    size = len(origin)
    rows = list(zip(flat[:size], flat[size : 2 * size], flat[2 * size :], strict=True))
    return (corners, lines), ((rows, denominator),), ()


class _AffineStep:
    def __init__(self, operation: Affine) -> None:
        self.source = operation.source
        width = len(operation.weight[0])
        flat, self.denominator = _integers([*(w for row in operation.weight for w in row), *operation.bias])
        self.weight = [flat[k * width : (k + 1) * width] for k in range(len(operation.weight))]
        self.bias = flat[len(self.weight) * width :]
        assert len(self.bias) == len(self.weight)

    def __call__(self, cell: Cell) -> list[Cell]:
        loop, values, signs = cell
        rows, denominator = values[self.source]
        assert len(rows) == len(self.weight[0])
        alive = [j for j, row in enumerate(rows) if row != (0, 0, 0)]
        weight = self.weight
        if len(alive) < len(rows):
            rows = [rows[j] for j in alive]
            weight = [[row[j] for j in alive] for row in weight]
        columns = tuple(zip(*rows, strict=True)) or ((), (), ())
        us, vs, ones = columns
        result = [
            (sum(map(mul, w, us)), sum(map(mul, w, vs)), sum(map(mul, w, ones)) + b * denominator)
            for w, b in zip(weight, self.bias, strict=True)
        ]
        return [(loop, (*values, (result, denominator * self.denominator)), signs)]


class _PiecewiseStep:
    def __init__(self, operation: Piecewise) -> None:
        self.source = operation.source
        self.breakpoints = [[t.as_integer_ratio() for t in breakpoints] for breakpoints in operation.breakpoints]
        flat, self.denominator = _integers(
            [number for pieces in operation.pieces for piece in pieces for number in piece]
        )
        pairs = iter(zip(flat[::2], flat[1::2], strict=True))
        self.pieces = [[next(pairs) for _ in pieces] for pieces in operation.pieces]
        ends = list(accumulate(map(len, self.breakpoints)))
        self.rows = [slice(end - len(bends), end) for end, bends in zip(ends, self.breakpoints, strict=True)]
        self.neuron = [j for j, bends in enumerate(self.breakpoints) for _ in bends]

    def __call__(self, cell: Cell) -> list[Cell]:
        loop, values, signs = cell
        rows, q = values[self.source]
        lines = [
            (a * down, b * down, c * down - up * q)
            for (a, b, c), breakpoints in zip(rows, self.breakpoints, strict=True)
            for up, down in breakpoints
        ]

        def bent(j: int, new_signs: tuple[int, ...]) -> Triple:
            a, b, c = rows[j]
            slope, intercept = self.pieces[j][new_signs[self.rows[j]].count(1)]
            return slope * a, slope * b, slope * c + intercept * q

        parts, crossing = _arrange(loop, lines)
        common = [bent(j, parts[0][1]) for j in range(len(rows))]
        bending = sorted({self.neuron[row] for row in crossing})
        children: list[Cell] = []
        for part, new_signs in parts:
            result = common.copy()
            for j in bending:
                result[j] = bent(j, new_signs)
            children.append((part, (*values, (result, q * self.denominator)), signs + new_signs))
        return children


class _ExtremumStep:
    def __init__(self, operation: Maximum | Minimum) -> None:
        self.operation = operation
        self.left_when = 1 if isinstance(operation, Maximum) else -1

    def __call__(self, cell: Cell) -> list[Cell]:
        loop, values, signs = cell
        (left, right), q = _common([values[self.operation.left], values[self.operation.right]])
        lines = [(a - d, b - e, c - f) for (a, b, c), (d, e, f) in zip(left, right, strict=True)]
        children: list[Cell] = []
        for part, new_signs in _arrange(loop, lines)[0]:
            result = [a if sign == self.left_when else b for a, b, sign in zip(left, right, new_signs, strict=True)]
            children.append((part, (*values, (result, q)), signs + new_signs))
        return children


class _AddStep:
    def __init__(self, operation: Add) -> None:
        self.operation = operation

    def __call__(self, cell: Cell) -> list[Cell]:
        loop, values, signs = cell
        (left, right), q = _common([values[self.operation.left], values[self.operation.right]])
        result = [(a + d, b + e, c + f) for (a, b, c), (d, e, f) in zip(left, right, strict=True)]
        return [(loop, (*values, (result, q)), signs)]


class _ConcatStep:
    def __init__(self, operation: Concat) -> None:
        self.operation = operation

    def __call__(self, cell: Cell) -> list[Cell]:
        loop, values, signs = cell
        parts, q = _common([values[source] for source in self.operation.sources])
        return [(loop, (*values, ([row for part in parts for row in part], q)), signs)]


class _LevelStep:
    def __init__(self, level: Rational) -> None:
        self.up, self.down = level.as_integer_ratio()

    def __call__(self, cell: Cell) -> list[Cell]:
        loop, values, signs = cell
        rows, q = values[-1]
        lines = [(a * self.down, b * self.down, c * self.down - self.up * q) for a, b, c in rows]
        return [(part, values, signs + new_signs) for part, new_signs in _arrange(loop, lines)[0]]


_STEPS: dict[type, Any] = {
    Affine: _AffineStep,
    Piecewise: _PiecewiseStep,
    Maximum: _ExtremumStep,
    Minimum: _ExtremumStep,
    Add: _AddStep,
    Concat: _ConcatStep,
}


def _arrange(loop: Loop, lines: list[Triple]) -> tuple[list[tuple[Loop, tuple[int, ...]]], list[int]]:
    """The parts of a convex loop between the lines, with the sign of every line on each; and the lines that cross it:
    the signs of others are the same on all parts.
    """
    signs = [0] * len(lines)
    crossing = []
    for k, line in enumerate(lines):
        a, b, c = line
        if a == 0 == b:
            signs[k] = (c > 0) - (c < 0)
            continue
        low, high = _range(line, loop[0])
        if low < 0 < high:
            crossing.append(k)
        else:
            signs[k] = 1 if high > 0 else -1
    parts = [(loop, signs)]
    for k in crossing:
        divisor = gcd(*lines[k])
        line = (lines[k][0] // divisor, lines[k][1] // divisor, lines[k][2] // divisor)
        split = []
        for part, part_signs in parts:
            sides = _split(part, line)
            for side, sign in sides:
                side_signs = part_signs.copy() if len(sides) > 1 else part_signs
                side_signs[k] = sign
                split.append((side, side_signs))
        parts = split
    return [(part, tuple(part_signs)) for part, part_signs in parts], crossing


def _range(line: Triple, corners: list[Triple]) -> tuple[int, int]:
    a, b, c = line
    values = [a * x + b * y + c * w for x, y, w in corners]
    return min(values), max(values)


def _split(loop: Loop, line: Triple) -> list[tuple[Loop, int]]:
    """The open parts of the loop on the two sides of a line, with the line's sign on them: one or two."""
    corners, sides = loop
    a, b, c = line
    values = [a * x + b * y + c * w for x, y, w in corners]
    if min(values) >= 0:
        return [(loop, 1)]
    if max(values) <= 0:
        return [(loop, -1)]
    above: Loop = ([], [])
    below: Loop = ([], [])
    for corner, side, value, following in zip(corners, sides, values, [*values[1:], values[0]], strict=True):
        if value >= 0:
            above[0].append(corner)
            above[1].append(side if value > 0 or following > 0 else line)
        if value <= 0:
            below[0].append(corner)
            below[1].append(side if value < 0 or following < 0 else line)
        if value > 0 > following or value < 0 < following:
            crossing = _crossing(line, side)
            above[0].append(crossing)
            above[1].append(line if value > 0 else side)
            below[0].append(crossing)
            below[1].append(line if value < 0 else side)
    return [(above, 1), (below, -1)]


def _crossing(line: Triple, other: Triple) -> Triple:
    a, b, c = line
    d, e, f = other
    w = a * e - b * d
    if w > 0:
        return b * f - c * e, c * d - a * f, w
    return c * e - b * f, a * f - c * d, -w


def _line(start: Triple, end: Triple) -> Triple:
    """The line through two points, positive to the left of the way from the first to the second."""
    x, y, w = start
    p, q, r = end
    return y * r - w * q, w * p - x * r, x * q - y * p


def _at(line: Triple, corner: Triple) -> int:
    return sum(map(mul, line, corner))


def _integers(numbers: Sequence[Rational]) -> tuple[list[int], int]:
    """Numerators over the least common denominator."""
    ratios = [number.as_integer_ratio() for number in numbers]
    denominator = lcm(*(int(down) for _, down in ratios))
    return [int(up) * (denominator // int(down)) for up, down in ratios], denominator


def _common(values: Sequence[Rows]) -> tuple[list[list[Triple]], int]:
    """The same values over one denominator."""
    denominator = lcm(*(q for _, q in values))
    scaled = []
    for rows, q in values:
        k = denominator // q
        scaled.append(rows if k == 1 else [(a * k, b * k, c * k) for a, b, c in rows])
    return scaled, denominator


def forward(spec: Spec, point: Sequence[Rational], level: Rational | None = 0) -> tuple[list[mpq], tuple[int, ...]]:
    """The output at one input, and the sign of every row there: plain evaluation, apart from everything above."""
    values = [[mpq(x) for x in point]]
    signs: list[int] = []
    for operation in spec:
        match operation:
            case Affine(source=source, weight=weight, bias=bias):
                result = [
                    sum((mpq(w) * h for w, h in zip(row, values[source], strict=True)), mpq(b))
                    for row, b in zip(weight, bias, strict=True)
                ]
            case Piecewise(source=source, breakpoints=breakpoints, pieces=pieces):
                result = []
                for z, bends, lines in zip(values[source], breakpoints, pieces, strict=True):
                    signs += [_sign(z - mpq(t)) for t in bends]
                    slope, intercept = lines[sum(z > mpq(t) for t in bends)]
                    result.append(mpq(slope) * z + mpq(intercept))
            case Maximum(left=left, right=right) | Minimum(left=left, right=right):
                choose = max if isinstance(operation, Maximum) else min
                pairs = list(zip(values[left], values[right], strict=True))
                signs += [_sign(a - b) for a, b in pairs]
                result = [choose(a, b) for a, b in pairs]
            case Add(left=left, right=right):
                result = [a + b for a, b in zip(values[left], values[right], strict=True)]
            case Concat(sources=sources):
                result = [h for source in sources for h in values[source]]
        values.append(result)
    if level is not None:
        signs += [_sign(f - mpq(level)) for f in values[-1]]
    return values[-1], tuple(signs)


def _sign(number: mpq) -> int:
    return (number > 0) - (number < 0)
