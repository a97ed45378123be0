"""A convex polygon in space that is seen along its plane: a line, of which a homography knows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from app.views.camera import Lens

Float = NDArray[np.float64]

_THINNEST: Final = 1.0  # pixels across; what is thinner is a line


@dataclass(frozen=True, eq=False, slots=True)
class SeenLine:
    """ends (2, 2): in pixels; inverse (3,): of the distance, at a pixel (x, y) on it inverse (x, y, 1), of what is
    nearest there or a little nearer."""

    ends: Float
    inverse: Float


def seen_edge_on(corners: Float, lens: Lens) -> SeenLine | None:
    """The line as which a convex polygon (M, 3) is seen; None where it is wider than a pixel, or out of sight."""
    loop = _in_front(corners, lens)
    if len(loop) < 2:
        return None
    seen = lens.to_pixels(loop)
    middle = seen.mean(axis=0)
    axes = np.linalg.svd(seen - middle, full_matrices=False)[2]
    along, across = ((seen - middle) @ axes.T).T
    if np.ptp(across) > _THINNEST:
        return None
    first, last = int(along.argmin()), int(along.argmax())
    nearness = 1.0 / ((loop - lens.eye) @ lens.forward)
    length = along[last] - along[first]
    slope = (nearness[last] - nearness[first]) / length if length > 0 else 0.0
    level = float((nearness - slope * along).max())
    inverse = np.append(slope * axes[0], level - slope * float(axes[0] @ middle))
    return SeenLine(middle + np.outer(along[[first, last]], axes[0]), inverse)


def _in_front(corners: Float, lens: Lens) -> Float:
    """The part of a polygon that is farther than the near plane of a lens."""
    depth = (corners - lens.eye) @ lens.forward - lens.near
    kept = []
    for a, b, at_a, at_b in zip(corners, np.roll(corners, -1, axis=0), depth, np.roll(depth, -1), strict=True):
        if at_a > 0:
            kept.append(a)
        if (at_a > 0) != (at_b > 0):
            kept.append(a + at_a / (at_a - at_b) * (b - a))
    return np.array(kept).reshape(-1, 3)
