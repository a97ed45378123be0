"""Figures without a window: whatever draws surfaces is opened for one figure and closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from app.figures.cutting import Ingredients, ingredients
from app.figures.drawing import DrawnFigure, draw_figure
from app.figures.layouts import Rectangle, lay_out
from app.figures.presets import on_page
from app.figures.spec import FigureSpec, SlicePanel
from app.figures.surface_drawing import SurfacePainter
from app.state.geometry.poses import Pose

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import nn

    from app.views.scene.drawing import SceneDrawing, ScenePicture
    from app.views.scene.studio import Studio
    from engine import SlicePlane
    from sdf_models import Checkpoint


class Drawer:
    """Draws figures on the thread that calls; in a `with` block, at the end of which what draws surfaces is closed."""

    def __init__(self) -> None:
        self._studio: Studio | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._studio is not None:
            self._studio.close()
            self._studio = None

    def draw(self, spec: FigureSpec, found: Ingredients) -> DrawnFigure:
        """Raises SpecError."""
        return draw_figure(spec, found.slices, SurfacePainter(found.solids, self._draw_scene))

    def _draw_scene(self, drawing: SceneDrawing) -> ScenePicture:
        if self._studio is None:
            from app.views.scene.studio import Studio

            self._studio = Studio()
        return self._studio.draw(drawing, still=True)


def figure_of(
    modules_or_checkpoints: Sequence[nn.Module | Checkpoint],
    planes: Sequence[SlicePlane],
    layout: str,
    preset: str | None,
    spec: FigureSpec | None,
    level: float,
    zoom: Rectangle | None,
) -> Figure:
    """Draw a figure of networks: see `app.figure`."""
    from app.comparison.subjects import subject_of

    subjects = [subject_of(given, f"network {number}", level) for number, given in enumerate(modules_or_checkpoints, 1)]
    if not subjects:
        raise ValueError("a figure needs a module or a checkpoint")
    if spec is None:
        texts = [str(Pose(plane)) if plane.dimension == 3 else "" for plane in planes]
        panels = [SlicePanel(text, colour=number) for number, text in enumerate(texts)]
        layers = len(subjects[0].network.kinks)
        spec = lay_out(layout, panels, layers, [subject.name for subject in subjects], None, zoom)
    if preset is not None:
        spec = on_page(spec, preset)
    with Drawer() as drawer:
        return drawer.draw(spec, ingredients(spec, subjects)).figure
