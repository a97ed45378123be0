"""Pieces of lines in planes that cross: nothing is lost, and what is nearer comes later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.state.geometry.viewpoint import Viewpoint
from app.views.camera import Lens
from app.views.scene.layering import eye_sides, nearness, pieces
from engine import SlicePlane


def crossing_planes(count: int, seed: int) -> list[SlicePlane]:
    generator = np.random.default_rng(seed)
    normals = generator.normal(size=(count, 3))
    return [SlicePlane.from_normal(0.2 * generator.normal(size=3), normal) for normal in normals]


def lines_in(plane: SlicePlane, count: int, generator: np.random.Generator) -> np.ndarray:
    return plane.to_input(generator.uniform(-1, 1, (2 * count, 2))).reshape(-1, 2, 3)


def lens_at(eye: np.ndarray, parallel: bool = False) -> Lens:
    """One that looks at the origin."""
    seen = replace(Viewpoint.at(eye, np.zeros(3), np.array([0.0, 1.0, 0.1])), parallel=parallel)
    return Lens.of(seen, np.array([[-1.0] * 3, [1.0] * 3]), 100, 100)


def test_pieces_are_the_lines() -> None:
    """Every line is the union of its parts, in order, and each lies on the sides of the planes that its piece tells."""
    planes, generator = crossing_planes(5, 0), np.random.default_rng(1)
    lines = [lines_in(plane, 60, generator) for plane in planes]
    found = pieces(planes, lines)
    for own, ends in enumerate(lines):
        mine = [piece for piece in found if piece.slice == own]
        assert all((np.diff(piece.line) >= 0).all() for piece in mine)
        parts = np.concatenate([piece.ends for piece in mine])
        line = np.concatenate([piece.line for piece in mine])
        lengths = np.bincount(line, np.linalg.norm(parts[:, 1] - parts[:, 0], axis=1))
        np.testing.assert_allclose(lengths, np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1))
        away = np.cross(parts - ends[line, :1], (ends[line, 1] - ends[line, 0])[:, None])
        assert np.abs(away).max() < 1e-12
        for piece in mine:
            for plane, side in zip(planes, piece.sides, strict=True):
                heights = (piece.ends - plane.origin) @ plane.normal
                assert (side * heights).min() > -1e-12
                assert side != 0 or np.abs(heights).max() < 1e-12


def test_on_every_ray_what_is_nearer_comes_later() -> None:
    planes, generator = crossing_planes(5, 2), np.random.default_rng(3)
    found = pieces(planes, [lines_in(plane, 400, generator) for plane in planes])
    for eye in generator.normal(size=(5, 3)) * 3:
        sides_of_eye = eye_sides(planes, lens_at(eye))
        place = {piece: number for number, piece in enumerate(sorted(found, key=lambda p: nearness(p, sides_of_eye)))}
        by_region = {(piece.slice, piece.sides): piece for piece in found}
        compared = 0
        for way in generator.normal(size=(400, 3)):
            hits = []
            for own, plane in enumerate(planes):
                along = float((plane.origin - eye) @ plane.normal) / float(way @ plane.normal)
                point = eye + along * way
                sides = tuple(
                    0 if other == own else int(np.sign((point - p.origin) @ p.normal)) for other, p in enumerate(planes)
                )
                if along > 0 and (own, sides) in by_region:
                    hits.append((along, place[by_region[own, sides]]))
            order = [number for _, number in sorted(hits, reverse=True)]
            assert order == sorted(order)
            compared += len(order) > 1
        assert compared > 50


def test_a_slice_alone_and_parallel_slices_are_whole() -> None:
    generator = np.random.default_rng(4)
    planes = [SlicePlane.from_axis("z", z) for z in (0.3, -0.2, 0.1)]
    lines = [lines_in(plane, 20, generator) for plane in planes]
    found = pieces(planes, lines)
    assert [piece.slice for piece in found] == [0, 1, 2]
    for piece, ends in zip(found, lines, strict=True):
        np.testing.assert_array_equal(piece.ends, ends)
    for parallel in (False, True):
        sides = eye_sides(planes, lens_at(np.array([0.0, 0.1, 5.0]), parallel))
        assert [piece.slice for piece in sorted(found, key=lambda piece: nearness(piece, sides))] == [1, 2, 0]
    assert pieces([], []) == []
    assert pieces(planes[:1], [lines[0][:0]]) == []
