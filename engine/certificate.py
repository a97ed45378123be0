"""A proof that no component of a level surface was missed, by bounds on boxes.

A missed component has a point with the largest x.  If that point is inside the domain, a (generalised) gradient there
is parallel to the x axis.  An octree looks for boxes in which that cannot be: `empty` ones, where the network differs
from the level; `sloped` ones, where a derivative along y or z keeps its sign; and `visited` ones, where the derivative
along x keeps its sign, so that over each point of the box's shadow on the yz plane there is at most one point of the
level, and the facets that are known cover the whole shadow.  If the point is on the domain's border, the component
leaves a line on one of its six sides: there the exact level set of the slice is compared with the surface's border.

In a box around c, values are enclosed as a . (x - c) + z +- r, and gradients by intervals; at a kink that a box cannot
decide, the nonlinearity is enclosed between two parallel lines (as in Singh, Gehr, Mirman, Pueschel and Vechev, "Fast
and Effective Robustness Certification", NeurIPS 2018).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.layers import Layers, layers_of
from engine.level_set import level_set
from engine.partition import partition_slice
from engine.plane import SlicePlane
from engine.predicates import CERTIFIED_SLACK
from engine.steps import Float
from engine.surface import Surface
from engine.workers import Cancel, Workers, never, single_threaded_blas

_FIRST = 8  # boxes along each side at the start
_BATCH = 1 << 12  # neurons of the widest layer times boxes in a batch: some twenty milliseconds


@dataclass(frozen=True, eq=False, slots=True)
class Certificate:
    """What was proven of a surface.

    certified: no component was missed.  boxes: how many were looked at; empty, sloped, visited: of the octree's leaves.
    unproven (N, 2, 3) float64: lower and upper corners of the leaves that nothing is known of; proven: the share of the
    domain's volume in which no missed component has its point with the largest x; border: whether the surface has all
    lines of the level set on the sides of the domain.
    """

    certified: bool
    boxes: int
    empty: int
    sloped: int
    visited: int
    unproven: Float
    proven: float
    border: bool

    def describe(self) -> str:
        """One line for people."""
        if self.certified:
            return f"certified: no component was missed ({self.boxes:,} boxes)"
        what = [] if self.border else ["a line of the level set on the box's sides is not the surface's"]
        if len(self.unproven):
            share = f"{100.0 * self.proven:.1f}% of the volume is proven to hold no missed one"
            what.append(f"{share}, {len(self.unproven):,} boxes were left after {self.boxes:,}; raise the budget")
        return f"not certified: {', and '.join(what)}"


def certify_surface(
    surface: Surface,
    budget: int = 50_000,
    progress: Callable[[int, int], None] | None = None,
    cancel: Cancel = never,
) -> Certificate:
    """Try to prove that a surface has every component of the level set in its domain.

    budget: boxes to look at.  progress is told the boxes looked at and those that wait; cancelling raises Cancelled.
    Bounds hold up to a relative rounding of CERTIFIED_SLACK.
    """
    layers = layers_of(surface.network, surface.level)
    axes = [np.linspace(low, high, _FIRST + 1) for low, high in surface.domain.T]
    size = np.array([axis[1] - axis[0] for axis in axes])
    lower = np.stack(np.meshgrid(*(axis[:-1] for axis in axes), indexing="ij"), axis=-1).reshape(-1, 3)
    waiting = deque([np.stack([lower, lower + size], axis=1)])
    hopeless: list[Float] = []  # too small to halve: rounding would take over
    batch = max(16, _BATCH // int(np.diff(layers.first_neuron).max()))
    shadows = _Shadows(surface)
    counts = dict.fromkeys(("boxes", "empty", "sloped", "visited"), 0)
    with Workers(1, cancel) as workers, single_threaded_blas():
        while waiting and counts["boxes"] < budget:
            boxes = waiting.popleft()
            boxes, rest = boxes[:batch], boxes[batch:]
            if len(rest):
                waiting.appendleft(rest)
            workers.check()
            value, gradient = enclose(layers, boxes)
            empty = (value[:, 0] > 0.0) | (value[:, 1] < 0.0)
            signed = (gradient[:, :, 0] > 0.0) | (gradient[:, :, 1] < 0.0)
            sloped = ~empty & (signed[:, 1] | signed[:, 2])
            visited = np.zeros(len(boxes), np.bool_)
            polar = np.flatnonzero(~empty & ~sloped & signed[:, 0])
            if len(polar):
                columns = _columns(boxes[polar])
                slope = enclose(layers, columns)[1][:, 0]
                graphs = (slope[:, 0] > 0.0) | (slope[:, 1] < 0.0)
                for box, column in zip(polar[graphs], columns[graphs], strict=True):
                    workers.check()
                    visited[box] = shadows.cover(column)
            counts["boxes"] += len(boxes)
            for name, found in (("empty", empty), ("sloped", sloped), ("visited", visited)):
                counts[name] += int(np.count_nonzero(found))
            left = boxes[~(empty | sloped | visited)]
            tiny = (left[:, 1] - left[:, 0] < CERTIFIED_SLACK * (surface.domain[1] - surface.domain[0])).any(axis=1)
            hopeless.append(left[tiny])
            if not tiny.all():
                waiting.append(_eighths(left[~tiny]))
            if progress is not None:
                progress(counts["boxes"], sum(map(len, waiting)))
        border = _has_border(surface, cancel)
    unproven = np.concatenate([np.empty((0, 2, 3)), *hopeless, *waiting])
    unproven.setflags(write=False)
    sizes = np.prod((unproven[:, 1] - unproven[:, 0]) / (surface.domain[1] - surface.domain[0]), axis=1)
    proven = max(0.0, 1.0 - float(sizes.sum())) if len(unproven) else 1.0
    return Certificate(border and not len(unproven), **counts, unproven=unproven, proven=proven, border=border)


def with_certificate(surface: Surface, certificate: Certificate) -> Surface:
    """The surface whose report says whether it is certified."""
    return replace(surface, report=replace(surface.report, certified=certificate.certified))


def enclose(layers: Layers, boxes: Float) -> tuple[Float, Float]:
    """Bounds in boxes (B, 2, 3) of the output less the level (B, 2), and of its three derivatives (B, 3, 2)."""
    count = len(boxes)
    centre, half = boxes.mean(axis=1), 0.5 * (boxes[:, 1] - boxes[:, 0])
    # columns: the value at the centre, the changes along x, y, z up to the box's sides, the middles of the derivatives
    exact: list[Float] = []
    # columns: the value's remainder, the derivatives' half widths
    loose: list[Float] = []
    last = len(layers.first_neuron) - 2
    for m in range(last + 1):
        lo, hi = layers.first_neuron[m], layers.first_neuron[m + 1]
        weight = layers.input_weights[:, lo:hi]
        z, r = np.zeros((count, hi - lo, 7)), np.zeros((count, hi - lo, 4))
        z[:, :, 0] = layers.bias[lo:hi] + centre @ weight
        z[:, :, 1:4] = half[:, None] * weight.T
        z[:, :, 4:] = weight.T
        for b in range(layers.first_block[m], layers.first_block[m + 1]):
            source, start = layers.block_source[b], layers.block_start[b]
            inputs = layers.first_neuron[source + 1] - layers.first_neuron[source]
            block = layers.weights[start : start + inputs * (hi - lo)].reshape(inputs, hi - lo).T
            z += block @ exact[source]
            r += np.abs(block) @ loose[source]
        reach = np.abs(z[:, :, 1:4]).sum(axis=2) + r[:, :, 0]
        reach = reach + CERTIFIED_SLACK * (np.abs(z[:, :, 0]) + reach)
        low, high = z[:, :, 0] - reach, z[:, :, 0] + reach
        if m == last:
            wide = r[:, 0, 1:] + CERTIFIED_SLACK * (np.abs(z[:, 0, 4:]) + r[:, 0, 1:])
            return np.stack([low[:, 0], high[:, 0]], axis=1), np.stack([z[:, 0, 4:] - wide, z[:, 0, 4:] + wide], axis=2)
        factor, shift, slack, steepest, flattest = _relaxed(layers, int(lo), int(hi), low, high)
        middle, spread = 0.5 * (steepest + flattest), 0.5 * (steepest - flattest)
        out, rest = np.empty_like(z), np.empty_like(r)
        out[:, :, :4] = factor[..., None] * z[:, :, :4]
        out[:, :, 0] += shift
        rest[:, :, 0] = np.abs(factor) * r[:, :, 0] + slack
        out[:, :, 4:] = middle[..., None] * z[:, :, 4:]
        rest[:, :, 1:] = (np.abs(middle) + spread)[..., None] * r[:, :, 1:] + spread[..., None] * np.abs(z[:, :, 4:])
        exact.append(out)
        loose.append(rest)
    raise AssertionError("a network has an output")


def _relaxed(layers: Layers, lo: int, hi: int, low: Float, high: Float) -> tuple[Float, Float, Float, Float, Float]:
    """Nonlinearities between low and high (B, n) as factor z + shift +- slack; their largest and smallest slopes."""
    pieces = layers.slopes.shape[1]
    breakpoints = np.full((hi - lo, pieces + 1), np.inf)
    breakpoints[:, 0] = -np.inf
    slopes, intercepts = layers.slopes[lo:hi], layers.intercepts[lo:hi]
    for k in range(lo, hi):
        for row in range(layers.first_row[k], layers.first_row[k + 1]):
            breakpoints[k - lo, layers.row_piece[row]] = layers.row_breakpoint[row]
    # pieces without a row of their own are empty: they start where the next one does
    for p in range(pieces - 1, 0, -1):
        missing = np.isinf(breakpoints[:, p])
        breakpoints[missing, p] = breakpoints[missing, p + 1]
    ends = []
    for p in range(pieces):
        left, right = np.maximum(low, breakpoints[:, p]), np.minimum(high, breakpoints[:, p + 1])
        there = left <= right
        ends.append((there, left, right, slopes[:, p], intercepts[:, p]))
    steepest = np.max([np.where(there, slope, -np.inf) for there, _, _, slope, _ in ends], axis=0)
    flattest = np.min([np.where(there, slope, np.inf) for there, _, _, slope, _ in ends], axis=0)
    values = [(there, z, slope * np.where(there, z, 0.0) + cut) for there, *both, slope, cut in ends for z in both]
    at_low = np.max([np.where(there & (z == low), v, -np.inf) for there, z, v in values], axis=0)
    at_high = np.max([np.where(there & (z == high), v, -np.inf) for there, z, v in values], axis=0)
    width = high - low
    factor = np.where(width > 0.0, (at_high - at_low) / np.where(width > 0.0, width, 1.0), steepest)
    above = np.max([np.where(there, v - factor * np.where(there, z, 0.0), -np.inf) for there, z, v in values], axis=0)
    below = np.min([np.where(there, v - factor * np.where(there, z, 0.0), np.inf) for there, z, v in values], axis=0)
    return factor, 0.5 * (above + below), 0.5 * (above - below), steepest, flattest


def _eighths(boxes: Float) -> Float:
    middle = boxes.mean(axis=1)
    parts = []
    for corner in range(8):
        upper = np.array([corner >> d & 1 for d in range(3)], np.bool_)
        parts.append(np.stack([np.where(upper, middle, boxes[:, 0]), np.where(upper, boxes[:, 1], middle)], axis=1))
    return np.concatenate(parts)


def _columns(boxes: Float) -> Float:
    """The boxes, longer along x by their length in both directions."""
    columns = boxes.copy()
    length = boxes[:, 1, 0] - boxes[:, 0, 0]
    columns[:, 0, 0] -= length
    columns[:, 1, 0] += length
    return columns


class _Shadows:
    """The shadows of a surface's facets on the yz plane."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        starts = surface.face_offsets[:-1]
        corners = surface.vertices[surface.face_vertices]
        if surface.empty:
            self._low = self._high = np.empty((0, 3))
        else:
            self._low = np.minimum.reduceat(corners, starts, axis=0)
            self._high = np.maximum.reduceat(corners, starts, axis=0)

    def cover(self, column: Float) -> bool:
        """Whether the facets in a box (2, 3) cover its side across x."""
        near = np.flatnonzero(((self._low <= column[1]) & (self._high >= column[0])).all(axis=1))
        side = (column[1, 1] - column[0, 1]) * (column[1, 2] - column[0, 2])
        surface, covered = self._surface, 0.0
        for f in near:
            polygon = surface.vertices[surface.face_vertices[surface.face_offsets[f] : surface.face_offsets[f + 1]]]
            for d in range(3):
                polygon = _above(polygon, d, float(column[0, d]), 1.0)
                polygon = _above(polygon, d, float(column[1, d]), -1.0)
            if len(polygon) > 2:
                y, z = (polygon[:, 1:] - polygon[0, 1:]).T
                covered += 0.5 * abs(float((y * np.roll(z, -1) - z * np.roll(y, -1)).sum()))
        return bool(0.0 < (1.0 - CERTIFIED_SLACK) * side <= covered)


def _above(polygon: Float, axis: int, at: float, sign: float) -> Float:
    """The part of a convex polygon (n, 3) with sign (x - at) >= 0 (Sutherland and Hodgman)."""
    height = sign * (polygon[:, axis] - at)
    if (height >= 0.0).all():
        return polygon
    kept: list[Float] = []
    for i in range(len(polygon)):
        j = (i + 1) % len(polygon)
        if height[i] >= 0.0:
            kept.append(polygon[i])
        if (height[i] >= 0.0) != (height[j] >= 0.0):
            t = height[i] / (height[i] - height[j])
            kept.append((1.0 - t) * polygon[i] + t * polygon[j])
    return np.array(kept).reshape(-1, 3)


def _has_border(surface: Surface, cancel: Cancel) -> bool:
    """Whether the surface has the whole level set on the sides of the domain."""
    ends = surface.vertices[surface.edges]
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    scale = float(np.linalg.norm(surface.domain[1] - surface.domain[0]))
    for side in range(6):
        plane = SlicePlane.from_axis("xyz"[side >> 1], float(surface.domain[side & 1, side >> 1]))
        found = level_set(partition_slice(surface.network, plane, surface.domain, surface.level, cancel=cancel))
        mine = lengths[(surface.edge_layer == -1) & (surface.edge_neuron == side)].sum()
        if abs(found.length - mine) > CERTIFIED_SLACK * (scale + found.length):
            return False
    return True
