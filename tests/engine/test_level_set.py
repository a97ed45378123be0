"""The level set: made of the edges on the level, each once, joined as far as they can be."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from engine.errors import EngineError
from engine.facts.level_set import LevelSet, chain_edges, level_set
from engine.network.network import Network
from engine.planar_map.planar_map import OUTSIDE, Partition
from engine.plane import SlicePlane
from engine.slices.partition import partition_polygon, partition_slice
from engine.slices.walk import Progress
from tests.oracle.networks import SQUARE, random_sample
from tests.oracle.recipes import KINDS

CHECKPOINTS = Path(__file__).parents[2] / "resources" / "checkpoints"
PLANE = SlicePlane.identity()


def random_module(seed: int, outputs: int = 1) -> nn.Module:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, outputs)).double()
    with torch.no_grad():
        module[-1].bias -= module(torch.zeros(1, 2, dtype=torch.float64))[0]  # each component is 0 in the middle
    return module


def slice_of(module: nn.Module, level: float | None = 0.0) -> Partition:
    return partition_polygon(Network.trace(module, (2,)), PLANE, 3.0 * np.array(SQUARE), level, threads=1)


class Computed(nn.Module):
    """function(x, y) of the two coordinates, (N, 1) each."""

    def __init__(self, function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x[:, :1], x[:, 1:])


class Component(nn.Module):
    def __init__(self, component: int) -> None:
        super().__init__()
        self.component = component

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        return y[:, self.component : self.component + 1]


def flat_faces(partition: Partition) -> NDArray[np.bool_]:
    return (partition.activation_pattern()[:, -partition.network.output_size :] == 0).any(axis=1)


def check(partition: Partition) -> LevelSet:
    """What holds of every level set."""
    found = level_set(partition)
    flat = np.append(flat_faces(partition), False)  # the last one is outside
    assert found.flat_faces.tolist() == np.flatnonzero(flat).tolist()

    expected = partition.edge_on_level & ~flat[partition.edge_faces].all(axis=1)
    used = np.concatenate([*found.edges, np.empty(0, np.int32)])
    assert sorted(used) == np.flatnonzero(expected).tolist()
    ends = partition.vertices[partition.edges[expected]]
    assert found.length == pytest.approx(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum(), rel=1e-12)
    assert found.empty == (len(used) == 0)

    values = partition.values.reshape(len(partition.vertices), -1)
    for polyline, closed, edges, component in zip(
        found.polylines, found.closed, found.edges, found.component, strict=True
    ):
        assert len(polyline) == len(edges) + 1
        segments = np.stack([polyline[:-1], polyline[1:]], axis=1)
        ends = partition.vertices[partition.edges[edges]]
        same, turned = (segments == ends).all(axis=(1, 2)), (segments == ends[:, ::-1]).all(axis=(1, 2))
        assert (same | turned).all()
        assert closed == (polyline[0] == polyline[-1]).all()
        assert (values[partition.edges[edges], component] == partition.level).all()
    check_ends(partition, found)
    assert [a.flags.writeable for a in (*found.polylines, *found.edges, found.closed, found.component)].count(True) == 0
    return found


def check_ends(partition: Partition, found: LevelSet) -> None:
    """Two edges that meet and no third follow one another."""
    for component in np.unique(found.component):
        mine = [edges for edges, c in zip(found.edges, found.component, strict=True) if c == component]
        degree = np.bincount(partition.edges[np.concatenate(mine)].ravel(), minlength=len(partition.vertices))
        successions = [pair for edges in mine for pair in pairwise(edges)]
        loops = [edges for edges in mine if len(edges) > 2 and (degree[partition.edges[edges]] == 2).all()]
        joints = [np.intersect1d(*partition.edges[list(pair)]) for pair in successions]
        joints += [np.intersect1d(*partition.edges[edges[[0, -1]]]) for edges in loops]
        assert sorted(np.concatenate([*joints, np.empty(0, int)])) == np.flatnonzero(degree == 2).tolist()


@pytest.mark.parametrize("seed", range(6))
def test_level_set_of_a_random_network_separates_the_signs(seed: int) -> None:
    partition = slice_of(random_module(seed))
    found = check(partition)
    assert not found.empty
    assert not len(found.flat_faces)
    sign = np.append(partition.activation_pattern()[:, -1], 0)
    left, right = sign[partition.edge_faces[np.concatenate(found.edges)]].T
    assert (left * right == -1).all()
    assert sign[:-1].min() == -1
    assert sign[:-1].max() == 1


@pytest.mark.parametrize("seed", range(3))
def test_several_outputs_give_the_union_of_their_level_sets(seed: int) -> None:
    module = random_module(seed, outputs=3)
    partition = slice_of(module, level=0.125)
    found = check(partition)
    for component in range(3):
        expected = level_set(slice_of(nn.Sequential(module, Component(component)), level=0.125))
        mine = [p for p, c in zip(found.polylines, found.component, strict=True) if c == component]
        assert sum(np.linalg.norm(np.diff(p, axis=0), axis=1).sum() for p in mine) == pytest.approx(expected.length)
        assert len(mine) == len(expected.polylines)


@pytest.mark.parametrize("kind", KINDS)
def test_level_sets_of_degenerate_networks(kind: str) -> None:
    for kink in ("relu", "abs", "hardtanh", "maximum"):
        sample = random_sample(kink, kind, seed=1)
        network = Network.trace(sample.module, input_shape=(len(sample.origin),))
        plane = SlicePlane(sample.origin, sample.axes)
        check(partition_polygon(network, plane, np.array(SQUARE), level=sample.level, threads=1))


def test_a_diamond_is_one_closed_polyline() -> None:
    partition = slice_of(Computed(lambda x, y: x.abs() + y.abs() - 1.0))
    found = check(partition)
    assert found.closed.tolist() == [True]
    assert found.length == pytest.approx(4.0 * np.sqrt(2.0), rel=1e-15)
    assert {tuple(p) for p in found.polylines[0].tolist()} == {(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)}
    assert found.describe() == "zero level set: 1 polyline (1 closed), length 5.65685"


def test_lines_that_cross_end_at_the_crossing() -> None:
    found = check(slice_of(Computed(lambda x, y: x.abs() - y.abs())))
    assert sorted(len(p) for p in found.polylines) == [2, 2, 2, 2]
    assert not found.closed.any()
    assert found.length == pytest.approx(12.0 * np.sqrt(2.0), rel=1e-15)


def test_a_flat_square_is_listed_and_outlined() -> None:
    partition = slice_of(Computed(lambda x, y: (x.abs() - 1.0).clamp(min=0.0) + (y.abs() - 1.0).clamp(min=0.0)))
    found = check(partition)
    assert len(found.flat_faces) == 4
    assert found.length == pytest.approx(8.0, rel=1e-15)
    assert found.closed.tolist() == [True]
    assert found.describe().endswith("length 8, 4 regions filled by it")


def test_a_slice_on_which_the_output_is_the_level_everywhere_is_outlined_by_the_border() -> None:
    partition = slice_of(Computed(lambda x, y: x.clamp(min=10.0) - 10.0))
    found = check(partition)
    assert found.flat_faces.tolist() == [0]
    assert (partition.edge_faces[found.edges[0]] == OUTSIDE).any(axis=1).all()
    assert found.length == 24.0


@pytest.mark.parametrize(
    ("bias", "level", "answer"),
    [
        (0.5, 0.0, "no zero level set in this slice (f is positive everywhere, smallest value 0.5)"),
        (-8.25, 0.0, "no zero level set in this slice (f is negative everywhere, largest value -2.25)"),
        (0.5, 0.25, "no level set f = 0.25 in this slice (f is above 0.25 everywhere, smallest value 0.5)"),
        (0.5, 7.0, "no level set f = 7 in this slice (f is below 7 everywhere, largest value 6.5)"),
        (0.0, 0.0, "no zero level set in this slice (f only touches 0, at 1 point)"),
    ],
)
def test_an_empty_slice_says_why(bias: float, level: float, answer: str) -> None:
    found = check(slice_of(Computed(lambda x, y: x.abs() + y.abs() + bias), level))
    assert found.empty
    assert found.length == 0.0
    assert found.describe() == answer
    assert len(found.isolated) == (1 if bias == 0.0 else 0)


def test_the_nearest_of_several_outputs_explains_an_empty_slice() -> None:
    found = check(slice_of(Computed(lambda x, y: torch.cat([x.abs() + 2.0, -y.abs() - 0.5], dim=1))))
    assert found.describe() == (
        "no zero level set in this slice (the nearest output, number 1, is negative everywhere, largest value -0.5)"
    )


def test_a_partition_without_a_level_or_unfinished_is_refused() -> None:
    network = Network.trace(random_module(0), (2,))
    with pytest.raises(EngineError, match="without a level"):
        level_set(partition_polygon(network, PLANE, np.array(SQUARE), None))
    snapshots: list[Partition] = []

    def keep(progress: Progress) -> None:
        snapshots.append(progress.snapshot())

    partition_polygon(network, PLANE, np.array(SQUARE), progress=keep)
    with pytest.raises(EngineError, match="not finished"):
        level_set(snapshots[0])


def test_chains_of_every_layer_use_each_edge_once() -> None:
    partition = slice_of(random_module(1))
    for layer in range(-1, 3):
        ids = np.flatnonzero(partition.edge_layer == layer).astype(np.int32)
        chains = chain_edges(partition, ids)
        assert sorted(chains.edge_ids) == ids.tolist()
        assert len(chains.vertex_ids) == len(ids) + len(chains)
        for i, (start, stop) in enumerate(pairwise(chains.offsets)):
            path = np.stack([chains.vertex_ids[start : stop - 1], chains.vertex_ids[start + 1 : stop]], axis=1)
            edges = partition.edges[chains.edge_ids[start - i : stop - i - 1]]
            assert (np.sort(path, axis=1) == np.sort(edges, axis=1)).all()
    border = chain_edges(partition, np.flatnonzero(partition.edge_layer == -1).astype(np.int32))
    assert border.closed.tolist() == [True]


def test_no_edges_make_no_chains() -> None:
    chains = chain_edges(slice_of(random_module(2)), np.empty(0, np.int32))
    assert len(chains) == 0
    assert chains.offsets.tolist() == [0]
    assert not len(chains.closed)


def test_level_set_of_a_trained_network_is_one_closed_curve() -> None:
    from sdf_models import load_checkpoint

    checkpoint = load_checkpoint(CHECKPOINTS / "spot-early.safetensors")
    network = Network.trace(checkpoint.module)
    found = check(partition_slice(network, SlicePlane.from_axis("z", 0.0), checkpoint.domain))
    assert found.closed.tolist() == [True]
