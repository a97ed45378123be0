"""Backdrop of a picture: drawn first, by VTK, with surface and slices laid over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.views.camera import Lens

Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False, slots=True)
class Backdrop:
    """pixels (H, W, 4) uint8, RGB and opacity, the row at the top first; depth (H, W) float32 in [0, 1]; lens: of this
    size."""

    pixels: Image
    depth: NDArray[np.float32]
    lens: Lens
