"""Local complexity: how many neurons change sign in a small neighbourhood, sampled as published and counted exactly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np

from engine.arrays import Float
from engine.compare.polylines import point_distances
from engine.compare.refinement import polygon_of
from engine.compare.slice_measures import neuron_edges
from engine.errors import EngineError
from engine.network.network import Network
from engine.network.steps import Kink, evaluate, sources
from engine.planar_map.planar_map import Partition

RADIUS = 0.005
VERTICES = 40
POINTS = 1000
_SEED = 0
_TRIES = 1000


@dataclass(frozen=True, slots=True)
class LocalComplexity:
    """Means over points of a slice, in neurons.

    sampled  neurons of which not all of the VERTICES corners of the neighbourhood have the same sign: a lower bound
    exact    neurons with a line in the disc of the same radius around the point
    """

    sampled: float
    exact: float


def local_complexity(partition: Partition, radius: float = RADIUS, points: int = POINTS) -> LocalComplexity:
    """Count neurons that change sign near random points of a slice, whose neighbourhoods lie in it.

    The corners of a neighbourhood are the ends of VERTICES / 2 random diameters of the disc: the cross-polytope of
    Humayun, Balestriero and Baraniuk, "Deep Networks Always Grok and Here is Why" (ICML 2024), in the slice's plane,
    where no more than two diameters can be orthogonal.  Equal slices get equal points.  Raises EngineError when the
    slice is too small for the radius.
    """
    rng = np.random.default_rng(_SEED)
    places = _places(polygon_of(partition), radius, points, rng)
    return LocalComplexity(
        float(_sampled(partition, places, radius, rng).mean()), float(_exact(partition, places, radius).mean())
    )


def _places(polygon: Float, radius: float, count: int, rng: np.random.Generator) -> Float:
    """Return points (count, 2) that are uniform among those farther than the radius from the polygon's sides."""
    lower, upper = polygon.min(axis=0), polygon.max(axis=0)
    along = np.roll(polygon, -1, axis=0) - polygon
    inward = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.hypot(*along.T)[:, None]
    found = np.empty((0, 2))
    for _ in range(_TRIES):
        tried = rng.uniform(lower, upper, (count, 2))
        inside = (np.einsum("nsd,sd->ns", tried[:, None] - polygon, inward) > radius).all(axis=1)
        found = np.concatenate([found, tried[inside]])
        if len(found) >= count:
            return found[:count]
    raise EngineError(f"the slice is too small for neighbourhoods of radius {radius:g}; choose a smaller radius")


def _sampled(partition: Partition, places: Float, radius: float, rng: np.random.Generator) -> Float:
    turn = rng.uniform(0.0, np.pi, (len(places), VERTICES // 2))
    arms = radius * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    corners = places[:, None] + np.concatenate([arms, -arms], axis=1)
    signs = _row_signs(partition.network, partition.plane.to_input(corners.reshape(-1, 2)))
    counts = np.zeros(len(places))
    for kink, sign in zip(partition.network.kinks, signs, strict=True):
        around = sign.reshape(len(places), VERTICES, -1)
        rows = (around != around[:, :1]).any(axis=1)
        counts += _by_neuron(kink, rows).sum(axis=1)
    return counts


def _by_neuron(kink: Kink, rows: np.ndarray) -> np.ndarray:
    """(N, n) bool: any row of a neuron is so; rows (N, R) bool."""
    neurons = np.zeros((len(kink.slopes), len(rows)), np.bool_)
    np.logical_or.at(neurons, kink.row_neuron, rows.T)
    return neurons.T


def _row_signs(network: Network, points: Float) -> list[np.ndarray]:
    """Return for each kink (N, R) bool: its rows are positive at the points (N, D)."""
    values, signs = {0: points}, []
    last_use = {slot: i for i, step in enumerate(network.steps) for slot in sources(step)}
    for i, step in enumerate(network.steps):
        if isinstance(step, Kink):
            signs.append(values[step.source][:, step.row_neuron] > step.row_breakpoint)
        values[step.target] = evaluate(step, values, len(points))
        for slot in set(sources(step)):
            if last_use[slot] == i:
                del values[slot]
    return signs


def _exact(partition: Partition, places: Float, radius: float) -> Float:
    """(N,) how many neurons have a line that comes within the radius of each point."""
    from scipy.spatial import cKDTree  # noqa: PLC0415  takes longer to import than small slices to make

    edges, depth, neuron = neuron_edges(partition)
    lines = partition.vertices[partition.edges[edges]]
    lengths = np.hypot(*(lines[:, 1] - lines[:, 0]).T)
    # by length, so that a few long edges do not make all of them candidates
    order = np.argsort(lengths)
    seen = [np.empty((0, 2), np.int64)]
    tree = cKDTree(places)
    names = depth.astype(np.int64) * (1 + int(neuron.max(initial=0))) + neuron
    for part in np.array_split(order, max(1, len(order) // 2048)):
        if not len(part):
            continue
        near = cKDTree(lines[part].mean(axis=1)).query_ball_tree(tree, radius + 0.5 * float(lengths[part].max()))
        counts = [len(found) for found in near]
        edge = np.repeat(part, counts)
        point = np.fromiter(chain.from_iterable(near), np.int64, sum(counts))
        meet = point_distances(places[point], lines[edge]) < radius
        seen.append(np.unique(np.stack([point[meet], names[edge[meet]]], axis=1), axis=0))
    pairs = np.unique(np.concatenate(seen), axis=0)
    return np.bincount(pairs[:, 0], minlength=len(places)).astype(np.float64)
