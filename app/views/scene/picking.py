"""Facets of a surface under a pixel, and what lies behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from app.state.geometry.picking import surface_point

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.views.camera import Lens
    from app.views.scene.drawing import SurfaceDrawing

    Float = NDArray[np.float64]


def facet_at(drawing: SurfaceDrawing, lens: Lens, px: float, py: float) -> tuple[int, Float] | None:
    """The nearest facet at a pixel that is not cut away, and the point (3,) of it that is seen there."""
    found = surface_point(drawing.mesh, *lens.ray(px, py), drawing.cut, drawing.mesh.spheres)
    return None if found is None else (found.face, found.point)


@dataclass(frozen=True, eq=False, slots=True)
class Screen:
    """The part of a surface that is seen around a pixel, which hides what is behind it; faces: of the surface."""

    drawing: SurfaceDrawing
    lens: Lens
    faces: NDArray[np.intp]

    @classmethod
    def around(cls, drawing: SurfaceDrawing, lens: Lens, px: float, py: float, reach: float = 0.0) -> Self:
        """reach: in pixels."""
        start, direction = lens.ray(px, py)
        spread, width = 1.5 * reach * lens.pixel_angle, 1.5 * reach * lens.pixel_length(start)
        return cls(drawing, lens, drawing.mesh.spheres.near_line(start, direction, spread, width))

    def hides(self, px: float, py: float, point: Float, slack: float) -> bool:
        """The surface is before a point (3,) seen at a pixel within reach, nearer by more pixels than `slack`."""
        mesh, lens = self.drawing.mesh, self.lens
        found = surface_point(mesh, *lens.ray(px, py), self.drawing.cut, among=self.faces)
        if found is None:
            return False
        return float(lens.forward @ (point - found.point)) > slack * lens.pixel_length(point)
