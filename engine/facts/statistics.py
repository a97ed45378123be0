"""What each neuron does in a slice: how long its lines are, how near the level set, whether it switches at all."""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int
from engine.errors import EngineError
from engine.machine.jit import inline, kernel
from engine.planar_map.planar_map import Partition

_GROUP = 8  # segments of the level set in a box, and boxes in a larger one


@dataclass(frozen=True, eq=False, slots=True)
class NeuronStatistics:
    """The N neurons of all kinks, by kink and neuron, in one slice.

    layer, neuron (N,) int32
    lengths    (N,) float64: of the edges on the neuron's lines, those that an earlier neuron made included
    distances  (N,) float64: from the neuron's lines to the nearest point of the level set in the slice; exactly 0 where
               they meet, inf where one of them is not in the slice
    above, below (N,) bool: in some region the pre-activation is greater, or less, than its breakpoint (the lowest of
               several); neither is so for one that equals it throughout, or has none
    """

    layer: Int
    neuron: Int
    lengths: Float
    distances: Float
    above: NDArray[np.bool_]
    below: NDArray[np.bool_]


def neuron_statistics(partition: Partition) -> NeuronStatistics:
    """Facts about all neurons in a whole slice.  Raises EngineError for a snapshot of an unfinished partition."""
    kinks = partition.network.kinks
    if len(partition.face_signs) <= len(kinks):
        raise EngineError("the partition is not finished, so its neurons are not known; wait for the last layer")
    sizes = [len(kink.breakpoints) for kink in kinks]
    first = np.cumsum([0, *sizes])
    count = int(first[-1])
    edges, owners = _lines(partition, first)
    ends = partition.vertices[partition.edges[edges]]
    lengths = np.bincount(owners, np.hypot(*(ends[:, 1] - ends[:, 0]).T), count).astype(np.float64)
    above, below = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    for kink, signs, start in zip(kinks, partition.face_signs, first, strict=False):
        neurons, rows = np.unique(kink.row_neuron, return_index=True)  # a neuron's rows are ordered by breakpoint
        for words, seen in ((signs.plus, above), (signs.minus, below)):
            bits = np.bitwise_or.reduce(words, axis=0).astype("<u8").view(np.uint8)
            seen[start + neurons] = np.unpackbits(bits, count=signs.rows, bitorder="little")[rows]
    layer = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    neuron = np.arange(count, dtype=np.int32) - first[layer].astype(np.int32)
    distances = _level_distances(partition, edges, owners, count)
    for array in (layer, neuron, lengths, distances, above, below):
        array.setflags(write=False)
    return NeuronStatistics(layer, neuron, lengths, distances, above, below)


def _lines(partition: Partition, first: NDArray[np.int64]) -> tuple[Int, Int]:
    """Edges, and the neurons, counted through all kinks, on whose lines they are; one of several comes repeatedly."""
    layers = len(first) - 1
    own = np.flatnonzero((partition.edge_layer >= 0) & (partition.edge_layer < layers))
    owners = first[partition.edge_layer[own]] + partition.edge_neuron[own]
    also = np.flatnonzero(partition.edge_also[:, 0] < layers)
    if len(also):
        layer, neuron = partition.edge_also[also].T
        carriers = np.searchsorted(partition.edge_also_offsets, also, side="right") - 1
        own, owners = np.concatenate([own, carriers]), np.concatenate([owners, first[layer] + neuron])
    return own.astype(np.int32), owners.astype(np.int32)


def _level_distances(partition: Partition, edges: Int, owners: Int, count: int) -> Float:
    """(count,) float64.  Edges of a planar map meet in vertices only, so meeting needs no geometry."""
    distances = np.full(count, np.inf)
    level = partition.edges[partition.edge_on_level]
    if not len(level) or not len(edges):
        return distances
    reached = np.zeros(len(partition.vertices), np.bool_)
    reached[level] = True
    distances[owners[reached[partition.edges[edges]].any(axis=1)]] = 0.0
    apart = distances[owners] > 0.0
    edges, owners = edges[apart], owners[apart]
    order = np.argsort(owners, kind="stable")
    starts = np.searchsorted(owners[order], np.arange(count + 1))
    segments = _in_groups(partition.vertices[level])
    boxes = _boxes(segments.min(axis=1), segments.max(axis=1))
    lines = partition.vertices[partition.edges[edges[order]]]
    _find_least_distances(starts, lines, segments, boxes, _boxes(boxes[:, :2], boxes[:, 2:]), distances)
    return distances


def _in_groups(segments: Float) -> Float:
    """Segments (K, 2, 2), so ordered that those that follow each other are near: along the rows of a grid."""
    middles = segments.mean(axis=1)
    low = middles.min(axis=0)
    cells = max(1, int(np.sqrt(len(segments) / _GROUP)))
    x, y = np.minimum(cells * (middles - low) / np.maximum(np.ptp(middles, axis=0), 1e-300), cells - 1).astype(int).T
    return np.ascontiguousarray(segments[np.lexsort((np.where(y % 2, -x, x), y))])


def _boxes(lower: Float, upper: Float) -> Float:
    """(B, 4) float64: lower and upper corners of the boxes around each group of things with corners (N, 2)."""
    starts = np.arange(0, len(lower), _GROUP)
    parts = np.minimum.reduceat(lower, starts), np.maximum.reduceat(upper, starts)
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


@inline
def _square_between(box, x0, y0, x1, y1):
    """The squared distance between a box and another one."""
    dx = max(box[0] - x1, x0 - box[2], 0.0)
    dy = max(box[1] - y1, y0 - box[3], 0.0)
    return dx * dx + dy * dy


@inline
def _square_to_segment(px, py, ax, ay, bx, by):
    """The squared distance of a point from a segment."""
    dx, dy, x, y = bx - ax, by - ay, px - ax, py - ay
    square = dx * dx + dy * dy
    t = min(max((x * dx + y * dy) / square, 0.0), 1.0) if square > 0.0 else 0.0
    x, y = x - t * dx, y - t * dy
    return x * x + y * y


@kernel
def _find_least_distances(starts, lines, segments, boxes, larger, distances):
    """The least distance of each neuron's lines (those from starts[n] to starts[n + 1]) from the segments, which they
    do not meet: where they are nearest one of them ends.  A box is opened only when it is nearer than what the neuron
    has already."""
    for n in range(len(starts) - 1):
        if starts[n] == starts[n + 1]:
            continue
        best = np.inf
        for i in range(starts[n], starts[n + 1]):
            ax, ay, bx, by = lines[i, 0, 0], lines[i, 0, 1], lines[i, 1, 0], lines[i, 1, 1]
            x0, x1, y0, y1 = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
            for h in range(len(larger)):
                if _square_between(larger[h], x0, y0, x1, y1) >= best:
                    continue
                for g in range(h * _GROUP, min((h + 1) * _GROUP, len(boxes))):
                    if _square_between(boxes[g], x0, y0, x1, y1) >= best:
                        continue
                    for s in range(g * _GROUP, min((g + 1) * _GROUP, len(segments))):
                        cx, cy, ex, ey = segments[s, 0, 0], segments[s, 0, 1], segments[s, 1, 0], segments[s, 1, 1]
                        best = min(
                            best,
                            _square_to_segment(ax, ay, cx, cy, ex, ey),
                            _square_to_segment(bx, by, cx, cy, ex, ey),
                            _square_to_segment(cx, cy, ax, ay, bx, by),
                            _square_to_segment(ex, ey, ax, ay, bx, by),
                        )
        distances[n] = np.sqrt(best)
