"""One off-screen plotter that draws scenes as pictures.  Everything in it belongs to the thread that draws first."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyvista
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from app.display import windowless
from app.state.geometry.surfaces import CoarseSurface
from app.state.look import SceneLook
from app.state.palette import accent
from app.views.scene.detail import Pace
from app.views.scene.drawing import FINER, Image, ScenePicture
from app.views.scene.halving import halve
from app.views.scene.polydata import Space
from app.views.scene.scene import Scene
from app.views.scene.stage import Stage
from app.views.scene.surface_mesh import SurfaceMesh
from engine import SlicePlane

if TYPE_CHECKING:
    from app.views.camera import Lens
    from app.views.scene.drawing import SceneDrawing

_SAMPLES: Final = 8  # of a pixel on a graphics card
_TILE: Final = 4096  # pixels along a side of what is drawn at once
_STRIP: Final = 1 << 20  # pixels that are read at once: other threads wait meanwhile
_DPI: Final = 72
_CLOSE: Final = 256.0  # distances to the focus: at so many places are as exact as the eye can tell


class Studio:
    """renderer_name: of what draws; software: it is the processor."""

    def __init__(self) -> None:
        self._plotter = _plotter()
        self._window: Any = self._plotter.render_window
        self._window.SetMultiSamples(0)
        self._window.SetAlphaBitPlanes(1)
        self._renderer: Any = self._plotter.renderer
        self._renderer.SetUseOIT(False)
        self._window.Render()
        found = re.search(r"OpenGL renderer string:\s*(.*)", self._window.ReportCapabilities())
        self.renderer_name = found.group(1) if found else "unknown"
        self.software = any(name in self.renderer_name.lower() for name in ("llvmpipe", "softpipe", "swrast"))
        self._window.SetMultiSamples(0 if self.software else _SAMPLES)
        self._stage: Stage | None = None
        self._domain: NDArray[np.float64] | None = None
        self._pace = Pace()

    def draw(self, drawing: SceneDrawing, still: bool = False) -> ScenePicture:
        """The picture of a scene; still: smooth also on a graphics card, for files."""
        start = time.perf_counter()
        finer = FINER if still or (drawing.smooth and self.software) else 1
        whole = drawing.smooth or still or not self.software
        fine = replace(drawing, lens=drawing.lens.enlarged(finer), ratio=drawing.ratio * finer)
        drawn = self._stage_for(fine).show(fine, None if whole else self._pace.most)
        self._renderer.SetBackgroundAlpha(0.0 if drawing.transparent else 1.0)
        self._renderer.SetBackground(*((0.0, 0.0, 0.0) if drawing.transparent else drawing.paper.ground))
        self._window.SetDPI(max(round(_DPI * fine.ratio), 1))
        pixels = self._render(fine.lens, fine.ratio, finer)
        if not whole:
            self._pace.note(time.perf_counter() - start, drawn)
        return ScenePicture(pixels, whole)

    def rehearse(self) -> None:
        """Draw what the first picture of a network has, a coarse surface and a frame: what that needs is compiled."""
        box = np.array([[-1.0] * 3, [1.0] * 3])
        scene = Scene(box)
        corners, triangles = np.eye(3), np.array([[0, 1, 2]], np.int32)
        scene.mesh = SurfaceMesh.of(CoarseSurface.from_triangles(corners, triangles))
        scene.place_slice(0, SlicePlane.from_axis("z", 0.0), accent(0), active=True)
        self.draw(scene.drawing(SceneLook(), scene.lens(64, 64), 1.0, smooth=True))
        self.leave()

    def leave(self) -> None:
        """Give back the scene that was drawn last."""
        if self._stage is not None:
            self._stage.clear()
        self._stage = self._domain = None

    def close(self) -> None:
        """Give back everything that VTK holds."""
        self.leave()
        self._plotter.close()

    def _stage_for(self, drawing: SceneDrawing) -> Stage:
        """The stage of a scene, in coordinates that are exact where the eye looks."""
        space = _space(drawing)
        stage = self._stage
        if stage is None or self._domain is not drawing.domain or not _alike(stage.space, space):
            self.leave()
            stage = self._stage = Stage(self._plotter, space)
            self._domain = drawing.domain
        return stage

    def _render(self, lens: Lens, ratio: float, finer: int) -> Image:
        """(H, W, 4) uint8, with one pixel for `finer` of the lens along each side.

        In tiles: a card draws pictures up to some size.
        """
        picture = np.empty((lens.height // finer, lens.width // finer, 4), np.uint8)
        assert self._stage is not None
        space, camera = self._stage.space, self._renderer.GetActiveCamera()
        position = (lens.eye - space.origin) / space.size
        camera.SetPosition(*position)
        camera.SetFocalPoint(*(position + lens.distance / space.size * lens.forward))
        camera.SetViewUp(*lens.axes[1])
        camera.SetClippingRange(lens.near / space.size, lens.far / space.size)
        camera.SetParallelProjection(lens.parallel)
        camera.UseExplicitProjectionTransformMatrixOn()
        rows, columns = (-(-side // -(-side * finer // _TILE)) for side in picture.shape[:2])
        size = finer * columns, finer * rows
        if tuple(self._window.GetSize()) != size:
            self._window.SetSize(*size)
        self._stage.follow(lens, ratio, size)
        for top in range(0, len(picture), rows):
            for left in range(0, picture.shape[1], columns):
                corner = finer * left, finer * top
                camera.SetExplicitProjectionTransformMatrix(_projection(lens, space, corner, size))
                self._window.Render()
                self._read(picture[top : top + rows, left : left + columns], size, finer)
        return picture

    def _read(self, part: Image, size: tuple[int, int], finer: int) -> None:
        """part (h, w, 4) takes the upper left corner of what was drawn, which is of some size."""
        rows, columns = part.shape[:2]
        strip, known = max(_STRIP // (finer * finer * columns), 1), vtkUnsignedCharArray()
        for top in range(0, rows, strip):
            bottom = min(top + strip, rows)
            low, high = size[1] - finer * bottom, size[1] - finer * top - 1
            self._window.GetRGBACharPixelData(0, low, finer * columns - 1, high, 0, known)
            pixels = vtk_to_numpy(known).reshape(finer * (bottom - top), finer * columns, 4)[::-1]
            if finer == 1:
                part[top:bottom] = pixels
            else:
                halve(pixels, part[top:bottom])


def _plotter() -> Any:
    with windowless():
        plotter = pyvista.Plotter(off_screen=True, lighting="none", window_size=[64, 64])
    plotter.add_light(pyvista.Light(light_type="headlight"))
    return plotter


def _space(drawing: SceneDrawing) -> Space:
    """The middle of the box is VTK's origin and its diagonal VTK's unit; the origin is near the eye once that has come
    so close that single precision would show."""
    lens = drawing.lens
    size, middle = float(np.linalg.norm(np.ptp(drawing.domain, axis=0))), drawing.domain.mean(axis=0)
    step = _CLOSE * 2.0 ** round(np.log2(lens.distance / size))
    if step >= 1.0:
        return Space(middle, size)
    return Space(middle + step * size * np.rint((lens.focus - middle) / (step * size)), size)


def _alike(one: Space, other: Space) -> bool:
    return one.size == other.size and bool((one.origin == other.origin).all())


def _projection(lens: Lens, space: Space, corner: tuple[int, int], size: tuple[int, int]) -> vtkMatrix4x4:
    """From VTK's view coordinates to those of a part of the picture: its upper left corner, and size, in pixels."""
    width, height = size
    near, far = lens.near / space.size, lens.far / space.size
    x, y = lens.centre - np.array(corner)
    right, upwards = 2 * x / width - 1.0, 1.0 - 2 * y / height  # the middle's place
    if lens.parallel:
        focal = lens.focal * space.size / lens.distance
        rows = (
            (2 * focal / width, 0.0, 0.0, right),
            (0.0, 2 * focal / height, 0.0, upwards),
            (0.0, 0.0, -2 / (far - near), -(far + near) / (far - near)),
            (0.0, 0.0, 0.0, 1.0),
        )
    else:
        rows = (
            (2 * lens.focal / width, 0.0, -right, 0.0),
            (0.0, 2 * lens.focal / height, -upwards, 0.0),
            (0.0, 0.0, -(far + near) / (far - near), -2 * far * near / (far - near)),
            (0.0, 0.0, -1.0, 0.0),
        )
    matrix = vtkMatrix4x4()
    matrix.DeepCopy([entry for row in rows for entry in row])
    return matrix
