"""Colours of lines, one table for the screen and for figures.

Depth is ordinal, so each of its palettes is a path through the OKLCH colour space (B. Ottosson, 2020) on which the
perceived lightness rises evenly from the first layer to the last: the order survives colour blindness and grey print.
Strong red, orange and green are left to the zero level sets of the slices.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import Final

RGB = tuple[float, float, float]

ACCENTS: Final[tuple[RGB, ...]] = (
    (0.87, 0.10, 0.12), (0.95, 0.50, 0.00), (0.05, 0.58, 0.20), (0.48, 0.14, 0.18), (0.61, 0.81, 0.03),
    (0.46, 0.25, 0.01), (0.91, 0.48, 0.37), (0.21, 0.85, 0.61), (0.84, 0.19, 0.35), (0.13, 0.34, 0.02),
)  # fmt: skip
"""Red, orange, green, and seven that are far from these, from each other and from the depths of every palette: the zero
level set on the first slice, the second, ...; then again from the first."""

_ON_DARK: Final[dict[RGB, RGB]] = {
    ACCENTS[3]: (1.00, 0.20, 0.58), ACCENTS[5]: (1.00, 0.83, 0.00), ACCENTS[9]: (0.00, 1.00, 0.02),
}  # fmt: skip
"""In the place of those that are too dark for dark ground."""

BORDER: Final[RGB] = (0.25, 0.25, 0.25)
BACKGROUND: Final[RGB] = (1.0, 1.0, 1.0)


class Palette(Enum):
    """Colours of the depths; values are what files and the command line call them."""

    TIDE = "tide"
    BLUE_YELLOW = "blue-yellow"
    DUSK = "dusk"
    GREY = "grey"

    @property
    def title(self) -> str:
        """For people."""
        return _TITLES[self]


_TITLES: Final = {
    Palette.TIDE: "Plum to cyan",
    Palette.BLUE_YELLOW: "Blue to yellow, for colour-blind eyes",
    Palette.DUSK: "Navy to rose",
    Palette.GREY: "Black to grey, for print",
}

_OKLCH = tuple[float, float, float]

_PATHS: Final[dict[Palette, tuple[_OKLCH, _OKLCH, float]]] = {
    Palette.TIDE: ((0.28, 0.115, 322.0), (0.77, 0.125, 205.0), 0.06),
    Palette.BLUE_YELLOW: ((0.30, -0.125, 84.0), (0.80, 0.115, 102.0), 0.0),
    Palette.DUSK: ((0.28, 0.11, 268.0), (0.77, 0.11, 352.0), 0.05),
    Palette.GREY: ((0.18, 0.0, 0.0), (0.74, 0.0, 0.0), 0.0),
}
"""Lightness, chroma and hue in degrees of both ends, and how much more chroma there is in the middle.  A negative
chroma is that of the opposite hue, so that a path can lead through grey."""


_BLACK_ON_DARK, _TURNED = 1.16, 0.887  # lightness on dark ground of what is black on white, and how it falls
_WEAKER, _LEAST_CHROMA, _ROUNDING = 0.97, 1e-3, 1e-9
_LUMINANCE: Final = (0.2126, 0.7152, 0.0722)
_DARKEST, _LIGHTEST = 0.18, 0.27  # of words: a contrast of 3 with both themes' cards


def accent(slice_index: int) -> RGB:
    """The colour of the zero level set on slice `slice_index`, counted from 0."""
    return ACCENTS[slice_index % len(ACCENTS)]


def lit(color: RGB) -> RGB:
    """The accent on dark ground."""
    return _ON_DARK.get(color, color)


def depth_colors(layers: int, palette: Palette = Palette.TIDE, on_dark: bool = False) -> list[RGB]:
    """One sRGB colour in [0, 1]^3 for each of `layers` nonlinear layers, from the first (dark) to the last (light).

    on_dark: from light to dark, in the same hues, so that the first layer is seen best on a dark ground as well.
    """
    paths = (_between(palette, depth / max(layers - 1, 1)) for depth in range(layers))
    return [_oklch_to_srgb(*(_mirrored(*path) if on_dark else path)) for path in paths]


def _mirrored(lightness: float, chroma: float, hue: float) -> _OKLCH:
    """As light on dark ground as a colour is dark on white, and as strong as such a colour can be, or less."""
    lightness = _BLACK_ON_DARK - _TURNED * lightness
    while chroma and not all(-_ROUNDING <= part <= 1 + _ROUNDING for part in _oklch_to_linear(lightness, chroma, hue)):
        chroma = 0.0 if abs(chroma) < _LEAST_CHROMA else _WEAKER * chroma
    return lightness, chroma, hue


def _between(palette: Palette, t: float) -> _OKLCH:
    first, last, bow = _PATHS[palette]
    lightness, chroma, hue = ((1 - t) * a + t * b for a, b in zip(first, last, strict=True))
    return lightness, chroma + bow * math.sin(math.pi * t), hue


def _oklch_to_srgb(lightness: float, chroma: float, hue: float) -> RGB:
    """By the sRGB transfer curve (IEC 61966-2-1), clipped to the gamut."""
    red, green, blue = map(_encode, _oklch_to_linear(lightness, chroma, hue))
    return red, green, blue


def _oklch_to_linear(lightness: float, chroma: float, hue: float) -> RGB:
    """Ottosson's OKLab matrices; outside [0, 1]^3 no screen shows it."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def ink(color: RGB) -> RGB:
    """The colour for words: neither so light nor so dark that they could not be read on light and on dark ground."""
    linear = [_decode(part) for part in color]
    light = sum(weight * part for weight, part in zip(_LUMINANCE, linear, strict=True))
    if light > _LIGHTEST:
        linear = [part * _LIGHTEST / light for part in linear]
    elif light < _DARKEST:
        share = (_DARKEST - light) / (1.0 - light)
        linear = [part + share * (1.0 - part) for part in linear]
    red, green, blue = map(_encode, linear)
    return red, green, blue


def _decode(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _encode(linear: float) -> float:
    linear = min(max(linear, 0.0), 1.0)
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
