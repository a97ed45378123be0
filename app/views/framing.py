"""Which part of a slice a view shows, and at which scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Framing:
    """A slice's point (u, v) lies at the pixel (scale (u - centre u) + width / 2, -scale (v - centre v) + height / 2).

    scale: pixels per unit.  Values that compare equal show the same.
    """

    centre: tuple[float, float]
    scale: float
    width: int
    height: int

    @classmethod
    def around(cls, lower: NDArray[np.float64], upper: NDArray[np.float64], width: int, height: int) -> Self:
        """The rectangle from lower to upper (2,), and 3% around it."""
        size = np.maximum(upper - lower, 1e-300)
        scale = float(min(max(width, 1) / size[0], max(height, 1) / size[1])) / 1.06
        middle = (lower + upper) / 2
        return cls((float(middle[0]), float(middle[1])), scale, width, height)

    @property
    def shift(self) -> tuple[float, float]:
        """The pixel of the point (0, 0)."""
        return self.width / 2 - self.scale * self.centre[0], self.height / 2 + self.scale * self.centre[1]

    def to_pixel(self, u: float, v: float) -> tuple[float, float]:
        x, y = self.shift
        return self.scale * u + x, y - self.scale * v

    def to_slice(self, px: float, py: float) -> tuple[float, float]:
        x, y = self.shift
        return (px - x) / self.scale, (y - py) / self.scale

    def moved(self, dx: float, dy: float) -> Self:
        """The picture follows the hand by (dx, dy) pixels."""
        return replace(self, centre=(self.centre[0] - dx / self.scale, self.centre[1] + dy / self.scale))

    def zoomed(self, factor: float, px: float, py: float) -> Self:
        """Larger by a factor; what lies at pixel (px, py) stays there."""
        u, v = self.to_slice(px, py)
        scale = self.scale * factor
        centre = (u - (px - self.width / 2) / scale, v + (py - self.height / 2) / scale)
        return replace(self, centre=centre, scale=scale)

    def resized(self, width: int, height: int) -> Self:
        """Another size in pixels: the same middle, and as much of the shorter side."""
        factor = min(width, height) / max(min(self.width, self.height), 1)
        return replace(self, scale=self.scale * factor, width=width, height=height)

    def enlarged(self, factor: float) -> Self:
        """The same part of the slice on `factor` times as many pixels."""
        return replace(
            self, scale=self.scale * factor, width=round(self.width * factor), height=round(self.height * factor)
        )
