"""Distances between surfaces, in closed form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.comparison.shapes import Shape, shape_in
from app.comparison.subjects import ComparisonError, subject_of
from app.comparison.surfaces import compare_surfaces, surface_differences
from app.export.mesh import mesh_of, write_mesh
from engine import extract_surface
from sdf_models import load_checkpoint
from sdf_models.mesh_files import MeshFileError
from tests.app.conftest import ROOT

BOX = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
POINTS = 4000


def mesh(tmp_path: Path, name: str, made: trimesh.Trimesh) -> Shape:
    path = tmp_path / f"{name}.ply"
    made.export(path)
    return shape_in(path)


def never() -> bool:
    return False


def box(side: float, move: float = 0.0) -> trimesh.Trimesh:
    return trimesh.creation.box((side, side, side), trimesh.transformations.translation_matrix((move, 0.0, 0.0)))


def test_a_mesh_is_no_different_from_itself(tmp_path: Path) -> None:
    shape = mesh(tmp_path, "box", box(1.0))
    found = surface_differences(shape, shape, BOX, never, POINTS)
    ones = ("normal_consistency", "f_score", "volume_iou")
    assert found == {key: 1.0 if key in ones else 0.0 for key in found}


def test_a_moved_box_is_as_far_as_it_was_moved(tmp_path: Path) -> None:
    first, second = mesh(tmp_path, "first", box(1.0)), mesh(tmp_path, "second", box(1.0, 0.25))
    found = surface_differences(first, second, BOX, never, POINTS)
    back = surface_differences(second, first, BOX, never, POINTS)
    assert found["hausdorff"] == pytest.approx(0.25, abs=1e-6)
    assert found["hausdorff"] <= found["hausdorff_bound"] <= found["hausdorff"] + 1e-3
    assert found["volume_iou"] == pytest.approx(0.75 / 1.25, abs=1e-9)
    assert found["hausdorff_share"] == pytest.approx(0.25 / np.sqrt(12.0), abs=1e-6)
    for key, value in found.items():
        assert back[key] == pytest.approx(value, rel=0.05), key


def test_spheres_are_apart_by_the_difference_of_their_radii(tmp_path: Path) -> None:
    spheres = [trimesh.creation.icosphere(3, radius) for radius in (0.75, 0.5)]
    first, second = (mesh(tmp_path, str(i), sphere) for i, sphere in enumerate(spheres))
    found = surface_differences(first, second, BOX, never, POINTS)
    assert found["chamfer"] == pytest.approx(0.25, abs=2e-3)
    assert found["chamfer_squared"] == pytest.approx(2 * 0.25**2, abs=2e-3)
    assert found["hausdorff"] == pytest.approx(0.25, abs=2e-3)
    assert found["normal_consistency"] == pytest.approx(1.0, abs=1e-2)
    assert found["f_score"] == 0.0
    assert found["volume_iou"] == pytest.approx((0.5 / 0.75) ** 3, abs=1e-2)


def test_facts_are_those_of_the_mesh(tmp_path: Path) -> None:
    torus = trimesh.creation.torus(0.5, 0.2)
    facts = mesh(tmp_path, "torus", torus).facts
    assert facts["genus"] == 1
    assert facts["components"] == 1
    assert facts["volume"] == pytest.approx(torus.volume, rel=1e-5)
    two = mesh(tmp_path, "two", trimesh.util.concatenate([box(0.2, -0.5), box(0.2, 0.5)])).facts
    assert (two["genus"], two["components"]) == (0, 2)
    opened = torus.copy()
    opened.update_faces(np.arange(len(torus.faces)) > 0)
    found = mesh(tmp_path, "open", opened)
    assert found.inside is None
    assert (found.facts["volume"], found.facts["genus"]) == (None, None)


def test_what_is_no_mesh_is_told(tmp_path: Path) -> None:
    path = tmp_path / "text.obj"
    path.write_text("nothing\n")
    with pytest.raises(MeshFileError):
        shape_in(path)
    with pytest.raises(MeshFileError, match="no such file"):
        shape_in(tmp_path / "missing.ply")


def test_exact_surfaces_are_compared_with_their_own_mesh(tmp_path: Path) -> None:
    subject = subject_of(load_checkpoint(ROOT / "resources/checkpoints/torus.safetensors"), "torus")
    path = tmp_path / "torus.ply"
    write_mesh(mesh_of(extract_surface(subject.network, BOX)), path, "ply")
    found = compare_surfaces([subject, subject], BOX, shape_in(path), points=POINTS)
    assert found.names == ("torus.ply", "torus", "torus")
    mesh_facts, own, again = found.own
    assert own == again
    for key in ("surface_area", "volume", "components", "genus"):
        assert own[key] == pytest.approx(mesh_facts[key], rel=1e-9), key
    assert own["genus"] == 1
    differences = found.differences[1]
    assert differences == found.differences[2]
    assert differences["hausdorff"] < 1e-12
    assert differences["hausdorff_bound"] <= 1e-4 * np.sqrt(12.0) + 1e-12
    assert differences["volume_iou"] == differences["f_score"] == 1.0
    assert differences["normal_consistency"] == pytest.approx(1.0, abs=1e-9)
    with pytest.raises(ComparisonError, match="torus: no level surface f = 9 was found"):
        compare_surfaces([replace(subject, level=9.0)], BOX)
