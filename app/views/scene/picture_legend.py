"""The legend below a picture: depths on the left, slices on the right, and in more lines what has no room there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from app.state.palette import BACKGROUND, BORDER, RGB, accent

_LETTERS, _NUMBERS = 0.36, 0.3  # of the height of a line
_MARGIN, _KEY, _GAP, _APART = 0.5, 0.6, 0.2, 0.6  # a slice's entry: a line in its accent, a gap, its plane


@dataclass(frozen=True, slots=True)
class PictureLegend:
    """colors: of the depths; rows: lines of (number of the slice, its plane), the first beside the depths; line: the
    height of one in pixels; width: of the picture."""

    colors: tuple[RGB, ...]
    rows: tuple[tuple[tuple[int, str], ...], ...]
    line: int
    width: int

    @classmethod
    def arranged(cls, colors: Sequence[RGB], planes: Sequence[str], line: int, width: int) -> Self:
        """As many lines as the planes' descriptions need; one that is too long for a line is cut."""
        font = font_of(_LETTERS * line)
        room = width - 2 * _MARGIN * line
        entries = [(key, _cut(text, font, room - (_KEY + _GAP) * line)) for key, text in enumerate(planes)]
        rows: list[list[tuple[int, str]]] = [[]]
        left = room - _depths_width(colors, line, width)
        for key, text in entries:
            needed = font.getlength(text) + (_KEY + _GAP + _APART) * line
            if needed - (0.0 if rows[-1] or len(rows) == 1 else _APART * line) > left:
                rows.append([])
                left = room + _APART * line
            rows[-1].append((key, text))
            left -= needed
        if not colors and not rows[0] and len(rows) > 1:
            rows = rows[1:]
        return cls(tuple(colors), tuple(map(tuple, rows)), line, width)

    @property
    def height(self) -> int:
        return self.line * len(self.rows)

    def draw(self, picture: Image.Image, top: int) -> None:
        draw, font = ImageDraw.Draw(picture), font_of(_LETTERS * self.line)
        self._draw_depths(draw, font, top + 0.42 * self.line)
        for number, row in enumerate(self.rows):
            x, middle = self.width - _MARGIN * self.line, top + (number + 0.42) * self.line
            for key, text in reversed(row):
                x -= font.getlength(text)
                draw.text((x, middle), text, rgb_bytes(BORDER), font, anchor="lm")
                x -= _GAP * self.line
                ends = (x - _KEY * self.line, middle, x, middle)
                draw.line(ends, rgb_bytes(accent(key)), max(2, round(0.12 * self.line)))
                x -= (_KEY + _APART) * self.line

    def _draw_depths(self, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, middle: float) -> None:
        if not self.colors:
            return
        x, line = _MARGIN * self.line, self.line
        draw.text((x, middle), "depth", rgb_bytes(BORDER), font, anchor="lm")
        x += font.getlength("depth") + 0.35 * line
        cell = _cell(self.colors, line, self.width)
        every = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if step * cell >= 0.5 * line)
        for depth, color in enumerate(self.colors):
            box = (x + depth * cell, middle - 0.3 * line, x + (depth + 1) * cell - 1, middle + 0.3 * line)
            draw.rectangle(box, rgb_bytes(color))
            if depth % every == 0:
                shade = rgb_bytes(BACKGROUND if sum(color) < 1.6 else (0.0, 0.0, 0.0))
                place = (x + (depth + 0.5) * cell, middle)
                draw.text(place, str(depth), shade, font_of(_NUMBERS * line), anchor="mm")


def _cell(colors: Sequence[RGB], line: int, width: int) -> float:
    return min(0.75 * line, 0.4 * width / max(len(colors), 1))


def _depths_width(colors: Sequence[RGB], line: int, width: int) -> float:
    if not colors:
        return 0.0
    return font_of(_LETTERS * line).getlength("depth") + 0.35 * line + len(colors) * _cell(colors, line, width)


def _cut(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    text = text.replace("-", "\N{MINUS SIGN}")
    if font.getlength(text) <= room:
        return text
    kept = next((k for k in range(len(text), 0, -1) if font.getlength(text[:k] + "\N{HORIZONTAL ELLIPSIS}") <= room), 0)
    return text[:kept] + "\N{HORIZONTAL ELLIPSIS}"


def font_of(size: float) -> ImageFont.FreeTypeFont:
    """In pixels; never too small to be read."""
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), max(8.0, size))


def rgb_bytes(color: RGB) -> tuple[int, int, int]:
    red, green, blue = (round(255 * part) for part in color)
    return red, green, blue
