"""Vertices that are found anew where rounding leaves a decision open."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
import torch
from torch import nn

from engine import Network, SlicePlane, partition_polygon
from engine.meeting_points import meet
from engine.planar_map import BORDER, Partition
from engine.steps import Float, Kink, Linear
from tests.oracle.comparison import difference
from tests.oracle.networks import SQUARE, random_sample

PLANE = SlicePlane(np.array([0.0, 0.0, 0.25]), np.eye(3)[:2])
Map = tuple[Fraction, Fraction, Fraction]


@pytest.mark.parametrize(
    ("kink", "seed"),
    [("relu", 54), ("relu", 69), ("relu", 93), ("clamp", 17), ("minimum", 13), ("minimum", 43), ("maximum", 0)],
)
def test_regions_between_scales_that_no_layer_undoes_are_found(kink: str, seed: int) -> None:
    """By the uncertainty of positions times gradients, norms for sums, or breakpoints, bounds alone would lose them."""
    assert difference(random_sample(kink, "scales kept", seed)) == ""


def _network(seed: int) -> Network:
    """Three layers, each with rows of lengths that differ by up to 2^40, some of them nearly parallel."""
    rng = np.random.default_rng(seed)
    module = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 1)).double()
    with torch.no_grad():
        for layer in (module[0], module[2]):
            weight = rng.normal(size=layer.weight.shape)
            weight[1] = weight[0] + 1e-5 * weight[1]
            scale = 2.0 ** rng.choice([-20, 0, 20], 5)
            layer.weight.copy_(torch.from_numpy(weight * scale[:, None]))
            layer.bias.copy_(torch.from_numpy(0.3 * rng.normal(size=5) * scale))
    return Network.trace(module)


def _exact_maps(network: Network, signs: list[int]) -> tuple[list[Map], list[Map]]:
    """All pre-activations and the outputs as functions of (u, v, 1) where the rows have these signs."""
    left = iter(signs)
    axes = (*PLANE.axes.tolist(), PLANE.origin.tolist())
    now: list[Map] = [(Fraction(u), Fraction(v), Fraction(o)) for u, v, o in zip(*axes, strict=True)]
    rows: list[Map] = []
    for step in network.steps:
        if isinstance(step, Linear):
            weight = [[Fraction(w) for w in row] for row in step.weight.tolist()]
            sums = [
                [sum((w * h[i] for w, h in zip(row, now, strict=True)), Fraction(0)) for i in range(3)]
                for row in weight
            ]
            now = [(a, b, c + Fraction(shift)) for (a, b, c), shift in zip(sums, step.bias.tolist(), strict=True)]
        elif isinstance(step, Kink):
            rows += now
            now = [z if next(left) > 0 else (Fraction(0), Fraction(0), Fraction(0)) for z in now]
    return rows, now


def _meeting_of(lines: list[Map]) -> tuple[Fraction, Fraction] | None:
    for (a, b, c), (d, e, f) in combinations(lines, 2):
        if a * e - b * d != 0:
            return (b * f - c * e) / (a * e - b * d), (c * d - a * f) / (a * e - b * d)
    return None


def _lines_at(partition: Partition, vertex: int) -> list[tuple[int, int]]:
    edges = np.flatnonzero((partition.edges == vertex).any(axis=1))
    pairs = zip(partition.edge_layer[edges].tolist(), partition.edge_neuron[edges].tolist(), strict=True)
    return sorted(set(pairs))


@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold_beside_rational_arithmetic(seed: int) -> None:
    network = _network(seed)
    square = np.array(SQUARE)
    partition = partition_polygon(network, PLANE, square, level=None)
    at = [_lines_at(partition, v) for v in range(len(partition.vertices))]
    inner = [v for v, lines in enumerate(at) if all(layer != BORDER for layer, _ in lines)]
    lines = [(n, *line) for n, v in enumerate(inner) for line in at[v]]
    face = np.repeat(np.arange(partition.regions), np.diff(partition.face_offsets))
    faces = [(n, f) for n, v in enumerate(inner) for f in face[partition.face_vertices == v].tolist()]
    output = network.output
    met = meet(
        network.steps, [output], network.sizes, PLANE, square, partition.face_signs[:2],
        np.array(faces, np.int32), np.array(lines, np.int32), len(inner),
    )  # fmt: skip
    assert np.isfinite(met.error).all()
    patterns = partition.activation_pattern()
    for n, v in enumerate(inner):
        signs = patterns[next(f for m, f in faces if m == n)].tolist()
        rows, (value,) = _exact_maps(network, signs)
        point = _meeting_of([rows[5 * layer + neuron] for layer, neuron in at[v]])
        if point is None:  # those rows are off in this face
            continue
        for found, true in zip(met.positions[n].tolist(), point, strict=True):
            assert abs(Fraction(found) - true) <= Fraction(met.error[n]) + Fraction(2.0**-53) * abs(true)
        exact = value[0] * point[0] + value[1] * point[1] + value[2]
        found = sum(Fraction(part) for part in met.values[output][:, n, 0].tolist())
        assert abs(found - exact) <= Fraction(met.errors[output][n, 0])
        assert met.errors[output][n, 0] <= 2.0**-52 * _size(network)


def _size(network: Network) -> float:
    """Of all numbers that are summed up on the way to the output."""
    size: Float = np.ones(3)
    for step in network.steps:
        if isinstance(step, Linear):
            size = np.abs(step.weight) @ size + np.abs(step.bias)
    return float(size.max())
