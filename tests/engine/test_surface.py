"""The level surface: on the level, closed, shared vertices, the same as slices' level sets, whatever the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engine import (
    Cancelled,
    EngineError,
    Network,
    Seeds,
    SlicePlane,
    Surface,
    SurfaceProgress,
    cut_surface,
    extract_surface,
    level_set,
    partition_slice,
)
from engine.arrays import Float
from sdf_models import load_checkpoint
from tests.engine.surface_networks import BOX, Function, random_network, relu, surface_of
from tests.engine.surface_promises import check, distances

ROOT = Path(__file__).parents[2]
CHECKPOINTS = ROOT / "resources" / "checkpoints"
SHIPPED = [
    path for path in sorted(CHECKPOINTS.glob("*.safetensors")) if path.stem != "spot-middle"
]  # like its neighbours
EULER = {"torus": (0,), "spot": (2,), "spot-early": (2,)}  # of what they were fitted to


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_surfaces_of_trained_networks(path: Path) -> None:
    checkpoint = load_checkpoint(path)
    network = Network.trace(checkpoint.module)
    surface = extract_surface(network, checkpoint.domain, seeds=16)
    check(surface)
    report = surface.report
    assert report.closed
    assert report.open_edges == 0
    assert report.collapsed == 0
    assert report.spread < 1e-10
    # four facets meet at every vertex of a surface in general position
    assert np.diff(surface.face_offsets).sum() == 4 * report.vertices
    if path.stem in EULER:
        assert report.euler == EULER[path.stem]


@pytest.mark.parametrize("seed", range(8))
def test_a_random_network_cut_by_random_planes_agrees_with_its_slices(seed: int) -> None:
    network = random_network(seed)
    surface = extract_surface(network, BOX, seeds=12)
    check(surface)
    assert surface.report.open_edges == 0
    rng = np.random.default_rng(seed)
    for number in range(6):
        plane = SlicePlane.random(rng.uniform(-0.5, 0.5, 3), 100 * seed + number)
        expected = level_set(partition_slice(network, plane, BOX))
        found = cut_surface(surface, plane)
        assert len(found.polylines) == len(expected.polylines)
        assert sorted(found.closed) == sorted(expected.closed)
        assert found.length == pytest.approx(expected.length, rel=1e-9)
        if not expected.empty:
            points = np.concatenate(found.polylines), np.concatenate(expected.polylines)
            assert distances(points[0], expected.polylines).max() <= 1e-9
            assert distances(points[1], found.polylines).max() <= 1e-9


@pytest.mark.parametrize(("name", "planes"), [("torus", 52), ("spot-early", 12)])
def test_cuts_of_trained_networks_agree_with_their_slices(name: str, planes: int) -> None:
    checkpoint = load_checkpoint(CHECKPOINTS / f"{name}.safetensors")
    network = Network.trace(checkpoint.module)
    surface = extract_surface(network, checkpoint.domain)
    for seed in range(planes):
        plane = SlicePlane.random(np.random.default_rng(seed).uniform(-0.4, 0.4, 3), seed)
        expected, found = level_set(partition_slice(network, plane, checkpoint.domain)), cut_surface(surface, plane)
        assert len(found.polylines) == len(expected.polylines)
        assert found.closed.all()
        assert found.length == pytest.approx(expected.length, rel=1e-12)
        if not expected.empty:
            assert distances(np.concatenate(found.polylines), expected.polylines).max() <= 1e-9
            assert distances(np.concatenate(expected.polylines), found.polylines).max() <= 1e-9


@pytest.mark.parametrize(
    ("function", "facets", "vertices", "area", "volume"),
    [
        (lambda x, y, z: x.abs() + y.abs() + z.abs() - 1, 8, 6, 4 * np.sqrt(3), 4 / 3),
        (lambda x, y, z: relu(x.abs() + y.abs() + z.abs() - 1), 8, 6, 4 * np.sqrt(3), 4 / 3),  # flat inside
        # every kink's plane that passes through the cube's sides divides them
        (lambda x, y, z: torch.maximum(torch.maximum(x.abs(), y.abs()), z.abs()) - 1, 32, 26, 24, 8),
    ],
    ids=["octahedron", "flat inside", "cube"],
)
def test_known_solids(function: Function, facets: int, vertices: int, area: float, volume: float) -> None:
    surface = surface_of(function)
    assert (surface.facets, surface.report.vertices, surface.report.euler) == (facets, vertices, (2,))
    assert surface.report.closed
    assert surface.area == pytest.approx(area, rel=1e-12)
    assert surface.volume() == pytest.approx(volume, rel=1e-12)


def test_the_volume_is_that_of_the_part_of_the_box_below_the_level() -> None:
    solid = surface_of(lambda x, y, z: x.abs() + y.abs() + z.abs() - 1)
    hole = surface_of(lambda x, y, z: 1 - x.abs() - y.abs() - z.abs())
    assert solid.volume() == pytest.approx(4 / 3, rel=1e-12)
    assert hole.volume() == pytest.approx(64 - 4 / 3, rel=1e-12)
    shell = surface_of(lambda x, y, z: (x.abs() + y.abs() + z.abs() - 1).abs() - 0.5, 16)
    assert shell.volume() == pytest.approx(4 / 3 * (1.5**3 - 0.5**3), rel=1e-12)


@pytest.mark.parametrize(
    ("function", "level", "answer"),
    [
        (
            lambda x, y, z: x.abs() + 1,
            0.0,
            "no zero level surface was found in the box: f is above 0 on the whole grid",
        ),
        (
            lambda x, y, z: x.abs() - 9,
            0.5,
            "no level surface f = 0.5 was found in the box: f is not above 0.5 on the grid",
        ),
        (lambda x, y, z: -relu(x), 0.0, "no zero level surface was found in the box: f equals 0 throughout 1 regions"),
    ],
)
def test_no_surface_says_why(function: Function, level: float, answer: str) -> None:
    surface = surface_of(function, level=level)
    assert surface.empty
    assert surface.describe().startswith(answer)
    assert not surface.report.closed
    assert surface.area == 0.0
    assert cut_surface(surface, SlicePlane.from_axis("z")).empty


def test_levels_shift_the_surface() -> None:
    surface = surface_of(lambda x, y, z: x.abs() + y.abs() + z.abs(), level=0.75)
    assert surface.area == pytest.approx(4 * np.sqrt(3) * 0.75**2)
    assert surface.level == 0.75


def test_the_same_bytes_with_any_number_of_threads() -> None:
    network = random_network(3)
    one, two = (extract_surface(network, BOX, seeds=10, threads=threads) for threads in (1, 2))
    for name in ("vertices", "face_vertices", "edges", "edge_layer", "edge_neuron", "gradients", "signatures"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_progress_counts_facets_and_cancelling_stops() -> None:
    network = random_network(4, 24, 4)
    seen: list[SurfaceProgress] = []
    surface = extract_surface(network, BOX, progress=seen.append)
    assert [p.facets for p in seen] == sorted(p.facets for p in seen)
    assert [p.searched for p in seen] == sorted(p.searched for p in seen)
    assert seen[-1].waiting == 0
    assert seen[-1].facets == surface.facets
    calls = 0

    def cancel() -> bool:
        nonlocal calls
        calls += 1
        return calls > 20

    with pytest.raises(Cancelled):
        extract_surface(network, BOX, cancel=cancel)


def test_refusals() -> None:
    network = random_network(0)
    with pytest.raises(EngineError, match="three dimensions"):
        extract_surface(Network.trace(nn.Linear(2, 1), (2,)), BOX)
    with pytest.raises(EngineError, match="2 outputs"):
        extract_surface(Network.trace(nn.Linear(3, 2)), BOX)
    with pytest.raises(EngineError, match="finite"):
        extract_surface(network, BOX, level=np.nan)
    with pytest.raises(EngineError, match="box of positive size"):
        extract_surface(network, BOX[::-1])
    with pytest.raises(EngineError, match="resolution"):
        extract_surface(network, BOX, seeds=-1)
    with pytest.raises(EngineError, match="threads"):
        extract_surface(network, BOX, threads=0)
    with pytest.raises(EngineError, match="segments"):
        Seeds(8, np.zeros((2, 3)))
    with pytest.raises(EngineError, match="2 dimensions"):
        cut_surface(extract_surface(network, BOX, seeds=4), SlicePlane.identity())


def test_arrays_are_read_only() -> None:
    surface = surface_of(lambda x, y, z: x.abs() + y.abs() + z.abs() - 1)
    arrays: list[Float] = [
        value for name in Surface.__slots__ if isinstance(value := getattr(surface, name), np.ndarray)
    ]
    assert len(arrays) > 10
    assert not any(array.flags.writeable for array in arrays)
