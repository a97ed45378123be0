"""The statistics of a slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.state.slices import SliceResult
from app.statistics.nearness import lengths_within
from engine import Partition, areas, centroids, chain_edges, neuron_statistics

_SHARES: Final = (0.01, 0.02, 0.05)  # of the slice's longer side
_PER_DECADE: Final = 4  # bins of areas
_LEAST: Final = 1e-12  # of the slice's area: what is smaller is counted in the first bin
_ECCENTRICITIES: Final = 20  # bins
_SCANS: Final = 2048  # lines across the slice that measure the area near the level set


@dataclass(frozen=True, slots=True)
class DepthStatistics:
    """The neurons and the lines of one nonlinear layer in a slice.

    switching, always_on, dead, constant: neurons that are above their (lowest) breakpoint in some regions and below in
    others, above in all, below in all, or equal to it throughout; edges, length: that the layer made; within: the
    part of the length within each of the distances of the level set.
    """

    layer: int
    name: str
    neurons: int
    switching: int
    always_on: int
    dead: int
    constant: int
    edges: int
    length: float
    within: tuple[float, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Histogram:
    """edges (B + 1,) float64 and counts (B,) int64: from an edge to the next, the last one included."""

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class SliceStatistics:
    """A slice in numbers.

    area: of the slice; level_length: of the level set; distances: from the level set, and area_within: the share of the
    slice's area within each of them, to four digits; area (of regions): below a 10^-12th of the slice's they are in the
    first bin; eccentricity: of the ellipse with a region's second moments, 0 for a circle, towards 1 for slivers.
    """

    plane: str
    area: float
    regions: int
    linear_regions: int
    level: float | None
    level_length: float
    distances: tuple[float, ...]
    area_within: tuple[float, ...]
    depths: tuple[DepthStatistics, ...]
    areas: Histogram
    eccentricities: Histogram
    median_area: float
    median_eccentricity: float

    @property
    def length(self) -> float:
        """Of the lines of all depths."""
        return sum(depth.length for depth in self.depths)

    def to_json(self) -> dict[str, Any]:
        """Return plain values; lists by depth, from the first."""
        return {
            "plane": self.plane,
            "area": self.area,
            "regions": self.regions,
            "linear_regions": self.linear_regions,
            "level": self.level,
            "level_set_length": self.level_length,
            "length": self.length,
            "distances": list(self.distances),
            "area_within": list(self.area_within),
            "depths": [
                {
                    "layer": depth.layer,
                    "name": depth.name,
                    "neurons": depth.neurons,
                    "switching": depth.switching,
                    "always_on": depth.always_on,
                    "dead": depth.dead,
                    "constant": depth.constant,
                    "edges": depth.edges,
                    "length": depth.length,
                    "length_within": list(depth.within),
                }
                for depth in self.depths
            ],
            "median_area": self.median_area,
            "area_histogram": _histogram_json(self.areas),
            "median_eccentricity": self.median_eccentricity,
            "eccentricity_histogram": _histogram_json(self.eccentricities),
        }


def slice_statistics(result: SliceResult, distances: Sequence[float] = ()) -> SliceStatistics:
    """Measure a finished slice of a network with one output.

    distances: in the plane's units; 1, 2 and 5 % of the slice's longer side when there are none.
    """
    partition = result.partition
    side = float(np.ptp(partition.vertices, axis=0).max())
    chosen = tuple(distances) or tuple(share * side for share in _SHARES)
    layers = len(partition.network.kinks)
    segments = partition.vertices[partition.edges[partition.edge_on_level]]
    inner = np.flatnonzero((partition.edge_layer >= 0) & (partition.edge_layer < layers))
    lines, layer = partition.vertices[partition.edges[inner]], partition.edge_layer[inner]
    counts = np.bincount(layer, minlength=layers)
    lengths = np.bincount(layer, np.hypot(*(lines[:, 1] - lines[:, 0]).T), layers)
    within = [np.bincount(layer, lengths_within(lines, segments, far), layers) for far in chosen]
    scans = _scans(partition)
    total = float(np.ptp(scans[:, :, 0], axis=1).sum())
    neurons = neuron_statistics(partition)
    kinds = {
        "switching": neurons.above & neurons.below,
        "always_on": neurons.above & ~neurons.below,
        "dead": ~neurons.above & neurons.below,
        "constant": ~neurons.above & ~neurons.below,
    }
    by_layer = {name: np.bincount(neurons.layer[kind], minlength=layers).tolist() for name, kind in kinds.items()}
    area, eccentricity = areas(partition), eccentricities(partition)
    return SliceStatistics(
        plane=partition.plane.describe(),
        area=float(area.sum()),
        regions=partition.regions,
        linear_regions=partition.linear_regions,
        level=partition.level,
        level_length=float(result.level_set.length),
        distances=chosen,
        area_within=tuple(round(float(lengths_within(scans, segments, far).sum()) / total, 4) for far in chosen),
        depths=tuple(
            DepthStatistics(
                layer=depth,
                name=partition.network.layer_names[depth],
                neurons=len(partition.network.kinks[depth].breakpoints),
                edges=int(counts[depth]),
                length=float(lengths[depth]),
                within=tuple(float(part[depth]) for part in within),
                **{name: by_layer[name][depth] for name in kinds},
            )
            for depth in range(layers)
        ),
        areas=_area_histogram(area),
        eccentricities=_histogram(eccentricity, np.linspace(0.0, 1.0, _ECCENTRICITIES + 1)),
        median_area=float(np.median(area)),
        median_eccentricity=float(np.median(eccentricity)),
    )


def eccentricities(partition: Partition) -> NDArray[np.float64]:
    """Return, for each region (F,), the eccentricity of the ellipse that has its second moments: sqrt(1 - (b / a)^2).

    A region so thin that rounding leaves no moment across it has 1.
    """
    starts, sizes = partition.face_offsets[:-1], np.diff(partition.face_offsets)
    region = np.repeat(np.arange(partition.regions), sizes)
    following = np.arange(1, len(region) + 1)
    following[partition.face_offsets[1:] - 1] = starts
    corners = partition.vertices[partition.face_vertices] - centroids(partition)[region]
    largest = np.maximum(np.maximum.reduceat(np.abs(corners).max(axis=1), starts), np.finfo(float).tiny)
    (x, y) = (corners / largest[region, None]).T
    X, Y = x[following], y[following]
    cross = x * Y - X * y
    xx, yy, xy = (
        np.add.reduceat(cross * moment, starts)
        for moment in (x * x + x * X + X * X, y * y + y * Y + Y * Y, x * y + X * Y + 0.5 * (x * Y + X * y))
    )
    mean, spread = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
    major = mean + spread
    ratio = np.divide(mean - spread, major, out=np.zeros(len(mean)), where=major > 0.0)
    return np.sqrt(1.0 - np.clip(ratio, 0.0, 1.0))


def _area_histogram(area: NDArray[np.float64]) -> Histogram:
    """By quarters of a decade."""
    floor = _LEAST * float(area.sum())
    powers = _PER_DECADE * np.log10(np.maximum(area, floor))
    exponents = np.arange(np.floor(powers.min()), np.floor(powers.max()) + 2.0)
    return _histogram(np.maximum(area, floor), 10.0 ** (exponents / _PER_DECADE))


def _histogram(values: NDArray[np.float64], edges: NDArray[np.float64]) -> Histogram:
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return Histogram(edges, counts.astype(np.int64))


def _histogram_json(histogram: Histogram) -> dict[str, list[float]]:
    return {"edges": histogram.edges.tolist(), "counts": histogram.counts.tolist()}


def _scans(partition: Partition) -> NDArray[np.float64]:
    """(S, 2, 2): chords across the slice, which is convex, at even heights in its middle lines."""
    border = np.flatnonzero(partition.edge_layer == -1).astype(np.int32)
    polygon = partition.vertices[chain_edges(partition, border).vertex_ids]
    low, high = polygon[:, 1].min(), polygon[:, 1].max()
    heights = low + (high - low) * (np.arange(_SCANS) + 0.5) / _SCANS
    start, end = polygon[:-1], polygon[1:]
    rise = end[:, 1] - start[:, 1]
    steep = rise != 0.0
    t = (heights[:, None] - start[steep, 1]) / rise[steep]
    x = np.where((t >= 0.0) & (t <= 1.0), start[steep, 0] + t * (end - start)[steep, 0], np.nan)
    ends = np.stack([np.nanmin(x, axis=1), np.nanmax(x, axis=1)], axis=1)
    return np.stack([ends, np.broadcast_to(heights[:, None], ends.shape)], axis=2)
