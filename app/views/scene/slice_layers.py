"""Layers in the planes of slices: lines, level sets, and a neuron that is told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from app.state.palette import RGB
from app.views.scene import polydata
from app.views.scene.layering import Piece, eye_sides, nearness, pieces, whole_pieces
from app.views.slice.slice_image import line_widths

if TYPE_CHECKING:
    from app.views.camera import Lens
    from app.views.scene.drawing import SceneDrawing, SliceDrawing
    from app.views.slice.slice_image import SlicePicture

Float = NDArray[np.float64]
Table = NDArray[np.uint8]

LINES, LEVEL, NEURON = 0, 1, 2
"""Of a slice, in the order of drawing."""
_OPACITY, _FADED = 0.85, 0.28
_STEPS: Final = 4.0  # to an octave, in which widths follow the camera: a step costs a new table of colours


@dataclass(frozen=True, eq=False, slots=True)
class Lines:
    """Layers of a slice: lines, from the last depth to the first; level set; a neuron that is told apart.

    picture: of the slice; most: so many lines at most, the longest; strokes (S,): which of the picture's; layers:
    arrays (S, 2, 3) of ends in space.
    """

    picture: SlicePicture
    most: int | None
    strokes: NDArray[np.intp]
    layers: tuple[Float, Float, Float]

    @classmethod
    def of(cls, picture: SlicePicture, most: int | None) -> Self:
        vertices, strokes = picture.partition.vertices, picture.strokes.ends
        chosen = np.arange(len(strokes))
        if most is not None:
            chosen = longest(vertices[strokes], most)
        chosen = chosen[::-1]
        lines, told = (polydata.in_space(picture, ends) for ends in (strokes[chosen], picture.highlight))
        return cls(picture, most, chosen, (lines, polydata.level_lines(picture), told))


@dataclass(frozen=True, eq=False, slots=True)
class SliceLayers:
    """Layers of slices: pieces, each with its layer; cut: where their planes meet, else whole."""

    lines: tuple[Lines, ...]
    cut: bool
    pieces: tuple[tuple[int, Piece], ...]

    @classmethod
    def of(cls, lines: tuple[Lines, ...], cut: bool) -> Self:
        planes, found = [part.picture.partition.plane for part in lines], []
        for layer in (LINES, LEVEL, NEURON):
            ends = [part.layers[layer] for part in lines]
            found += [(layer, piece) for piece in (pieces(planes, ends) if cut else whole_pieces(ends))]
        return cls(lines, cut, tuple(found))

    def following(self, pictures: Sequence[SlicePicture], most: int | None) -> SliceLayers:
        """The layers of these pictures, up to so many lines of each; what there is already is not made again.

        Where not all lines are drawn there is no time to cut them, either: then slices are drawn one after the other.
        """
        known = {(part.picture, part.most): part for part in self.lines}
        lines = tuple(known.get((picture, most)) or Lines.of(picture, most) for picture in pictures)
        return self if lines == self.lines else SliceLayers.of(lines, cut=most is None)

    def from_far(self, lens: Lens) -> list[tuple[int, Piece]]:
        """The pieces in the order in which they are drawn, seen through a lens."""
        planes = [part.picture.partition.plane for part in self.lines]
        sides = eye_sides(planes, lens)

        def place(found: tuple[int, Piece]) -> tuple[float, ...]:
            layer, piece = found
            if self.cut:
                return (*nearness(piece, sides), layer)
            return (-float(np.linalg.norm(planes[piece.slice].origin - lens.eye)), piece.slice, layer)

        return sorted(self.pieces, key=place)


def longest(ends: Float, count: int) -> NDArray[np.intp]:
    """The places of the longest of lines (S, 2, D), in their order."""
    if count >= len(ends):
        return np.arange(len(ends))
    lengths = ((ends[:, 1] - ends[:, 0]) ** 2).sum(axis=1)
    return np.sort(np.argpartition(lengths, len(ends) - count)[len(ends) - count :])


def depth_lines(part: SliceDrawing, picture: SlicePicture, drawing: SceneDrawing) -> tuple[Table, float]:
    """The colours of a slice's depths, and the width of its lines, in units of widths; finer lines are paler."""
    widths = np.array(_widths(picture, drawing))
    shown = [width for depth, width in enumerate(widths.tolist()) if depth not in drawing.look.hidden_depths]
    width = max([1.0, *shown])
    opacities = _OPACITY * (_FADED if len(picture.highlight) else 1.0) * part.strength * widths / width
    colors = drawing.paper.depth_colors(len(widths), drawing.look.style.palette)
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
