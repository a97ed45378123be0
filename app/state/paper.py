"""The ground that views draw on, white or dark, and the colours that are seen well on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.state.palette import BACKGROUND, BORDER, RGB, Palette, depth_colors, lit


@dataclass(frozen=True, slots=True)
class Paper:
    """ground: where nothing is; ink: words and marks; muted: numbers at rulers, and what is told; faint: rulers
    themselves; border: of a slice; box, axes: of the domain in space."""

    dark: bool
    ground: RGB
    ink: RGB
    muted: RGB
    faint: RGB
    border: RGB
    box: RGB
    axes: RGB

    def depth_colors(self, layers: int, palette: Palette) -> list[RGB]:
        """One colour for each depth, see `app.state.palette.depth_colors`."""
        return depth_colors(layers, palette, self.dark)

    def accent(self, color: RGB) -> RGB:
        """The colour of a slice's frame and level set."""
        return lit(color) if self.dark else color


WHITE: Final = Paper(
    False, BACKGROUND, ink=(0.08, 0.10, 0.13), muted=(0.36, 0.39, 0.45), faint=(0.83, 0.85, 0.88), border=BORDER,
    box=(0.72, 0.74, 0.78), axes=(0.30, 0.33, 0.38),
)  # fmt: skip
"""That of figures, and of pictures that leave the window."""

NIGHT: Final = Paper(
    True, ground=(0.075, 0.085, 0.105), ink=(0.93, 0.94, 0.96), muted=(0.64, 0.68, 0.74), faint=(0.27, 0.30, 0.34),
    border=(0.74, 0.76, 0.80), box=(0.36, 0.39, 0.44), axes=(0.72, 0.75, 0.80),
)  # fmt: skip
"""That of views in the dark theme."""
