"""What a cut will make is counted before it is made, and refused when it does not fit."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import DTypeLike, NDArray
from torch import nn

from engine import MemoryLimitError, Network, SlicePlane
from engine.machine import memory
from engine.planar_map.face_count import interleaving
from engine.slices import tiling
from engine.slices.partition import partition_slice
from tests.engine.sameness import assert_same_partition

CUBE = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
Z0 = SlicePlane.from_axis("z", 0.0)


@pytest.fixture(autouse=True)
def cut_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wide networks too: tiles have their own plan, see test_tiling."""
    monkeypatch.setattr(tiling, "WIDE", np.inf)


def mlp(*widths: int, seed: int = 0, bias: bool = True) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out, bias=bias), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_chords_cross_as_often_as_their_ends_alternate(data: st.DataObject) -> None:
    number, length = data.draw(st.integers(0, 200)), data.draw(st.integers(4, 300))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    places = rng.integers(0, length, (number, 2)).astype(np.int32)
    places = places[np.abs(places[:, 0] - places[:, 1]) > 1]
    a, b = np.sort(places, axis=1).T
    alternate = (a[:, None] < a) & (a < b[:, None]) & (b[:, None] < b)
    scratch = (np.empty(size, np.int32) for size in (length, len(places), length + 1))
    assert interleaving(len(places), length, places, *scratch) == alternate.sum()


@pytest.mark.parametrize("width", [3, 40, 64, 65, 200, 700])
@pytest.mark.parametrize("seed", range(3))
def test_the_vertices_of_one_face_are_counted_exactly(width: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(memory, "admit", lambda needed, what, advice=None: asked.append(what))
    partition = partition_slice(Network.trace(mlp(3, width, 1, seed=seed)), Z0, CUBE, level=None)
    assert partition.ties == 0
    assert f"a partition of {len(partition.vertices):,} vertices" in asked


def _refusal(network: Network, left: float, monkeypatch: pytest.MonkeyPatch) -> str:
    """The refusal where so much memory is left, of which no array may take a tenth."""
    empty, zeros = np.empty, np.zeros

    def small(shape: int | tuple[int, ...], dtype: DTypeLike) -> bool:
        return bool(np.prod(shape, dtype=float) * np.dtype(dtype).itemsize < 0.1 * left)

    def limited_empty(shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
        if not small(shape, dtype):
            raise MemoryError(f"an array with shape {shape} was asked for")
        return empty(shape, dtype)

    def limited_zeros(shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
        assert small(shape, dtype)
        return zeros(shape, dtype)

    with monkeypatch.context() as patch:
        patch.setattr(memory, "available", lambda: 0.0)
        with pytest.raises(MemoryLimitError):  # kernels are compiled, which needs numpy as it is
            partition_slice(Network.trace(mlp(3, 400, 400, 1)), Z0, CUBE)
        patch.setattr(memory, "available", lambda: left)
        patch.setattr(np, "empty", limited_empty)
        patch.setattr(np, "zeros", limited_zeros)
        with pytest.raises(MemoryLimitError) as refused:
            partition_slice(network, Z0, CUBE)
    return str(refused.value)


@pytest.mark.parametrize(
    ("widths", "what"),
    [
        ((30_000,), "a partition of 149,[0-9]{3},[0-9]{3} vertices"),
        ((3000, 3000), "a layer of 3,000 neurons at 1,[0-9]{3},[0-9]{3} vertices"),
    ],
    ids=str,
)
def test_wide_layers_are_refused_with_what_they_would_make(
    widths: tuple[int, ...], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = _refusal(Network.trace(mlp(3, *widths, 1)), 20e9, monkeypatch)
    told = re.fullmatch(
        what + r" needs [0-9.]+ GB of memory and 19\.0 GB are left; slice a domain at most (\d+)% as wide, "
        "or a smaller network",
        refusal,
    )
    assert told is not None, refusal
    assert 0 < int(told[1]) < 100


def test_the_same_partition_where_there_is_just_enough_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    network, asked = Network.trace(mlp(3, 600, 300, 1)), list[float]()
    with monkeypatch.context() as patch:
        patch.setattr(memory, "admit", lambda needed, what, advice=None: asked.append(needed))
        expected = partition_slice(network, Z0, CUBE)
    kept = 8 * 300 * len(expected.vertices)  # at the least: the values of the second layer
    assert kept / 2 < max(asked) < 2 * kept
    monkeypatch.setattr(memory, "available", lambda: 1.06 * max(asked))
    assert_same_partition(partition_slice(network, Z0, CUBE), expected)
    monkeypatch.setattr(memory, "available", lambda: 1.04 * max(asked))
    with pytest.raises(MemoryLimitError):
        partition_slice(network, Z0, CUBE)


def test_lines_through_one_point_are_not_refused_for_the_crossings_that_they_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = Network.trace(mlp(3, 1000, 1000, 1, bias=False))
    monkeypatch.setattr(memory, "available", lambda: 200e6)
    partition = partition_slice(network, Z0, CUBE, level=None)
    reach = len(np.unique(partition.edge_neuron[partition.edge_layer == 0]))
    first = partition.edge_layer == 0
    assert reach == 1000
    assert first.sum() >= 2 * reach  # each line is cut at the origin, which is one vertex
    assert (np.abs(partition.vertices) < 1e-12).all(axis=1).sum() == 1
