"""What is drawn in the planes of slices: lines, level sets, and a neuron that is told apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from app.state.palette import RGB, depth_colors
from app.views.scene import polydata
from app.views.scene.layering import Piece, nearness, pieces
from app.views.slice.slice_image import line_widths

if TYPE_CHECKING:
    from app.views.scene.drawing import SceneDrawing, SliceDrawing
    from app.views.slice.slice_image import SlicePicture

Float = NDArray[np.float64]
Table = NDArray[np.uint8]

LINES, LEVEL, NEURON = 0, 1, 2
"""Of a slice, in the order of drawing."""
_OPACITY, _FADED = 0.85, 0.28
_STEPS: Final = 4.0  # to an octave, in which widths follow the camera: a step costs a new table of colours


@dataclass(frozen=True, eq=False, slots=True)
class SliceLayers:
    """Cut where planes meet.

    pictures: of the slices; share: of the lines, the longest, that there are; pieces: each with its layer.
    """

    pictures: tuple[SlicePicture, ...]
    share: float
    pieces: tuple[tuple[int, Piece], ...]

    @classmethod
    def of(cls, pictures: tuple[SlicePicture, ...], share: float) -> Self:
        """Each slice's lines are in the order of drawing, from the last depth to the first."""
        planes, lines, chosen = [picture.partition.plane for picture in pictures], [], []
        for picture in pictures:
            ends = polydata.slice_lines(picture)
            chosen.append(longest(ends, round(share * len(ends)))[::-1])
            lines.append(ends[chosen[-1]])
        cut = [(LINES, replace(piece, line=chosen[piece.slice][piece.line])) for piece in pieces(planes, lines)]
        for layer, of in ((LEVEL, polydata.level_lines), (NEURON, polydata.highlighted_lines)):
            cut += [(layer, piece) for piece in pieces(planes, [of(picture) for picture in pictures])]
        return cls(pictures, share, tuple(cut))

    def same(self, pictures: tuple[SlicePicture, ...], share: float) -> bool:
        """They are made of these."""
        return (
            self.share == share
            and len(self.pictures) == len(pictures)
            and all(a is b for a, b in zip(self.pictures, pictures, strict=True))
        )

    def from_far(self, eye: Float) -> list[tuple[int, Piece]]:
        """The pieces in the order in which they are drawn, seen from an eye (3,)."""
        planes = [picture.partition.plane for picture in self.pictures]
        return sorted(self.pieces, key=lambda found: (*nearness(found[1], planes, eye), found[0]))


def longest(ends: Float, count: int) -> NDArray[np.intp]:
    """The places of the longest of lines (S, 2, 3), in their order."""
    if count >= len(ends):
        return np.arange(len(ends))
    lengths = ((ends[:, 1] - ends[:, 0]) ** 2).sum(axis=1)
    return np.sort(np.argpartition(lengths, len(ends) - count)[len(ends) - count :])


def depth_lines(part: SliceDrawing, picture: SlicePicture, drawing: SceneDrawing) -> tuple[Table, float]:
    """The colours of a slice's depths, and the width of its lines, in units of widths; finer lines are paler."""
    widths = np.array(_widths(picture, drawing))
    width = max(float(widths.max(initial=0.0)), 1.0)
    opacities = _OPACITY * (_FADED if len(picture.highlight) else 1.0) * part.strength * widths / width
    colors = depth_colors(len(widths), drawing.look.style.palette)
    return color_table(colors, opacities, drawing.look.hidden_depths), width


def color_table(colors: list[RGB], opacities: Float, hidden: frozenset[int]) -> Table:
    """(L, 4) uint8: RGB and opacity of each depth."""
    shown = np.array([depth not in hidden for depth in range(len(colors))], bool)
    table = np.column_stack([np.array(colors).reshape(-1, 3), opacities * shown])
    return np.asarray(np.rint(255 * table), np.uint8)


def _widths(picture: SlicePicture, drawing: SceneDrawing) -> list[float]:
    """The width of lines of each depth: by how dense they are in the middle of the slice, as it is seen."""
    plane, lens = picture.partition.plane, drawing.lens
    middle = plane.to_input(picture.partition.vertices[picture.border[:, 0]].mean(axis=0)[None])[0]
    slant = abs(float(lens.ray_to(middle) @ plane.normal))
    scale = float(np.sqrt(max(slant, 0.05))) / max(lens.pixel_length(middle) * drawing.ratio, 1e-300)
    stepped = 2.0 ** (round(_STEPS * float(np.log2(scale))) / _STEPS)
    return line_widths(picture, stepped, drawing.look.hidden_depths, drawing.look.style.line_factor)
