"""One slice in the 3D scene: its frame, its lines by depth, its level set."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Final

import numpy as np
from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer

from app.state.palette import BACKGROUND, RGB, depth_colors
from app.views.actors import ON_SURFACE, ON_TOP, line_actor, set_data
from app.views.vtk_arrays import points_of, polylines, segments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.views.slice_lines import SliceLines

_LINE, _FRAME, _ACTIVE_FRAME, _LEVEL, _CASING, _HIGHLIGHT = 1.0, 2.0, 3.5, 3.5, 6.5, 4.0
_OPACITY: Final = 0.5
_NO_POINTS: Final = np.empty((0, 3), np.float32)
_NO_LINES: Final = np.zeros(1, np.int32)


class SliceActors:
    """The actors of one slice; they live in a renderer from the first call of a method until `remove`."""

    def __init__(self, renderer: vtkRenderer, layers: int, accent: RGB) -> None:
        self._renderer = renderer
        self._depths = [line_actor(None, color, _LINE) for color in depth_colors(layers)]
        for actor in self._depths:
            actor.GetProperty().SetOpacity(_OPACITY)
        self._frame = line_actor(None, accent, _FRAME, ON_SURFACE)
        self._casing = line_actor(None, BACKGROUND, _CASING, ON_SURFACE)
        self._level = line_actor(None, accent, _LEVEL, ON_TOP)
        self._highlight = line_actor(None, accent, _HIGHLIGHT, ON_TOP)
        self._has_lines = False
        for actor in self._all:
            actor.VisibilityOff()
            renderer.AddActor(actor)

    @property
    def _all(self) -> list[vtkActor]:
        return [*self._depths, self._frame, self._casing, self._level, self._highlight]

    def place(self, corners: NDArray[np.float64], active: bool) -> None:
        """The frame through corners (M, 3), thicker when it is the active slice's."""
        loop = np.concatenate([corners, corners[:1]])
        set_data(self._frame, polylines(loop, np.array([0, len(loop)], np.int32)))
        self._frame.GetProperty().SetLineWidth(_ACTIVE_FRAME if active else _FRAME)

    def draw(self, lines: SliceLines | None) -> None:
        """Lines and level set of a computed slice; None: nothing until it is computed."""
        self._has_lines = lines is not None
        if lines is None:
            self.draw_level(_NO_POINTS, _NO_LINES)
            return
        points = points_of(lines.points)
        for depth, actor in enumerate(self._depths):
            if depth + 1 < len(lines.first):
                set_data(actor, segments(points, lines.edges[lines.first[depth] : lines.first[depth + 1]]))
        self.draw_level(lines.level, lines.level_offsets)

    def draw_level(self, points: NDArray[np.float32], offsets: NDArray[np.int32]) -> None:
        """The level set alone, as soon as it is known: points (K, 3), offsets (P + 1,)."""
        data = polylines(points, offsets)
        for actor in (self._casing, self._level):
            set_data(actor, data)

    def draw_highlight(self, points: NDArray[np.float32], edges: NDArray[np.int32], color: RGB) -> None:
        """Edges (H, 2) between points (V, 3) told apart by a colour and their width."""
        set_data(self._highlight, segments(points_of(points), edges))
        self._highlight.GetProperty().SetColor(*color)

    def show(self, visible: bool, hidden_depths: Set[int], first_depths: int) -> None:
        """What is to be seen: all or nothing, without hidden depths, and of the lines only the first depths."""
        for depth, actor in enumerate(self._depths):
            actor.SetVisibility(visible and self._has_lines and depth not in hidden_depths and depth < first_depths)
        self._frame.SetVisibility(visible)
        for actor in (self._casing, self._level, self._highlight):
            data = actor.GetMapper().GetInput()
            actor.SetVisibility(visible and data is not None and data.GetNumberOfLines() > 0)

    def remove(self) -> None:
        for actor in self._all:
            self._renderer.RemoveActor(actor)
