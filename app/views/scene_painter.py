"""A scene as pixels: a backdrop, the surface, and slices laid over them by depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from app.views.raster import sheets, surfaces
from app.views.sheet import NOWHERE, Placed, Sheet, draw_sheet
from app.views.surface_picture import SurfaceDrawing, draw_surface

if TYPE_CHECKING:
    from app.views.backdrop import Backdrop
    from app.views.camera import Lens

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


class ScenePainter:
    """Draws scenes one after the other, and keeps what did not change.  For one thread at a time."""

    def __init__(self) -> None:
        self._base: _Base | None = None
        self._slots: list[tuple[Sheet, Lens, float, Placed] | None] = []
        self._pixels: Image = np.empty((0, 0, 0, 4), np.uint8)
        self._raised: Image = np.empty((0, 0, 0), np.uint8)

    def draw(self, drawing: SceneDrawing) -> ScenePicture:
        lens = drawing.backdrop.lens
        slack = _SLACK * drawing.ratio * lens.pixel_angle
        base = self._base_of(drawing, slack)
        missing = self._missing(drawing)
        self._make_room(len(missing), base.inverse.shape)
        for sheet in missing:
            slot = self._slots.index(None)
            placed = draw_sheet(sheet, lens, drawing.ratio, self._pixels[slot], self._raised[slot])
            self._slots[slot] = (sheet, lens, drawing.ratio, placed)
        slot_of = {id(slot[0]): i for i, slot in enumerate(self._slots) if slot is not None}
        places = [NOWHERE if slot is None else slot[3] for slot in self._slots]
        strengths = [0.0 if slot is None else slot[0].strength for slot in self._slots]
        picture = base.pixels.copy()
        sheets.compose(
            picture,
            base.inverse,
            np.array([slot_of[id(sheet)] for sheet in drawing.sheets], np.int64),
            self._pixels,
            self._raised,
            np.array([placed.inverse for placed in places]).reshape(-1, 3),
            np.array([placed.box for placed in places]).reshape(-1, 4),
            np.rint(255 * np.array(strengths)).astype(np.int64),
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

    def _make_room(self, more: int, shape: tuple[int, ...]) -> None:
        """For more sheets than are at hand; room that many fewer need is given back, as a stack of slices has a lot."""
        kept = [i for i, slot in enumerate(self._slots) if slot is not None]
        needed = len(kept) + more
        if self._raised.shape[1:] == shape and needed <= len(self._slots) <= 2 * needed:
            return
        pixels, raised = np.empty((needed, *shape, 4), np.uint8), np.empty((needed, *shape), np.uint8)
        for to, slot in enumerate(kept):
            pixels[to], raised[to] = self._pixels[slot], self._raised[slot]
        self._pixels, self._raised = pixels, raised
        self._slots = [*(self._slots[slot] for slot in kept), *([None] * more)]

    def _missing(self, drawing: SceneDrawing) -> list[Sheet]:
        """The sheets that are not at hand; slots that hold none of the picture's become free."""
        missing = list(drawing.sheets)
        for i, slot in enumerate(self._slots):
            if slot is None:
                continue
            sheet, lens, ratio, placed = slot
            fits = ratio == drawing.ratio and lens.same(drawing.backdrop.lens)
            wanted = next((other for other in missing if fits and other.same(sheet)), None)
            if wanted is None:
                self._slots[i] = None
            else:
                self._slots[i] = (wanted, lens, ratio, placed)
                missing.remove(wanted)
        return missing
