"""Sizes of pages by name, and what is too small on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from app.figures.spec import FigureSpec


@dataclass(frozen=True, slots=True)
class Preset:
    """A page of a journal, a conference or a screen.

    width, height: in mm, height 0 for what is needed, most_height: that a page has; text, small, heading: in points;
    least: that is allowed.
    """

    title: str
    width: float
    text: float = 7.0
    small: float = 6.0
    heading: float = 8.0
    least: float = 5.0
    height: float = 0.0
    most_height: float = 240.0
    font: str = "DejaVu Sans"


_INCH: Final = 25.4

PRESETS: Final[dict[str, Preset]] = {
    "column": Preset("Column, 85 mm", 85.0),
    "page": Preset("Page, 180 mm", 180.0),
    "nature": Preset("Nature, one column, 89 mm", 89.0, 7.0, 6.0, 7.0, 5.0, most_height=170.0),
    "nature-wide": Preset("Nature, two columns, 183 mm", 183.0, 7.0, 6.0, 7.0, 5.0, most_height=170.0),
    "science": Preset("Science, one column, 57 mm", 57.0, 7.0, 6.0, 8.0, 6.0),
    "science-wide": Preset("Science, two columns, 121 mm", 121.0, 7.0, 6.0, 8.0, 6.0),
    "ieee": Preset("IEEE, one column, 88.9 mm", 88.9, 8.0, 8.0, 9.0, 8.0),
    "ieee-wide": Preset("IEEE, two columns, 181.9 mm", 181.9, 8.0, 8.0, 9.0, 8.0),
    "cvpr": Preset("CVPR, one column, 3.25 in", 3.25 * _INCH, 7.5, 7.0, 8.0, 7.0),
    "cvpr-wide": Preset("CVPR, two columns, 6.875 in", 6.875 * _INCH, 7.5, 7.0, 8.0, 7.0),
    "icml": Preset("ICML, one column, 3.25 in", 3.25 * _INCH, 7.5, 7.0, 8.0, 7.0),
    "icml-wide": Preset("ICML, two columns, 6.75 in", 6.75 * _INCH, 7.5, 7.0, 8.0, 7.0),
    "neurips": Preset("NeurIPS, 5.5 in", 5.5 * _INCH, 8.0, 7.0, 9.0, 7.0),
    "slide": Preset("Slide, 16:9", 338.67, 16.0, 14.0, 20.0, 12.0, height=190.5),
    "poster": Preset("Poster, 800 mm", 800.0, 32.0, 26.0, 44.0, 24.0, most_height=1200.0),
}


def on_page(spec: FigureSpec, name: str) -> FigureSpec:
    """Return a figure in the size and with the letters of a preset; on a page of fixed height in as many columns as
    have most room."""
    page = PRESETS[name]
    columns = 0 if page.height else spec.columns
    return replace(
        spec, width=page.width, height=page.height, text=page.text, small=page.small, heading=page.heading,
        least_text=page.least, font=page.font, columns=columns,
    )  # fmt: skip


def too_small(spec: FigureSpec) -> list[str]:
    """Return a line for each kind of text that is smaller than what is allowed."""
    kinds = {"titles": spec.text, "numbers": spec.small, "the heading": spec.heading}
    return [
        f"{name}: {size:g} points, and {spec.least_text:g} are the least that is allowed here"
        for name, size in kinds.items()
        if size < spec.least_text
    ]


def too_high(spec: FigureSpec, height: float) -> list[str]:
    """Return a line if a figure of a preset's width is higher than its page; height: in mm, as it was drawn."""
    pages = [page for page in PRESETS.values() if page.width == spec.width and page.least == spec.least_text]
    return [
        f"{height:.0f} mm high, and a page of {page.title} has {page.most_height:g}; take more columns or fewer panels"
        for page in pages[:1]
        if height > page.most_height
    ]


def with_text(spec: FigureSpec, size: float) -> FigureSpec:
    """Return a figure with titles of another size in points, numbers and heading in proportion."""
    factor = size / spec.text
    return replace(spec, text=size, small=factor * spec.small, heading=factor * spec.heading)
