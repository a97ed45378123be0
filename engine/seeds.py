"""Where to start on a level surface: exact crossings of the level along the edges of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.jit import kernel
from engine.kinks import apply_kink
from engine.layers import Layers
from engine.network import Network, evaluate
from engine.predicates import map_tolerance
from engine.region_maps import maps_beside, workspace
from engine.segment import walk_segments
from engine.steps import Float, Kink
from engine.workers import Workers

_SHIFT = 0.0361803398875  # of a cell: symmetric networks have creases on symmetric planes, where a start is doubtful
_HALVINGS = 4
_BLOCK = 1 << 17  # numbers in the widest value of a block of points
_SEGMENTS = 16  # in a piece of work


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
        if not 0 <= self.resolution <= 1000:
            raise EngineError(f"the resolution of a grid is a number from 0 to 1000, not {self.resolution}")
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
    network: Network, layers: Layers, box: Float, level: float, seeds: Seeds, workers: Workers
) -> Crossings:
    """Crossings of the level along every edge of the grid whose ends differ in sign, and all along the segments."""
    starts, ends = [np.empty((0, 3))], [np.empty((0, 3))]
    extremes, flat = (np.inf, -np.inf), 0
    if seeds.resolution:
        axes = [grid_axis(box[0, d], box[1, d], seeds.resolution) for d in range(3)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        values = field(network, points.reshape(-1, 3), workers).reshape(points.shape[:3]) - level
        extremes = float(values.min()), float(values.max())
        on_level = points[values == 0.0]
        found = workers.run(flat_regions, len(on_level), _SEGMENTS, layers, on_level)
        flat = len(np.unique(np.concatenate(found), axis=0)) if found else 0
        for d in range(3):
            first = tuple(slice(None, -1) if axis == d else slice(None) for axis in range(3))
            second = tuple(slice(1, None) if axis == d else slice(None) for axis in range(3))
            crossed = (values[first] > 0.0) != (values[second] > 0.0)
            shorter = _halved(network, points[first][crossed], points[second][crossed], level, workers)
            starts.append(shorter[0])
            ends.append(shorter[1])
    if seeds.segments is not None:
        starts.append(seeds.segments[:, 0])
        ends.append(seeds.segments[:, 1])
    a, b = np.concatenate(starts), np.concatenate(ends)
    results = workers.run(walk_segments, len(a), _SEGMENTS, layers, a, b, False)
    if not results:
        return Crossings(np.empty((0, 3)), np.empty((0, layers.words), np.uint64), extremes, flat)
    segment = np.concatenate([result[4] for result in results])
    t = np.concatenate([result[5] for result in results])[:, None]
    signatures = np.concatenate([result[6] for result in results])
    return Crossings((1.0 - t) * a[segment] + t * b[segment], signatures, extremes, flat)


def _halved(network: Network, a: Float, b: Float, level: float, workers: Workers) -> tuple[Float, Float]:
    """Parts of segments (N, 3), (N, 3), whose ends differ in sign like theirs: fewer regions to walk through."""
    above = field(network, a, workers) > level
    for _ in range(_HALVINGS):
        middle = 0.5 * (a + b)
        same = ((field(network, middle, workers) > level) == above)[:, None]
        a, b = np.where(same, middle, a), np.where(same, b, middle)
    return a, b


@kernel
def flat_regions(lo, hi, layers, points):
    """The signatures (., W) of the regions around the points lo..hi in which the output vanishes."""
    room = workspace(layers, 4)
    output, last = len(layers.bias) - 1, len(layers.first_neuron) - 2
    frame = np.eye(3)
    found = np.empty((hi - lo, max(1, (len(layers.row_neuron) + 63) >> 6)), np.uint64)
    count = 0
    for i in range(lo, hi):
        maps_beside(layers, frame, points[i], 0.0, room, found[count])
        maps, sizes = room[0], room[5]
        steepest = max(abs(maps[0, output]), abs(maps[1, output]), abs(maps[2, output]))
        if steepest <= map_tolerance(layers.norms[output], sizes[1, last], 0.0, 0.0, 0.0):
            count += 1
    return found[:count].copy()


def grid_axis(low: float, high: float, cells: int) -> Float:
    """The grid's coordinates (cells + 2,) along one axis: the two ends, and one in each cell."""
    inner = low + (high - low) * (np.arange(cells) + 0.5 + _SHIFT) / cells
    return np.concatenate([[low], inner, [high]])


def field(network: Network, points: Float, workers: Workers) -> Float:
    """The network's one output (N,) at points (N, D)."""
    values = np.empty(len(points))

    def run(lo: int, hi: int) -> None:
        slots = {0: points[lo:hi]}
        for step in network.steps:
            if isinstance(step, Kink):
                source = slots[step.source]
                slots[step.target] = apply_kink(step, source, np.empty_like(source))
            else:
                slots[step.target] = evaluate(step, slots, hi - lo)
        values[lo:hi] = slots[network.output][:, 0]

    workers.run(run, len(points), max(64, _BLOCK // max(network.sizes)))
    return values
