"""Level surfaces where facets meet in other ways than four at a vertex, or creases and sides of the box coincide."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
import trimesh
from torch import nn

from engine import (
    Network,
    Surface,
    extract_surface,
    partition_segment,
)
from tests.engine.surface_networks import BOX, Function, relu, surface_of
from tests.engine.surface_promises import check
from tests.oracle.networks import linear, random_sample
from tests.oracle.nonlinearities import NONLINEARITIES
from tests.oracle.recipes import KINDS


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


# Deep networks have regions smaller than coordinates tell; a wide one is one of integers, and larger.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("deep", "wide")])
def test_degenerate_networks(kind: str) -> None:
    box = np.array([[-1.5] * 3, [1.5] * 3])
    for kink in NONLINEARITIES:
        if kind == "scaled" and kink in ("hardtanh", "relu6", "clamp"):
            continue  # steps of width 2^-20
        sample = random_sample(kink, kind, seed=0 if kind == "cancelling" else 1)
        if len(sample.origin) == 3:
            surface = extract_surface(Network.trace(sample.module), box, sample.level, 8, threads=1)
            check(surface, rounding=1e-7 if kind in ("cancelling", "scaled") else 1e-12)
            # Where features cancel, it depends on the processor's rounding how many edges stay open; they are counted.
            assert surface.report.open_edges == 0 or kind == "cancelling"


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


@pytest.mark.parametrize("side", range(6))
@pytest.mark.parametrize(
    ("function", "facets", "vertices", "border", "area"),
    [
        (lambda u, v, w: u + relu(v), 1, 4, 4, 8),  # beyond v = 0 it leaves the box
        (lambda u, v, w: u - relu(v), 2, 6, 6, 8 + 8 * np.sqrt(2)),  # there it goes on inside
        (lambda u, v, w: u + relu(v.abs() - 1), 2, 6, 6, 8),
        (lambda u, v, w: -u + relu(v), 2, 6, 6, 8 + 8 * np.sqrt(2)),  # found from beyond the side
        (lambda u, v, w: u - v.abs(), 2, 6, 6, 16 * np.sqrt(2)),  # only an edge is in the side
        (lambda u, v, w: v.abs() - u, 2, 6, 6, 16 * np.sqrt(2)),  # joined around what is beyond the side
        (lambda u, v, w: v.abs() - u.abs(), 2, 8, 8, 16 * np.sqrt(2)),  # joined with facets beyond it: two sheets
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
