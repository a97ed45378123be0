"""Meshes and shapes as targets: normalised, signed, sampled evenly, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sdf_models import targets
from sdf_models.mesh_files import MARGIN
from sdf_models.shapes import parse_shape
from sdf_models.targets import TargetError, load_target

CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
TRIANGLES = [triangle for a, b, c, d in QUADS for triangle in ((a, b, c), (a, c, d))]
POINTS = np.random.default_rng(0).uniform(-1, 1, (5000, 3))


def cuboid(path: Path, faces: list[tuple[int, ...]] = TRIANGLES, *, seams: bool = False) -> Path:
    """A cuboid of 4 x 2 x 1 at (10, 20, 30) as an .obj file."""
    lines = [f"v {x} {y} {z}" for x, y, z in CORNERS * [4, 2, 1] + [10, 20, 30]]
    if seams:
        lines += [f"vt {i / 50} {i % 7 / 7}" for i in range(3 * len(faces))]
        lines += [
            "f " + " ".join(f"{v + 1}/{3 * i + k + 1}" for k, v in enumerate(face)) for i, face in enumerate(faces)
        ]
    else:
        lines += ["f " + " ".join(str(v + 1) for v in face) for face in faces]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("variant", ["outward", "inward", "texture seams"])
def test_mesh_distance_is_that_of_the_normalised_cuboid(tmp_path: Path, variant: str) -> None:
    faces = [face[::-1] for face in TRIANGLES] if variant == "inward" else TRIANGLES
    target = load_target(str(cuboid(tmp_path / "cuboid.obj", faces, seams=variant == "texture seams")))
    half = (1 - MARGIN) * np.array([1, 0.5, 0.25])
    assert np.allclose(np.abs(target.vertices), half, rtol=0, atol=1e-12)
    exact = parse_shape(f"rounded_box({half[0]}, {half[1]}, {half[2]}, 0)")
    assert np.abs(target.distance(POINTS) - exact.field(POINTS)).max() < 1e-12
    assert target.facts["fitted_to"] == "cuboid.obj"
    assert target.facts["normalisation"] == "moved by (-12, -21, -30.5), then scaled by 0.45"
    assert str(tmp_path) not in str(target.facts)


def test_surface_samples_are_uniform(tmp_path: Path) -> None:
    target = load_target(str(cuboid(tmp_path / "cuboid.obj")))
    points = target.sample_surface(50_000, np.random.default_rng(1))
    assert np.abs(target.distance(points)).max() < 1e-12
    share = np.mean(np.abs(np.abs(points[:, 2]) - 0.225) < 1e-9)  # the two largest sides, 8 of 14 each way
    assert abs(share - 8 / 14) < 4 * np.sqrt(8 / 14 * 6 / 14 / 50_000)
    assert np.abs(points.mean(axis=0)).max() < 0.02


def test_shape_without_an_exact_distance_is_measured_to_its_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "GRID", 128)
    spacing = 2 / 127
    target = load_target("union(move(sphere(0.3), -0.2, 0, 0), move(sphere(0.3), 0.2, 0, 0))")
    # Inside, the nearest point of the union's surface is not that of the nearest ball.
    x = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.7, 0.0, 0.0]])
    crease = np.sqrt(0.3**2 - 0.2**2)
    assert target.distance(x) == pytest.approx([-crease, -min(np.hypot(0.1, crease), 0.3), 0.2], abs=spacing / 2)
    assert "marching cubes" in target.facts["distance"]
    assert load_target("sphere(0.5)").facts["distance"] == "exact"


def refusal(description: str) -> str:
    with pytest.raises(TargetError) as caught:
        load_target(description)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_what_cannot_be_fitted_is_refused(tmp_path: Path) -> None:
    assert "watertight" in refusal(str(cuboid(tmp_path / "open.obj", TRIANGLES[1:])))
    assert "watertight" in refusal(str(cuboid(tmp_path / "twisted.obj", [TRIANGLES[0][::-1], *TRIANGLES[1:]])))
    assert "no such file" in refusal(str(tmp_path / "nothing.ply"))
    for suffix in ("obj", "ply", "stl", "off"):
        (tmp_path / f"text.{suffix}").write_text("hello\n")
        assert f"text.{suffix}" in refusal(str(tmp_path / f"text.{suffix}"))
        (tmp_path / f"noise.{suffix}").write_bytes(bytes(range(255, 0, -1)))
        assert f"noise.{suffix}" in refusal(str(tmp_path / f"noise.{suffix}"))
        (tmp_path / f"empty.{suffix}").touch()
        assert f"empty.{suffix}" in refusal(str(tmp_path / f"empty.{suffix}"))
    assert "make it smaller" in refusal("sphere(1.1)")
    assert "make it larger" in refusal("sphere(-1)")
    assert ".obj" in refusal("cow")
