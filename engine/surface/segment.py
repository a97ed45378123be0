"""The exact partition of a segment: where its linear regions meet, and where the network equals the level on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Float, Int
from engine.errors import EngineError
from engine.machine.growing_arrays import grown, grown_rows
from engine.machine.jit import kernel
from engine.network.layers import layers_of
from engine.network.network import Network
from engine.surface.map_builder import maps_beside, tolerance_of, workspace
from engine.tolerances import QUOTIENT


@dataclass(frozen=True, eq=False, slots=True)
class SegmentPartition:
    """The partition of the segment from `start` to `end`, both (D,), into linear regions.

    parameters (M,) float64: 0, then ascending where the regions meet, then 1; the point at t is (1 - t) start + t end.
    values     (M,) float64: the network there
    layer, neuron (M,) int32: the kink and the neuron (the first of several) that bends there; -1 at the two ends
    crossings  (K,) float64: the parameters at which the network equals the level, between values above it and values
               that are not
    level      the level
    """

    start: Float
    end: Float
    parameters: Float
    values: Float
    layer: Int
    neuron: Int
    crossings: Float
    level: float

    @property
    def regions(self) -> int:
        return len(self.parameters) - 1

    def points(self, parameters: ArrayLike) -> Float:
        """(N, D) float64: the points at parameters (N,)."""
        t = np.asarray(parameters, np.float64)[:, None]
        return np.asarray((1.0 - t) * self.start + t * self.end)


def partition_segment(network: Network, start: ArrayLike, end: ArrayLike, level: float = 0.0) -> SegmentPartition:
    """The exact partition of a segment of the network's input space.

    start, end: (D,), two different finite points.  Raises EngineError when they are not, or when the network has
    several outputs.
    """
    try:
        a, b = (np.array(point, np.float64) for point in (start, end))
    except (TypeError, ValueError) as error:
        raise EngineError(f"the ends of a segment are points, arrays of numbers: {error}") from error
    if a.shape != (network.input_size,) or b.shape != a.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise EngineError(f"a segment needs two finite points of the network's {network.input_size} input dimensions")
    if (a == b).all():
        raise EngineError("the ends of the segment are the same point; move one of them")
    if not np.isfinite(level):
        raise EngineError(f"the level must be a finite number, not {level}")
    layers = layers_of(network, level)
    _, t, value, row, _, crossings, _, _ = walk_segments(0, 1, layers, a[None], b[None], True)
    layer, neuron = layers.layer_of_row()
    inner = row >= 0
    names = np.full((2, len(t)), -1, np.int32)
    names[:, inner] = np.stack([layer, neuron])[:, row[inner]]
    result = SegmentPartition(a, b, t, value + level, names[0], names[1], crossings, level)
    for array in (a, b, t, result.values, names, crossings):
        array.setflags(write=False)
    return result


@kernel
def _parameter_rounding(start, end):
    """How uncertain a parameter along a segment is, for the rounding of the points' coordinates."""
    largest, length = 0.0, 0.0
    for d in range(len(start)):
        largest = max(largest, abs(start[d]), abs(end[d]))
        length += (end[d] - start[d]) ** 2
    return QUOTIENT * (1.0 + largest / np.sqrt(length))


@kernel
def walk_segments(lo, hi, layers, starts, ends, keep):
    """Walk the segments lo..hi from region to region.

    Returns offsets (n + 1,) of the segments' events, and for each its parameter, value less the level, and row (the
    first; -1 at the ends) (nothing is kept of them unless `keep`); then for each crossing of the level its segment, its
    parameter, the signature (., W) of the region on its positive side, and whether that is ahead.  A row that vanishes
    all along a segment is not greater in a signature.
    """
    room = workspace(layers, 2)
    maps, sizes = room[0], room[5]
    kinks, output = len(layers.first_neuron) - 2, len(layers.bias) - 1
    words = max(1, (len(layers.row_neuron) + 63) >> 6)
    first_neuron, first_row, row_breakpoint = layers.first_neuron, layers.first_row, layers.row_breakpoint
    bits = np.zeros(words, np.uint64)
    frame, point = np.empty((1, starts.shape[1])), np.empty(starts.shape[1])
    offsets = np.zeros(hi - lo + 1, np.int64)
    t_of, value_of, row_of = np.empty(16), np.empty(16), np.empty(16, np.int64)
    crossing_segment, crossing_t = np.empty(16, np.int64), np.empty(16)
    crossing_bits, crossing_rises = np.empty((16, words), np.uint64), np.empty(16, np.bool_)
    events, crossings = 0, 0
    for s in range(lo, hi):
        for d in range(len(point)):
            frame[0, d] = ends[s, d] - starts[s, d]
        uncertainty = _parameter_rounding(starts[s], ends[s])
        t, row, z_end = 0.0, -1, 1.0
        while True:
            for d in range(len(point)):
                point[d] = (1.0 - t) * starts[s, d] + t * ends[s, d]
            maps_beside(layers, frame, point, uncertainty, room, bits)
            step, next_row = 1.0 - t, -1
            for m in range(kinks):
                for k in range(first_neuron[m], first_neuron[m + 1]):
                    slope = maps[0, k]
                    for r in range(first_row[k], first_row[k + 1]):
                        up = (bits[r >> 6] >> np.uint64(r & 63)) & np.uint64(1)
                        if slope != 0.0 and (slope < 0.0) == (up == 1):
                            x = maps[1, k] - row_breakpoint[r]
                            # a row that vanishes here is behind, whatever its slope's last digits say
                            bound = tolerance_of(k, 0.0, layers, sizes) + uncertainty * abs(slope)
                            if bound < abs(x) < abs(step * slope):
                                step, next_row = abs(x / slope), r
            z = maps[1, output]
            bound = tolerance_of(output, 0.0, layers, sizes) + uncertainty * abs(maps[0, output])
            if abs(z) <= bound or (t > 0.0 and z_end == 0.0):
                z = 0.0
            z_end = z + step * maps[0, output]
            bound = tolerance_of(output, step, layers, sizes) + uncertainty * abs(maps[0, output])
            if abs(z_end) <= bound:
                z_end = 0.0
            if keep:
                t_of, value_of = grown(t_of, events, events + 2), grown(value_of, events, events + 2)
                row_of = grown(row_of, events, events + 2)
                t_of[events], value_of[events], row_of[events] = t, z, row
            events += 1
            if (z > 0.0) != (z_end > 0.0):
                crossing_segment = grown(crossing_segment, crossings, crossings + 1)
                crossing_t = grown(crossing_t, crossings, crossings + 1)
                crossing_bits = grown_rows(crossing_bits, crossings, crossings + 1)
                crossing_rises = grown(crossing_rises, crossings, crossings + 1)
                crossing_rises[crossings] = z_end > 0.0
                crossing_segment[crossings] = s
                crossing_t[crossings] = min(1.0, t + step * z / (z - z_end))
                for w in range(words):
                    crossing_bits[crossings, w] = bits[w]
                crossings += 1
            if next_row < 0 or t + step >= 1.0 or t + step == t:
                if keep:
                    t_of[events], value_of[events], row_of[events] = 1.0, z_end, -1
                events += 1
                break
            t += step
            row = next_row
        offsets[s - lo + 1] = events
    return (
        offsets, t_of[: events if keep else 0], value_of[: events if keep else 0], row_of[: events if keep else 0],
        crossing_segment[:crossings], crossing_t[:crossings], crossing_bits[:crossings], crossing_rises[:crossings],
    )  # fmt: skip
