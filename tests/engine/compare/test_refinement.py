"""The common refinement: the oracle's regions, and the promises of a partition."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engine import (
    CommonRefinement,
    EngineError,
    Network,
    SlicePlane,
    areas,
    beside,
    centroids,
    common_refinement,
    partition_polygon,
    partition_slice,
    refine,
)
from sdf_models import load_checkpoint
from tests.engine.promises import check
from tests.engine.sameness import assert_same_numbers
from tests.oracle.networks import SQUARE, Sample, random_sample
from tests.oracle.nonlinearities import NONLINEARITIES
from tests.oracle.rational import Affine, Concat, Piecewise, Spec, partition
from tests.oracle.recipes import KINDS

CHECKPOINTS = Path(__file__).parents[3] / "resources" / "checkpoints"
CUBE = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
Z0 = SlicePlane.from_axis("z", 0.0)


def joined(first: Spec, second: Spec) -> Spec:
    """Both specifications on the same input, and last both values, the first one's first."""
    shift = len(first)

    def moved(place: int) -> int:
        return place + shift if place else 0

    operations = []
    for operation in second:
        match operation:
            case Affine() | Piecewise():
                operations.append(replace(operation, source=moved(operation.source)))
            case Concat():
                operations.append(Concat(tuple(moved(place) for place in operation.sources)))
            case _:
                operations.append(type(operation)(left=moved(operation.left), right=moved(operation.right)))
    return (*first, *operations, Concat((shift, shift + len(second))))


def assert_exact(first: Sample, second: Sample) -> CommonRefinement:
    """The refinement of two networks on the first one's slice has the regions of rational arithmetic."""
    size = len(first.origin)
    networks = [Network.trace(sample.module, input_shape=(size,)) for sample in (first, second)]
    plane = SlicePlane(first.origin, first.axes)
    alone = [partition_polygon(network, plane, np.array(SQUARE), first.level, threads=1) for network in networks]
    found = refine(*alone, threads=1)
    exact = partition(joined(first.spec, second.spec), SQUARE, first.origin.tolist(), first.axes.tolist(), first.level)
    signs = [tuple(row) for row in found.partition.activation_pattern().tolist()]
    assert Counter(signs) == Counter(exact.sign_vectors)
    check(found.partition)
    for own, face in zip(alone, (found.first_face, found.second_face), strict=True):
        # corners of ill-conditioned kinds are known to fewer digits, and not the same ones beside other lines
        np.testing.assert_allclose(np.bincount(face, areas(found.partition), own.regions), areas(own), atol=1e-9)
    return found


def of_the_same_space(kink: str, kind: str, like: Sample, seed: int) -> Sample:
    return next(
        sample
        for sample in (random_sample(kink, kind, more) for more in range(seed, seed + 100))
        if len(sample.origin) == len(like.origin)
    )


# A wide network is one of integers, and larger: it is enough beside itself.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "wide"])
def test_two_networks_have_the_regions_of_rational_arithmetic(kind: str) -> None:
    kinks = list(NONLINEARITIES)
    number = list(KINDS).index(kind)
    for seed in range(2):
        first = random_sample(kinks[(number + seed) % len(kinks)], kind, 300 + seed)
        assert_exact(first, of_the_same_space(kinks[(number + 3 * seed) % len(kinks)], kind, first, 500 + seed))


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_beside_itself_is_refined_by_nothing(kind: str) -> None:
    kinks = list(NONLINEARITIES)
    sample = random_sample(kinks[list(KINDS).index(kind) % len(kinks)], kind, 400)
    found = assert_exact(sample, sample)
    assert found.equal
    np.testing.assert_array_equal(found.first_face, found.second_face)
    assert len(np.unique(found.first_face)) == found.regions == found.first.regions
    np.testing.assert_array_equal(found.values[:, 0], found.values[:, 1])


@pytest.fixture(scope="module")
def stages() -> CommonRefinement:
    early, late = (load_checkpoint(CHECKPOINTS / f"{name}.safetensors") for name in ("spot-early", "torus"))
    return common_refinement(Network.trace(early.module), Network.trace(late.module), Z0, late.domain)


def test_trained_networks_keep_the_promises(stages: CommonRefinement) -> None:
    check(stages.partition)
    assert stages.partition.ties == 0
    assert stages.regions > max(stages.first.regions, stages.second.regions)
    total = areas(stages.partition)
    assert_same_numbers(total.sum(keepdims=True), np.array([4.0]))
    for own, face in ((stages.first, stages.first_face), (stages.second, stages.second_face)):
        assert_same_numbers(np.bincount(face, total, own.regions), areas(own))


def test_faces_interpolate_both_networks(stages: CommonRefinement) -> None:
    rng = np.random.default_rng(0)
    joint = stages.partition
    faces = rng.integers(0, stages.regions, 2000)
    for face in faces:
        corners = joint.face_vertices[joint.face_offsets[face] : joint.face_offsets[face + 1]]
        weights = rng.dirichlet(np.ones(len(corners)))
        point = joint.plane.to_input(weights @ joint.vertices[corners])[None]
        values = weights @ stages.values[corners]
        for own, value in zip((stages.first, stages.second), values, strict=True):
            assert abs(own.network.forward(point)[0, 0] - value) < 1e-12


def test_faces_lie_in_the_regions_that_they_name(stages: CommonRefinement) -> None:
    from engine import Location

    inside = areas(stages.partition) > 1e-9
    middles = centroids(stages.partition)[inside]
    for own, face in ((stages.first, stages.first_face), (stages.second, stages.second_face)):
        np.testing.assert_array_equal(Location.build(own).region_at(middles), face[inside])


def test_the_order_of_the_networks_does_not_matter(stages: CommonRefinement) -> None:
    back = refine(stages.second, stages.first)
    assert back.regions == stages.regions
    pairs = [np.stack([found.first_face, found.second_face]) for found in (stages, back)]
    assert Counter(zip(*pairs[0].tolist(), strict=True)) == Counter(zip(*pairs[1][::-1].tolist(), strict=True))


def test_networks_beside_each_other_compute_what_both_do() -> None:
    torch.manual_seed(0)
    modules = [nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, outputs)) for outputs in (1, 2)]
    first, second = (Network.trace(module) for module in modules)
    identity = Network.trace(nn.Identity())
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 3))
    for one, other in ((first, second), (second, identity), (identity, identity), (identity, first)):
        both = beside(one, other).forward(points)
        np.testing.assert_array_equal(both, np.concatenate([one.forward(points), other.forward(points)], axis=1))


def test_partitions_of_different_slices_are_told() -> None:
    torch.manual_seed(1)
    network = Network.trace(nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1)))
    flat = Network.trace(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), (2,))
    here = partition_slice(network, Z0, CUBE)
    with pytest.raises(EngineError, match="the networks take 3 and 2 inputs"):
        common_refinement(network, flat, Z0, CUBE)
    with pytest.raises(EngineError, match="of different planes"):
        refine(here, partition_slice(network, SlicePlane.from_axis("z", 0.5), CUBE))
    with pytest.raises(EngineError, match="of different parts of the plane"):
        refine(here, partition_slice(network, Z0, 2.0 * CUBE))
    with pytest.raises(EngineError, match=r"cut at the levels 0\.0 and 0\.5"):
        refine(here, partition_slice(network, Z0, CUBE, 0.5))
