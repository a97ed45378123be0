"""Strokes against the edges that they join."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.state.slices import SliceResult
from app.views.slice.slice_image import slice_picture


def test_strokes_are_the_edges_joined(make_slice: Callable[..., SliceResult]) -> None:
    """The same length of every neuron, and nothing is left to join."""
    partition = make_slice("z=0.1").partition
    strokes = slice_picture(partition, ()).strokes
    layers = len(partition.network.kinks)
    own = (partition.edge_layer >= 0) & (partition.edge_layer < layers)

    def lengths(ends: np.ndarray, depth: np.ndarray, neuron: np.ndarray) -> dict[tuple[int, int], float]:
        total: dict[tuple[int, int], float] = {}
        for (a, b), *name in zip(partition.vertices[ends], depth.tolist(), neuron.tolist(), strict=True):
            total[tuple(name)] = total.get(tuple(name), 0.0) + float(np.hypot(*(b - a)))
        return total

    edges = partition.edges[own]
    wanted = lengths(edges, partition.edge_layer[own], partition.edge_neuron[own])
    found = lengths(strokes.ends, strokes.depth, strokes.neuron)
    assert found.keys() == wanted.keys()
    np.testing.assert_allclose([found[name] for name in wanted], list(wanted.values()))
    assert len(strokes.ends) < 0.8 * len(edges)
    assert (np.diff(strokes.depth) >= 0).all()

    ways: dict[tuple[int, int, int], list[np.ndarray]] = {}
    for ends, *name in zip(strokes.ends.tolist(), strokes.depth.tolist(), strokes.neuron.tolist(), strict=True):
        for here, there in (ends, ends[::-1]):
            way = partition.vertices[there] - partition.vertices[here]
            ways.setdefault((*name, here), []).append(way / np.hypot(*way))
    bends = [abs(a[0] * b[1] - a[1] * b[0]) for a, b in (pair for pair in ways.values() if len(pair) == 2)]
    assert len(bends) > 10
    assert min(bends) > 1e-9
