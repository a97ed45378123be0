"""Figures without a window: whatever draws surfaces is opened for one figure and closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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

    from engine import SlicePlane
    from sdf_models import Checkpoint


def drawn_with_surfaces(spec: FigureSpec, found: Ingredients) -> DrawnFigure:
    """Draw a figure on the thread that calls.  Raises SpecError."""
    if not found.solids:
        return draw_figure(spec, found.slices)
    from app.views.scene.studio import Studio

    studio = Studio()
    try:
        painter = SurfacePainter(found.solids, lambda drawing: studio.draw(drawing, still=True))
        return draw_figure(spec, found.slices, painter)
    finally:
        studio.close()


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
    return drawn_with_surfaces(spec, ingredients(spec, subjects)).figure
