"""SplineScope's command line and application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.version import __version__ as __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyvista
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike
    from torch import nn

    from app.comparison.comparison import Comparison
    from app.figures.spec import FigureSpec
    from engine import SlicePlane
    from sdf_models import Checkpoint


def show(module_or_checkpoint: nn.Module | Checkpoint, domain: ArrayLike | None = None) -> None:
    """Open the window on a live module or a loaded checkpoint, and return when it is closed.

    domain: (2, 3), lower and upper corner; a checkpoint's own when None, else [-1, 1]^3.  The module is read, never
    changed.  Raises ValueError when it cannot be shown, OSError where there is no display for it.
    """
    from app.display import window_problem

    problem = window_problem()
    if problem is not None:
        raise OSError(problem)
    from app.application import show_module  # Qt is imported only when a window is wanted

    show_module(module_or_checkpoint, domain)


def scene(
    module_or_checkpoint: nn.Module | Checkpoint,
    planes: Sequence[str | SlicePlane] = (),
    domain: ArrayLike | None = None,
    level: float = 0.0,
) -> pyvista.Plotter:
    """Compute the exact surface and slices, and return a plotter of pyvista that shows them, for scripts and notebooks.

    planes: as the command line takes them, "z=0.25" say, or engine.SlicePlane; domain: as for `show`.  The plotter's
    actors have names: "surface", "z = 0.25 lines", "z = 0.25 level set".  Raises ValueError and engine.EngineError.
    """
    from app.modules import module_and_domain
    from app.plotting import scene_blocks, scene_plotter
    from engine import SlicePlane

    module, box = module_and_domain(module_or_checkpoint, domain)
    cuts = [plane if isinstance(plane, SlicePlane) else SlicePlane.parse(plane) for plane in planes]
    return scene_plotter(scene_blocks(module, cuts, box, level), box)


def compare(
    *modules_or_checkpoints: nn.Module | Checkpoint,
    planes: Sequence[str | SlicePlane] = (),
    domain: ArrayLike | None = None,
    level: float = 0.0,
    surface: bool = False,
) -> Comparison:
    """Compare networks with the first one, on slice planes and, if wanted, by their surfaces.

    planes, domain, level: as for `scene`; without a domain all networks must have the same.  The comparison has
    `slices` and `rows`, whose values by key are defined in resources/docs/measures.md.  Raises ValueError and
    engine.EngineError.
    """
    from app.comparison.comparison import compare_subjects
    from app.comparison.subjects import subject_of
    from engine import SlicePlane

    cuts = [plane if isinstance(plane, SlicePlane) else SlicePlane.parse(plane) for plane in planes]
    subjects = [subject_of(given, f"network {i}", level) for i, given in enumerate(modules_or_checkpoints, 1)]
    return compare_subjects(subjects, cuts, domain, surface=surface)


def figure(
    *modules_or_checkpoints: nn.Module | Checkpoint,
    planes: Sequence[str | SlicePlane] = (),
    layout: str = "grid",
    preset: str | None = None,
    spec: FigureSpec | None = None,
    level: float = 0.0,
    zoom: tuple[float, float, float, float] | None = None,
) -> Figure:
    """Draw a figure and return it as one of matplotlib; `app.figures.writing.write_figure` makes files of it.

    planes, level: as for `scene`; layout, preset: names that `splinescope figure --help` lists; spec: a whole figure
    instead; zoom: rectangle of layout "zoom", left, low, right, high.  Raises ValueError and engine.EngineError.
    """
    from app.figures.making import figure_of
    from engine import SlicePlane

    cuts = [plane if isinstance(plane, SlicePlane) else SlicePlane.parse(plane) for plane in planes]
    return figure_of(modules_or_checkpoints, cuts, layout, preset, spec, level, zoom)
