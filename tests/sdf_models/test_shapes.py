"""Distances of shapes against geometry that shares no formula with them, and what expressions may say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from sdf_models.shapes import SHAPES, ShapeError, parse_shape

POINTS = np.random.default_rng(0).uniform(-1, 1, (1500, 3))


def sphere_surface(count: int, rng: np.random.Generator) -> np.ndarray:
    points = rng.normal(size=(count, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def torus_surface(count: int, rng: np.random.Generator) -> np.ndarray:
    u, v = rng.uniform(0, 2 * np.pi, (2, count))
    ring = 0.5 + 0.2 * np.cos(v)
    return np.stack([ring * np.cos(u), ring * np.sin(u), 0.2 * np.sin(v)], axis=1)


def box_surface(count: int, rng: np.random.Generator) -> np.ndarray:
    """The core's points nearest to directions on a ball, moved outwards by the radius: a Minkowski sum."""
    directions = sphere_surface(count, rng)
    inner = rng.uniform(-1, 1, (count, 3))
    side = rng.integers(0, 3, count)
    kind = rng.integers(0, 3, count)  # faces, edges, corners of the core
    flat = np.where(kind == 0, 1, np.where(kind == 1, 2, 3))
    fixed = (np.arange(3)[None, :] - side[:, None]) % 3 < flat[:, None]
    core = np.where(fixed, np.sign(directions), inner) * np.array([0.4, 0.3, 0.2])
    normals = np.where(fixed, directions, 0.0)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return core + 0.1 * normals


@pytest.mark.parametrize(
    ("expression", "surface"),
    [
        ("sphere(0.7)", lambda count, rng: 0.7 * sphere_surface(count, rng)),
        ("torus(0.5, minor=0.2)", torus_surface),
        ("rounded_box(0.5, 0.4, 0.3, 0.1)", box_surface),
        ("move(sphere(0.3), 0.1, -0.2, 0.3)", lambda n, rng: 0.3 * sphere_surface(n, rng) + [0.1, -0.2, 0.3]),
    ],
)
def test_exact_distances_are_those_to_the_nearest_point_of_the_surface(expression, surface) -> None:
    shape = parse_shape(expression)
    points = surface(100_000, np.random.default_rng(1))
    assert shape.exact
    assert np.abs(shape.field(points)).max() < 1e-14
    nearest = cKDTree(points).query(POINTS)[0]
    distance = shape.field(POINTS)
    assert (np.abs(distance) <= nearest + 1e-14).all()
    assert (nearest - np.abs(distance)).max() < 0.04
    assert (nearest - np.abs(distance)).mean() < 0.002


@pytest.mark.parametrize("name", sorted(SHAPES.keys() - {"union", "intersection", "difference", "move"}))
def test_fields_are_one_lipschitz(name: str) -> None:
    shape = parse_shape(name)
    step = np.random.default_rng(2).normal(0, 0.01, POINTS.shape)
    change = np.abs(shape.field(POINTS + step) - shape.field(POINTS))
    assert (change <= np.linalg.norm(step, axis=1) * (1 + 1e-9) + 1e-15).all()


def test_constructive_geometry_is_that_of_sets() -> None:
    a, b = parse_shape("sphere(0.7)"), parse_shape("move(torus, 0.1, 0.2, 0.3)")
    inside_a, inside_b = a.field(POINTS) < 0, b.field(POINTS) < 0

    def inside(operation: str) -> np.ndarray:
        shape = parse_shape(f"{operation}(sphere(0.7), move(torus, 0.1, 0.2, 0.3))")
        assert not shape.exact
        return shape.field(POINTS) < 0

    assert np.array_equal(inside("union"), inside_a | inside_b)
    assert np.array_equal(inside("intersection"), inside_a & inside_b)
    assert np.array_equal(inside("difference"), inside_a & ~inside_b)


def test_gyroid_repeats_with_its_period_inside_the_ball() -> None:
    shape = parse_shape("gyroid(100, period=0.5)")
    periods = np.array([0.5, -1.0, 1.5])
    assert np.allclose(shape.field(POINTS), shape.field(POINTS + periods), rtol=0, atol=1e-12)
    assert (parse_shape("gyroid(0.5)").field(POINTS[np.linalg.norm(POINTS, axis=1) > 0.5]) > 0).all()


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ("torus", "torus(0.6, 0.25)"),
        (" torus( minor = 0.1 ) ", "torus(0.6, 0.1)"),
        (
            "difference(sphere, move(torus, x=-0.1, y=0, z=1e-3))",
            "difference(sphere(0.8), move(torus(0.6, 0.25), -0.1, 0, 0.001))",
        ),
    ],
)
def test_expressions_write_themselves_out(expression: str, written: str) -> None:
    shape = parse_shape(expression)
    assert shape.expression == written
    assert np.array_equal(parse_shape(written).field(POINTS), shape.field(POINTS))


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "cube",
        "0.5",
        "torus(0.6",
        "torus(a=1)",
        "torus(1, 2, 3)",
        "torus(1, minor=2, **{})",
        "torus(sphere, 1)",
        "union()",
        "union(1, 2)",
        "union(*[sphere])",
        "move(1, 2, 3, 4)",
        "rounded_box(0.1, 0.1, 0.1, 0.3)",
        "gyroid(period=0)",
        "sphere(1e999)",
        "sphere(-1e999)",
        "sphere(--1)",
        "sphere(True)",
        "sphere('a')",
        "torus().field",
        "__import__('os').system('true')",
        "(lambda: sphere)()",
        "(" * 500,
        "union(" + "sphere," * 500 + ")",
        "-" * 900 + "1",
    ],
)
def test_other_expressions_are_refused_in_one_line(expression: str) -> None:
    with pytest.raises(ShapeError) as caught:
        parse_shape(expression)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300
