"""Which part of a slice a view shows, and at which scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from engine import SlicePlane

_SMALLEST: Final = 0.1  # of its size when all of it is seen: how small a slice may become
_FINEST: Final = 16 * float(np.finfo(np.float64).eps)  # of the largest coordinate: a pixel
_FILLING: Final = 0.8  # of the frame: a slice that is no smaller has no frame of its own
_KEPT: Final = 1 / 8  # of the view's sides: what a slice keeps of them when it is moved out of sight


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


@dataclass(frozen=True, eq=False, slots=True)
class Bounds:
    """What a view of a slice may show: some of the slice, neither as a speck nor beyond rounding.

    border: (M, 2, 2) float64, segments around the slice, which is convex, in any order and direction; frame: (2, 2)
    lower and upper corner of what it may fill, see `shadow`.
    """

    border: NDArray[np.float64]
    frame: NDArray[np.float64]

    def whole(self, width: int, height: int) -> Framing:
        """All that the slice may fill."""
        return Framing.around(self.frame[0], self.frame[1], width, height)

    @property
    def corners(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Lower and upper corner (u, v) of a rectangle around the slice."""
        corners = self.border.reshape(-1, 2)
        (left, bottom), (right, top) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return (left, bottom), (right, top)

    def close(self, width: int, height: int) -> Framing | None:
        """The slice alone; None where it fills most of the frame."""
        lower, upper = self.corners
        found = Framing.around(np.array(lower), np.array(upper), width, height)
        return found if _FILLING * found.scale > self.whole(width, height).scale else None

    def zoomed(self, framing: Framing, factor: float, px: float, py: float) -> Framing:
        """Larger by a factor, or by as much of it as is left, about a pixel."""
        least, most = self._scales(framing)
        wanted = framing.scale * factor
        scale = min(wanted, max(most, framing.scale)) if factor > 1 else max(wanted, min(least, framing.scale))
        return self.in_sight(framing.zoomed(scale / framing.scale, px, py))

    def kept(self, framing: Framing) -> Framing | None:
        """That of another slice, as near as this one allows; None where its scale makes no sense here."""
        least, most = self._scales(framing)
        return self.in_sight(framing) if least / 2 <= framing.scale <= 2 * most else None

    def _scales(self, framing: Framing) -> tuple[float, float]:
        """The least and the most that a hand can reach."""
        least = _SMALLEST * self.whole(framing.width, framing.height).scale
        return least, 1.0 / (_FINEST * float(np.abs(self.border).max()))

    def in_sight(self, framing: Framing) -> Framing:
        """Itself, or the nearest that shows some of the slice."""
        centre = np.array(framing.centre)
        away = self._nearest(centre) - centre
        reach = (0.5 - _KEPT) * np.array([framing.width, framing.height]) / framing.scale
        beyond = away - np.clip(away, -reach, reach)
        if not beyond.any():
            return framing
        u, v = (centre + beyond).tolist()
        return replace(framing, centre=(u, v))

    def _nearest(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """The point (2,) of the slice that is nearest to another."""
        start, side = self.border[:, 0], self.border[:, 1] - self.border[:, 0]
        middle = self.border.mean(axis=(0, 1))
        if (_cross(side, point - start) * _cross(side, middle - start) >= 0).all():
            return point
        along = ((point - start) * side).sum(axis=1) / np.maximum((side * side).sum(axis=1), 1e-300)
        feet = start + np.clip(along, 0.0, 1.0)[:, None] * side
        nearest: NDArray[np.float64] = feet[np.argmin(((point - feet) ** 2).sum(axis=1))]
        return nearest


def shadow(plane: SlicePlane, domain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower and upper corner (2, 2), in the plane's coordinates, of the projection of a box (2, D): all parallel planes
    with the same axes have the same, and every slice of the box is in it."""
    middle = plane.to_plane(domain.mean(axis=0)[None])[0]
    reach = np.abs(plane.axes) @ np.ptp(domain, axis=0) / 2
    return np.stack([middle - reach, middle + reach])


def _cross(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    return found
