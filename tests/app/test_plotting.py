"""The scene for scripts and notebooks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyvista
import torch

import app
from app.plotting import scene_blocks, scene_plotter
from engine import EngineError, SlicePlane, extract_surface, level_set, partition_slice
from engine.network.network import Network
from tests.app.conftest import DOMAIN, random_module


def test_blocks_are_what_the_engine_finds(tmp_path: Path) -> None:
    module, plane = random_module(), SlicePlane.parse("z=0.1")
    blocks = scene_blocks(module, [plane], DOMAIN, 0.0)
    assert list(blocks.keys()) == ["surface", "z = 0.1 lines", "z = 0.1 level set", "z = 0.1 frame", "box"]
    network = Network.trace(module, input_shape=(3,))
    surface, partition = extract_surface(network, DOMAIN), partition_slice(network, plane, DOMAIN)
    data = blocks["surface"]
    assert (data.n_cells, data.n_points) == (len(surface.gradients), len(surface.vertices))
    assert data.area == pytest.approx(surface.area, rel=1e-4)
    np.testing.assert_allclose(data.cell_data["normals"] / 127.5 - 1, np.asarray(data.cell_normals), atol=0.02)
    lines = blocks["z = 0.1 lines"]
    assert set(lines.cell_data.keys()) == {"depth", "neuron"}
    ends = partition.vertices[partition.edges]
    lengths = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    own = (partition.edge_layer >= 0) & (partition.edge_layer < len(network.kinks))
    assert lines.compute_cell_sizes()["Length"].sum() == pytest.approx(lengths[own].sum(), rel=1e-4)
    level = blocks["z = 0.1 level set"]
    assert level.compute_cell_sizes()["Length"].sum() == pytest.approx(level_set(partition).length, rel=1e-4)
    blocks.save(tmp_path / "scene.vtm")
    assert pyvista.read(tmp_path / "scene.vtm")["surface"].n_cells == data.n_cells


def test_a_plotter_shows_them_by_name(tmp_path: Path) -> None:
    pyvista.OFF_SCREEN = True
    plotter = app.scene(random_module(), ["z=0.1", SlicePlane.from_axis("x")])
    try:
        assert {"surface", "z = 0.1 lines", "x = 0 frame", "box"} <= plotter.actors.keys()
        picture = plotter.screenshot(return_img=True, window_size=(300, 250))
        assert 0.1 < (picture < 250).any(axis=2).mean() < 0.9
        plotter.export_gltf(tmp_path / "scene.gltf")
        assert (tmp_path / "scene.gltf").stat().st_size > 10_000
    finally:
        plotter.close()
        pyvista.OFF_SCREEN = False


def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(ValueError, match="lower and upper corner"):
        app.scene(random_module(), domain=[[1, 1, 1], [-1, -1, -1]])
    with pytest.raises(EngineError, match="2 outputs"):
        app.scene(torch.nn.Linear(3, 2))


def test_an_empty_surface_leaves_the_rest() -> None:
    module = random_module()
    blocks = scene_blocks(module, [SlicePlane.from_axis("z")], DOMAIN, 1e6)
    assert blocks["surface"].n_cells == 0
    plotter = scene_plotter(blocks, DOMAIN)
    assert "surface" not in plotter.actors
    assert "z = 0 lines" in plotter.actors
    plotter.close()
