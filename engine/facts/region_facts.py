"""What is known of one linear region: of a slice, or the one that a facet of the surface lies in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Float, Int
from engine.facts.regions import affine_maps

if TYPE_CHECKING:
    from engine.network.network import Network
    from engine.planar_map.planar_map import Partition
    from engine.plane import SlicePlane
    from engine.surface.surface import Surface


BEYOND = -1
"""The neighbour across the border of the domain."""


@dataclass(frozen=True, slots=True)
class Neuron:
    """A neuron of the kink `layer`; (number of kinks, component) is the network's output."""

    layer: int
    index: int


@dataclass(frozen=True, eq=False, slots=True)
class LayerPattern:
    """Which neurons of a layer are active, that is have a pre-activation above their (lowest) breakpoint.

    neurons: how many there are; active (A,) int32; resting (R,) int32: those that equal the breakpoint throughout.
    """

    neurons: int
    active: Int
    resting: Int


@dataclass(frozen=True, eq=False, slots=True)
class Neighbour:
    """What is beyond an edge: a region or facet, BEYOND the domain; neurons: all that change sign across the edge, that
    of layer `number of layers` is the network's output.  length: of the edge."""

    region: int
    neurons: tuple[Neuron, ...]
    length: float


@dataclass(frozen=True, eq=False, slots=True)
class RegionFacts:
    """A region, and a point of it.

    plane: of the slice, None for a facet; region: its number in the partition or surface; point (3,), value: where, and
    the network's output there; gradient (3,), offset: of the map x -> A x + b of the region; area; centroid (3,);
    corners (M, 3); outline (M, 2): the corners in the plane's coordinates, None for a facet; layers: one pattern each;
    neighbours: counter-clockwise, the one beyond the edge from a corner to the next.
    """

    plane: SlicePlane | None
    region: int
    point: Float
    value: float
    gradient: Float
    offset: float
    area: float
    centroid: Float
    corners: Float
    outline: Float | None
    layers: tuple[LayerPattern, ...]
    neighbours: tuple[Neighbour, ...]

    @property
    def slope(self) -> float:
        """|A|."""
        return float(np.linalg.norm(self.gradient))


def region_facts(partition: Partition, region: int, point: Float | None = None) -> RegionFacts:
    """Of a region of a whole slice of a network with one output; point (3,): its centroid when None."""
    outline = _loop(partition.vertices, partition.face_vertices, partition.face_offsets, region)
    corners = partition.plane.to_input(outline)
    area, centroid = _measured(corners)
    face = np.array([region], np.int32)
    maps = affine_maps(partition, face)
    point = centroid if point is None else point
    edges = _loop(partition.face_edges, None, partition.face_offsets, region)
    sides = partition.edge_faces[edges]
    beyond = np.where(sides[:, 0] == region, sides[:, 1], sides[:, 0])
    neighbours = []
    for edge, other in zip(edges.tolist(), beyond.tolist(), strict=True):
        neurons = [(int(partition.edge_layer[edge]), int(partition.edge_neuron[edge]))]
        first, last = partition.edge_also_offsets[edge : edge + 2].tolist()
        neurons += [(layer, index) for layer, index in partition.edge_also[first:last].tolist()]
        a, b = partition.vertices[partition.edges[edge]]
        neighbours.append(_neighbour(other, neurons, float(np.linalg.norm(b - a))))
    return RegionFacts(
        partition.plane, region, point, float(maps.values(point[None])[0]), maps.gradient[0], float(maps.offset[0]),
        area, centroid, corners, outline, _patterns(partition.network, partition.activation_pattern(face)[0]),
        tuple(neighbours),
    )  # fmt: skip


def facet_facts(surface: Surface, facet: int, point: Float | None = None) -> RegionFacts:
    """Of the region that a facet of the level surface crosses: area, centroid and corners are the facet's."""
    corners = _loop(surface.vertices, surface.face_vertices, surface.face_offsets, facet)
    area, centroid = _measured(corners)
    gradient = surface.gradients[facet]
    offset = surface.level - float((corners @ gradient).mean())  # where it equals the level is what is known best
    point = centroid if point is None else point
    edges = _loop(surface.face_edges, None, surface.face_offsets, facet)
    sides = surface.edge_faces[edges]
    beyond = np.where(sides[:, 0] == facet, sides[:, 1], sides[:, 0])
    own = surface.activation_pattern(np.array([facet], np.int32))[0]
    rows = _rows(surface.network)
    neighbours = []
    for edge, other in zip(edges.tolist(), beyond.tolist(), strict=True):
        neurons = [(int(surface.edge_layer[edge]), int(surface.edge_neuron[edge]))]
        if other >= 0:
            changed = np.flatnonzero(surface.activation_pattern(np.array([other], np.int32))[0] != own)
            neurons += rows[changed].tolist()
        a, b = surface.vertices[surface.edges[edge]]
        neighbours.append(_neighbour(other, neurons, float(np.linalg.norm(b - a))))
    return RegionFacts(
        None, facet, point, float(gradient @ point) + offset, gradient, offset, area, centroid, corners, None,
        _patterns(surface.network, own), tuple(neighbours),
    )  # fmt: skip


def _neighbour(region: int, neurons: Iterable[Sequence[int]], length: float) -> Neighbour:
    named = dict.fromkeys(Neuron(layer, index) for layer, index in neurons if layer >= 0)
    return Neighbour(region, tuple(named) if region != BEYOND else (), length)


def _loop(values: NDArray[Any], index: Int | None, offsets: Int, face: int) -> NDArray[Any]:
    part = slice(int(offsets[face]), int(offsets[face + 1]))
    return values[part] if index is None else values[index[part]]


def _measured(corners: Float) -> tuple[float, Float]:
    """Area and centroid of a convex polygon (M, 3), by the fan of triangles from its first corner."""
    arms = corners[1:] - corners[0]
    weights = np.linalg.norm(np.cross(arms[:-1], arms[1:]), axis=1)
    total = float(weights.sum())
    if not total > 0.0:
        return 0.0, corners.mean(axis=0)
    return 0.5 * total, corners[0] + weights @ (arms[:-1] + arms[1:]) / (3.0 * total)


def _rows(network: Network) -> Int:
    """(R, 2) int32: layer and neuron of every row of a sign vector."""
    layers = [np.full(len(kink.row_neuron), layer, np.int32) for layer, kink in enumerate(network.kinks)]
    neurons = [kink.row_neuron for kink in network.kinks]
    return np.stack([np.concatenate(layers), np.concatenate(neurons)], axis=1).astype(np.int32)


def _patterns(network: Network, signs: NDArray[np.int8]) -> tuple[LayerPattern, ...]:
    patterns, row = [], 0
    for kink in network.kinks:
        neurons, lowest = np.unique(kink.row_neuron, return_index=True)
        sign = signs[row + lowest]
        row += len(kink.row_neuron)
        active, resting = (neurons[sign == value].astype(np.int32) for value in (1, 0))
        patterns.append(LayerPattern(len(kink.breakpoints), active, resting))
    return tuple(patterns)
