"""Where everything stands on the page, in points from its lower left corner."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.figures.furniture import BAR_HEIGHT, LEGEND_HEIGHT
from app.figures.spec import Arranged, Coordinates, FigureSpec, SpecError, SurfacePanel
from app.figures.style import Style

MM: Final = 72 / 25.4

# All lengths are in points, for text of the usual size.
_AROUND: Final = {  # left, right, below, between panels
    Coordinates.AXES: (27.0, 7.0, 22.0, 29.0),
    Coordinates.SCALE_BAR: (7.0, 7.0, 14.0, 9.0),
    Coordinates.NONE: (7.0, 7.0, 5.0, 9.0),
}
_HEADING, _TITLE, _TOP = 15.0, 13.0, 4.0
_CHARACTER, _LINE = 4.2, 9.0  # mean width of a letter and height of a line
_OVERLONG: Final = 1.4  # letters are narrower than thought, and two words are not parted for one or two of them
_HOLES: Final = 0.9  # of the size of panels: so much is a page without holes worth
_LETTER: Final = 12.0  # for a, b, c before a title
_NARROW: Final = 118.0  # mm, in which one panel beside another is small
_CELL: Final = 42.0  # mm that a panel needs
_LEAST: Final = 24.0  # points of a panel, below which it is none
SQUASH, SHEAR, STEP, BESIDE = 0.46, 0.34, 0.86, 0.2
"""Of a stack: a sheet's height to its depth, how it leans, steps upwards, room for titles."""


@dataclass(frozen=True, slots=True)
class Box:
    """left, bottom: its corner; width, height."""

    left: float
    bottom: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Arrangement:
    """width, height: of the page; panels: those of slices square; titles: in lines; bars: of colours, above panels;
    legend: None for none."""

    width: float
    height: float
    panels: tuple[Box, ...]
    titles: tuple[str, ...]
    bars: tuple[Box | None, ...]
    notes: tuple[str, ...]
    legend: Box | None
    margin: float
    columns: int


def arrange(
    spec: FigureSpec, style: Style, words: Sequence[tuple[str, ...]], notes: Sequence[str], bars: Sequence[bool]
) -> Arrangement:
    """words: parts of each panel's title, in one line where they have room; notes: below the heading; bars: panels
    with a bar of colours.  Raises SpecError where panels have no room."""
    if spec.arranged is Arranged.STACK:
        return _stack(spec, style, words, notes)
    if spec.columns or not spec.height:
        return _grid(spec, style, words, notes, bars, spec.columns or usual_columns(spec, style))
    tried = []
    for columns in range(1, len(spec.panels) + 1):
        try:
            tried.append(_grid(spec, style, words, notes, bars, columns))
        except SpecError:
            continue
    if not tried:
        raise _no_room(spec)
    return max(tried, key=lambda found: found.panels[-1].width * (_HOLES if len(spec.panels) % found.columns else 1.0))


def usual_columns(spec: FigureSpec, style: Style) -> int:
    """One panel fills a column, two or three a page."""
    count, width = len(spec.panels), spec.width / style.unit
    if count == 1:
        return 1
    most = 2 if width < _NARROW else 3
    if width / most < 0.6 * _CELL:
        return 1
    return 2 if count == 4 else min(count, most)


def _grid(
    spec: FigureSpec, style: Style, words: Sequence[tuple[str, ...]], notes: Sequence[str], bars: Sequence[bool],
    columns: int,
) -> Arrangement:  # fmt: skip
    unit = style.unit
    left, right, below, gap = (unit * length for length in _AROUND[spec.coordinates])
    columns = min(columns, len(spec.panels))
    rows = [range(first, min(first + columns, len(spec.panels))) for first in range(0, len(spec.panels), columns)]
    width = spec.width * MM
    noted = _wrapped(notes, width / (unit * _CHARACTER))
    top, foot = _top(spec, style, noted), unit * LEGEND_HEIGHT if spec.legend else 0.0
    panel = (width - left - right - (columns - 1) * gap) / columns
    bar = unit * BAR_HEIGHT
    for _ in range(2):  # titles need the more lines the smaller the panels are
        titles = [panel_title(parts, panel, style, spec.letters) for parts in words]
        above = [_above(titles, row, unit) + bar * any(bars[i] for i in row) for row in rows]
        height = top + sum(above) + len(rows) * (panel + below) + foot
        if spec.height and height > spec.height * MM:
            panel -= (height - spec.height * MM) / len(rows)
    if panel < _LEAST * unit:
        raise _no_room(spec)
    page = round(spec.height * MM if spec.height else height, 2)  # SVG counts from the top
    used = left + right + columns * panel + (columns - 1) * gap
    start, bottom = left + (width - used) / 2, page - top - max(0.0, page - height) / 2
    boxes, strips = [], []
    for row, room in zip(rows, above, strict=True):
        bottom -= room + panel
        for column, i in enumerate(row):
            box = Box(start + column * (panel + gap), bottom, panel, panel)
            if isinstance(spec.panels[i], SurfacePanel):  # has no axes, whose room it takes
                aside = left - unit * _AROUND[Coordinates.NONE][0] if spec.coordinates is Coordinates.AXES else 0.0
                box = Box(box.left - aside, bottom - 0.8 * below, panel + aside, panel + 0.8 * below)
            boxes.append(box)
            strips.append(Box(box.left, bottom + panel + 2 * unit, panel, bar) if bars[i] else None)
        bottom -= below
    legend = Box(start, 0.0, used - left - right, unit * LEGEND_HEIGHT) if spec.legend else None
    return Arrangement(width, page, tuple(boxes), tuple(titles), tuple(strips), tuple(noted), legend, start, columns)


def _stack(spec: FigureSpec, style: Style, words: Sequence[tuple[str, ...]], notes: Sequence[str]) -> Arrangement:
    """Boxes of sheets: the parallelograms' own, the first one lowest."""
    unit = style.unit
    width, around = spec.width * MM, 8.0 * unit
    noted = _wrapped(notes, width / (unit * _CHARACTER))
    top, foot = _top(spec, style, noted), unit * LEGEND_HEIGHT if spec.legend else 0.0
    aside = max([BESIDE * width, *(unit * _CHARACTER * (1.5 + max(map(len, parts))) for parts in words if parts)])
    aside = min(aside, 0.4 * width)
    across, count = width - 2 * around - aside, len(spec.panels)
    tall = SQUASH / (1 + SHEAR)  # of a sheet, to its width
    height = top + across * tall * (1 + STEP * (count - 1)) + 3 * around + foot
    if spec.height:
        across -= max(0.0, height - spec.height * MM) / (tall * (1 + STEP * (count - 1)))
        height = spec.height * MM
    if across < _LEAST * unit:
        raise _no_room(spec)
    sheet = across * tall
    start = (width - across - aside) / 2
    whole = sheet * (1 + STEP * (count - 1))
    low = foot + (height - top - foot - whole) / 2
    boxes = tuple(Box(start, low + STEP * sheet * i, across, sheet) for i in range(count))
    titles = tuple("\n".join(parts) for parts in words)
    legend = Box(around, 0.0, width - 2 * around, unit * LEGEND_HEIGHT) if spec.legend else None
    page = round(height, 2)
    return Arrangement(width, page, boxes, titles, (None,) * count, tuple(noted), legend, around, 1)


def _top(spec: FigureSpec, style: Style, noted: Sequence[str]) -> float:
    heading = 0.0 if spec.title == "" else style.unit * (_HEADING - 8.0) + style.heading
    return max(style.unit * _TOP, heading) + style.unit * _LINE * len(noted)


def _above(titles: Sequence[str], row: range, unit: float) -> float:
    lines = [titles[i].count("\n") + 1 for i in row if titles[i]]
    return unit * (_TITLE + _LINE * (max(lines) - 1)) if lines else 3.0 * unit


def panel_title(parts: tuple[str, ...], panel: float, style: Style, lettered: bool) -> str:
    """In one line where that has room; else each part on lines of its own."""
    length = max(8, int((panel - lettered * _LETTER * style.unit) / (style.unit * _CHARACTER)))
    whole = " \N{MIDDLE DOT} ".join(parts)
    if len(whole) <= length:
        return whole or (" " if lettered else "")
    return "\n".join(
        line for part in parts for line in ([part] if len(part) <= _OVERLONG * length else textwrap.wrap(part, length))
    )


def _wrapped(notes: Sequence[str], length: float) -> list[str]:
    return [line for note in notes for line in textwrap.wrap(note, max(8, int(length)))]


def _no_room(spec: FigureSpec) -> SpecError:
    return SpecError(
        f"{len(spec.panels)} panels have no room on {spec.width:g} mm; take a larger page, fewer panels or smaller text"
    )
