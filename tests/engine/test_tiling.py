"""Slices in tiles: the same partition as whole ones, and as exact arithmetic has."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from torch import nn

from engine import Cancelled, MemoryLimitError, Network, Partition, Progress, SlicePlane, affine_maps, level_set
from engine.arrays import Float
from engine.machine import memory
from engine.machine.workers import Workers, single_threaded_blas
from engine.plane import plane_box_polygon
from engine.slices import tiling
from engine.slices.gluing import SeamError
from engine.slices.partition import in_tiles, partition_polygon, partition_slice
from sdf_models import load_checkpoint
from tests.engine.promises import check
from tests.oracle.networks import SQUARE, random_sample
from tests.oracle.nonlinearities import NONLINEARITIES
from tests.oracle.rational import partition
from tests.oracle.recipes import KINDS

CUBE = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
OBLIQUE = SlicePlane.from_normal([0.05, 0.1, 0.02], [1.0, 2.0, 3.0])
ROOT = Path(__file__).parents[2]


def tiled(network: Network, plane: SlicePlane, polygon: Float, level: float | None = 0.0) -> Partition:
    with Workers(2) as workers, single_threaded_blas():
        return in_tiles(network, plane, np.ascontiguousarray(polygon), level, None, None, workers)


def whole(
    network: Network, plane: SlicePlane, polygon: Float, level: float | None, monkeypatch: pytest.MonkeyPatch
) -> Partition:
    with monkeypatch.context() as patch:
        patch.setattr(tiling, "WIDE", np.inf)
        return partition_polygon(network, plane, polygon, level)


def wide_network(layers: int = 3, width: int = 180, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    modules: list[nn.Module] = [nn.Linear(3, width), nn.ReLU()]
    for _ in range(layers - 1):
        modules += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*modules, nn.Linear(width, 1)).double()


@pytest.fixture
def small_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks are cut in many cells, however many of these are in doubt."""
    monkeypatch.setattr(tiling, "MOST_ROWS", 5)
    monkeypatch.setattr(tiling, "DEPTH", 3)
    monkeypatch.setattr(tiling, "_MOST_LEFT", 10**6)


# Small networks, but for those of which one takes as long as all others.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("wide", "deep")])
def test_tiles_are_those_of_exact_arithmetic(kind: str, small_cells: None) -> None:
    kinks = [kink for kink in NONLINEARITIES if kink not in ("maximum", "minimum")]
    for seed in range(2):
        kink = kinks[(len(kind) + 5 * seed) % len(kinks)]
        sample = random_sample(kink, kind, 70 + seed)
        network = Network.trace(sample.module, input_shape=(len(sample.origin),))
        exact = partition(sample.spec, SQUARE, sample.origin.tolist(), sample.axes.tolist(), sample.level)
        found = tiled(network, SlicePlane(sample.origin, sample.axes), np.array(SQUARE), sample.level)
        assert (found.regions, found.linear_regions) == (len(exact.regions), exact.linear_regions), (kink, seed)
        assert {tuple(row) for row in found.activation_pattern().tolist()} == exact.sign_vectors, (kink, seed)
        check(found)


@pytest.mark.parametrize("level", [0.0, 0.01, None])
@pytest.mark.parametrize("name", ["gyroid", "wide"])
def test_tiles_are_the_same_map_as_the_whole(name: str, level: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "wide":
        network = Network.trace(wide_network())
    else:
        network = Network.trace(load_checkpoint(ROOT / f"resources/checkpoints/{name}.safetensors").module)
    polygon = 0.5 * plane_box_polygon(OBLIQUE, CUBE)
    expected, found = whole(network, OBLIQUE, polygon, level, monkeypatch), tiled(network, OBLIQUE, polygon, level)
    assert (found.regions, found.linear_regions) == (expected.regions, expected.linear_regions)
    away, match = cKDTree(found.vertices).query(expected.vertices)
    assert away.max() <= 1e-11
    assert sorted(match) == list(range(len(found.vertices)))
    np.testing.assert_allclose(found.values[match], expected.values, rtol=0.0, atol=1e-12)

    def named(of: Partition, vertex: np.ndarray) -> set[tuple[int, ...]]:
        ends = np.sort(vertex[of.edges], axis=1)
        return set(zip(*ends.T.tolist(), of.edge_layer.tolist(), of.edge_neuron.tolist(), strict=True))

    assert named(found, np.arange(len(found.vertices))) == named(expected, match)
    patterns = found.activation_pattern()
    assert {row.tobytes() for row in patterns} == {row.tobytes() for row in expected.activation_pattern()}
    check(found)
    # The same signs by way of the faces before each cut, as facts about whole layers read them.
    face, layers = np.arange(found.regions, dtype=np.int32), []
    for signs in reversed(found.face_signs):
        layers.append(signs.signs(face))
        face = signs.parent[face]
    np.testing.assert_array_equal(np.concatenate(layers[::-1], axis=1), patterns)
    if level is not None:
        assert level_set(found).length == pytest.approx(level_set(expected).length, rel=1e-12)


def test_wide_networks_are_cut_in_tiles_and_their_facts_hold() -> None:
    module = wide_network()
    network = Network.trace(module)
    found = partition_slice(network, OBLIQUE, 0.6 * CUBE)
    assert "glue" in found.seconds
    assert found.ties == 0
    some = np.random.default_rng(0).integers(0, found.regions, 50)
    maps = affine_maps(found, some.astype(np.int32))
    for face, gradient in zip(some.tolist(), maps.gradient, strict=True):
        loop = found.face_vertices[found.face_offsets[face] : found.face_offsets[face + 1]]
        inside = torch.from_numpy(found.points[loop].mean(axis=0)).requires_grad_()
        module(inside[None]).sum().backward()
        np.testing.assert_allclose(gradient, inside.grad.numpy(), rtol=0.0, atol=1e-10)
    for other in (copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        np.testing.assert_array_equal(other.activation_pattern(), found.activation_pattern())


def test_a_slice_is_the_same_with_any_number_of_threads() -> None:
    network = Network.trace(wide_network())
    one, two = (partition_slice(network, OBLIQUE, 0.4 * CUBE, threads=threads) for threads in (1, 2))
    for name in ("vertices", "values", "edges", "edge_layer", "edge_neuron", "face_vertices", "face_edges"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_neurons_that_are_zero_throughout_are_known_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    module = wide_network()
    with torch.no_grad():
        module[2].weight[7], module[2].bias[7] = 0.0, 0.0
    network, polygon = Network.trace(module), 0.3 * plane_box_polygon(OBLIQUE, CUBE)
    found, expected = partition_polygon(network, OBLIQUE, polygon), whole(network, OBLIQUE, polygon, 0.0, monkeypatch)
    assert "glue" in found.seconds
    assert found.regions == expected.regions
    assert (found.activation_pattern()[:, 180 + 7] == 0).all()
    assert {row.tobytes() for row in found.activation_pattern()} == {
        row.tobytes() for row in expected.activation_pattern()
    }


def test_a_slice_in_doubt_everywhere_is_cut_whole() -> None:
    module = wide_network()
    with torch.no_grad():  # each neuron twice: lines that coincide
        module[0].weight[90:], module[0].bias[90:] = module[0].weight[:90], module[0].bias[:90]
    network, polygon = Network.trace(module), 0.5 * plane_box_polygon(OBLIQUE, CUBE)
    with pytest.raises(SeamError):
        tiled(network, OBLIQUE, polygon)
    found = partition_polygon(network, OBLIQUE, polygon)
    assert "glue" not in found.seconds
    assert found.ties > 0
    check(found)


def test_progress_is_told_and_first_layers_are_shown() -> None:
    network, told = Network.trace(wide_network()), []

    def report(progress: Progress) -> None:
        told.append(progress)

    found = partition_slice(network, OBLIQUE, 0.6 * CUBE, progress=report)
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert 0.0 < shares[0] < shares[-1] <= 1.0
    assert len(shares) > 3
    first = told[-1].snapshot()
    assert first.regions == told[-1].regions < found.regions
    assert set(first.edge_layer.tolist()) == set(range(-1, told[-1].done))


def test_cutting_in_tiles_can_be_cancelled() -> None:
    asked = 0

    def cancel() -> bool:
        nonlocal asked
        asked += 1
        return asked > 20

    with pytest.raises(Cancelled):
        partition_slice(Network.trace(wide_network()), OBLIQUE, CUBE, cancel=cancel)


def test_what_does_not_fit_is_refused_before_it_is_glued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 2e6)
    monkeypatch.setattr(memory, "worth_asking", lambda needed: True)
    with pytest.raises(MemoryLimitError, match="tiles"):
        partition_slice(Network.trace(wide_network()), OBLIQUE, CUBE)
