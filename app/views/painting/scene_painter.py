"""A scene as pixels: a backdrop, the surface, and slices laid over them by depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from app.views.painting.sheet import Placed, Sheet, draw_sheet
from app.views.painting.sheet_tiles import Chart, SheetTiles
from app.views.painting.surface_picture import SurfaceDrawing, draw_surface
from app.views.raster import sheets, surfaces

if TYPE_CHECKING:
    from app.views.camera import Lens
    from app.views.painting.backdrop import Backdrop

Image = NDArray[np.uint8]

_SLACK: Final = 5.0  # pixels by which lines come towards the eye, so that the surface they lie on leaves them whole


@dataclass(frozen=True, eq=False, slots=True)
class SceneDrawing:
    """Everything that a picture of a scene depends on.

    ratio: pixels to the unit of line widths; finer: 1, or 2 to draw each pixel as the mean of four: the backdrop then
    has twice the picture's sides.
    """

    backdrop: Backdrop
    surface: SurfaceDrawing | None
    sheets: tuple[Sheet, ...]
    ratio: float
    finer: int


@dataclass(frozen=True, eq=False, slots=True)
class ScenePicture:
    """pixels (H, W, 4) uint8, RGB and opacity, the first multiplied by the second; inverse: of the distance of what
    hides slices, with `finer` times as many rows and columns, 0 where nothing does."""

    pixels: Image
    inverse: NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class _Base:
    """Backdrop and surface; inverse (H, W): of the distance."""

    backdrop: Backdrop
    surface: SurfaceDrawing | None
    ratio: float
    pixels: Image
    inverse: NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class _Kept:
    """A sheet that is drawn; chart: where its tiles are."""

    sheet: Sheet
    lens: Lens
    ratio: float
    placed: Placed
    chart: Chart

    def fits(self, drawing: SceneDrawing) -> bool:
        return self.ratio == drawing.ratio and self.lens.same(drawing.backdrop.lens)


class ScenePainter:
    """Draws scenes one after the other, and keeps what did not change.  For one thread at a time."""

    def __init__(self) -> None:
        self._base: _Base | None = None
        self._kept: list[_Kept] = []
        self._tiles = SheetTiles()
        self._pixels: Image = np.empty((0, 0, 4), np.uint8)  # on which one sheet after the other is drawn
        self._raised: Image = np.empty((0, 0), np.uint8)

    def draw(self, drawing: SceneDrawing) -> ScenePicture:
        lens = drawing.backdrop.lens
        slack = _SLACK * drawing.ratio * lens.pixel_angle
        base = self._base_of(drawing, slack)
        self._kept = self._drawn(drawing, base.inverse.shape)
        self._tiles.tidy([kept.chart for kept in self._kept])
        picture = base.pixels.copy()
        if self._kept:
            sheets.compose(
                picture,
                base.inverse,
                np.stack([kept.chart for kept in self._kept]),
                self._tiles.pixels,
                self._tiles.raised,
                np.stack([kept.placed.inverse for kept in self._kept]),
                np.rint([255 * kept.sheet.strength for kept in self._kept]).astype(np.int64),
                slack,
            )
        if drawing.finer == 1:
            return ScenePicture(picture, base.inverse)
        smaller = np.empty((picture.shape[0] // 2, picture.shape[1] // 2, 4), np.uint8)
        surfaces.halve(picture, smaller)
        return ScenePicture(smaller, base.inverse)

    def _base_of(self, drawing: SceneDrawing, slack: float) -> _Base:
        backdrop, surface, known = drawing.backdrop, drawing.surface, self._base
        if known is not None and known.backdrop is backdrop and known.ratio == drawing.ratio:
            if surface is None and known.surface is None:
                return known
            if surface is not None and known.surface is not None and surface.same(known.surface):
                return known
        pixels, inverse = backdrop.pixels.copy(), np.empty(backdrop.depth.shape, np.float32)
        surfaces.inverse_distances(backdrop.depth, *backdrop.lens.depth_to_inverse, inverse)
        if surface is not None:
            draw_surface(surface, backdrop.lens, drawing.ratio, slack, pixels, inverse)
        self._base = _Base(backdrop, surface, drawing.ratio, pixels, inverse)
        return self._base

    def _drawn(self, drawing: SceneDrawing, shape: tuple[int, ...]) -> list[_Kept]:
        """The sheets of a drawing, in their order; those that are at hand are not drawn again, others go."""
        known: dict[int, _Kept] = {}
        for kept in self._kept:
            fits = kept.fits(drawing)
            at = next(
                (k for k, sheet in enumerate(drawing.sheets) if fits and k not in known and sheet.same(kept.sheet)),
                None,
            )
            if at is None:
                self._tiles.give_back(kept.chart)
            else:
                known[at] = replace(kept, sheet=drawing.sheets[at])
        if self._raised.shape != shape:
            self._pixels, self._raised = np.empty((*shape, 4), np.uint8), np.empty(shape, np.uint8)
        return [known.get(at) or self._draw(sheet, drawing) for at, sheet in enumerate(drawing.sheets)]

    def _draw(self, sheet: Sheet, drawing: SceneDrawing) -> _Kept:
        lens = drawing.backdrop.lens
        placed = draw_sheet(sheet, lens, drawing.ratio, self._pixels, self._raised)
        chart = self._tiles.keep(self._pixels, self._raised, placed.box)
        return _Kept(sheet, lens, drawing.ratio, placed, chart)
