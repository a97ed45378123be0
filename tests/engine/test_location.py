"""Point location and nearest edges beside brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from engine.errors import EngineError
from engine.facts.location import Location
from engine.facts.regions import centroids
from engine.network.network import Network
from engine.planar_map.planar_map import OUTSIDE, Partition
from engine.plane import SlicePlane
from engine.slices.partition import partition_polygon, partition_slice
from tests.oracle.networks import SQUARE, random_sample
from tests.oracle.recipes import KINDS

CHECKPOINTS = Path(__file__).parents[2] / "resources" / "checkpoints"
HEXAGON = np.stack([np.cos(np.arange(6) * np.pi / 3), np.sin(np.arange(6) * np.pi / 3)], axis=1)
ROUNDING = 1e-14

Float = NDArray[np.float64]
Int = NDArray[np.int32]


def random_slice(seed: int, polygon: Float) -> Partition:
    """Regions of very different sizes: lines crowd around the middle."""
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(2, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1)).double()
    with torch.no_grad():
        module[0].bias *= torch.logspace(-4, 0, 40, dtype=torch.float64)
    return partition_polygon(Network.trace(module, (2,)), SlicePlane.identity(), polygon, threads=1)


def degenerate_slice(kink: str, kind: str) -> Partition:
    sample = random_sample(kink, kind, seed=3)
    network = Network.trace(sample.module, input_shape=(len(sample.origin),))
    plane = SlicePlane(sample.origin, sample.axes)
    return partition_polygon(network, plane, np.array(SQUARE), level=sample.level, threads=1)


def questions(partition: Partition, count: int) -> Float:
    """Random points on and around the domain, at every scale around vertices, on vertices and on edges."""
    rng = np.random.default_rng(0)
    vertices = partition.vertices
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    near = vertices[rng.integers(len(vertices), size=count)]
    ends = vertices[partition.edges[rng.integers(len(partition.edges), size=count)]]
    return np.concatenate(
        [
            rng.uniform(low - 0.2, high + 0.2, (count, 2)),
            near + rng.normal(size=(count, 2)) * 10.0 ** rng.uniform(-9.0, -1.0, (count, 1)),
            near,
            ends[:, 0] + rng.uniform(0.0, 1.0, (count, 1)) * (ends[:, 1] - ends[:, 0]),
        ]
    )


def depths(partition: Partition, points: Float) -> Float:
    """(N, F): how deep each point lies in each face, the least distance to the lines of its edges; negative outside."""
    result = np.full((len(points), partition.regions), np.inf)
    for side in range(2):
        faces = partition.edge_faces[:, side]
        start, stop = partition.vertices[partition.edges].transpose(1, 0, 2)[:: 1 - 2 * side]
        dx, dy = (stop - start).T
        depth = (dx * (points[:, 1, None] - start[:, 1]) - dy * (points[:, 0, None] - start[:, 0])) / np.hypot(dx, dy)
        for e in np.flatnonzero(faces != OUTSIDE):
            np.minimum(result[:, faces[e]], depth[:, e], out=result[:, faces[e]])
    return result


def distances(partition: Partition, points: Float) -> Float:
    """(N, E): from each point to each edge."""
    start, stop = partition.vertices[partition.edges].transpose(1, 0, 2)
    along = stop - start
    away = points[:, None] - start
    t = np.clip((away * along).sum(axis=2) / (along**2).sum(axis=1), 0.0, 1.0)
    return np.asarray(np.linalg.norm(away - t[..., None] * along, axis=2))


def check(partition: Partition, points: Float) -> None:
    """Both answers are as good as the best of all faces and of all edges, up to rounding."""
    location = Location.build(partition)
    regions = location.region_at(points)
    assert regions.dtype == np.int32
    depth = depths(partition, points)
    inside = regions != OUTSIDE
    assert (depth[~inside].max(axis=1, initial=-np.inf) <= ROUNDING).all()
    assert (depth[inside, regions[inside]] >= -ROUNDING).all()
    clear = depth.max(axis=1) > ROUNDING
    assert (regions[clear] == depth[clear].argmax(axis=1)).all()

    edges, distance = location.nearest_edge(points)
    every = distances(partition, points)
    np.testing.assert_allclose(distance, every.min(axis=1), rtol=1e-9, atol=ROUNDING)
    np.testing.assert_allclose(every[np.arange(len(points)), edges], distance, rtol=1e-9, atol=ROUNDING)

    # vertices are points of the closed domain, and each belongs to a face around it
    at_vertices = location.region_at(partition.vertices)
    assert (at_vertices != OUTSIDE).all()
    assert (depths(partition, partition.vertices)[np.arange(len(at_vertices)), at_vertices] >= -ROUNDING).all()


@pytest.mark.parametrize("polygon", [np.array(SQUARE), HEXAGON], ids=["square", "hexagon"])
@pytest.mark.parametrize("seed", range(2))
def test_answers_equal_brute_force(seed: int, polygon: Float) -> None:
    partition = random_slice(seed, polygon)
    assert partition.regions > 1000
    check(partition, questions(partition, 60))


# Deep networks have regions smaller than coordinates tell.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "deep"])
def test_answers_equal_brute_force_on_degenerate_networks(kind: str) -> None:
    for kink in ("relu",) if kind == "wide" else ("relu", "abs", "hardtanh"):  # brute force takes long on many regions
        partition = degenerate_slice(kink, kind)
        check(partition, questions(partition, 40))


def test_a_partition_of_one_region() -> None:
    partition = partition_polygon(Network.trace(nn.Linear(2, 1), (2,)), SlicePlane.identity(), HEXAGON, None)
    check(partition, questions(partition, 100))


def test_the_border_belongs_to_the_domain() -> None:
    location = Location.build(random_slice(0, np.array(SQUARE)))
    along = np.linspace(-1.0, 1.0, 777)
    for side in (-1.0, 1.0):
        sides = np.full(len(along), side)
        for points in (np.stack([sides, along], axis=1), np.stack([along, sides], axis=1)):
            assert (location.region_at(points) != OUTSIDE).all()
            assert (location.region_at(np.nextafter(points, 2.0 * points)) == OUTSIDE).all()
    edges, distance = location.nearest_edge([[3.0, 1.0], [-1.0, -4.0]])
    assert (location.partition.edge_layer[edges] == -1).all()
    assert distance.tolist() == [2.0, 3.0]


def test_points_on_an_edge_belong_to_one_of_its_faces() -> None:
    partition = random_slice(1, np.array(SQUARE))
    middle = partition.vertices[partition.edges].mean(axis=1)
    regions = Location.build(partition).region_at(middle)
    lengths = np.linalg.norm(np.diff(partition.vertices[partition.edges], axis=1)[:, 0], axis=1)
    sound = lengths > 1e-6
    assert (regions[sound, None] == partition.edge_faces[sound]).any(axis=1).all()


def test_a_thousand_slivers_do_not_make_the_index_larger() -> None:
    module = nn.Sequential(nn.Linear(2, 1000), nn.ReLU(), nn.Linear(1000, 1)).double()
    with torch.no_grad():
        module[0].weight[:] = torch.tensor([1.0, 1.0], dtype=torch.float64)
        module[0].bias[:] = torch.linspace(-1.0, 1.0, 1000, dtype=torch.float64)
    partition = partition_polygon(Network.trace(module, (2,)), SlicePlane.identity(), np.array(SQUARE), None)
    location = Location.build(partition)
    assert len(location.boxes) <= partition.regions / 7 + 5
    assert (location.region_at(centroids(partition)) == np.arange(1001)).all()
    assert sorted(location.order) == list(range(1001))


def test_no_points_no_answers_and_nowhere_is_outside() -> None:
    location = Location.build(random_slice(0, HEXAGON))
    assert location.region_at(np.empty((0, 2))).shape == (0,)
    assert [a.shape for a in location.nearest_edge(np.empty((0, 2)))] == [(0,), (0,)]
    nowhere = [[np.nan, 0.0], [0.0, np.inf]]
    assert location.region_at(nowhere).tolist() == [OUTSIDE, OUTSIDE]
    assert [a.tolist() for a in location.nearest_edge(nowhere)] == [[-1, -1], [np.inf, np.inf]]
    with pytest.raises(EngineError, match=r"shape \(N, 2\), not \(3,\)"):
        location.region_at([1.0, 2.0, 3.0])


def test_every_region_of_a_trained_network_is_found_at_its_centroid() -> None:
    from sdf_models import load_checkpoint

    checkpoint = load_checkpoint(CHECKPOINTS / "spot-early.safetensors")
    partition = partition_slice(Network.trace(checkpoint.module), SlicePlane.from_axis("z", 0.0), checkpoint.domain)
    location = Location.build(partition)
    assert (location.region_at(centroids(partition)) == np.arange(partition.regions)).all()
    points = questions(partition, 10)
    _, distance = location.nearest_edge(points)
    np.testing.assert_allclose(distance, distances(partition, points).min(axis=1), rtol=1e-9, atol=ROUNDING)
