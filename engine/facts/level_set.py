"""The level set of a slice as polylines, and the chaining of a partition's edges into polylines in general."""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Bool, Float, Int
from engine.errors import EngineError
from engine.machine.jit import kernel
from engine.planar_map.planar_map import OUTSIDE, Partition

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, eq=False, slots=True)
class Chains:
    """Edges of a partition joined end to end, each once: N edges in P chains.

    vertex_ids (N + P,) int32, offsets (P + 1,) int32: chain i runs through vertex_ids[offsets[i]:offsets[i + 1]]; a
    closed one ends with the vertex that it starts with.  edge_ids (N,) int32: the edges in the same order, those of
    chain i from offsets[i] - i on.
    """

    vertex_ids: Int
    offsets: Int
    edge_ids: Int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def closed(self) -> Bool:
        """(P,) bool."""
        return np.asarray(self.vertex_ids[self.offsets[:-1]] == self.vertex_ids[self.offsets[1:] - 1])


def chain_edges(partition: Partition, edge_ids: Int) -> Chains:
    """Join edges, distinct numbers (N,), through the vertices where exactly two of them meet.

    Chains end where one of the edges ends or three and more meet.  They are ordered by the first of their edges in
    `edge_ids`, those with ends before the loops without.
    """
    ids = np.ascontiguousarray(edge_ids, np.int32)
    return _chained(partition.edges[ids], len(partition.vertices), ids)


def chain_lines(partition: Partition, layer: int) -> Chains:
    """Join the edges of a layer along the level sets of its neurons: a chain passes where lines of others cross it.

    Ordered by neuron; the border's sides are the lines of layer -1.
    """
    ids = np.flatnonzero(partition.edge_layer == layer).astype(np.int32)
    ids = ids[np.argsort(partition.edge_neuron[ids], kind="stable")]
    count = len(partition.vertices)
    named = partition.edge_neuron[ids, None].astype(np.int64) * count + partition.edges[ids]
    nodes, edges = np.unique(named, return_inverse=True)
    chains = _chained(edges.reshape(-1, 2).astype(np.int32), len(nodes), ids)
    return _frozen_chains((nodes[chains.vertex_ids] % count).astype(np.int32), chains.offsets, chains.edge_ids)


def _chained(edges: Int, vertices: int, names: Int) -> Chains:
    """Chains of edges (N, 2) between vertices 0, 1, ..., `vertices` - 1; names (N,): what the edges are called."""
    ids = np.arange(len(edges), dtype=np.int32)
    vertex_ids, offsets = np.empty(2 * len(ids), np.int32), np.empty(len(ids) + 1, np.int32)
    ordered = np.empty(len(ids), np.int32)
    degree, link = np.zeros((2, vertices), np.int32)
    count = _chain(edges, ids, degree, link, vertex_ids, offsets, ordered)
    return _frozen_chains(vertex_ids[: len(ids) + count], offsets[: count + 1], names[ordered])


def _frozen_chains(vertex_ids: Int, offsets: Int, edge_ids: Int) -> Chains:
    for array in (vertex_ids, offsets, edge_ids):
        array.setflags(write=False)
    return Chains(vertex_ids, offsets, edge_ids)


@dataclass(frozen=True, eq=False, slots=True)
class LevelSet:
    """Where the output of a network equals the level on a slice; the union over its components when it has several.

    polylines  P arrays (n, 2) float64 in the plane's coordinates; a closed one repeats its first point at the end
    closed     (P,) bool
    edges      P arrays (n - 1,) int32: the partition's edge that each segment is
    component  (P,) int32: the component of the output that equals the level along the polyline (the first, if several)
    flat_faces (K,) int32: faces on which a component equals the level throughout; edges between two are left out
    isolated   (M,) int32: vertices where a component equals the level but on no edge there: it only touches the level
    length     total length of the polylines
    level      the level
    extremes   (C, 2) float64: the smallest and the largest value of each component on the slice
    """

    polylines: tuple[Float, ...]
    closed: Bool
    edges: tuple[Int, ...]
    component: Int
    flat_faces: Int
    isolated: Int
    length: float
    level: float
    extremes: Float

    @property
    def empty(self) -> bool:
        """No line of the level set lies in the slice."""
        return not self.polylines

    def describe(self) -> str:
        """One line for people: how much there is, or why there is nothing."""
        name = "zero level set" if self.level == 0.0 else f"level set f = {self.level:g}"
        if self.empty:
            return f"no {name} in this slice ({self._why_empty()})"
        count, closed = len(self.polylines), int(np.count_nonzero(self.closed))
        lines = f"{count:,} polyline{'s' if count > 1 else ''} ({closed:,} closed)"
        flat = f", {len(self.flat_faces):,} regions filled by it" if len(self.flat_faces) else ""
        return f"{name}: {lines}, length {self.length:.6g}{flat}"

    def _why_empty(self) -> str:
        points = len(self.isolated)
        if points:
            return f"f only touches {self.level:g}, at {points:,} point{'s' if points > 1 else ''}"
        component = int(np.argmin(np.abs(self.extremes - self.level).min(axis=1)))
        smallest, largest = self.extremes[component]
        f = "f" if len(self.extremes) == 1 else f"the nearest output, number {component},"
        if smallest > self.level:
            above = "positive" if self.level == 0.0 else f"above {self.level:g}"
            return f"{f} is {above} everywhere, smallest value {smallest:.4g}"
        below = "negative" if self.level == 0.0 else f"below {self.level:g}"
        return f"{f} is {below} everywhere, largest value {largest:.4g}"


def level_set(partition: Partition) -> LevelSet:
    """The level set of a finished partition, in a deterministic order: by component, then as chain_edges does.

    Raises EngineError when the partition was made without a level or is a snapshot of an unfinished one.
    """
    level = _level_of(partition)
    values = partition.values.reshape(len(partition.vertices), -1)
    flat = _flat(partition)
    on_level = np.flatnonzero(partition.edge_on_level).astype(np.int32)
    inside = (flat[partition.edge_faces[on_level]] & (partition.edge_faces[on_level] != OUTSIDE)).all(axis=1)
    drawn = on_level[~inside]
    component = _components(partition, values, level, drawn)

    parts = [(c, chain_edges(partition, drawn[component == c])) for c in np.unique(component)]
    polylines: list[Float] = []
    edges: list[Int] = []
    for _, chains in parts:
        points, offsets = partition.vertices[chains.vertex_ids], chains.offsets.tolist()
        points.setflags(write=False)
        for i, (start, stop) in enumerate(pairwise(offsets)):
            polylines.append(points[start:stop])
            edges.append(chains.edge_ids[start - i : stop - i - 1])
    ends = partition.vertices[partition.edges[drawn]]
    touched = np.zeros(len(values), np.bool_)
    touched[partition.edges[on_level]] = True
    return LevelSet(
        polylines=tuple(polylines),
        closed=_read_only(np.concatenate([np.empty(0, np.bool_), *(chains.closed for _, chains in parts)])),
        edges=tuple(edges),
        component=_read_only(np.repeat([c for c, _ in parts], [len(chains) for _, chains in parts]).astype(np.int32)),
        flat_faces=_read_only(np.flatnonzero(flat).astype(np.int32)),
        isolated=_read_only(np.flatnonzero((values == level).any(axis=1) & ~touched).astype(np.int32)),
        length=float(np.hypot(*(ends[:, 1] - ends[:, 0]).T).sum()),
        level=level,
        extremes=_read_only(np.stack([values.min(axis=0), values.max(axis=0)], axis=1)),
    )


def _level_of(partition: Partition) -> float:
    if partition.level is None:
        raise EngineError("a partition made without a level holds no level set; pass a level to partition_slice")
    if len(partition.face_signs) != len(partition.network.kinks) + 1:
        raise EngineError("the partition is not finished, so its level set is not known; wait for the last layer")
    return partition.level


def _flat(partition: Partition) -> Bool:
    """(F,) bool: some component equals the level throughout the face."""
    signs = partition.face_signs[-1]
    return np.asarray((signs.signs(np.arange(partition.regions, dtype=np.int32)) == 0).any(axis=1))


def _components(partition: Partition, values: Float, level: float, edges: Int) -> Int:
    """For each edge on the level the component that equals it there."""
    made = partition.edge_layer[edges] == len(partition.network.kinks)
    nearest = np.abs(values[partition.edges[edges]] - level).max(axis=1).argmin(axis=1)
    return np.where(made, partition.edge_neuron[edges], nearest).astype(np.int32)


def _read_only(array: NDArray[T]) -> NDArray[T]:
    array.setflags(write=False)
    return array


@kernel
def _chain(edges, ids, degree, link, vertex_ids, offsets, ordered):
    """Fill the arrays of a Chains; returns the number of chains.  degree, link: (V,) zeros."""
    # link[v] is the exclusive or of the edges at v: of two, it tells the one from the other
    for k in range(len(ids)):
        for side in range(2):
            v = edges[ids[k], side]
            degree[v] += 1
            link[v] ^= k
    used = np.zeros(len(ids), np.bool_)
    chains, done, to = 0, 0, 0
    offsets[0] = 0
    for loops in range(2):
        for first in range(len(ids)):
            for side in range(2):
                v = edges[ids[first], side]
                if used[first] or (loops == 0 and degree[v] == 2):
                    continue
                vertex_ids[to] = v
                to += 1
                k = first
                while not used[k]:
                    used[k] = True
                    ordered[done] = ids[k]
                    done += 1
                    v = edges[ids[k], 0] + edges[ids[k], 1] - v
                    vertex_ids[to] = v
                    to += 1
                    if degree[v] == 2:
                        k ^= link[v]
                chains += 1
                offsets[chains] = to
    return chains
