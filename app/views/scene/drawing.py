"""A picture of a scene that is asked for, and the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from app.state.paper import WHITE, Paper

if TYPE_CHECKING:
    from app.state.look import SceneLook
    from app.state.palette import RGB
    from app.views.camera import Lens
    from app.views.scene.surface_mesh import SurfaceMesh
    from app.views.slice.slice_image import SlicePicture
    from engine import SlicePlane

Float = NDArray[np.float64]
Image = NDArray[np.uint8]

FINER: Final = 2
"""Pixels along a side of one of a smooth picture, which is their mean."""


@dataclass(frozen=True, eq=False, slots=True)
class SliceDrawing:
    """A slice in space.

    frame (M, 3): corners of where its plane meets the box; picture: lines and level set, in the plane that they were
    computed for; strength: from 0 to 1, with which they are drawn: they are pale where the plane has left them.
    """

    plane: SlicePlane
    accent: RGB
    active: bool
    frame: Float
    picture: SlicePicture | None
    strength: float


@dataclass(frozen=True, eq=False, slots=True)
class SurfaceDrawing:
    """A surface in space.

    faces, creases: whether they are drawn; cut (4,): nothing is drawn where (x, y, z, 1) . cut > 0, None: all is;
    opacity: from 0 to 1, of the faces; highlight (H, 2): edges between its vertices that are told apart.
    """

    mesh: SurfaceMesh
    faces: bool
    creases: bool
    cut: Float | None
    opacity: float
    highlight: NDArray[np.int32]


@dataclass(frozen=True, eq=False, slots=True)
class SceneDrawing:
    """Everything that a picture of a scene depends on.

    domain (2, 3): the box; neuron: the level set in space of the one that is followed; lens: of the picture's size;
    ratio: pixels to the unit of widths and letters; smooth: all details, without jagged lines, however long that takes;
    transparent: nothing is drawn where there is nothing; paper: what it is drawn on.
    """

    domain: Float
    lens: Lens
    look: SceneLook
    surface: SurfaceDrawing | None
    neuron: SurfaceDrawing | None
    slices: tuple[SliceDrawing, ...]
    ratio: float
    smooth: bool
    transparent: bool = False
    paper: Paper = WHITE


@dataclass(frozen=True, eq=False, slots=True)
class ScenePicture:
    """pixels (H, W, 4) uint8, RGB and opacity, the first multiplied by the second; settled: nothing would be gained by
    drawing it smoothly."""

    pixels: Image
    settled: bool
