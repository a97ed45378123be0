"""The kernels that draw scenes and slices, loaded before there are any."""

from __future__ import annotations

import numpy as np
from vtkmodules.vtkRenderingCore import vtkCamera

from app.state.geometry.surfaces import CoarseSurface
from app.state.line_style import USUAL
from app.state.look import SceneLook
from app.state.palette import accent
from app.views.camera import Lens
from app.views.painting.backdrop import Backdrop
from app.views.painting.scene_painter import SceneDrawing, ScenePainter
from app.views.painting.sheet import slice_sheets
from app.views.painting.surface_picture import SurfaceDrawing, SurfaceMesh
from app.views.slice.framing import Framing
from app.views.slice.slice_image import SlicePicture, draw
from engine import SlicePlane

_SIDE = 64  # pixels, more than the frame takes: rows of a part of a picture do not follow each other in memory


def load_painter_kernels() -> None:
    """Draw what the first picture of a network has, a coarse surface and a frame.

    On a machine that never did this they are compiled.
    """
    corners = 0.2 * np.array([[-1.0, -1.0, 0.0], [1.0, -1.0, 0.0], [0.0, 1.0, 0.0]])
    mesh = SurfaceMesh.of(CoarseSurface.from_triangles(corners, np.array([[0, 1, 2]], np.int32)), layers=0)
    surface = SurfaceDrawing(mesh, True, False, frozenset(), None, np.empty((0, 2), np.int32), USUAL)
    frames = slice_sheets(SlicePlane.from_axis("z", 0.0), accent(0), corners[:, :2].copy(), True, None, SceneLook())
    ScenePainter().draw(SceneDrawing(_backdrop(), surface, tuple(frames), 1.0, 2))


def load_line_kernels(picture: SlicePicture) -> None:
    """Draw a slice as both views do."""
    vertices = picture.partition.vertices
    lines = slice_sheets(picture.partition.plane, accent(0), vertices[:0], False, picture, SceneLook())
    ScenePainter().draw(SceneDrawing(_backdrop(), None, tuple(lines), 1.0, 1))
    draw(picture, Framing.around(vertices.min(axis=0), vertices.max(axis=0), _SIDE, _SIDE), accent(0))


def _backdrop() -> Backdrop:
    camera = vtkCamera()
    camera.SetPosition(0.0, 0.0, 4.0)
    camera.SetClippingRange(1.0, 8.0)
    empty = np.zeros((_SIDE, _SIDE, 4), np.uint8), np.ones((_SIDE, _SIDE), np.float32)
    return Backdrop(*empty, Lens(camera, _SIDE, _SIDE))
