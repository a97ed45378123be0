"""The slices and surfaces that a figure shows, computed from its networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.figures.spec import FigureSpec, SlicePanel, SpecError, SurfacePanel
from app.figures.surface_drawing import Solid
from app.state.geometry.poses import Pose, PoseError
from app.state.slices import SliceResult
from engine import SlicePlane, extract_surface, level_set, partition_polygon, plane_box_polygon, square_polygon

if TYPE_CHECKING:
    from app.comparison.subjects import Subject
    from engine import Network, Partition

_GRID = 32  # boxes along a side in which the surface is looked for

Polygon = NDArray[np.float64]
Cut = Callable[["Network", SlicePlane, Polygon, float], "Partition"]
Key = tuple[int, str, tuple[float, float, float, float] | None]


@dataclass(frozen=True, eq=False, slots=True)
class Ingredients:
    """slices: one for each panel, None for those of surfaces; solids: by the number of the checkpoint."""

    slices: tuple[SliceResult | None, ...]
    solids: Mapping[int, Solid] = field(default_factory=dict)


def key_of(panel: SlicePanel) -> Key:
    """Panels that agree in it show the same partition."""
    return panel.checkpoint, panel.plane, panel.rectangle


def ingredients(
    spec: FigureSpec,
    subjects: Sequence[Subject],
    known: Mapping[Key, SliceResult] | None = None,
    solids: Mapping[int, Solid] | None = None,
    cut: Cut | None = None,
    tell: Callable[[str], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Ingredients:
    """Compute what a figure shows and is not known yet.

    subjects: the networks that panels count; known, solids: what was computed; cut: makes partitions; tell: hears of
    each step.  Raises SpecError, EngineError and, when it is cancelled, Cancelled.
    """
    made = cut or (lambda network, plane, polygon, level: partition_polygon(
        network, plane, polygon, level, None, cancelled
    ))  # fmt: skip
    found, shapes = dict(known or {}), dict(solids or {})
    slices: list[SliceResult | None] = []
    for number, panel in enumerate(spec.panels):
        if panel.checkpoint >= len(subjects):
            raise SpecError(
                f"panels[{number}].checkpoint: {panel.checkpoint}, and {len(subjects)} are given; give more"
            )
        subject = subjects[panel.checkpoint]
        if isinstance(panel, SurfacePanel):
            if panel.checkpoint not in shapes:
                tell("surface")
                shapes[panel.checkpoint] = _solid(subject, cancelled)
            slices.append(None)
            continue
        key = key_of(panel)
        if key not in found:
            plane, polygon = _place(panel, number, subject)
            tell(plane.describe())
            partition = made(subject.network, plane, polygon, subject.level)
            found[key] = SliceResult(subject.name, partition, level_set(partition), subject.approximation)
        slices.append(found[key])
    return Ingredients(tuple(slices), shapes)


def _solid(subject: Subject, cancelled: Callable[[], bool]) -> Solid:
    from app.views.scene.surface_mesh import SurfaceMesh

    if subject.network.input_size != 3:
        raise SpecError(f"{subject.name}: surfaces need three inputs, x, y, z; leave the panel of the surface out")
    surface = extract_surface(subject.network, subject.domain, subject.level, _GRID, None, cancelled)
    return Solid(None if surface.empty else SurfaceMesh.of(surface), subject.domain)


def _place(panel: SlicePanel, number: int, subject: Subject) -> tuple[SlicePlane, Polygon]:
    """Return the plane of a panel and the polygon (M, 2) of it that is cut."""
    where = f"panels[{number}].plane"
    if subject.network.input_size == 2:
        if panel.plane:
            raise SpecError(f"{where}: {subject.name} takes two inputs, so that all of it is one plane; leave it empty")
        plane, half_width = SlicePlane.identity(), None
    else:
        try:
            pose = Pose.parse(panel.plane)
        except PoseError as error:
            raise SpecError(f"{where}: {error}") from error
        plane, half_width = pose.plane, pose.half_width
    if panel.rectangle is not None:
        left, low, right, high = panel.rectangle
        return plane, np.array([[left, low], [right, low], [right, high], [left, high]])
    if half_width is not None:
        return plane, square_polygon(half_width)
    return plane, plane_box_polygon(plane, subject.domain)
