"""The driver: the promises of a Partition, on trained and random networks, and beside an independent code."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import sys
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import regioncam
import torch
from numpy.typing import DTypeLike, NDArray
from torch import nn

from engine import Cancelled, EngineError, MemoryLimitError, Network, Partition, PlaneError, Progress, SlicePlane
from engine.machine import memory
from engine.machine.table import Recycler
from engine.slices import tiling
from engine.slices.partition import partition_polygon, partition_slice
from sdf_models import load_checkpoint
from tests.engine.promises import check
from tests.engine.sameness import assert_same_numbers, assert_same_partition
from tests.oracle.networks import SQUARE, random_sample
from tests.oracle.nonlinearities import NONLINEARITIES
from tests.oracle.recipes import KINDS

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "resources" / "checkpoints").glob("*.safetensors"))
SHIPPED = [path for path in SHIPPED if path.stem != "spot-middle"]  # it is like those before and after it
CUBE = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
Z0 = SlicePlane.from_axis("z", 0.0)


def mlp(*widths: int, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_checkpoints_keep_the_promises(path: Path) -> None:
    checkpoint = load_checkpoint(path)
    partition = partition_slice(Network.trace(checkpoint.module), Z0, checkpoint.domain)
    assert partition.ties == 0
    check(partition)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kink", NONLINEARITIES)
def test_degenerate_networks_keep_the_promises(kink: str, kind: str) -> None:
    # every form of a network (one in four seeds) with every kind and with every nonlinearity
    sample = random_sample(kink, kind, 1000 + list(KINDS).index(kind) + list(NONLINEARITIES).index(kink))
    network = Network.trace(sample.module, input_shape=(len(sample.origin),))
    plane = SlicePlane(sample.origin, sample.axes)
    check(partition_polygon(network, plane, np.array(SQUARE), level=sample.level, threads=1))


def _small_widths(seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    widths: list[int] = rng.integers(8, 40, size=rng.integers(2, 6)).tolist()
    return widths


@pytest.mark.parametrize(
    ("widths", "seed"),
    [*((_small_widths(seed), seed) for seed in range(20)), ([128, 128, 128], 20), ([200, 200], 21), ([300, 150], 22)],
    ids=str,
)
def test_regions_are_as_many_as_an_independent_code_finds(widths: list[int], seed: int) -> None:
    module = mlp(2, *widths, 1, seed=seed)
    partition = partition_slice(Network.trace(module, (2,)), SlicePlane.identity(), CUBE[:, :2])
    assert (partition.linear_regions, partition.regions) == _counted_by_regioncam(module)
    assert 1 < partition.regions < (10_000 if seed < 20 else 50_000)
    assert partition.ties == 0


@pytest.mark.parametrize("name", ["torus", "spot-early"])
def test_regions_of_trained_networks_are_as_many_as_an_independent_code_finds(name: str) -> None:
    checkpoint = load_checkpoint(ROOT / "resources" / "checkpoints" / f"{name}.safetensors")
    partition = partition_slice(Network.trace(checkpoint.module), Z0, checkpoint.domain)
    linear = [layer for layer in checkpoint.module.modules() if isinstance(layer, nn.Linear)]
    linear[0].weight.data = linear[0].weight.data[:, :2]  # on the plane
    plain = nn.Sequential(*[part for layer in linear for part in (layer, nn.ReLU())][:-1])
    assert (partition.linear_regions, partition.regions) == _counted_by_regioncam(plain)


def _counted_by_regioncam(module: nn.Sequential) -> tuple[int, int]:
    """The regions of a plain ReLU network in the square |x|, |y| <= 1, without its level set and cut by it."""
    peer = regioncam.Regioncam(1.0)
    for layer in module:
        if isinstance(layer, nn.Linear):
            peer.linear(layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy())
        else:
            peer.relu()
    linear_regions = peer.num_faces
    peer.sign()
    return linear_regions, peer.num_faces


def test_one_layer_has_as_many_regions_as_lines_and_their_crossings_say() -> None:
    module = mlp(3, 150, 1)
    partition = partition_slice(Network.trace(module), Z0, CUBE, level=None)
    weight = module[0].weight.detach().double().numpy()[:, :2]
    bias = module[0].bias.detach().double().numpy()
    reach = np.abs(weight).sum(axis=1) > np.abs(bias)
    weight, bias = weight[reach], bias[reach]
    i, j = np.triu_indices(len(weight), 1)
    meet = np.linalg.solve(np.stack([weight[i], weight[j]], axis=1), -np.stack([bias[i], bias[j]], axis=1)[..., None])
    inside = (np.abs(meet[..., 0]) < 1.0).all(axis=1)
    assert partition.regions == 1 + len(weight) + inside.sum()


def test_the_same_partition_for_any_number_of_threads() -> None:
    network = Network.trace(mlp(3, 64, 64, 64, 1))
    one, two = (partition_slice(network, Z0, CUBE, threads=threads) for threads in (1, 2))
    assert one.regions > 1000
    assert_same_partition(two, one)


def test_every_layer_is_published_as_a_partition_of_its_own() -> None:
    module = mlp(3, 24, 24, 24, 1)
    network = Network.trace(module)
    published: list[tuple[Progress, Partition]] = []
    final = partition_slice(network, Z0, CUBE, progress=lambda p: published.append((p, p.snapshot())))
    assert [(p.done, p.layers) for p, _ in published] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for progress, snapshot in published:
        # The partition by the first layers is that of the network that ends there.
        assert progress.regions == snapshot.regions
        assert snapshot.edge_layer.max() == progress.done - 1
        assert len(snapshot.vertices) - len(snapshot.edges) + snapshot.regions == 1
    for depth in (1, 2):
        head = Network.trace(nn.Sequential(*module[: 2 * depth], nn.Linear(24, 1)))
        assert partition_slice(head, Z0, CUBE, level=None).regions == published[depth - 1][0].regions
    assert published[-1][0].regions == final.regions


def test_the_named_rows_of_a_level_are_those_of_the_output() -> None:
    module = mlp(3, 16, 16, 2)
    network = Network.trace(module)
    partition = partition_slice(network, Z0, CUBE, level=0.05)
    check(partition)
    on_level = partition.edges[partition.edge_on_level]
    assert len(on_level) > 0
    assert np.abs(partition.values[on_level] - 0.05).min(axis=2).max() < 1e-12


@pytest.mark.parametrize("call", [0, 12, 100])
@pytest.mark.parametrize("widths", [(3, 1500, 1), (3, 256, 256, 256, 256, 1)])
def test_cancelled_soon_and_nothing_left_behind(
    widths: tuple[int, ...], call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiling, "WIDE", np.inf)
    network = Network.trace(mlp(*widths))
    threads = set(threading.enumerate())
    answers = iter(range(1_000_000))
    with pytest.raises(Cancelled):
        partition_slice(network, Z0, CUBE, cancel=lambda: next(answers) >= call)
    assert set(threading.enumerate()) <= threads


def test_what_does_not_fit_is_refused_before_it_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 80e6)
    monkeypatch.setattr(tiling, "WIDE", np.inf)
    network = Network.trace(mlp(3, 256, 256, 256, 1))
    with pytest.raises(MemoryLimitError) as refusal:
        partition_slice(network, Z0, CUBE)
    told = re.search(
        r"needs .* GB of memory and .* GB are left; slice a domain at most (\d+)% as wide, or a smaller network$",
        str(refusal.value),
    )
    assert told is not None
    assert 0 < int(told[1]) < 100


def _without_memory_beyond(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, numpy has no memory for larger arrays, in bytes."""
    empty = np.empty

    def limited(shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
        if np.prod(shape) * np.dtype(dtype).itemsize > most:
            raise MemoryError(f"Unable to allocate an array with shape {shape}")
        return empty(shape, dtype)

    monkeypatch.setattr(np, "empty", limited)


def test_short_memory_leaves_tables_less_room(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network.trace(mlp(3, 64, 64, 64, 1))
    expected = partition_slice(network, Z0, CUBE)
    rows, width = len(expected.vertices), 64
    _without_memory_beyond(2 * 8 * rows * width, monkeypatch)
    partition = partition_slice(network, Z0, CUBE)
    assert_same_partition(partition, expected)
    recycler = Recycler()
    recycler.take_back(recycler.table(10, width))
    for most in (1.6, 1.0):
        monkeypatch.undo()
        _without_memory_beyond(int(most * 8 * 100_000 * width), monkeypatch)
        table = recycler.table(100_000, width)
        assert table.view.shape == (100_000, width)
    with pytest.raises(MemoryLimitError, match="slice a smaller domain"):
        table.grow(1)
    with pytest.raises(MemoryLimitError, match="slice a smaller domain"):
        recycler.table(100_001, width)


@pytest.mark.parametrize("most", [2_000, 100_000, 2_000_000])
def test_memory_that_runs_out_is_one_clear_error(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network.trace(mlp(3, 64, 64, 64, 1))
    _without_memory_beyond(most, monkeypatch)
    with pytest.raises(MemoryLimitError, match=r"Unable to allocate .*; slice a smaller domain or a smaller network$"):
        partition_slice(network, Z0, CUBE)


def test_a_plane_of_another_dimension_is_refused() -> None:
    with pytest.raises(EngineError, match="3 inputs"):
        partition_polygon(Network.trace(mlp(3, 4, 1)), SlicePlane.identity(), np.array(SQUARE, float))


def test_a_network_without_kinks_is_one_region_cut_by_its_level() -> None:
    partition = partition_slice(Network.trace(nn.Linear(3, 1)), Z0, CUBE)
    assert (partition.linear_regions, partition.regions) == (1, 2)
    assert partition_slice(Network.trace(nn.Linear(3, 1)), Z0, CUBE, level=None).regions == 1


@pytest.mark.parametrize("constant", [0.0, 2.0])
def test_a_constant_network_is_one_region(constant: float) -> None:
    class Constant(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 0.0 * x[:, :1] + constant

    partition = partition_slice(Network.trace(Constant()), Z0, CUBE)
    check(partition)
    assert partition.regions == 1
    assert partition.activation_pattern().tolist() == [[np.sign(constant)]]


def test_the_same_partition_from_another_thread() -> None:
    network = Network.trace(mlp(3, 64, 64, 64, 1))
    here, there = partition_slice(network, Z0, CUBE), []
    thread = threading.Thread(target=lambda: there.append(partition_slice(network, Z0, CUBE)))
    thread.start()
    thread.join()
    assert_same_partition(there[0], here)


@pytest.mark.parametrize("call", range(3, 90, 9))
def test_asked_once_is_enough_to_cancel(call: int) -> None:
    network = Network.trace(mlp(3, 64, 64, 64, 64, 1))
    answers = iter(range(1_000_000))
    with pytest.raises(Cancelled):
        partition_slice(network, Z0, CUBE, cancel=lambda: next(answers) == call, threads=2)


def test_snapshots_stay_what_they_were() -> None:
    network = Network.trace(mlp(3, 24, 24, 24, 1))
    published: list[Progress] = []
    during: list[tuple[bytes, NDArray[np.float64]]] = []

    def publish(progress: Progress) -> None:
        published.append(progress)
        snapshot = progress.snapshot()
        during.append((snapshot.vertices.tobytes(), snapshot.values))

    partition_slice(network, Z0, CUBE, progress=publish)
    regions = [progress.regions for progress in published]
    assert [progress.snapshot().regions for progress in published] == regions
    for progress, (vertices, values) in zip(published, during, strict=True):
        assert progress.snapshot().vertices.tobytes() == vertices
        assert_same_numbers(progress.snapshot().values, values)


def test_progress_that_is_kept_holds_maps_and_no_values() -> None:
    network, kept = Network.trace(mlp(3, 96, 96, 96, 1)), list[Progress]()
    partition_slice(network, Z0, CUBE)
    tracemalloc.start()
    try:
        partition = partition_slice(network, Z0, CUBE, progress=kept.append)
        gc.collect()
        with_kept, _ = tracemalloc.get_traced_memory()
        kept.clear()
        gc.collect()
        without, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    maps = sum(value.nbytes for value in vars_of(partition) if isinstance(value, np.ndarray))
    assert with_kept - without < 2 * maps < 0.1 * 4 * 96 * 8 * len(partition.vertices)


def vars_of(partition: Partition) -> list[Any]:
    return [getattr(partition, field.name) for field in fields(partition)]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))])
def test_copies_and_pickles_are_equal_and_read_only(copied: Callable[[Any], Any]) -> None:
    partition = partition_slice(Network.trace(mlp(3, 16, 16, 1)), Z0, CUBE)
    assert not partition.points.flags.writeable  # computed once, and copied with the others
    other = copied(partition)
    for mine, its in zip(
        [partition, partition.plane, *partition.face_signs], [other, other.plane, *other.face_signs], strict=True
    ):
        for name in [field.name for field in fields(mine)] + ["points"] * (mine is partition):
            value = getattr(its, name)
            if isinstance(value, np.ndarray):
                assert np.array_equal(value, getattr(mine, name))
                assert value.dtype == getattr(mine, name).dtype
                assert not value.flags.writeable, name
    check(other)


@pytest.mark.parametrize("scale", [1e-150, 1e-9, 1e9, 1e150])
def test_scaling_neurons_and_their_outgoing_weights_changes_nothing(scale: float) -> None:
    module = mlp(3, 32, 32, 1).double()
    expected = partition_slice(Network.trace(module), Z0, CUBE)
    scales = torch.tensor([scale if i % 3 == 0 else 1.0 for i in range(32)], dtype=torch.float64)
    with torch.no_grad():
        module[0].weight *= scales[:, None]
        module[0].bias *= scales
        module[2].weight /= scales
    partition = partition_slice(Network.trace(module), Z0, CUBE)
    assert (partition.regions, partition.ties) == (expected.regions, 0)


def test_weights_of_a_dead_neuron_change_nothing() -> None:
    module = mlp(3, 32, 32, 1).double()
    with torch.no_grad():
        module[0].bias[0] = -100.0
    expected = partition_slice(Network.trace(module), Z0, CUBE)
    with torch.no_grad():
        module[2].weight[:, 0] = 1e16
    assert partition_slice(Network.trace(module), Z0, CUBE).regions == expected.regions


@pytest.mark.parametrize(
    "polygon",
    [[[0, 0], [1, 0]], [[0, 0], [1, 0], [0.2, 0.2], [0, 1]], [[0, 0], [1, 0], [np.nan, 1]], [[0, 0], [1, 1], [2, 2]]],
)
def test_what_is_not_a_convex_polygon_is_refused(polygon: list[list[float]]) -> None:
    with pytest.raises(PlaneError, match="polygon"):
        partition_polygon(Network.trace(mlp(2, 4, 1), (2,)), SlicePlane.identity(), np.array(polygon, float))


def test_corners_may_run_either_way() -> None:
    network = Network.trace(mlp(2, 8, 8, 1), (2,))
    square = np.array(SQUARE, float)
    forth, back = (partition_polygon(network, SlicePlane.identity(), corners) for corners in (square, square[::-1]))
    check(back)
    assert forth.regions == back.regions


@pytest.mark.parametrize("level", [1e150, 1e305, -1e308, sys.float_info.max])
def test_a_level_that_no_value_comes_near_to_cuts_nothing(level: float) -> None:
    network = Network.trace(mlp(3, 8, 8, 1))
    expected = partition_slice(network, Z0, CUBE, level=None)
    partition = partition_slice(network, Z0, CUBE, level=level)
    check(partition)
    assert (partition.regions, partition.linear_regions, partition.ties) == (expected.regions, expected.regions, 0)
    assert not partition.edge_on_level.any()
    assert_same_numbers(partition.values, expected.values)


@pytest.mark.parametrize("level", [np.nan, np.inf, "0", [0.0, 1.0]])
def test_a_level_that_is_no_number_is_refused(level: Any) -> None:
    with pytest.raises(EngineError, match="level must be a finite number"):
        partition_slice(Network.trace(mlp(3, 4, 1)), Z0, CUBE, level=level)


def test_no_progress_and_no_cancel_are_none() -> None:
    network = Network.trace(mlp(3, 8, 1))
    partition = partition_slice(network, Z0, CUBE, progress=None, cancel=None, threads=None)
    assert partition.regions == partition_slice(network, Z0, CUBE).regions


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2"])
def test_a_number_of_threads_that_is_none_is_refused(threads: Any) -> None:
    with pytest.raises(EngineError, match="number of threads must be an integer of at least 1"):
        partition_slice(Network.trace(mlp(3, 4, 1)), Z0, CUBE, threads=threads)
