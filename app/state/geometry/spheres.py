"""Spheres around the facets of a surface: most of those that a line of sight passes by are left out at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int32]

_ROUNDING: Final = 1e-12  # of the distance: what a facet at a sphere's border may seem to be beyond it


@dataclass(frozen=True, eq=False, slots=True)
class Spheres:
    """middles (F, 3), radii (F,): every facet lies inside its own."""

    middles: Float
    radii: Float

    @classmethod
    def around(cls, vertices: Float, face_offsets: Int, face_vertices: Int) -> Spheres:
        """Of facets given as in a PolygonSurface."""
        if len(face_offsets) < 2:
            return cls(np.empty((0, 3)), np.empty(0))
        counts, corners = np.diff(face_offsets), vertices[face_vertices]
        middles = np.asfortranarray(np.add.reduceat(corners, face_offsets[:-1]) / counts[:, None])
        apart = np.linalg.norm(corners - np.repeat(middles, counts, axis=0), axis=1)
        return cls(middles, np.maximum.reduceat(apart, face_offsets[:-1]))

    def near_line(self, start: Float, direction: Float, spread: float = 0.0, reach: float = 0.0) -> NDArray[np.intp]:
        """The facets whose spheres meet a line through `start` (3,), or are off by less than a length.

        direction (3,) of length 1.  The length is `reach` at the start, and grows by `spread` with every unit from it.
        """
        away = int(np.argmin(np.abs(direction)))
        first = np.cross(direction, np.eye(3)[away])
        first /= np.linalg.norm(first)
        arms = self.middles.T - start[:, None]  # sums of rows: a product of matrices would wake other threads
        x, y, along = (
            axis[0] * arms[0] + axis[1] * arms[1] + axis[2] * arms[2]
            for axis in (first, np.cross(direction, first), direction)
        )
        within = self.radii + reach + (spread + _ROUNDING) * np.abs(along)
        near: NDArray[np.intp] = np.flatnonzero(x * x + y * y <= within * within)
        return near
