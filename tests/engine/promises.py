"""What every Partition promises, checked without the code that made it."""

from __future__ import annotations

import numpy as np

from engine import Partition
from engine.arrays import Float
from engine.network.steps import Kink, evaluate


def check(partition: Partition) -> None:
    """Assert all promises: a planar map of the domain, whose faces are the regions and whose edges are their
    borders.
    """
    _is_planar_map(partition)
    _areas_fill_the_domain(partition)
    _sign_vectors_differ(partition)
    _edges_carry_their_rows(partition)
    _rows_vanish_along_edges(partition)


def _is_planar_map(partition: Partition) -> None:
    vertices, edges, faces = len(partition.vertices), len(partition.edges), partition.regions
    assert vertices - edges + faces == 1
    face = np.repeat(np.arange(faces), np.diff(partition.face_offsets))
    following = np.arange(1, len(face) + 1)
    following[partition.face_offsets[1:] - 1] = partition.face_offsets[:-1]
    start, end = partition.face_vertices, partition.face_vertices[following]
    a, b = partition.edges[partition.face_edges].T
    forth = (start == a) & (end == b)
    assert (forth | ((start == b) & (end == a))).all()
    # Every edge is run through once by the face to its left, and once, back, by the one to its right.
    sides = np.full((edges, 2), -1, np.int32)
    count = np.zeros((edges, 2), int)
    np.add.at(count, (partition.face_edges, np.where(forth, 0, 1)), 1)
    sides[partition.face_edges, np.where(forth, 0, 1)] = face
    assert count.max() == 1
    np.testing.assert_array_equal(sides, partition.edge_faces)
    border = partition.edge_layer == -1
    np.testing.assert_array_equal((sides < 0).sum(axis=1), border.astype(int))


def _areas_fill_the_domain(partition: Partition) -> None:
    first = np.repeat(partition.face_offsets[:-1], np.diff(partition.face_offsets))
    following = np.arange(1, len(first) + 1)
    following[partition.face_offsets[1:] - 1] = partition.face_offsets[:-1]
    loop = partition.vertices[partition.face_vertices]
    origin = loop[first]
    p, q = loop - origin, loop[following] - origin
    areas = np.add.reduceat(p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0], partition.face_offsets[:-1]) / 2.0
    border = partition.edges[partition.edge_layer == -1]
    p, q = (partition.vertices[border] - partition.vertices[0]).transpose(1, 0, 2)
    domain = abs(float((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum())) / 2.0
    assert areas.min() >= -1e-12 * domain
    assert abs(areas.sum() - domain) <= 1e-12 * domain * np.sqrt(len(areas))


def _sign_vectors_differ(partition: Partition) -> None:
    # 64 random bits for each (row, sign): equal sums for different vectors have a chance of 2^-64 a pair.
    patterns = partition.activation_pattern()
    keys = np.random.default_rng(0).integers(0, 2**63, (2, patterns.shape[1]), dtype=np.uint64)
    hashes = (patterns > 0) @ keys[0] + (patterns < 0) @ keys[1]
    assert len(np.unique(hashes)) == partition.regions


def _rows(partition: Partition) -> list[tuple[int, int, float]]:
    """The rows in the order of the sign vectors, as (layer, neuron, breakpoint)."""
    kinks = partition.network.kinks
    rows = [
        (layer, int(neuron), float(at))
        for layer, kink in enumerate(kinks)
        for neuron, at in zip(kink.row_neuron, kink.row_breakpoint, strict=True)
    ]
    if partition.level is not None:
        rows += [(len(kinks), c, partition.level) for c in range(partition.network.output_size)]
    return rows


def _edges_carry_their_rows(partition: Partition) -> None:
    """Across an edge exactly the signs of the rows that it names change."""
    rows = _rows(partition)
    number = {row: i for i, row in enumerate(rows)}
    patterns = partition.activation_pattern()
    inner = np.flatnonzero(partition.edge_layer >= 0)
    left, right = partition.edge_faces[inner].T
    named = [
        number[int(layer), int(neuron), float(at)]
        for layer, neuron, at in zip(
            partition.edge_layer[inner], partition.edge_neuron[inner], partition.edge_breakpoint[inner], strict=True
        )
    ]
    expected = np.zeros((len(inner), len(rows)), bool)
    expected[np.arange(len(inner)), named] = True
    position = np.full(len(partition.edges), -1)
    position[inner] = np.arange(len(inner))
    owners = np.repeat(np.arange(len(partition.edges)), np.diff(partition.edge_also_offsets))
    for owner, (layer, neuron), at in zip(owners, partition.edge_also, partition.edge_also_breakpoint, strict=True):
        expected[position[owner], number[int(layer), int(neuron), float(at)]] = True
    for lo in range(0, len(inner), 4096):
        block = slice(lo, lo + 4096)
        changes = patterns[left[block]] != patterns[right[block]]
        np.testing.assert_array_equal(changes, expected[block])


def _rows_vanish_along_edges(partition: Partition) -> None:
    """The named pre-activation is zero at both ends, within rounding of a plain forward pass."""
    sources = _pre_activations(partition, partition.points)
    sources.append(partition.network.forward(partition.points))
    for layer, z in enumerate(sources):
        mine = np.flatnonzero(partition.edge_layer == layer)
        ends = partition.edges[mine]
        residue = np.abs(z[ends, partition.edge_neuron[mine, None]] - partition.edge_breakpoint[mine, None])
        scale = np.abs(z).max(axis=0)[partition.edge_neuron[mine, None]]
        assert (residue <= 1e-9 * np.maximum(scale, 1e-3 * np.abs(z).max())).all()


def _pre_activations(partition: Partition, points: Float) -> list[Float]:
    values = {0: points}
    found = []
    for step in partition.network.steps:
        if isinstance(step, Kink):
            found.append(values[step.source])
        values[step.target] = evaluate(step, values, len(points))
    return found
