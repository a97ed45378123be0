"""Colours and sizes with which a figure is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

from app.figures.spec import FigureSpec, Theme
from app.state.palette import ACCENTS, RGB, Palette
from app.state.paper import NIGHT, WHITE, Paper

_USUAL: Final = 7.0  # points of text for which all other lengths are given
_GREYS: Final[tuple[RGB, ...]] = ((0.0, 0.0, 0.0),)
_SAFE: Final[tuple[RGB, ...]] = (
    (0.800, 0.200, 0.067), (0.0, 0.600, 0.533), (0.933, 0.200, 0.467), (0.933, 0.467, 0.200), (0.200, 0.733, 0.933),
)  # fmt: skip
"""Red, teal, magenta, orange and cyan, which all kinds of eyes tell apart (P. Tol's vibrant colours, 2021)."""
_PALE_GREY: Final = 0.35  # of the way to white: black level sets are read on them


@dataclass(frozen=True, slots=True)
class Style:
    """unit: a point, where text has its usual size; text, small, heading: in points; lines, level: factors."""

    theme: Theme = Theme.LIGHT
    palette: Palette = Palette.TIDE
    unit: float = 1.0
    text: float = 7.0
    small: float = 6.0
    heading: float = 8.0
    lines: float = 1.0
    level: float = 1.0

    @classmethod
    def of(cls, spec: FigureSpec) -> Self:
        return cls(
            spec.theme, spec.palette, spec.text / _USUAL, spec.text, spec.small, spec.heading, spec.lines, spec.level
        )

    @property
    def paper(self) -> Paper:
        return NIGHT if self.theme is Theme.DARK else WHITE

    def accent(self, number: int) -> RGB:
        """The colour of the level set on a slice, counted from 0."""
        accents = {Theme.GREY: _GREYS, Theme.COLOUR_BLIND: _SAFE}.get(self.theme, ACCENTS)
        return self.paper.accent(accents[number % len(accents)])

    def depth_colors(self, layers: int) -> list[RGB]:
        """One colour for each depth."""
        if self.theme is Theme.GREY:
            colors = self.paper.depth_colors(layers, Palette.GREY)
            return [tuple(part + _PALE_GREY * (1 - part) for part in color) for color in colors]  # type: ignore[misc]
        return self.paper.depth_colors(layers, self.palette)


def themed(spec: FigureSpec, theme: Theme) -> FigureSpec:
    """Return a figure in a theme, with the palette that belongs to it."""
    palettes = {Theme.GREY: Palette.GREY, Theme.COLOUR_BLIND: Palette.BLUE_YELLOW}
    return replace(spec, theme=theme, palette=palettes.get(theme, spec.palette))
