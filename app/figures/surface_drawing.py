"""The surface in a figure: a picture of the scene, and where the names of frames stand on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from app.figures.spec import SlicePanel, SurfacePanel
from app.state.line_style import LineStyle
from app.state.look import SceneLook
from app.views.scene.picture import filled
from app.views.scene.scene import Scene
from app.views.scene.still_picture import still_drawing, straight
from app.views.slice.slice_image import slice_picture
from engine import PlaneError, plane_box_polygon

if TYPE_CHECKING:
    from app.figures.style import Style
    from app.state.palette import RGB
    from app.state.slices import SliceResult
    from app.views.camera import Lens
    from app.views.scene.drawing import SceneDrawing, ScenePicture
    from app.views.scene.surface_mesh import SurfaceMesh

_MOST_PIXELS: Final = 4096  # along a side

Float = NDArray[np.float64]
DrawScene = Callable[["SceneDrawing"], "ScenePicture"]


@dataclass(frozen=True, eq=False, slots=True)
class Solid:
    """The surface of a checkpoint in its box (2, 3); mesh: None where there is none."""

    mesh: SurfaceMesh | None
    domain: Float


@dataclass(frozen=True, eq=False, slots=True)
class SurfacePicture:
    """pixels (H, W, 3) uint8; names: the words, the place (2,) from the lower left corner in shares of the picture,
    and the colour of each."""

    pixels: NDArray[np.uint8]
    names: tuple[tuple[str, tuple[float, float], RGB], ...]


@dataclass(frozen=True, eq=False, slots=True)
class SurfacePainter:
    """solids: by the number of the checkpoint; draw: what draws scenes."""

    solids: Mapping[int, Solid]
    draw: DrawScene

    def paint(
        self, panel: SurfacePanel, cuts: Sequence[tuple[SlicePanel, SliceResult]], size: tuple[float, float],
        style: Style, dpi: float,
    ) -> SurfacePicture:  # fmt: skip
        """cuts: slices whose frames are shown; size: in points."""
        solid = self.solids[panel.checkpoint]
        dots = min(dpi / 72, _MOST_PIXELS / max(size))
        width, height = (max(16, round(dots * side)) for side in size)
        scene = Scene(solid.domain)
        scene.mesh = solid.mesh
        shown = {cut.plane: (cut, result) for cut, result in cuts if cut.zoom_of is None}
        for key, (cut, result) in enumerate(shown.values()):
            scene.place_slice(key, result.partition.plane, style.accent(cut.colour))
            scene.draw_slice(key, slice_picture(result.partition, result.level_set.polylines))
        scene.look_from(panel.camera, panel.up, panel.parallel)
        look = SceneLook(creases=panel.creases, opacity=panel.opacity, style=LineStyle(style.palette))
        lens = filled(scene.lens(width, height), scene.domain)
        drawing = replace(still_drawing(scene, look, lens), paper=style.paper)
        pixels = np.ascontiguousarray(straight(self.draw(drawing).pixels)[:, :, :3])
        names = _names(list(shown.values()), lens, solid.domain, style) if panel.named else ()
        return SurfacePicture(pixels, names)


def _names(
    cuts: Sequence[tuple[SlicePanel, SliceResult]], lens: Lens, domain: Float, style: Style
) -> tuple[tuple[str, tuple[float, float], RGB], ...]:
    """Put the name of each frame near the corner that is farthest from the others' names, a little inside."""
    taken: list[Float] = []
    names: list[tuple[str, tuple[float, float], RGB]] = []
    size = np.array([lens.width, lens.height], np.float64)
    for cut, result in cuts:
        plane = result.partition.plane
        try:
            corners = plane.to_input(plane_box_polygon(plane, domain))
        except PlaneError:  # outside the box
            continue
        seen = lens.to_pixels(corners) / size
        inside = seen + 0.1 * (seen.mean(axis=0) - seen)
        apart = [min([1.0, *(float(np.hypot(*(place - other))) for other in taken)]) for place in inside]
        outwards = np.hypot(*(inside - 0.5).T)
        best = int(np.argmax(np.minimum(apart, 0.25) + outwards))
        taken.append(inside[best])
        x, y = inside[best].tolist()
        words = plane.describe() if len(plane.describe()) < _LONGEST else f"slice {len(names) + 1}"
        names.append((words.replace("-", "\N{MINUS SIGN}"), (x, 1.0 - y), style.accent(cut.colour)))
    return tuple(names)


_LONGEST: Final = 16  # characters of a plane's name
