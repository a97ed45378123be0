"""Where level surfaces are looked for: on a grid, in blocks of its planes, and along segments."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch

from engine import (
    Cancelled,
    EngineError,
    Network,
    Seeds,
    certify_surface,
    extract_surface,
)
from engine.machine.workers import Workers
from engine.network.layers import layers_of
from engine.surface import seeds as seeds_file
from tests.engine.surface_networks import BOX, Computed, octahedron, random_network, relu
from tests.engine.surface_promises import check


def test_further_segments_find_what_the_grid_cannot_see() -> None:
    network = Network.trace(Computed(lambda x, y, z: (x - 0.3).abs() + (y - 0.4).abs() + (z + 0.2).abs() - 0.01))
    assert extract_surface(network, BOX, seeds=4).empty
    through = np.array([[[0.3, 0.4, -1.0], [0.3, 0.4, 1.0]]])
    surface = extract_surface(network, BOX, seeds=Seeds(4, through))
    check(surface)
    assert surface.facets == 8


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


def test_nonsense_starts_are_refused() -> None:
    with pytest.raises(EngineError, match="whole number"):
        Seeds(2.5)  # type: ignore[arg-type]
    outside = Seeds(0, np.array([[[0, 0, 0], [1, 0, 0]]], float))
    with pytest.raises(EngineError, match="leaves the box"):
        extract_surface(octahedron(0.5), [[-0.3] * 3, [0.3] * 3], seeds=outside)
    inside = Seeds(0, np.array([[[0, 0, 0], [0.2, 0, 0]]], float))
    surface = extract_surface(octahedron(0.5), [[-0.3] * 3, [0.3] * 3], seeds=inside)
    assert surface.describe() == "no zero level surface was found along the segments"
