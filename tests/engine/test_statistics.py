"""What neurons do in a slice, beside the sign vectors of its regions and distances between all pairs of segments."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from engine import EngineError, Network, Partition, Progress, SlicePlane, neuron_statistics, partition_polygon
from tests.engine.test_regions import MODULES, PLANE, module_of
from tests.oracle.networks import SQUARE, random_sample
from tests.oracle.recipes import KINDS

Float = NDArray[np.float64]


def expected(partition: Partition) -> tuple[Float, Float, NDArray[np.bool_], NDArray[np.bool_]]:
    """Lengths, distances, above and below, from what changes across each edge and the values of regions."""
    patterns = partition.activation_pattern()
    left, right = partition.edge_faces.T
    inner = (left >= 0) & (right >= 0)
    ends = partition.vertices[partition.edges]
    level = ends[partition.edge_on_level]
    lengths, distances, above, below = [], [], [], []
    row = 0
    for kink in partition.network.kinks:
        for neuron in range(len(kink.breakpoints)):
            rows = row + np.flatnonzero(kink.row_neuron == neuron)
            changes = inner & (patterns[left][:, rows] != patterns[right][:, rows]).any(axis=1)
            lengths.append(np.linalg.norm(ends[changes, 1] - ends[changes, 0], axis=1).sum())
            distances.append(least_distance(ends[changes], level))
            lowest = patterns[:, rows[:1]]
            above.append((lowest > 0).any())
            below.append((lowest < 0).any())
        row += len(kink.row_neuron)
    return np.array(lengths), np.array(distances), np.array(above), np.array(below)


def least_distance(first: Float, second: Float) -> float:
    """Between segments (N, 2, 2) and (M, 2, 2): 0 where two cross, else from an end of one to the other."""
    if not len(first) or not len(second):
        return np.inf
    a, b = first[:, None], second[None]

    def side(s: Float, p: Float) -> Float:
        d, q = s[..., 1, :] - s[..., 0, :], p - s[..., 0, :]
        return np.asarray(d[..., 0] * q[..., 1] - d[..., 1] * q[..., 0])

    crossing = (side(a, b[..., 0, :]) * side(a, b[..., 1, :]) < 0) & (side(b, a[..., 0, :]) * side(b, a[..., 1, :]) < 0)
    if crossing.any():
        return 0.0

    def reach(s: Float, p: Float) -> float:
        d = s[..., 1, :] - s[..., 0, :]
        square = (d * d).sum(axis=-1)
        t = ((p - s[..., 0, :]) * d).sum(axis=-1) / np.where(square > 0, square, 1.0)
        foot = s[..., 0, :] + np.clip(t, 0.0, 1.0)[..., None] * d
        return float(np.linalg.norm(p - foot, axis=-1).min())

    return min(reach(a, b[..., 0, :]), reach(a, b[..., 1, :]), reach(b, a[..., 0, :]), reach(b, a[..., 1, :]))


def check(partition: Partition) -> None:
    found = neuron_statistics(partition)
    lengths, distances, above, below = expected(partition)
    np.testing.assert_allclose(found.lengths, lengths, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(found.above, above)
    np.testing.assert_array_equal(found.below, below)
    sizes = [len(kink.breakpoints) for kink in partition.network.kinks]
    assert found.layer.tolist() == [layer for layer, size in enumerate(sizes) for _ in range(size)]
    assert found.neuron.tolist() == [neuron for size in sizes for neuron in range(size)]


@pytest.mark.parametrize("level", [0.0, 5.0, None])
@pytest.mark.parametrize("name", MODULES)
def test_statistics_are_those_of_the_sign_vectors(name: str, level: float | None) -> None:
    check(partition_polygon(Network.trace(module_of(name)), PLANE, np.array(SQUARE), level, threads=1))


@pytest.mark.parametrize("kind", KINDS)
def test_coincident_lines_belong_to_all_their_neurons(kind: str) -> None:
    for seed, kink in enumerate(("relu", "abs", "hardtanh")):
        sample = random_sample(kink, kind, seed)
        network = Network.trace(sample.module, input_shape=(len(sample.origin),))
        plane = SlicePlane(sample.origin, sample.axes)
        check(partition_polygon(network, plane, np.array(SQUARE), sample.level, threads=1))


def test_distances_are_least_where_the_level_set_is_long() -> None:
    """A level set of many segments, and lines of which many miss it."""
    torch.manual_seed(1)
    layers = [nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1)]
    module = nn.Sequential(*layers).double()
    with torch.no_grad():
        for part in layers[::2]:
            part.weight *= 2.0
    network, square = Network.trace(module), 3.0 * np.array(SQUARE)
    level = float(np.quantile(partition_polygon(network, PLANE, square, None, threads=1).values, 0.9))
    partition = partition_polygon(network, PLANE, square, level, threads=1)
    found = neuron_statistics(partition)
    assert partition.edge_on_level.sum() > 100
    assert ((found.distances > 0) & np.isfinite(found.distances)).sum() > 10
    check(partition)


def test_a_neuron_s_line_is_the_chord_of_the_square() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).double()
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]]))
        module[0].bias.copy_(torch.tensor([0.0, 0.5, 7.0]))
        module[2].weight.copy_(torch.tensor([[0.0, 0.0, 1.0]]))
        module[2].bias.fill_(-7.75)  # f = x - 0.75
    plane = SlicePlane(np.zeros(2), np.eye(2))
    found = neuron_statistics(partition_polygon(Network.trace(module, (2,)), plane, np.array(SQUARE), 0.0, threads=1))
    np.testing.assert_allclose(found.lengths, [np.sqrt(8.0), 2.0, 0.0], rtol=1e-15)
    assert found.distances.tolist() == [0.0, 0.0, np.inf]
    assert (found.above.tolist(), found.below.tolist()) == ([True, True, True], [True, True, False])


def test_a_snapshot_has_no_statistics() -> None:
    seen: list[Partition] = []

    def keep(progress: Progress) -> None:
        seen.append(progress.snapshot())

    partition_polygon(Network.trace(module_of("relu")), PLANE, np.array(SQUARE), 0.0, keep, threads=1)
    with pytest.raises(EngineError, match="not finished"):
        neuron_statistics(seen[0])
