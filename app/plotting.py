"""A network's surface and slices as data and as a plotter of pyvista, for scripts and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyvista
from matplotlib.colors import ListedColormap

from app.display import has_display, windowless
from app.state.palette import BACKGROUND, accent, depth_colors
from app.state.paper import WHITE
from app.views.camera import VIEW_ANGLE, whole_box
from app.views.scene import box, polydata
from app.views.scene.scene import VIEW
from app.views.scene.surface_mesh import SurfaceMesh
from app.views.slice.slice_image import SlicePicture, slice_picture
from engine import EngineError, Network, SlicePlane, extract_surface, level_set, partition_slice, plane_box_polygon

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

_FRAME, _LEVEL, _OPACITY = 2.0, 4.0, 0.85
_BEFORE: Final = -4.0  # units of VTK's depth offset, by which level sets come before the surface

SPACE: Final = polydata.Space.itself()


def scene_blocks(
    module: nn.Module, planes: Sequence[SlicePlane], domain: NDArray[np.float64], level: float
) -> pyvista.MultiBlock:
    """Compute a surface and slices, each with its description as name.

    "surface": polygons with RGB of their normals; of each plane "... lines", with depth and neuron, "... level set" and
    "... frame"; "box".  Raises EngineError.
    """
    network = Network.trace(module, input_shape=(3,))
    if network.output_size != 1:
        raise EngineError(f"the network has {network.output_size} outputs; wrap it in a module that selects one")
    blocks = pyvista.MultiBlock()
    surface = SurfaceMesh.of(extract_surface(network, domain, level))
    blocks.append(polydata.polygons(surface, SPACE), "surface")
    for plane in planes:
        partition = partition_slice(network, plane, domain, level)
        picture = slice_picture(partition, level_set(partition).polylines)
        blocks.append(_lines(picture), f"{plane.describe()} lines")
        blocks.append(polydata.segments(polydata.level_lines(picture), SPACE), f"{plane.describe()} level set")
        corners = plane.to_input(plane_box_polygon(plane, domain))
        blocks.append(polydata.segments(polydata.loop_lines(corners), SPACE), f"{plane.describe()} frame")
    blocks.append(polydata.segments(box.edges(domain), SPACE), "box")
    return blocks


def _lines(picture: SlicePicture) -> pyvista.PolyData:
    """The first depth last: it is drawn over the others."""
    strokes, ends = picture.strokes, polydata.in_space(picture, picture.strokes.ends)
    return polydata.segments(ends[::-1], SPACE, depth=strokes.depth[::-1], neuron=strokes.neuron[::-1])


def scene_plotter(blocks: pyvista.MultiBlock, domain: NDArray[np.float64]) -> pyvista.Plotter:
    """Add blocks to a new plotter, each under its name, seen as in the window at its start."""
    with nullcontext() if has_display() else windowless():
        plotter = pyvista.Plotter(lighting="none")
    plotter.add_light(pyvista.Light(light_type="headlight"))
    plotter.renderer.SetBackground(*BACKGROUND)
    found: dict[str, Any] = {name: blocks[name] for name in blocks.keys()}  # noqa: SIM118  a block is no dictionary
    layers = 1 + max((_deepest(data) for name, data in found.items() if name.endswith(" lines")), default=0)
    described = [name.removesuffix(" frame") for name in found if name.endswith(" frame")]
    colors = {name: accent(number) for number, name in enumerate(described)}
    lit: dict[str, Any] = {"ambient": 0.62, "diffuse": 0.42, "specular": 0.0}
    unlit: dict[str, Any] = {"lighting": False, "show_scalar_bar": False}
    for name, data in found.items():
        if not data.n_cells:
            continue
        plane, _, kind = name.rpartition(" ")
        if kind == "surface":
            plotter.add_mesh(data, scalars=polydata.NORMALS, rgb=True, name=name, **lit)
        elif kind == "lines":
            table = ListedColormap(depth_colors(layers))
            plotter.add_mesh(
                data, scalars="depth", cmap=table, clim=(-0.5, layers - 0.5), opacity=_OPACITY, name=name, **unlit
            )
        elif kind == "box":
            plotter.add_mesh(data, color=WHITE.box, name=name, **unlit)
        elif kind == "frame":
            plotter.add_mesh(data, color=colors[plane], line_width=_FRAME, name=name, **unlit)
        else:
            color = colors[plane.removesuffix(" level")]
            actor = plotter.add_mesh(data, color=color, line_width=_LEVEL, name=name, **unlit)
            actor.mapper.SetResolveCoincidentTopologyToPolygonOffset()
            actor.mapper.SetRelativeCoincidentTopologyLineOffsetParameters(0.0, _BEFORE)
    seen = whole_box(domain, np.array(VIEW), np.array([0.0, 1.0, 0.0]))
    plotter.camera_position = [seen.position, seen.focus, seen.up]
    plotter.camera.view_angle = VIEW_ANGLE
    plotter.reset_camera_clipping_range()
    return plotter


def _deepest(lines: pyvista.PolyData) -> int:
    return int(np.max(lines.cell_data["depth"], initial=0))
