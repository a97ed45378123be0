"""splinescope surface and render: every kind of file, read back by other programs, and every refusal."""

from __future__ import annotations

import importlib
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvista
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.state.palette import accent, depth_colors
from app.views.scene import still_picture
from app.views.scene.picture_legend import PictureLegend, font_of
from engine import Cancelled, Network, extract_surface, neuron_network
from sdf_models import load_checkpoint
from tests.app.conftest import Ran

Run = Callable[..., Ran]


def test_the_surface_of_a_neuron_is_where_it_bends(splinescope: Run, tmp_path: Path) -> None:
    network = Network.trace(load_checkpoint(Path("resources/checkpoints/torus.safetensors")).module)
    for layer, neuron in ((0, 3), (2, 5)):
        path = tmp_path / f"{layer}.npz"
        ran = splinescope("surface", "torus", "--neuron", f"{layer}/{neuron}", "--out", path, "--json")
        assert ran.code == 0, ran.err
        facts = json.loads(ran.out)
        assert facts["neuron"] == [layer, neuron]
        assert facts["facets"] == 1 if layer == 0 else facts["facets"] > 1
        with np.load(path) as data:
            values = neuron_network(network, layer, neuron).forward(data["vertices"])
        assert np.abs(values).max() < 1e-12


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--neuron", "9/0"], "no layer 9"),
        (["--neuron", "0/99"], "layer 0 has no neuron 99"),
        (["--neuron", "5"], "'5' is not a layer and a neuron"),
        (["--neuron", "0/1", "--method", "marching"], "leave --method marching out"),
    ],
)
def test_neurons_that_are_not_there_are_named(splinescope: Run, options: list[str], told: str) -> None:
    ran = splinescope("surface", "torus", *options)
    assert ran.code == 2
    assert told in ran.err


def test_every_format_holds_the_whole_mesh(splinescope: Run, tmp_path: Path) -> None:
    outputs = {kind: tmp_path / f"torus.{kind}" for kind in ("ply", "obj", "stl", "vtp", "npz")}
    creases = tmp_path / "creases.vtp"
    options = [option for path in outputs.values() for option in ("--out", path)]
    ran = splinescope("surface", "torus", *options, "--creases", creases, "--json")
    assert ran.code == 0, ran.err
    facts = json.loads(ran.out)
    assert facts["closed"] is True
    assert facts["euler_characteristics"] == [0]
    assert facts["certified"] is None
    for kind in ("ply", "obj", "stl"):
        mesh = trimesh.load(outputs[kind])
        assert mesh.is_watertight
        assert mesh.is_winding_consistent
        assert mesh.volume == pytest.approx(facts["volume"], rel=1e-6)
        assert mesh.area == pytest.approx(facts["area"], rel=1e-6)
        assert mesh.euler_number == 0
    polygons = pyvista.read(outputs["vtp"])
    assert polygons.n_cells == facts["facets"]
    assert polygons.cell_data["area"].sum() == pytest.approx(facts["area"])
    lines = pyvista.read(creases)
    assert lines.n_cells == facts["edges"]
    assert set(np.unique(lines.cell_data["layer"])) == {0, 1, 2}
    with np.load(outputs["npz"]) as data:
        assert data["vertices"].shape == (facts["vertices"], 3)
        assert len(data["gradient"]) == len(data["signature"]) == facts["facets"]
    # polygons stay polygons, digits stay digits
    text = outputs["ply"].read_text().splitlines()
    assert f"element face {facts['facets']}" in text
    checkpoint = load_checkpoint(Path("resources/checkpoints/torus.safetensors"))
    surface = extract_surface(Network.trace(checkpoint.module), checkpoint.domain)
    first = text.index("end_header") + 1
    vertices = np.array([line.split() for line in text[first : first + facts["vertices"]]], np.float64)
    np.testing.assert_array_equal(vertices, surface.vertices)


def test_marching_cubes_for_comparison(splinescope: Run, tmp_path: Path) -> None:
    exact = json.loads(splinescope("surface", "torus", "--json").out)
    path = tmp_path / "marched.ply"
    ran = splinescope("surface", "torus", "--method", "marching", "--resolution", 64, "--out", path, "--json")
    assert ran.code == 0, ran.err
    marched = json.loads(ran.out)
    assert marched["closed"] is True
    assert marched["components"] == 1
    assert marched["volume"] == pytest.approx(exact["volume"], rel=0.01)
    assert marched["area"] == pytest.approx(exact["area"], rel=0.01)
    assert trimesh.load(path).volume == pytest.approx(marched["volume"])


def test_marching_cubes_that_find_nothing_say_so(splinescope: Run) -> None:
    ran = splinescope("surface", "torus", "--method", "marching", "--resolution", 2)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("no zero level surface was found between the 2^3 samples; a finer grid may find one")
    refused = splinescope("surface", "torus", "--method", "marching", "--resolution", 2, "--out", "a.ply")
    assert refused.code == 2
    assert "between the 2^3 samples; choose another level or box, or a finer grid" in refused.err


def test_a_certified_surface(splinescope: Run) -> None:
    ran = splinescope("surface", "torus", "--certify")
    assert ran.code == 0, ran.err
    assert "1 component, closed, certified" in ran.out
    poor = splinescope("surface", "torus", "--certify", 10, "--json")
    assert json.loads(poor.out)["certified"] is False
    assert "not certified" in poor.err


def test_a_cut_surface_of_a_small_network(splinescope: Run, checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.obj"
    ran = splinescope("surface", checkpoint, "--bounds=-0.5,0.5", "--out", path)
    assert ran.code == 0, ran.err
    assert "not closed" in ran.out
    assert np.abs(trimesh.load(path).vertices).max() <= 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "a.xyz"], "unknown kind of output"),
        (["--creases", "a.ply"], "end the name with .vtp"),
        (["--out", "a.vtp", "--creases", "a.vtp"], "named twice"),
        (["--method", "marching", "--creases", "a.vtp"], "leave --method marching out"),
        (["--method", "marching", "--certify"], "leave --method marching out"),
        (["--resolution", "1"], "resolution from 2 to 1000"),
        (["--certify", "0"], "number of boxes"),
        (["--level", "99", "--out", "a.ply"], "f is not above 99"),
    ],
)
def test_refusals_of_surface(
    splinescope: Run, options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = splinescope("surface", "torus", *options)
    assert ran.code == 2
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_picture_shows_surface_slices_and_legend(splinescope_process: Run, tmp_path: Path) -> None:
    path = tmp_path / "torus.png"
    planes = ["--plane", "x=0.1", "--origin=0,0,0", "--normal=0,1,1"]
    ran = splinescope_process("render", "torus", "--out", path, "--size", "480x360", "--creases", *planes, "--json")
    assert ran.code == 0, ran.err
    facts = json.loads(ran.out)
    assert facts["surface"]["facets"] > 1000
    assert len(facts["slices"]) == 2
    picture = np.asarray(Image.open(path).convert("RGB"), np.int64)
    assert picture.shape == (360, 480, 3)
    for number in range(2):
        color = np.rint(255 * np.array(accent(number)))
        assert (np.abs(picture - color).max(axis=2) < 60).sum() > 40
    # the normals of a torus point everywhere, so its colours are many
    assert len(np.unique(picture[:300].reshape(-1, 3) // 32, axis=0)) > 60
    assert (picture[:10, :10] == 255).all()


@pytest.mark.parametrize("size", [(300, 700), (700, 300)])
def test_the_box_fills_pictures_of_every_shape(splinescope: Run, size: tuple[int, int], tmp_path: Path) -> None:
    width, height = size
    ran = splinescope("render", "torus", "--out", tmp_path / "a.png", "--size", f"{width}x{height}")
    assert ran.code == 0, ran.err
    picture = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"), np.int64)
    drawn = (picture[: height - 30] < 250).any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert max(np.ptp(rows) / height, np.ptp(columns) / width) > 0.8


def test_directions_have_any_length(splinescope: Run, splinescope_process: Run, tmp_path: Path) -> None:
    pictures = []
    for name, run, camera, up in (
        ("a", splinescope, "1,0.5,2", "0,1,0"),
        ("b", splinescope_process, "1e-300,5e-301,2e-300", "0,1e300,0"),
    ):
        options = [f"--camera={camera}", f"--up={up}", "--size", "200x200"]
        ran = run("render", "torus", "--out", tmp_path / f"{name}.png", *options)
        assert (ran.code, ran.err) == (0, "")
        pictures.append(np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB"), np.int64))
    assert np.abs(pictures[0] - pictures[1]).max() <= 1  # the directions differ in their last bits


def test_a_picture_in_parallel_is_another_and_a_clear_surface_is_paler(splinescope: Run, tmp_path: Path) -> None:
    pictures = []
    for name, options in (("a", []), ("b", ["--parallel"]), ("c", ["--parallel", "--opacity", "40"])):
        path = tmp_path / f"{name}.png"
        ran = splinescope("render", "torus", "--camera=0,0,1", "--size", "240x240", "--out", path, *options)
        assert (ran.code, ran.err) == (0, "")
        pictures.append(255 - np.asarray(Image.open(path).convert("RGB"), np.int64))
    assert (np.abs(pictures[0] - pictures[1]).max(axis=2) > 30).mean() > 0.02
    assert pictures[2].sum() < 0.8 * pictures[1].sum()


def test_a_picture_that_does_not_fit_into_memory_is_refused(
    splinescope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(still_picture, "available_memory", lambda: 1e8)
    ran = splinescope("render", "torus", "--out", tmp_path / "a.png", "--size", "3000x3000")
    assert ran.code == 2
    assert re.match(
        r"splinescope: --size: a picture of 3000 x \d+ pixels needs 0\.[34] GB of memory and 0\.1 GB", ran.err
    )
    assert ran.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@given(
    st.lists(st.text("xyz=0123456789., ()", min_size=1, max_size=60), max_size=12),
    st.integers(0, 40), st.integers(200, 4000), st.floats(0.0, 0.04),
)  # fmt: skip
def test_legends_have_room_for_everything(planes: list[str], depths: int, width: int, share: float) -> None:
    line = max(24, round(share * width))
    legend = PictureLegend.arranged(depth_colors(depths), planes, line, width)
    assert [key for row in legend.rows for key, _ in row] == list(range(len(planes)))
    assert legend.height == line * max(len(legend.rows), 1)
    font = font_of(0.36 * line)
    for number, row in enumerate(legend.rows):
        left = width - 0.5 * line  # from the right: text, gap, key, and room to the next
        for _, text in reversed(row):
            left -= font.getlength(text) + 0.8 * line
            assert left >= 0.5 * line - 1e-6
            left -= 0.6 * line
        if number == 0 and row and depths:
            depth_end = (
                0.5 * line + font.getlength("depth") + 0.35 * line + depths * min(0.75 * line, 0.4 * width / depths)
            )
            assert left >= depth_end - 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "a.jpg"], "unknown kind of output"),
        (["--out", "a.png", "--camera", "0,0,0"], "--camera=0,0,0 is no direction"),
        (["--out", "a.png", "--camera", "0,1,0", "--up", "0,2,0"], "same direction"),
        (["--out", "a.png", "--size", "10x10"], "not a size"),
        (["--out", "a.png", "--opacity", "0.4"], "'0.4' is not a whole number from 10 to 100"),
        (["--out", "a.png", "--plane", "w=0"], "not a plane across an axis"),
        (["--out", "a.png", "--origin", "0,0,0"], "needs both --origin and --normal"),
        (["--out", "a.png", "--level", "99"], "f is not above 99"),
    ],
)
def test_refusals_of_render(
    splinescope: Run, options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = splinescope("render", "torus", *options)
    assert ran.code == 2
    assert message in ran.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["surface", "render"])
def test_a_surface_that_is_stopped_ends_with_the_code_of_the_signal(
    splinescope: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def stopped(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        raise Cancelled

    monkeypatch.setattr(importlib.import_module(f"app.commands.{command}"), "extract", stopped)
    out = tmp_path / ("torus.ply" if command == "surface" else "torus.png")
    assert splinescope(command, "torus", "--out", out).code == 143
    assert list(tmp_path.iterdir()) == []
