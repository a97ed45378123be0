"""Figures of common kinds, from planes: what the names of layouts stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from app.figures.spec import Arranged, Coordinates, FigureSpec, Panel, SlicePanel, SpecError, SurfacePanel

LAYOUTS: Final[dict[str, str]] = {
    "grid": "slices in rows",
    "method": "the surface with the frames of slices, and the slices beside it, framed in their colours",
    "stack": "slices one above the other, as sheets",
    "zoom": "a slice, and a rectangle of it larger, cut anew",
    "growth": "one slice by the first layer, the first two, and so on",
    "comparison": "a row for each plane, a column for each checkpoint",
    "timeline": "one slice of checkpoints that follow each other, in a row",
}
"""Names of layouts, and what they are, for people."""

_COLUMN, _PAGE = 85.0, 180.0
_GROWTH: Final = 6  # panels of a growth, at most

Rectangle = tuple[float, float, float, float]


def lay_out(
    name: str, slices: Sequence[SlicePanel], layers: int, checkpoints: Sequence[str] = ("",),
    surface: SurfacePanel | None = None, rectangle: Rectangle | None = None,
) -> FigureSpec:  # fmt: skip
    """Return a figure of slices by the name of a layout, as wide as a column, or a page where it needs one.

    slices: of the first checkpoint; layers: of its network; checkpoints: their names, which comparisons show; surface:
    how the method's figure looks at it; rectangle: of a zoom, in the first slice.  Raises SpecError.
    """
    if not slices:
        raise SpecError(f"layout {name}: it needs a plane; give --plane z=0")
    match name:
        case "grid":
            return _grid(slices)
        case "method":
            return _method(slices, surface or SurfacePanel())
        case "stack":
            return FigureSpec(tuple(slices), arranged=Arranged.STACK, width=_COLUMN, coordinates=Coordinates.NONE)
        case "zoom":
            return _zoom(slices[0], rectangle)
        case "growth":
            return _growth(slices[0], layers)
        case "comparison":
            return _comparison(slices, checkpoints)
        case "timeline":
            return replace(
                _comparison(slices[:1], checkpoints), coordinates=Coordinates.NONE, columns=min(6, len(checkpoints))
            )
    raise SpecError(f"layout {name:.40}: there is none of this name; take {', '.join(LAYOUTS)}")


def _grid(slices: Sequence[Panel]) -> FigureSpec:
    return FigureSpec(tuple(slices), width=_COLUMN if len(slices) == 1 else _PAGE)


def _method(slices: Sequence[SlicePanel], surface: SurfacePanel) -> FigureSpec:
    framed = [replace(panel, framed=True) for panel in slices]
    columns = {1: 2, 2: 3, 3: 2}.get(len(framed), 3)
    return FigureSpec(
        (surface, *framed), width=_PAGE, columns=columns, letters=True, coordinates=Coordinates.NONE
    )  # fmt: skip


def _zoom(panel: SlicePanel, rectangle: Rectangle | None) -> FigureSpec:
    if rectangle is None:
        raise SpecError("layout zoom: it needs a rectangle; give --zoom=left,low,right,high in the plane's coordinates")
    detail = replace(panel, rectangle=rectangle, zoom_of=0, title=None)
    return FigureSpec(
        (panel, detail), width=_PAGE, columns=2, letters=True, coordinates=Coordinates.SCALE_BAR
    )  # fmt: skip


def _growth(panel: SlicePanel, layers: int) -> FigureSpec:
    """Of many layers as many panels as are read, the last one with all."""
    count = min(layers, _GROWTH)
    steps = [round((number + 1) * layers / count) for number in range(count)]
    panels = tuple(
        replace(panel, depths=depths, title=f"{_depths_title(depths)} \N{MIDDLE DOT} {{regions}}") for depths in steps
    )
    return FigureSpec(panels, width=_PAGE, columns=min(3, count), coordinates=Coordinates.NONE)


def _depths_title(depths: int) -> str:
    return "layer 0" if depths == 1 else f"layers 0\N{EN DASH}{depths - 1}"


def _comparison(slices: Sequence[SlicePanel], checkpoints: Sequence[str]) -> FigureSpec:
    """One slice is the figure's title; of several each panel says its own, below the checkpoints' names."""
    few = len(slices) == 1
    rest = "{regions}" if few else "{plane} \N{MIDDLE DOT} {regions}"
    panels = tuple(
        replace(
            panel, checkpoint=number, colour=number,
            title=f"{name} \N{MIDDLE DOT} {rest}" if few or row == 0 else None,
        )
        for row, panel in enumerate(slices)
        for number, name in enumerate(checkpoints)
    )  # fmt: skip
    title = _plane_name(slices[0].plane) if few else " \N{MIDDLE DOT} ".join(checkpoints)
    return FigureSpec(panels, width=_PAGE, columns=len(checkpoints), title=title)


def _plane_name(text: str) -> str | None:
    """Return a pose as people say it, "z = 0"; None of a network of two inputs."""
    from app.state.geometry.poses import Pose, PoseError  # numpy and the engine, which only figures need

    try:
        return Pose.parse(text).plane.describe().replace("-", "\N{MINUS SIGN}") if text else None
    except PoseError as error:
        raise SpecError(str(error)) from error
