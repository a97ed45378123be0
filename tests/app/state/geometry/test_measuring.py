"""Distances, angles, and where a line of sight meets a surface."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.state.geometry.measuring import angle, distance, full_text, short_text
from app.state.geometry.picking import surface_point
from app.state.geometry.spheres import Spheres
from app.state.geometry.surfaces import CoarseSurface
from engine import Network, extract_surface
from sdf_models import load_checkpoint
from tests.app.conftest import ROOT

numbers = st.floats(-10, 10, allow_subnormal=False)
points = st.tuples(numbers, numbers, numbers).map(np.array)


@settings(deadline=None)
@given(a=points, b=points, c=points)
def test_a_triangles_angles_are_half_a_turn(a, b, c) -> None:
    assume(min(distance(a, b), distance(b, c), distance(c, a)) > 1e-6)
    assert angle(a, b, c) == angle(c, b, a)
    assert angle(a, b, c) + angle(b, c, a) + angle(c, a, b) == pytest.approx(180.0, abs=1e-6)


@pytest.mark.parametrize("degrees", [0.0, 1e-7, 1e-3, 30.0, 90.0, 179.999999, 180.0])
def test_small_and_large_angles_are_exact(degrees) -> None:
    turn = math.radians(degrees)
    found = angle(np.array([2.0, 0, 0]), np.zeros(3), 3 * np.array([math.cos(turn), math.sin(turn), 0]))
    assert found == pytest.approx(degrees, rel=1e-12, abs=1e-14)


def test_no_angle_at_a_point_met_twice() -> None:
    assert math.isnan(angle(np.zeros(3), np.zeros(3), np.ones(3)))


def test_texts() -> None:
    a, b, c = np.zeros(3), np.array([3.0, 4.0, 0.0]), np.array([3.0, 5.0, 0.0])
    assert short_text([a]) == ""
    assert short_text([a, b]) == "distance 5"
    assert short_text([a, b, c]) == "distances 5 and 1, angle at 2: 143.13°"
    assert full_text([a, b]).splitlines() == ["point 1: 0.0,0.0,0.0", "point 2: 3.0,4.0,0.0", "distance 1-2: 5.0"]


def test_lines_of_sight_meet_the_torus_where_bisection_finds_it() -> None:
    """The first sign change along the ray, by sampling: an oracle without facets."""
    checkpoint = load_checkpoint(ROOT / "resources" / "checkpoints" / "torus.safetensors")
    network = Network.trace(checkpoint.module)
    surface = extract_surface(network, checkpoint.domain)
    spheres = Spheres.around(surface.vertices, surface.face_offsets, surface.face_vertices)
    generator, hits = np.random.default_rng(2), 0
    eye = np.array([0.4, 2.5, 1.1])
    for aim in generator.uniform(-0.6, 0.6, (60, 3)):
        direction = (aim - eye) / np.linalg.norm(aim - eye)
        found = surface_point(surface, eye, direction)
        quickly = surface_point(surface, eye, direction, spheres=spheres)
        assert (found is None) == (quickly is None)
        assert found is None or (found.face, found.point.tolist()) == (quickly.face, quickly.point.tolist())
        along = np.linspace(0, 5, 8000)
        places = eye + along[:, None] * direction
        inside = ((places >= checkpoint.domain[0]) & (places <= checkpoint.domain[1])).all(axis=1)
        values = network.forward(places).ravel()
        changes = np.flatnonzero(inside[:-1] & inside[1:] & (np.sign(values[:-1]) != np.sign(values[1:])))
        if not len(changes):
            continue  # a ray that grazes the surface between two samples has no oracle
        hits += 1
        assert found is not None
        t = float((found.point - eye) @ direction)
        assert along[changes[0]] - 1e-9 <= t <= along[changes[0] + 1] + 1e-9
        assert abs(network.forward(found.point[None]).ravel()[0]) < 1e-12
        assert np.linalg.norm(found.normal) == pytest.approx(1.0)
        cut = np.append(-direction, direction @ (found.point + 1e-6 * direction))  # all before it, and it
        deeper = surface_point(surface, eye, direction, cut)
        assert deeper is None or float((deeper.point - eye) @ direction) > t
    assert hits > 20


def test_spheres_leave_out_most_facets() -> None:
    """Spheres of facets (a grid bent in space) hold the facets; few are near a line of sight, and the same is seen."""
    side = 200
    u, v = np.meshgrid(np.linspace(-1, 1, side + 1), np.linspace(-1, 1, side + 1), indexing="ij")
    vertices = np.stack([u, v, 0.3 * np.sin(3 * u) * np.cos(2 * v)], axis=2).reshape(-1, 3)
    first = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).ravel()
    step = side + 1
    triangles = np.concatenate(
        [np.stack([first, first + step, first + step + 1], 1), np.stack([first, first + step + 1, first + 1], 1)]
    )
    surface = CoarseSurface.from_triangles(vertices, triangles.astype(np.int32))
    spheres = Spheres.around(surface.vertices, surface.face_offsets, surface.face_vertices)
    apart = np.linalg.norm(vertices[triangles] - spheres.middles[:, None], axis=2)
    assert (apart <= spheres.radii[:, None] * (1 + 1e-15)).all()
    eye, generator = np.array([0.3, -0.2, 3.0]), np.random.default_rng(0)
    for _ in range(20):
        direction = np.append(generator.uniform(-0.8, 0.8, 2), 0.0) - eye
        direction /= np.linalg.norm(direction)
        found = [surface_point(surface, eye, direction, spheres=known) for known in (None, spheres)]
        assert found[0] is not None
        assert found[0].face == found[1].face
        assert len(spheres.near_line(eye, direction)) < 40
        assert found[0].face in spheres.near_line(eye, direction)


def test_spheres_within_a_share_of_the_distance() -> None:
    spheres = Spheres(np.array([[0.0, 0.5, 10.0], [0.0, 0.5, 1.0], [0.0, 0.5, -10.0]]), np.array([0.05, 0.05, 0.05]))
    start, direction = np.zeros(3), np.array([0.0, 0.0, 1.0])
    assert spheres.near_line(start, direction).tolist() == []
    assert spheres.near_line(start, direction, 0.046).tolist() == [0, 2]
    assert spheres.near_line(start, direction, 0.46).tolist() == [0, 1, 2]
