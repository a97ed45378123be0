"""Where to start on a level surface: exact crossings of the level along the edges of a grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float
from engine.errors import EngineError
from engine.exactness.predicates import map_tolerance
from engine.machine import memory
from engine.machine.jit import inner, kernel
from engine.machine.workers import Workers
from engine.network.layers import Layers
from engine.surface.map_builder import accumulate_block, maps_beside, workspace
from engine.surface.segment import walk_segments
from engine.tolerances import POINT

_SHIFT = 0.0361803398875  # of a cell: symmetric networks have creases on symmetric planes, where a start is doubtful
_ODD = (0.5377, 0.8339, -0.2588)
_HALVINGS = 4
_POINTS = 4  # evaluated at a time
_PIECE_NANOSECONDS = 2e6  # of work between two looks at whether to stop
_SEGMENTS = 32  # in a piece of work
_BLOCK = 1 << 16  # points of the grid that are held at a time, or a plane of them

_Found = tuple[Float, NDArray[np.uint64]]


@dataclass(frozen=True, eq=False, slots=True)
class Seeds:
    """Where the surface is looked for: on the edges of a grid, and on further segments.

    resolution: cells of the grid along each side of the box; 0 for no grid.  Two planes of its points lie on opposite
    sides of the box, the others near the middles of the cells.
    segments: (N, 2, 3) float64, the ends of segments in the box.
    """

    resolution: int = 32
    segments: Float | None = None

    def __post_init__(self) -> None:
        if self.resolution != int(self.resolution) or not 0 <= self.resolution <= 1000:
            raise EngineError(f"the resolution of a grid is a whole number from 0 to 1000, not {self.resolution}")
        if self.segments is not None:
            segments = np.array(self.segments, np.float64)
            if segments.ndim != 3 or segments.shape[1:] != (2, 3) or not np.isfinite(segments).all():
                raise EngineError(f"segments are an array (N, 2, 3) of finite numbers, not {segments.shape}")
            segments.setflags(write=False)
            object.__setattr__(self, "segments", segments)


@dataclass(frozen=True, eq=False, slots=True)
class Crossings:
    """Crossings of the level: points (N, 3) float64; signatures (N, W) uint64 of the regions on their positive sides.

    extremes: the smallest and the largest value on the grid, less the level
    flat_regions: number of regions around points of the grid in which the network equals the level throughout
    """

    points: Float
    signatures: NDArray[np.uint64]
    extremes: tuple[float, float]
    flat_regions: int


def find_crossings(
    layers: Layers,
    box: Float,
    seeds: Seeds,
    workers: Workers,
    progress: Callable[[float], None] | None = None,
) -> Crossings:
    """Crossings of the level along every edge of the grid whose ends differ in sign, and all along the segments.

    The grid is looked at in blocks of planes across x, so that memory grows with the square of its resolution and with
    what is found.  progress is told the share that is done.
    """
    found: tuple[list[_Found], ...] = ([], [], [], [])  # along x, y, z, and the segments
    smallest, largest, flat, kept = np.inf, -np.inf, np.empty((0, layers.words), np.uint64), 0.0
    axes = [grid_axis(box[0, d], box[1, d], seeds.resolution) for d in range(3)] if seeds.resolution else []
    for points, values, old, done in _blocks(layers, axes, workers):
        smallest, largest = min(smallest, float(values.min())), max(largest, float(values.max()))
        on_level = points[old:][values[old:] == 0.0]
        if len(on_level):
            more = workers.run(flat_regions, len(on_level), _SEGMENTS, layers, on_level)
            flat = np.unique(np.concatenate([flat, *more]), axis=0)
        for d in range(3):
            here = slice(0 if d == 0 else old, None)  # the edges in a plane were looked at with the block before
            first = tuple(slice(None, -1) if axis == d else slice(None) for axis in range(3))
            second = tuple(slice(1, None) if axis == d else slice(None) for axis in range(3))
            above = values[here] > 0.0
            crossed = above[first] != above[second]
            a, b = points[here][first][crossed], points[here][second][crossed]
            found[d].append(_cross(layers, box, *_halved(layers, a, b, workers), workers))
            kept += sum(array.nbytes for array in found[d][-1])
        what = f"a grid of {seeds.resolution} cells along each side, with what it finds,"
        memory.admit(2.0 * kept, what, "lower the resolution")
        if progress is not None:
            progress(done)
    if seeds.segments is not None:
        found[3].append(_cross(layers, box, seeds.segments[:, 0], seeds.segments[:, 1], workers))
    pieces = [(np.empty((0, 3)), np.empty((0, layers.words), np.uint64)), *chain(*found)]
    points, signatures = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    return Crossings(points, signatures, (smallest, largest), len(flat))


def _blocks(layers: Layers, axes: list[Float], workers: Workers) -> Iterator[tuple[Float, Float, int, float]]:
    """The grid in blocks of planes across x, each with the last plane of the block before: points (n, Y, Z, 3), values
    (n, Y, Z), the number of planes (0 or 1) that the block before has too, and the share of the grid that is done.
    """
    if not axes:
        return
    x, y, z = axes
    step = max(1, _BLOCK // (len(y) * len(z)))
    points, values = np.empty((0, len(y), len(z), 3)), np.empty((0, len(y), len(z)))
    for lo in range(0, len(x), step):
        old, hi = min(lo, 1), min(lo + step, len(x))
        new = np.stack(np.meshgrid(x[lo:hi], y, z, indexing="ij"), axis=-1)
        points = np.concatenate([points[len(points) - old :], new])
        at_new = field(layers, new.reshape(-1, 3), workers).reshape(new.shape[:3])
        values = np.concatenate([values[len(values) - old :], at_new])
        yield points, values, old, hi / len(x)


def _cross(layers: Layers, box: Float, a: Float, b: Float, workers: Workers) -> _Found:
    """The crossings all along segments (N, 3), (N, 3): points and signatures, as Crossings has them."""
    results = workers.run(walk_segments, len(a), _SEGMENTS, layers, a, b, False)
    if not results:
        return np.empty((0, 3)), np.empty((0, layers.words), np.uint64)
    segment, t, rises = (np.concatenate([result[i] for result in results]) for i in (4, 5, 7))
    points = (1.0 - t[:, None]) * a[segment] + t[:, None] * b[segment]
    upwards = np.where(rises[:, None], b[segment] - a[segment], a[segment] - b[segment])
    inwards = box.mean(axis=0) - points
    found = workers.run(regions_beside, len(points), _SEGMENTS, layers, points, upwards, inwards)
    return points, np.concatenate([np.empty((0, layers.words), np.uint64), *found])


def _halved(layers: Layers, a: Float, b: Float, workers: Workers) -> tuple[Float, Float]:
    """Parts of segments (N, 3), (N, 3), whose ends differ in sign like theirs: fewer regions to walk through."""
    above = field(layers, a, workers) > 0.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (a + b)
        same = ((field(layers, middle, workers) > 0.0) == above)[:, None]
        a, b = np.where(same, middle, a), np.where(same, b, middle)
    return a, b


@kernel
def regions_beside(lo, hi, layers, points, upwards, inwards):
    """The signatures (., W) of the regions beside the points lo..hi, (N, 3): a step upwards (N, 3), then a smaller one
    inwards (N, 3), then one that no symmetry knows.

    The segment of a crossing may lie on creases, all of it, also on a side of the box: then any region around it in the
    box has the crossing.
    """
    room = workspace(layers, 4)
    frame = np.empty((3, 3))
    found = np.empty((hi - lo, max(1, (len(layers.row_neuron) + 63) >> 6)), np.uint64)
    for i in range(lo, hi):
        largest, length = 0.0, 0.0
        for d in range(3):
            frame[0, d], frame[1, d], frame[2, d] = upwards[i, d], inwards[i, d], _ODD[d]
            largest = max(largest, abs(points[i, d]))
            length = max(length, abs(upwards[i, d]))
        uncertainty = POINT * (largest + length)
        maps_beside(layers, frame, points[i], uncertainty, room, found[i - lo])
    return found


@kernel
def flat_regions(lo, hi, layers, points):
    """The signatures (., W) of the regions around the points lo..hi in which the output vanishes."""
    room = workspace(layers, 4)
    output = len(layers.bias) - 1
    frame = np.eye(3)
    found = np.empty((hi - lo, max(1, (len(layers.row_neuron) + 63) >> 6)), np.uint64)
    count = 0
    for i in range(lo, hi):
        maps_beside(layers, frame, points[i], 0.0, room, found[count])
        maps, sizes = room[0], room[5]
        steepest = max(abs(maps[0, output]), abs(maps[1, output]), abs(maps[2, output]))
        if steepest <= map_tolerance(sizes[1, output], 0.0, 0.0, 0.0):
            count += 1
    return found[:count].copy()


def grid_axis(low: float, high: float, cells: int) -> Float:
    """The grid's coordinates (cells + 2,) along one axis: the two ends, and one in each cell."""
    inner = low + (high - low) * (np.arange(cells) + 0.5 + _SHIFT) / cells
    return np.concatenate([[low], inner, [high]])


def field(layers: Layers, points: Float, workers: Workers) -> Float:
    """The network's one output less the level (N,) at points (N, 3)."""
    values = np.empty(len(points))
    piece = max(_POINTS, int(_PIECE_NANOSECONDS / (200.0 + 0.1 * len(layers.weights))) // _POINTS * _POINTS)
    workers.run(put_values, len(points), piece, layers, points, values)
    return values


@kernel
def put_values(lo, hi, layers, points, values):
    """Put the output at the points lo..hi into values, at four points at a time: what is zero at all of them, as half
    of a network's neurons are or more, is left out of the next layer's sums.
    """
    maps, outputs, active, counts, _, _ = workspace(layers, _POINTS)
    input_weights, bias, first_neuron = layers.input_weights, layers.bias, layers.first_neuron
    last = len(first_neuron) - 2
    for first in range(lo, hi, _POINTS):
        for m in range(last + 1):
            for c in range(_POINTS):
                at = min(first + c, hi - 1)
                for k in range(np.uint64(first_neuron[m]), np.uint64(first_neuron[m + 1])):
                    maps[c, k] = bias[k]
                if layers.reads_input[m]:
                    for d in range(points.shape[1]):
                        x = points[at, d]
                        for k in range(np.uint64(first_neuron[m]), np.uint64(first_neuron[m + 1])):
                            maps[c, k] += x * input_weights[d, k]
            for b in range(layers.first_block[m], layers.first_block[m + 1]):
                source = layers.block_source[b]
                accumulate_block(m, source, layers, b, maps, outputs, active, counts[source])
            if m < last:
                counts[m] = _apply_kink(m, layers, maps, outputs, active)
        for c in range(min(_POINTS, hi - first)):
            values[first + c] = maps[c, len(bias) - 1]


@inner
def _apply_kink(m, layers, maps, outputs, active):
    """Put what layer m puts out into outputs, and list its neurons for which that is not zero at all points in active;
    returns their number.
    """
    lo, hi = layers.first_neuron[m], layers.first_neuron[m + 1]
    n = lo
    for c in range(_POINTS):
        if layers.rectified[m]:
            for k in range(np.uint64(lo), np.uint64(hi)):
                outputs[c, k] = max(maps[c, k], 0.0)
        else:
            for k in range(lo, hi):
                piece = 0
                for r in range(layers.first_row[k], layers.first_row[k + 1]):
                    if maps[c, k] > layers.row_breakpoint[r]:
                        piece = layers.row_piece[r]
                outputs[c, k] = layers.slopes[k, piece] * maps[c, k] + layers.intercepts[k, piece]
    for k in range(lo, hi):
        active[n] = k - lo
        n += outputs[0, k] != 0.0 or outputs[1, k] != 0.0 or outputs[2, k] != 0.0 or outputs[3, k] != 0.0
    return n - lo
