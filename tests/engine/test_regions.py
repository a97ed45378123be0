"""Facts about regions beside automatic differentiation and exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.errors import EngineError
from engine.facts.regions import affine_maps, areas, centroids, gradient_norms
from engine.network.network import Network
from engine.planar_map.planar_map import Partition
from engine.plane import SlicePlane
from engine.slices.partition import partition_polygon
from engine.slices.walk import Progress
from tests.oracle.networks import SQUARE, random_sample
from tests.oracle.nonlinearities import NONLINEARITIES, Absolute, Clamp
from tests.oracle.recipes import KINDS

PLANE = SlicePlane.from_normal([0.1, -0.2, 0.3], [1.0, 2.0, -1.5])
DOUBLE = torch.float64


class Mlp(nn.Module):
    """Two hidden layers with `nonlinearity` and, between them, `joined`."""

    def __init__(self, nonlinearity: nn.Module, outputs: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(3, 16), nonlinearity, nn.Linear(16, 16), nonlinearity, nn.Linear(16, outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layers(3.0 * x)
        return result


class Skip(nn.Module):
    """DeepSDF's concatenation with the input, and a residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(3, 13), nn.Linear(16, 16), nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.cat([torch.relu(self.first(4.0 * x)), x], dim=1)
        h = h - nn.functional.leaky_relu(self.second(h), 0.2)
        result: Tensor = self.third(torch.relu(h))
        return result


class LargerAndSmaller(nn.Module):
    """Maximum and minimum of pairs of features, gathered with repetition and a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(3, 16), nn.Linear(24, 16), nn.Linear(8, 1)
        self.register_buffer("constant", torch.linspace(-1.0, 1.0, 8, dtype=DOUBLE))

    def forward(self, x: Tensor) -> Tensor:
        z = self.first(4.0 * x)
        h = torch.maximum(z[:, :8], z[:, 8:])
        z = self.second(torch.cat([h, h[:, [0, 0, 1, 2, 3, 5, 5, 5]], self.constant.expand(len(x), 8)], dim=1))
        result: Tensor = self.third(torch.minimum(z[:, ::2], z[:, 1::2]))
        return result


def prelu() -> nn.Module:
    module = nn.PReLU(16)
    with torch.no_grad():
        module.weight.copy_(torch.linspace(-0.5, 1.0, 16))
    return module


MODULES = {
    "relu": lambda: Mlp(nn.ReLU()),
    "leaky_relu": lambda: Mlp(nn.LeakyReLU(0.1)),
    "prelu": lambda: Mlp(prelu()),
    "abs": lambda: Mlp(Absolute()),
    "hardtanh": lambda: Mlp(nn.Hardtanh()),
    "relu6": lambda: Mlp(nn.ReLU6()),
    "clamp_min": lambda: Mlp(Clamp(0.25, None)),
    "several_outputs": lambda: Mlp(nn.ReLU(), outputs=3),
    "skip": Skip,
    "maximum_minimum": LargerAndSmaller,
}


def module_of(name: str) -> nn.Module:
    torch.manual_seed(0)
    return MODULES[name]().double()


def slice_of(module: nn.Module, level: float | None = 0.0) -> Partition:
    return partition_polygon(Network.trace(module), PLANE, np.array(SQUARE), level, threads=1)


def inner_points(partition: Partition) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Faces not too thin for rounding, and a random point well inside each."""
    rng = np.random.default_rng(0)
    faces = np.flatnonzero(areas(partition) > 1e-8).astype(np.int32)
    points = []
    for face in faces:
        loop = partition.face_vertices[partition.face_offsets[face] : partition.face_offsets[face + 1]]
        points.append(rng.dirichlet(np.full(len(loop), 4.0)) @ partition.vertices[loop])
    return faces, np.array(points)


@pytest.mark.parametrize("level", [0.0, None])
@pytest.mark.parametrize("name", MODULES)
def test_affine_maps_are_those_of_automatic_differentiation(name: str, level: float | None) -> None:
    module = module_of(name)
    partition = slice_of(module, level)
    faces, points = inner_points(partition)
    assert len(faces) > 30
    x = torch.tensor(PLANE.to_input(points), requires_grad=True)
    y = module(x)
    maps = affine_maps(partition, faces)
    values = y.detach().numpy()
    gradients = np.stack([torch.autograd.grad(c.sum(), x, retain_graph=True)[0].numpy() for c in y.T], axis=1)
    if values.shape[1] == 1:
        values, gradients = values[:, 0], gradients[:, 0]
    assert maps.gradient.shape == gradients.shape
    assert maps.offset.shape == values.shape
    np.testing.assert_allclose(maps.gradient, gradients, rtol=0.0, atol=1e-13)
    np.testing.assert_allclose(maps.values(x.detach().numpy()), values, rtol=0.0, atol=1e-13)
    everywhere = affine_maps(partition)
    np.testing.assert_allclose(everywhere.gradient[faces], maps.gradient, rtol=0.0, atol=1e-13)
    norms = np.linalg.norm(everywhere.gradient, axis=-1)
    np.testing.assert_allclose(gradient_norms(partition), norms, rtol=0.0, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_affine_maps_of_degenerate_networks_agree_at_the_corners(kind: str) -> None:
    # every nonlinearity with every third kind
    for kink in list(NONLINEARITIES)[list(KINDS).index(kind) % 3 :: 3]:
        sample = random_sample(kink, kind, seed=2)
        network = Network.trace(sample.module, input_shape=(len(sample.origin),))
        plane = SlicePlane(sample.origin, sample.axes)
        partition = partition_polygon(network, plane, np.array(SQUARE), level=sample.level, threads=1)
        face = np.repeat(np.arange(partition.regions, dtype=np.int32), np.diff(partition.face_offsets))
        maps = affine_maps(partition, face)
        found = maps.values(partition.points[partition.face_vertices])
        size = 1.0 + np.abs(maps.gradient).sum(axis=-1) + np.abs(maps.offset)
        # weights of 1e5 that cancel in two layers cost as many digits, in automatic differentiation too
        tolerance = 1e-5 if kind == "cancelling" else 1e-9
        assert (np.abs(found - partition.values[partition.face_vertices]) <= tolerance * size).all()


def test_maps_do_not_depend_on_how_many_are_asked_for() -> None:
    partition = slice_of(module_of("skip"))
    maps = affine_maps(partition)
    few = affine_maps(partition, np.array([5, 0, 5], np.int32))
    np.testing.assert_allclose(few.gradient, maps.gradient[[5, 0, 5]], rtol=0.0, atol=1e-14)
    none = affine_maps(partition, np.empty(0, np.int32))
    assert none.gradient.shape == (0, 3)
    assert none.offset.shape == (0,)


@pytest.mark.parametrize("faces", [[10**6], [-1], [2**32], [0.5], [True], [[0]], 0, ["0"]])
def test_numbers_that_no_region_has_are_refused(faces: Any) -> None:
    partition = slice_of(module_of("prelu"))
    for ask in (lambda: affine_maps(partition, faces), lambda: partition.activation_pattern(faces)):
        with pytest.raises(EngineError, match=r"no region|regions are asked for by their numbers"):
            ask()
    with pytest.raises(EngineError, match=f"no region {partition.regions}; "):
        affine_maps(partition, np.array([partition.regions], np.int32))


def test_an_unfinished_partition_is_refused() -> None:
    snapshots: list[Partition] = []

    def keep(progress: Progress) -> None:
        snapshots.append(progress.snapshot())

    partition_polygon(Network.trace(module_of("relu")), PLANE, np.array(SQUARE), progress=keep)
    with pytest.raises(EngineError, match="not finished"):
        affine_maps(snapshots[0])


@pytest.mark.parametrize("name", MODULES)
def test_areas_and_centroids_are_those_of_exact_arithmetic(name: str) -> None:
    partition = slice_of(module_of(name))
    area, centroid = areas(partition), centroids(partition)
    assert area.sum() == pytest.approx(4.0, rel=1e-13)
    np.testing.assert_allclose(area @ centroid, [0.0, 0.0], atol=1e-13)
    for face in range(0, partition.regions, max(1, partition.regions // 100)):
        loop = partition.face_vertices[partition.face_offsets[face] : partition.face_offsets[face + 1]]
        corners = [(Fraction(x), Fraction(y)) for x, y in partition.vertices[loop].tolist()]
        sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
        crosses = [a[0] * b[1] - a[1] * b[0] for a, b in sides]
        exact = sum(crosses) / 2
        size = float(np.ptp(partition.vertices[loop], axis=0).max())
        assert abs(area[face] - float(exact)) <= 1e-15 * size**2
        if exact > Fraction(1, 10**6) * Fraction(size) ** 2:
            for axis in range(2):
                moment = sum((a[axis] + b[axis]) * cross for (a, b), cross in zip(sides, crosses, strict=True))
                assert centroid[face, axis] == pytest.approx(float(moment / (6 * exact)), abs=1e-9 * size + 1e-15)


def test_the_centroid_of_a_sliver_is_inside_it() -> None:
    module = nn.Sequential(nn.Linear(2, 40), nn.ReLU(), nn.Linear(40, 1)).double()
    with torch.no_grad():
        module[0].weight[:] = torch.tensor([1.0, 1.0 / 3.0], dtype=DOUBLE)
        module[0].bias[:] = 0.5 + 3e-13 * torch.arange(40, dtype=DOUBLE)
    partition = partition_polygon(Network.trace(module, (2,)), SlicePlane.identity(), np.array(SQUARE), None)
    assert partition.regions == 41
    for face, centroid in enumerate(centroids(partition)):
        loop = partition.vertices[partition.face_vertices[slice(*partition.face_offsets[face : face + 2])]]
        following = np.roll(loop, -1, axis=0)
        sides = following - loop
        away = np.cross(np.pad(sides, ((0, 0), (0, 1))), np.pad(centroid - loop, ((0, 0), (0, 1))))[:, 2]
        assert (away >= -4e-16 * np.linalg.norm(sides, axis=1)).all()
