"""Which facet of a surface lies under a pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.state.geometry.picking import surface_point

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.views.camera import Lens
    from app.views.painting.surface_picture import SurfaceDrawing


def facet_at(drawing: SurfaceDrawing, lens: Lens, px: float, py: float) -> tuple[int, NDArray[np.float64]] | None:
    """The nearest facet at a pixel that is not cut away, and the point (3,) of it that is seen there."""
    mesh = drawing.mesh
    found = surface_point(mesh, *lens.ray(px, py), drawing.cut, mesh.spheres)
    return None if found is None else (found.face, found.point)
