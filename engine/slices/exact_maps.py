"""Affine maps of a network's values in the faces of a slice, in integers.

Weights, planes and corners are floats, which are dyadic rationals: integers over a power of two.  In a face a network
is affine, and its values there are sums of products of such numbers, so they are dyadic too: nothing is rounded here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Int
from engine.dyadic import Dyadic, aligned, dyadic, product, reduced, shifted
from engine.exactness.exact_lines import Line
from engine.network.steps import Affine, Gather, Kink, Linear, Scale, Sum
from engine.plane import SlicePlane
from engine.slices.schedule import Segment

_MOST_NUMBERS = 1 << 21  # in the maps that are kept: some hundred megabytes


@dataclass(frozen=True, eq=False, slots=True)
class FaceSide:
    """A face of the map before some layer's cut, the face before that layer's predecessor that it is a part of, and how
    the rows of that predecessor stand in it: positive (R,) bool.  Of the face before the first cut there is neither.
    """

    face: int
    parent: int
    positive: NDArray[np.bool_]


@dataclass(eq=False, slots=True)
class _Face:
    """Affine functions in a face: values by slot, after a layer's affine steps but for the last matrix, and features of
    its product that were asked for.
    """

    values: dict[int, Dyadic]
    rows: dict[int, Line] = field(default_factory=dict)


class FaceMaps:
    """The affine maps of a network in the faces of a slice, found when they are asked for.

    segments: the network's, in order; side: for a layer from 1 on and a face before its cut, see FaceSide.
    """

    def __init__(self, plane: SlicePlane, segments: Sequence[Segment], side: Callable[[int, int], FaceSide]) -> None:
        self._plane, self._segments, self._side = plane, segments, side
        self._parameters: dict[int, tuple[Dyadic, Dyadic]] = {}
        # By nonlinearity, the piece after the breakpoint of each row.
        self._after_row: dict[int, NDArray[np.int64]] = {}
        self._faces: dict[tuple[int, int], _Face] = {}
        self._numbers = 0

    def line(self, layer: int, face: int, feature: int) -> Line:
        """Return feature `feature` of the value that layer `layer` cuts by, in a face before that cut."""
        return self._lines_in(self._computed(layer, face), layer, [feature])[0]

    def _lines_in(self, here: _Face, layer: int, features: Sequence[int]) -> list[Line]:
        segment = self._segments[layer]
        missing = [k for k in features if k not in here.rows]
        if missing:
            last = _last_matrix(segment)
            if last is not None:
                forms = self._linear(last, here.values, np.array(missing))
            else:
                forms = here.values[segment.source]
                forms = forms._replace(integers=forms.integers[missing])
            for k, (a, b, c) in zip(missing, forms.integers.tolist(), strict=True):
                here.rows[k] = Line(a, b, c, forms.exponent)
            self._numbers += 3 * len(missing)
        return [here.rows[k] for k in features]

    def _computed(self, layer: int, face: int) -> _Face:
        """Return the face with the values that the layer's steps compute, but for those of its last matrix."""
        if self._numbers > _MOST_NUMBERS:
            self._faces.clear()
            self._numbers = 0
        chain = [(layer, face)]
        while chain[-1] not in self._faces and chain[-1][0] > 0:
            later, part = chain[-1]
            chain.append((later - 1, self._side(later, part).parent))
        for key in reversed(chain):
            if key not in self._faces:
                self._faces[key] = self._made(*key)
        return self._faces[layer, face]

    def _made(self, layer: int, face: int) -> _Face:
        """Return the face of which the one before the preceding cut is there."""
        made, segment = _Face(self._values_before(layer, face)), self._segments[layer]
        last = _last_matrix(segment)
        for step in segment.steps:
            if step is not last:
                made.values[step.target] = self._evaluated(step, made.values)
        self._numbers += sum(forms.integers.size for forms in made.values.values())
        return made

    def _values_before(self, layer: int, face: int) -> dict[int, Dyadic]:
        if layer == 0:
            return {0: dyadic(np.column_stack([*self._plane.axes, self._plane.origin]))}
        side, segment = self._side(layer, face), self._segments[layer - 1]
        kink = segment.kink
        assert kink is not None  # only the last segment has none
        before = self._faces[layer - 1, side.parent]
        values = {slot: before.values[slot] for slot in segment.live if slot != kink.target}
        slope, intercept = self._piece(kink, side.positive)
        live = np.flatnonzero(slope.integers)
        lines = self._lines_in(before, layer - 1, live.tolist())
        forms = np.full((len(kink.slopes), 3), 0, object)
        exponent = max((line.exponent for line in lines), default=0)
        if len(live):
            forms[live] = [[number << (exponent - line.exponent) for number in line[:3]] for line in lines]
        scaled = Dyadic(forms * slope.integers[:, None], exponent + slope.exponent)
        values[kink.target] = shifted(scaled, intercept)
        return values

    def _piece(self, kink: Kink, positive: NDArray[np.bool_]) -> tuple[Dyadic, Dyadic]:
        """Return slope and intercept (n,) of the piece on which each feature is, from the rows that are positive."""
        if kink.target not in self._after_row:
            below = kink.breakpoints[kink.row_neuron] <= kink.row_breakpoint[:, None]
            self._after_row[kink.target] = below.sum(axis=1)
        piece = np.zeros(len(kink.slopes), np.int64)
        np.maximum.at(piece, kink.row_neuron[positive], self._after_row[kink.target][positive])
        slopes, intercepts = self._parameters_of(kink)
        each = np.arange(len(piece))
        return slopes._replace(integers=slopes.integers[each, piece]), intercepts._replace(
            integers=intercepts.integers[each, piece]
        )

    def _parameters_of(self, step: Affine | Kink) -> tuple[Dyadic, Dyadic]:
        found = self._parameters.get(step.target)
        if found is None:
            match step:
                case Linear():
                    found = dyadic(step.weight), dyadic(step.bias)
                case Scale():
                    found = dyadic(step.factor), dyadic(step.shift)
                case Gather():
                    found = dyadic(np.ones(1)), dyadic(step.constants)
                case Kink():
                    found = dyadic(step.slopes), dyadic(step.intercepts)
                case Sum():
                    found = dyadic(np.ones(1)), dyadic(np.zeros(1))
                case _:
                    assert_never(step)
            self._parameters[step.target] = found
        return found

    def _linear(self, step: Linear, values: Mapping[int, Dyadic], rows: Int | NDArray[np.int64]) -> Dyadic:
        """Return some rows of a matrix's product."""
        weight, bias = self._parameters_of(step)
        result = product(weight._replace(integers=weight.integers[rows]), values[step.source])
        return shifted(result, bias._replace(integers=bias.integers[rows]))

    def _evaluated(self, step: Affine, values: Mapping[int, Dyadic]) -> Dyadic:
        match step:
            case Linear():
                source, rows = values[step.source], np.arange(len(step.bias))
                size = step.weight.shape[1]
                blocks = [
                    self._linear(step, {step.source: source._replace(integers=source.integers[i : i + size])}, rows)
                    for i in range(0, len(source.integers), size)
                ]
                parts, exponent = aligned(blocks)
                return Dyadic(np.concatenate(parts), exponent)
            case Scale():
                factor, shift = self._parameters_of(step)
                source = values[step.source]
                scaled = Dyadic(source.integers * factor.integers[:, None], source.exponent + factor.exponent)
                return shifted(scaled, shift)
            case Sum():
                (left, right), exponent = aligned([values[step.left], values[step.right]])
                return reduced(left + right if step.sign > 0 else left - right, exponent)
            case Gather():
                _, constants = self._parameters_of(step)
                rows = np.full((len(step.constants), 3), 0, object)
                rows[:, 2] = constants.integers
                parts, exponent = aligned([*(values[slot] for slot in step.sources), Dyadic(rows, constants.exponent)])
                return reduced(np.concatenate(parts)[step.index], exponent)
            case _:
                assert_never(step)


def _last_matrix(segment: Segment) -> Linear | None:
    """The matrix that a segment ends in, of whose product nothing but single rows is needed."""
    if segment.source in segment.live or not segment.steps:
        return None
    last = segment.steps[-1]
    return last if isinstance(last, Linear) and last.groups == 1 and last.target == segment.source else None
