"""The certificate: bounds hold, boxes are cut into all their regions, and what is missing is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike
from torch import nn

from engine import Cancelled, Network, Seeds, certify_surface, extract_surface, with_certificate
from engine.arrays import Float
from engine.network.layers import Layers, layers_of
from engine.surface.box_regions import EMPTY, MISSED, VISITED, examine_boxes
from engine.surface.region_table import rebuild_table
from sdf_models import load_checkpoint
from tests.oracle.networks import random_sample
from tests.oracle.nonlinearities import NONLINEARITIES
from tests.oracle.recipes import KINDS

ROOT = Path(__file__).parents[2]
CHECKPOINTS = ROOT / "resources" / "checkpoints"
BOX = np.array([[-1.0] * 3, [1.0] * 3])


class TwoSolids(nn.Module):
    """A large octahedron, and a tiny one beside it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        large = (x + 0.3).abs().sum(dim=1, keepdim=True) - 0.5
        small = (x - 0.61).abs().sum(dim=1, keepdim=True) - 0.01
        return torch.minimum(large, small)


def examined(layers: Layers, boxes: Float, signatures: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    boxes, signatures = boxes.copy(), signatures.copy()
    signatures.flags.writeable = False  # as those of a surface are: kernels are compiled once for both
    table = np.full(1 << (4 * len(signatures) + 1).bit_length(), -1, np.int32)
    rebuild_table(signatures, len(signatures), table)
    return examine_boxes(0, len(boxes), layers, boxes, signatures, table)


def random_boxes(count: int, least: float, most: float) -> Float:
    rng = np.random.default_rng(0)
    lower = rng.uniform(-1.0, 1.0 - most, (count, 3))
    return np.stack([lower, lower + rng.uniform(least, most, (count, 1))], axis=1)


def sample_in_space(kink: str, kind: str) -> tuple[Network, float]:
    samples = (random_sample(kink, kind, seed) for seed in range(20))
    sample = next(sample for sample in samples if len(sample.origin) == 3)
    return Network.trace(sample.module), sample.level


@pytest.mark.parametrize("kink", NONLINEARITIES)
def test_bounds_hold_everywhere_in_a_box(kink: str) -> None:
    network, _ = sample_in_space(kink, "generic")
    layers = layers_of(network, 0.0)
    boxes = random_boxes(60, 0.01, 0.8)
    verdicts, _, bounds = examined(layers, boxes, np.zeros((0, layers.words), np.uint64))
    rng = np.random.default_rng(1)
    for _ in range(40):
        # the extremes are often in corners
        where = np.clip(rng.uniform(-0.5, 1.5, (len(boxes), 3)), 0.0, 1.0)
        found = network.forward(boxes[:, 0] + where * (boxes[:, 1] - boxes[:, 0]))[:, 0]
        assert (bounds[:, 0] <= found).all()
        assert (found <= bounds[:, 1]).all()
        assert not (verdicts[found == 0.0] == EMPTY).any()


def test_bounds_are_exact_where_nothing_is_undecided() -> None:
    layers = layers_of(Network.trace(TwoSolids()), 0.0)
    box = np.array([[[0.7, 0.7, 0.7], [0.8, 0.9, 0.8]]])
    # there the small solid is nearer: x + y + z - 3 * 0.61 - 0.01
    np.testing.assert_allclose(
        examined(layers, box, np.zeros((0, layers.words), np.uint64))[2], [[0.26, 0.66]], atol=1e-6
    )


def test_a_box_is_cut_into_all_its_regions() -> None:
    """Five planes across x, three across y, two across z."""

    class Grid(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            steps = [torch.relu(x[:, :1] - at) for at in (-0.7, -0.3, 0.1, 0.3, 0.8)]
            steps += [torch.relu(x[:, 1:2] - at) for at in (-0.5, 0.2, 0.4)]
            steps += [torch.relu(x[:, 2:] - at) for at in (-0.1, 0.6)]
            return torch.cat(steps, dim=1).sum(dim=1, keepdim=True) - 0.4

    network = Network.trace(Grid())
    surface = extract_surface(network, BOX)
    verdicts, regions, _ = examined(layers_of(network, 0.0), BOX[None], surface.signatures)
    assert (verdicts.tolist(), regions.tolist()) == ([VISITED], [6 * 4 * 3])


def small_network(seed: int) -> Network:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(3, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 1)).double()
    with torch.no_grad():
        module[-1].bias -= module(torch.zeros(1, 3, dtype=torch.float64))[0]
    return Network.trace(module)


@pytest.mark.parametrize("seed", range(6))
def test_every_facet_that_is_taken_away_is_missed(seed: int) -> None:
    network = small_network(seed)
    surface = extract_surface(network, BOX)
    layers = layers_of(network, 0.0)
    assert certify_surface(surface).certified
    for facet in range(0, surface.facets, 7):
        corners = surface.vertices[surface.face_vertices[slice(*surface.face_offsets[facet : facet + 2])]]
        box = np.stack([corners.mean(axis=0) - 0.05, corners.mean(axis=0) + 0.05]).clip(*BOX)[None]
        assert examined(layers, box, surface.signatures)[0].tolist() == [VISITED]
        assert examined(layers, box, np.delete(surface.signatures, facet, axis=0))[0].tolist() == [MISSED]


@pytest.mark.parametrize(
    ("name", "box", "facets"), [("torus", BOX, 1_000), ("gyroid", [[-1.0, -0.4, -0.3], [-0.6, 0.0, 0.1]], 3_000)]
)
def test_trained_networks_are_certified(name: str, box: ArrayLike, facets: int) -> None:
    checkpoint = load_checkpoint(CHECKPOINTS / f"{name}.safetensors")
    surface = extract_surface(Network.trace(checkpoint.module), box)
    assert surface.facets > facets
    certificate = certify_surface(surface)
    assert certificate.certified, certificate.describe()
    assert certificate.proven == 1.0
    assert with_certificate(surface, certificate).report.certified is True
    assert surface.report.certified is None


@pytest.mark.parametrize("kind", KINDS)
def test_degenerate_networks_are_certified_or_say_where_not(kind: str) -> None:
    for kink in ("relu", "abs", "hardtanh", "maximum"):
        network, level = sample_in_space(kink, kind)
        certificate = certify_surface(extract_surface(network, BOX, level), budget=4_000)
        left = len(certificate.missed) + len(certificate.unproven)
        assert certificate.certified == (left == 0) == (certificate.proven == 1.0)


def test_a_component_that_was_missed_is_not_proven_away() -> None:
    network = Network.trace(TwoSolids())
    through = np.array([[[-0.3, -0.3, -0.95], [-0.3, -0.3, 0.95]]])
    missed = extract_surface(network, BOX, seeds=Seeds(0, through))
    assert missed.report.components == 1
    refused = certify_surface(missed, budget=20_000)
    assert not refused.certified
    # where the other one is
    assert len(refused.unproven) == 0
    assert len(refused.missed) > 0
    assert (refused.missed[:, 0] < 0.62).all()
    assert (refused.missed[:, 1] > 0.60).all()
    assert "regions that the surface lacks" in refused.describe()
    both = np.concatenate([through, [[[0.61, 0.61, 0.0], [0.61, 0.61, 0.95]]]])
    whole = extract_surface(network, BOX, seeds=Seeds(0, both))
    assert whole.report.components == 2
    assert certify_surface(whole, budget=20_000).certified


def test_a_missing_sheet_that_leaves_the_box_is_noticed() -> None:
    class Planes(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            tilted = x @ torch.tensor([[1.0], [0.4], [0.2]], dtype=x.dtype)
            return tilted.abs() - 0.5

    network = Network.trace(Planes())
    one = extract_surface(network, BOX, seeds=Seeds(0, np.array([[[0.0] * 3, [0.9, 0.0, 0.0]]])))
    assert one.report.components == 1
    certificate = certify_surface(one, budget=2_000)
    assert not certificate.certified
    assert len(certificate.missed) > 0
    assert certify_surface(extract_surface(network, BOX), budget=2_000).certified


def test_what_is_left_says_whether_more_boxes_would_help() -> None:
    """All regions of a network without biases meet at the origin: no box around it is small enough."""
    torch.manual_seed(1)
    layers = [nn.Linear(3, 12, bias=False), nn.ReLU(), nn.Linear(12, 12, bias=False), nn.ReLU()]
    layers += [nn.Linear(12, 12, bias=False), nn.ReLU(), nn.Linear(12, 1, bias=False)]
    surface = extract_surface(Network.trace(nn.Sequential(*layers).double()), BOX, seeds=16)
    spent, tried = certify_surface(surface, 700), certify_surface(surface, 20_000)
    assert spent.boxes == 700
    assert spent.tiny == 0
    assert "raise the budget" in spent.describe()
    assert tried.boxes < 20_000
    assert tried.tiny == len(tried.unproven) > 0
    assert (np.abs(tried.unproven) < 1e-6).all()
    assert "raise the budget" not in tried.describe()
    assert "too small to be halved" in tried.describe()
    assert "99.9% of the volume" in tried.describe()


def test_open_edges_are_told_beside_the_regions_that_were_all_found() -> None:
    surface = extract_surface(Network.trace(TwoSolids()), BOX, seeds=Seeds(100))
    for edges, answer in ((0, "nothing was missed"), (1, "1 edge is open"), (4, "4 edges are open")):
        opened = replace(surface, report=replace(surface.report, open_edges=edges))
        certificate = certify_surface(opened)
        assert certificate.certified
        assert answer in certificate.describe()
        assert ("nothing was missed" in certificate.describe()) == (edges == 0)


def test_cancelling() -> None:
    surface = extract_surface(Network.trace(TwoSolids()), BOX)
    with pytest.raises(Cancelled):
        certify_surface(surface, cancel=lambda: True)
