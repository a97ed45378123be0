"""Numbers on one network in one slice: regions, lines, the level set, and how far its gradient is from length 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int
from engine.compare.polylines import Distances, segments_of
from engine.errors import EngineError
from engine.facts.face_values import weighted_quantiles
from engine.facts.level_set import level_set
from engine.facts.regions import areas, gradient_norms
from engine.planar_map.planar_map import Partition

QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True)
class SliceMeasures:
    """A network in a slice; lengths, areas and distances are in units of its input space.

    area           of the slice
    regions        cut by the level set too; linear_regions: not cut by it
    lines          of each depth the number of neurons that have a line in the slice
    lengths        of each depth the length of its neurons' lines; where several coincide, each counts
    near, nearby   the number of regions with a point within the distance `nearby` of the level set
    level_length   of the level set
    inside         the area where the output is below the level
    residual       area-weighted mean of | |gradient| - 1 |; residual_quantiles: its QUANTILES by area
    ties           coincidences; unexamined: decisions that were left to rounding
    """

    area: float
    regions: int
    linear_regions: int
    lines: tuple[int, ...]
    lengths: tuple[float, ...]
    near: int
    nearby: float
    level_length: float
    inside: float
    residual: float
    residual_quantiles: tuple[float, ...]
    ties: int
    unexamined: int

    @property
    def region_density(self) -> float:
        """Regions on a unit of area."""
        return self.regions / self.area

    @property
    def line_density(self) -> float:
        """Length of all lines on a unit of area."""
        return sum(self.lengths) / self.area


def slice_measures(partition: Partition, nearby: float) -> SliceMeasures:
    """Measure a finished partition of a network with one output.  nearby: the distance for `near`."""
    if partition.network.output_size != 1:
        raise EngineError(f"a network has {partition.network.output_size} outputs; choose one of them to measure")
    found = level_set(partition)
    area = areas(partition)
    residual = np.abs(gradient_norms(partition) - 1.0)
    lines, lengths = _lines(partition)
    sign = partition.face_signs[-1].signs(np.arange(partition.regions, dtype=np.int32))[:, 0]
    return SliceMeasures(
        area=float(area.sum()),
        regions=partition.regions,
        linear_regions=partition.linear_regions,
        lines=lines,
        lengths=lengths,
        near=int(np.count_nonzero(_within(partition, segments_of(found), nearby))),
        nearby=nearby,
        level_length=found.length,
        inside=float(area[sign < 0].sum()),
        residual=float((area * residual).sum() / area.sum()),
        residual_quantiles=weighted_quantiles(residual, area, QUANTILES),
        ties=partition.ties,
        unexamined=partition.tie_counts.unexamined,
    )


def neuron_edges(partition: Partition) -> tuple[Int, Int, Int]:
    """Return edges with the depth and the neuron on whose line each is; an edge of several comes once for each."""
    layers = len(partition.network.kinks)
    own = np.flatnonzero((partition.edge_layer >= 0) & (partition.edge_layer < layers)).astype(np.int32)
    carriers = np.repeat(np.arange(len(partition.edges), dtype=np.int32), np.diff(partition.edge_also_offsets))
    also = partition.edge_also[:, 0] < layers
    edges = np.concatenate([own, carriers[also]])
    depth = np.concatenate([partition.edge_layer[own], partition.edge_also[also, 0]])
    neuron = np.concatenate([partition.edge_neuron[own], partition.edge_also[also, 1]])
    return edges, depth, neuron


def _lines(partition: Partition) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return of each depth how many neurons have a line, and how long those are."""
    edges, depth, neuron = neuron_edges(partition)
    layers = len(partition.network.kinks)
    pairs = np.unique(np.stack([depth, neuron], axis=1), axis=0)
    ends = partition.vertices[partition.edges[edges]]
    length = np.bincount(depth, np.hypot(*(ends[:, 1] - ends[:, 0]).T), layers)
    return tuple(np.bincount(pairs[:, 0], minlength=layers).tolist()), tuple(length.tolist())


def _within(partition: Partition, level: Float, reach: float) -> NDArray[np.bool_]:
    """(F,) bool: a region has a point within a distance of the level set, which consists of edges of regions."""
    near = np.zeros(partition.regions, np.bool_)
    if not len(level):
        return near
    others = Distances.to(level)
    ends = others.nearest(partition.vertices)[0][partition.edges]
    lines = partition.vertices[partition.edges]
    length = np.hypot(*(lines[:, 1] - lines[:, 0]).T)
    found: NDArray[np.bool_] = np.asarray((ends <= reach).any(axis=1))
    # between two ends that are farther off, an edge comes no nearer than their distances and its length allow
    open_ = np.flatnonzero(~found & (0.5 * (ends.sum(axis=1) - length) <= reach))
    found[open_] = others.come_within(lines[open_], reach)
    sides = partition.edge_faces[found]
    near[sides[sides >= 0]] = True
    return near
