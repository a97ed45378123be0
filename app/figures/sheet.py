"""Paper: from a slice's coordinates to points on the page, and lines on it with as many digits as can be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from app.state.palette import RGB

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

_DECIMALS: Final = 2  # of positions: a hundredth of a point is 4 micrometres on paper, less than a pixel at 4800 dpi

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Sheet:
    """A slice's point p lies at matrix @ p + shift, in points from the page's lower left corner; matrix (2, 2), shift
    (2,)."""

    matrix: Float
    shift: Float

    @property
    def scale(self) -> float:
        """Points to the slice's unit, in the mean of all directions."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))

    def to_page(self, points: Float) -> Float:
        """(N, 2) to (N, 2)."""
        placed: Float = points @ self.matrix.T + self.shift
        return placed

    def transform(self, figure: Figure) -> Transform:
        """The same for matplotlib."""
        (a, c), (b, d) = self.matrix.tolist()
        return Affine2D.from_values(a, b, c, d, *self.shift.tolist()) + on_page(figure)


def on_page(figure: Figure) -> Transform:
    """From points on the page to matplotlib's own coordinates."""
    made: Transform = Affine2D().scale(1 / 72) + figure.dpi_scale_trans
    return made


def figure_of(axes: Axes) -> Figure:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def add_path(
    axes: Axes, sheet: Sheet, path: Path, gid: str, color: RGB, width: float, order: float, clip: Path | None = None
) -> None:
    """Draw a path of a slice; width: in points; clip: nothing is drawn outside of this path of the slice."""
    placed = _on_page(sheet, path)
    placed.should_simplify = False
    patch = PathPatch(placed, fill=False, edgecolor=color, linewidth=width, capstyle="round", joinstyle="round")
    page = on_page(figure_of(axes))
    patch.set(gid=gid, zorder=order, clip_on=clip is not None, transform=page)
    if clip is not None:
        patch.set_clip_path(_on_page(sheet, clip), page)
    axes.add_artist(patch)  # add_patch would look for the extent of a hundred thousand lines


def add_area(axes: Axes, sheet: Sheet, path: Path, gid: str, color: Any, order: float) -> None:
    """Fill a path of a slice."""
    patch = PathPatch(_on_page(sheet, path), facecolor=color, edgecolor="none")
    patch.set(gid=gid, zorder=order, clip_on=False, transform=on_page(figure_of(axes)))
    axes.add_artist(patch)


def polyline_codes(count: int, starts: NDArray[np.integer]) -> NDArray[np.uint8]:
    codes = np.full(count, Path.LINETO, dtype=np.uint8)
    codes[starts] = Path.MOVETO
    return codes


def _on_page(sheet: Sheet, path: Path) -> Path:
    """A path in points, without steps that are shorter than what can be seen."""
    vertices = np.round(sheet.to_page(np.asarray(path.vertices, np.float64)), _DECIMALS)
    codes = polyline_codes(len(vertices), np.zeros(1, np.intp)) if path.codes is None else np.asarray(path.codes)
    same = np.zeros(len(vertices), dtype=bool)
    same[1:] = (vertices[1:] == vertices[:-1]).all(axis=1) & (codes[1:] == Path.LINETO) & (codes[:-1] == Path.LINETO)
    return Path(vertices[~same], codes[~same])
