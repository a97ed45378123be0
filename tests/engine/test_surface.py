"""The level surface: on the level, closed, shared vertices, the same as slices' level sets, whatever the network."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from torch import nn

from engine import (
    Cancelled,
    EngineError,
    Network,
    Seeds,
    SlicePlane,
    Surface,
    SurfaceProgress,
    certify_surface,
    cut_surface,
    extract_surface,
    level_set,
    partition_segment,
    partition_slice,
)
from engine import seeds as seeds_file
from engine.layers import layers_of
from engine.steps import Float
from engine.workers import Workers
from sdf_models import load_checkpoint
from tests.engine.surface_promises import check, distances
from tests.oracle.networks import linear, random_sample
from tests.oracle.nonlinearities import NONLINEARITIES
from tests.oracle.recipes import KINDS

ROOT = Path(__file__).parents[2]
FOX = ROOT.parent / "shared" / "data" / "fox.npz"
CHECKPOINTS = sorted((ROOT / "resources" / "checkpoints").glob("*.safetensors"))
BOX = np.array([[-2.0] * 3, [2.0] * 3])
Function = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class Computed(nn.Module):
    """function(x, y, z) of the three coordinates, (N, 1) each."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x[:, :1], x[:, 1:2], x[:, 2:])


def relu(x: torch.Tensor) -> torch.Tensor:
    return torch.relu(x)


def octahedron(size: float) -> Network:
    """|x| + |y| + |z| - size, by a layer without bias."""
    first, last = nn.Linear(3, 6, bias=False, dtype=torch.float64), nn.Linear(6, 1, dtype=torch.float64)
    with torch.no_grad():
        first.weight.copy_(torch.cat([torch.eye(3), -torch.eye(3)]))
        last.weight.fill_(1.0)
        last.bias.fill_(-size)
    return Network.trace(nn.Sequential(first, nn.ReLU(), last), input_shape=(3,))


def surface_of(function: Function, seeds: int = 8, level: float = 0.0) -> Surface:
    surface = extract_surface(Network.trace(Computed(function)), BOX, level, seeds)
    check(surface)
    return surface


def random_network(seed: int, width: int = 16, depth: int = 3) -> Network:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    size = 3
    for _ in range(depth):
        layers += [nn.Linear(size, width), nn.ReLU()]
        size = width
    module = nn.Sequential(*layers, nn.Linear(size, 1)).double()
    with torch.no_grad():
        module[-1].bias -= module(torch.zeros(1, 3, dtype=torch.float64))[0]  # the surface goes through the middle
    return Network.trace(module)


@pytest.mark.parametrize("path", [*CHECKPOINTS, FOX], ids=lambda path: path.stem)
def test_surfaces_of_trained_networks(path: Path) -> None:
    if not path.exists():
        pytest.skip("the fox is not part of the project")
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
    if path == FOX:
        assert (report.facets, report.euler) == (28316, (2,))


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


@pytest.mark.skipif(not FOX.exists(), reason="the fox is not part of the project")
def test_cuts_of_the_fox_agree_with_its_slices() -> None:
    checkpoint = load_checkpoint(FOX)
    network = Network.trace(checkpoint.module)
    surface = extract_surface(network, checkpoint.domain)
    for seed in range(52):
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
    shell = surface_of(lambda x, y, z: (x.abs() + y.abs() + z.abs() - 1).abs() - 0.5)
    assert shell.volume() == pytest.approx(4 / 3 * (1.5**3 - 0.5**3), rel=1e-12)


def test_two_solids_that_touch_in_a_point_are_two_components() -> None:
    def function(x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        rest = y.abs() + z.abs() - 1
        return torch.minimum((x - 1).abs() + rest, (x + 1).abs() + rest)

    surface = surface_of(function)
    assert surface.report.euler == (2, 2)
    assert surface.volume() == pytest.approx(8 / 3)
    assert np.bincount(surface.components).tolist() == [8, 8]


def test_around_an_edge_where_four_facets_meet_those_around_a_positive_sector_join() -> None:
    surface = surface_of(lambda x, y, z: x.abs() - y.abs())
    assert surface.report.components == 2
    assert surface.report.open_edges == 0
    assert not surface.report.closed
    assert surface.area == pytest.approx(32 * np.sqrt(2))


def test_where_four_facets_meet_along_an_edge_each_pair_has_an_edge_of_its_own() -> None:
    def walls(x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return relu(z - 0.5) + relu(-z - 0.5) + 3 * relu(y - 1) + 3 * relu(-y - 1)

    surface = surface_of(lambda x, y, z: x.abs() - y.abs() + walls(x, y, z))
    assert surface.report.closed
    loops = np.split(surface.face_vertices, surface.face_offsets[1:-1])
    fans = [(loop[0], a, b) for loop in loops for a, b in pairwise(loop[1:])]
    joined = trimesh.Trimesh(surface.vertices, fans, process=False)
    assert joined.is_watertight
    assert joined.is_winding_consistent
    assert joined.volume == pytest.approx(surface.volume(), rel=1e-12)
    assert joined.euler_number == sum(surface.report.euler) - _pinches(surface)
    # the middle of the doubled edge
    assert (np.abs(surface.vertices) < 1e-12).all(axis=1).sum() == 1


def _pinches(surface: Surface) -> int:
    """How often vertices are counted in more than one component."""
    owners = np.repeat(surface.components, np.diff(surface.face_offsets))
    return len(np.unique(np.stack([owners, surface.face_vertices]), axis=1).T) - len(surface.vertices)


def test_many_facets_at_one_vertex() -> None:
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(3, 24, bias=False), nn.ReLU(), nn.Linear(24, 16, bias=False), nn.ReLU())
    module.append(nn.Linear(16, 1, bias=False))
    surface = extract_surface(Network.trace(module.double()), BOX, seeds=12)
    check(surface)
    assert surface.report.open_edges == 0
    apex = np.flatnonzero(np.linalg.norm(surface.vertices, axis=1) < 1e-12)
    assert len(apex) >= 1
    assert np.bincount(surface.face_vertices)[apex].sum() == surface.facets  # a cone: all facets have the apex


def test_a_surface_in_the_plane_of_a_crease_counts_once() -> None:
    surface = surface_of(lambda x, y, z: 2 * relu(x) - relu(-x))
    assert (surface.facets, surface.area) == (1, pytest.approx(16))
    assert surface.gradients.tolist() == [[2.0, 0.0, 0.0]]  # of the positive side


def test_a_surface_along_the_border_of_a_flat_region() -> None:
    surface = surface_of(lambda x, y, z: relu(x) - relu(y))
    assert surface.report.flat_regions > 0
    assert surface.area == pytest.approx(8 + 8 * np.sqrt(2))


def test_coinciding_neurons() -> None:
    surface = surface_of(
        lambda x, y, z: relu(x) - relu(-x) + relu(y) - relu(-y) - relu(z) + relu(-z) + relu(x) - relu(x)
    )
    assert surface.area == pytest.approx(12 * np.sqrt(3))  # the regular hexagon x + y = z of the box
    assert surface.report.open_edges == 0


@pytest.mark.parametrize("kind", KINDS)
def test_degenerate_networks(kind: str) -> None:
    box = np.array([[-1.5] * 3, [1.5] * 3])
    for kink in NONLINEARITIES:
        if kind == "scaled" and kink in ("hardtanh", "relu6", "clamp"):
            continue  # steps of width 2^-20
        sample = random_sample(kink, kind, seed=0 if kind == "cancelling" else 1)
        if len(sample.origin) == 3:
            surface = extract_surface(Network.trace(sample.module), box, sample.level, 8, threads=1)
            check(surface, rounding=1e-7 if kind in ("cancelling", "scaled") else 1e-12)
            assert surface.report.open_edges == 0


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


def test_further_segments_find_what_the_grid_cannot_see() -> None:
    network = Network.trace(Computed(lambda x, y, z: (x - 0.3).abs() + (y - 0.4).abs() + (z + 0.2).abs() - 0.01))
    assert extract_surface(network, BOX, seeds=4).empty
    through = np.array([[[0.3, 0.4, -1.0], [0.3, 0.4, 1.0]]])
    surface = extract_surface(network, BOX, seeds=Seeds(4, through))
    check(surface)
    assert surface.facets == 8


def nearly_equal_neurons(seed: int, gap: float, deeper: bool = False) -> Network:
    """A small random network of which two neurons differ by about `gap`, in two layers where `deeper`."""
    torch.manual_seed(seed)
    first, second = nn.Linear(3, 6), nn.Linear(6, 6)
    module = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(6, 1)).double()
    with torch.no_grad():
        first.weight[1] = first.weight[0] + gap * torch.randn(3, dtype=torch.float64)
        first.bias[1] = first.bias[0] + gap * torch.randn(1, dtype=torch.float64)
        if deeper:
            second.weight[1], second.bias[1] = second.weight[0] * (1 + gap), second.bias[0]
        module[-1].bias -= module(torch.zeros(1, 3, dtype=torch.float64))[0]
    return Network.trace(module)


@pytest.mark.parametrize("exponent", [5, 6, 7, 9, 11, 13])
def test_nearly_equal_neurons(exponent: int) -> None:
    """Down to 1e-7 the slivers between two creases join the facets beside them; below that, edges may stay open, but
    corners that are far apart do not become one vertex.
    """
    for seed in (4, 8, 26, 34, 40):
        for deeper in (False, True):
            surface = extract_surface(nearly_equal_neurons(seed, 10.0**-exponent, deeper), 0.5 * BOX, seeds=8)
            if exponent <= 9 and not deeper:
                check(surface, rounding=1e-10)
                assert surface.report.open_edges == 0 or exponent == 9
            assert surface.report.spread < 1e-4
            assert (surface.edges[:, 0] != surface.edges[:, 1]).all()
            loops = np.split(surface.face_vertices, surface.face_offsets[1:-1])
            assert all(len(np.unique(loop)) == len(loop) for loop in loops)


@pytest.mark.parametrize("gap", [1e-3, 1e-5, 1e-6, 1e-7, 1e-8])
def test_the_border_of_a_flat_region_with_nearly_parallel_creases(gap: float) -> None:
    """Corners of its slivers are known along their edges to 1e-16 / gap only, across them to rounding."""
    surface = surface_of(lambda x, y, z: relu(x) + relu(x + gap * (y + z / 3)) - relu(y + 0.3 * x + 0.2 * z), 16)
    report = surface.report
    assert (report.facets, report.vertices, report.components, report.border_edges) == (5, 10, 1, 9)
    assert (report.open_edges, report.euler) == (0, (1,))


def test_a_surface_without_a_change_of_sign_is_found_along_segments() -> None:
    """|x| and a solid of no thickness: a grid does not see them, whatever its resolution, but the certificate does."""
    network = Network.trace(
        Computed(lambda x, y, z: torch.maximum((x - 0.3).abs(), relu(y.abs() - 1) + relu(z.abs() - 1)))
    )
    empty = extract_surface(network, BOX, seeds=16)
    assert empty.describe().startswith("no zero level surface was found in the box: f is above 0 on the whole grid")
    refused = certify_surface(empty, 2_000)
    assert not refused.certified
    assert "changes of sign" in refused.describe()
    assert "segments" in refused.describe()
    through = np.array([[[-1.0, 0.2, 0.3], [1.0, 0.2, 0.3]]])
    surface = extract_surface(network, BOX, seeds=Seeds(0, through))
    check(surface)
    assert surface.area >= 4.0


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


@pytest.mark.parametrize("block", [1, 100, 700])
def test_a_grid_looked_at_in_blocks_finds_the_same(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = Network.trace(Computed(lambda x, y, z: relu(relu(x) + relu(y) - 0.3) - relu(z)))
    for network in (random_network(3), flat):
        layers = layers_of(network, 0.0)
        with Workers(2) as workers:
            whole = seeds_file.find_crossings(layers, BOX, Seeds(12), workers)
            with monkeypatch.context() as changed:
                changed.setattr(seeds_file, "_BLOCK", block)
                found = seeds_file.find_crossings(layers, BOX, Seeds(12), workers)
        assert len(whole.points) > 100
        np.testing.assert_array_equal(found.points, whole.points)
        np.testing.assert_array_equal(found.signatures, whole.signatures)
        assert found.flat_regions == whole.flat_regions
        np.testing.assert_allclose(found.extremes, whole.extremes, rtol=1e-14)
    assert whole.flat_regions > 0


def test_a_fine_grid_takes_the_memory_of_some_of_its_planes_and_can_be_left() -> None:
    layers = layers_of(octahedron(0.05), 0.0)
    shares: list[float] = []
    tracemalloc.start()
    with Workers(2) as workers:
        crossings = seeds_file.find_crossings(layers, BOX, Seeds(128), workers, shares.append)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(crossings.points) > 0
    assert peak < 20e6  # the points of the whole grid are 53 MB
    assert shares == sorted(shares)
    assert len(shares) > 10
    assert shares[-1] == 1.0
    shares.clear()
    with Workers(2, lambda: len(shares) == 3) as workers, pytest.raises(Cancelled):
        seeds_file.find_crossings(layers, BOX, Seeds(128), workers, shares.append)
    assert len(shares) == 3


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


@pytest.mark.parametrize("size", [0.4, 0.1, 0.02, 0.015, 0.01, 0.004])
def test_a_surface_at_a_side_of_the_box_that_is_a_crease_is_found(size: float) -> None:
    """|x| + |y| + |z| = size in the first octant: the grid's lines on the box's sides lie on creases, all of them."""
    surface = extract_surface(octahedron(size), [[0, 0, 0], [1, 1, 1]])
    assert (surface.facets, surface.report.border_edges) == (1, 3)
    assert surface.area == pytest.approx(np.sqrt(3) / 2 * size**2, rel=1e-12)


@pytest.mark.parametrize(
    "segment",
    [[[0, 0, 0], [1, 0, 0]], [[0, 0.1, 0], [1, 0.1, 0]], [[0, 0, 0], [1, 1, 0]], [[0, 0.1, 0.1], [1, 0.1, 0.1]],
     [[0, 0, 0], [1, 1, 1]], [[-1, -1, -1], [0, 0, 0]]],
)  # fmt: skip
def test_a_start_on_a_crease_finds_the_surface(segment: list[list[float]]) -> None:
    surface = extract_surface(octahedron(0.5), [[-1] * 3, [1] * 3], seeds=Seeds(0, np.array([segment], float)))
    assert (surface.facets, surface.report.closed, surface.report.euler) == (8, True, (2,))
    assert surface.volume() == pytest.approx(4 / 3 * 0.5**3, rel=1e-12)


@pytest.mark.parametrize("side", range(6))
@pytest.mark.parametrize(
    ("function", "facets", "vertices", "border", "area"),
    [
        (lambda u, v, w: u + relu(v), 1, 4, 4, 8),  # beyond v = 0 it leaves the box
        (lambda u, v, w: u - relu(v), 2, 6, 6, 8 + 8 * np.sqrt(2)),  # there it goes on inside
        (lambda u, v, w: u + relu(v.abs() - 1), 2, 6, 6, 8),
        (lambda u, v, w: -u + relu(v), 2, 6, 6, 8 + 8 * np.sqrt(2)),  # found from beyond the side
        (lambda u, v, w: u - v.abs(), 2, 6, 6, 16 * np.sqrt(2)),  # only an edge is in the side
        (lambda u, v, w: v.abs() - u, 2, 8, 8, 16 * np.sqrt(2)),  # joined beyond the side: two sheets in the box
    ],
)
def test_a_surface_along_a_side_of_the_box(
    side: int, function: Function, facets: int, vertices: int, border: int, area: float
) -> None:
    """u: the distance from a side of the box."""

    def placed(*point: torch.Tensor) -> torch.Tensor:
        u, v, w = (point[(side + axis) % 3] for axis in range(3))
        return function(2 - u if side < 3 else 2 + u, v, w)

    surface = surface_of(placed)
    report = surface.report
    assert (surface.facets, report.vertices, report.border_edges) == (facets, vertices, border)
    assert (report.open_edges, report.collapsed) == (0, 0)
    assert report.components == (2 if vertices == 8 else 1)
    assert surface.area == pytest.approx(area, rel=1e-12)


def test_nonsense_starts_are_refused() -> None:
    with pytest.raises(EngineError, match="whole number"):
        Seeds(2.5)  # type: ignore[arg-type]
    outside = Seeds(0, np.array([[[0, 0, 0], [1, 0, 0]]], float))
    with pytest.raises(EngineError, match="leaves the box"):
        extract_surface(octahedron(0.5), [[-0.3] * 3, [0.3] * 3], seeds=outside)
    inside = Seeds(0, np.array([[[0, 0, 0], [0.2, 0, 0]]], float))
    surface = extract_surface(octahedron(0.5), [[-0.3] * 3, [0.3] * 3], seeds=inside)
    assert surface.describe() == "no zero level surface was found along the segments"


@pytest.mark.parametrize("scale", [1.0, 2.0**10, 2.0**23, 2.0**40])
def test_a_surface_of_small_features_is_found_beside_a_large_one(scale: float) -> None:
    """The octahedron |x| + |y| + |z| = 1/2, in units of 1 / scale, and a neuron of weight scale that is off there."""
    weight = np.concatenate([np.eye(3), -np.eye(3)]) / scale
    first = linear(np.vstack([weight, [[scale, 0.0, 0.0]]]), np.array([*np.zeros(6), -0.75 * scale]))
    second = linear(np.ones((1, 7)), np.array([-0.5 / scale]))
    network = Network.trace(nn.Sequential(first, nn.ReLU(), second))
    surface = extract_surface(network, [[-1.0] * 3, [1.0] * 3])
    check(surface)
    assert surface.facets == 8
    assert surface.report.closed
    assert surface.area == pytest.approx(np.sqrt(3.0), rel=1e-12)
    assert surface.volume() == pytest.approx(1.0 / 6.0, rel=1e-12)
    segment = partition_segment(network, [-1.0, 0.03, 0.01], [0.5, 0.03, 0.01])
    np.testing.assert_allclose(segment.points(segment.crossings)[:, 0], [-0.46, 0.46], atol=1e-12)
