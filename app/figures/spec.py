"""A figure as a plain value: which panels, what is drawn in each, how large, in which colours.

Nothing in it is computed: slices are cut and surfaces extracted from it, see `app.figures.cutting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from app.state.look import CLEAREST, Fill
from app.state.palette import Palette

MOST_PANELS: Final = 60
MOST_LAYERS: Final = 10_000
SIZES: Final = (20.0, 3000.0)  # of a page, in mm
RESOLUTIONS: Final = (10.0, 4800.0)
_TEXTS: Final = (2.0, 200.0)  # points
_FACTORS: Final = (0.1, 10.0)


class SpecError(ValueError):
    """A figure that cannot be made; one line: what is wrong, and what to do."""


class Arranged(Enum):
    """How panels stand on the page: in rows, or one behind the other, as sheets seen from above."""

    GRID = "grid"
    STACK = "stack"


class Theme(Enum):
    """Ground, ink and the colours of level sets."""

    LIGHT = "light"
    DARK = "dark"
    GREY = "grey"
    COLOUR_BLIND = "colour-blind"


class Coordinates(Enum):
    """How a panel says where it is and how large."""

    AXES = "axes"
    SCALE_BAR = "scale bar"
    NONE = "none"


class Letters(Enum):
    """Words in SVG: text with the name of its font, or outlines that need no font."""

    TEXT = "text"
    OUTLINES = "outlines"


@dataclass(frozen=True, slots=True)
class SlicePanel:
    """A slice of a checkpoint.

    plane       a pose as text, "" for a network of two inputs
    checkpoint  counted from 0
    rectangle   left, low, right, high in the plane's own coordinates; None: all of the domain
    depths      lines of so many first layers are drawn; None: of all; hidden: of these not
    neurons     (layer, index), told apart; pins: points in space, which are numbered
    zoom_of     the number of the panel in which the rectangle is marked; None: in none
    title       None: the plane and the number of regions; "": none; {plane} and {regions} in it stand for these
    colour      counts the colours of level sets; framed: the border has it too
    """

    plane: str = ""
    checkpoint: int = 0
    rectangle: tuple[float, float, float, float] | None = None
    depths: int | None = None
    hidden: tuple[int, ...] = ()
    lines: bool = True
    level_set: bool = True
    fill: Fill = Fill.NONE
    neurons: tuple[tuple[int, int], ...] = ()
    pins: tuple[tuple[float, float, float], ...] = ()
    zoom_of: int | None = None
    title: str | None = None
    colour: int = 0
    framed: bool = False


@dataclass(frozen=True, slots=True)
class SurfacePanel:
    """The level surface of a checkpoint with the frames of the figure's slices of it: a picture, as fine as the figure.

    camera, up: directions to the eye and upwards; opacity: in percent; named: frames have their planes' names.
    """

    checkpoint: int = 0
    camera: tuple[float, float, float] = (1.0, 0.62, 1.35)
    up: tuple[float, float, float] = (0.0, 1.0, 0.0)
    parallel: bool = False
    opacity: int = 100
    creases: bool = False
    named: bool = True
    title: str | None = None


Panel = SlicePanel | SurfacePanel


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """A figure.

    checkpoints    their files, where the figure itself says them
    columns        0: as many as suit the page
    width, height  in mm; height 0: what the panels need
    lines, level   factors of the widths of lines and level sets
    text, small, heading  sizes in points, of titles, of numbers at axes, of the figure's title
    least_text     what a journal allows
    title          None: the checkpoint's name; "": none
    letters        a, b, c at the panels
    words          of SVG
    dpi            of PNG, and of pictures within vector files
    """

    panels: tuple[Panel, ...]
    checkpoints: tuple[str, ...] = ()
    arranged: Arranged = Arranged.GRID
    columns: int = 0
    width: float = 85.0
    height: float = 0.0
    theme: Theme = Theme.LIGHT
    palette: Palette = Palette.TIDE
    lines: float = 1.0
    level: float = 1.0
    font: str = "DejaVu Sans"
    text: float = 7.0
    small: float = 6.0
    heading: float = 8.0
    least_text: float = 5.0
    title: str | None = None
    letters: bool = False
    coordinates: Coordinates = Coordinates.AXES
    legend: bool = True
    color_bar: bool = True
    words: Letters = Letters.TEXT
    dpi: float = 600.0


def check(spec: FigureSpec) -> None:
    """Raise SpecError where a figure has no panels, or numbers that make no sense."""
    if not 1 <= len(spec.panels) <= MOST_PANELS:
        raise SpecError(f"panels: {len(spec.panels)} of them; give 1 to {MOST_PANELS}")
    _in_range("width", spec.width, SIZES, "mm")
    if spec.height:
        _in_range("height", spec.height, SIZES, "mm")
    for name in ("text", "small", "heading"):
        _in_range(name, getattr(spec, name), _TEXTS, "points")
    for name in ("lines", "level"):
        _in_range(name, getattr(spec, name), _FACTORS, "times the usual width")
    _in_range("dpi", spec.dpi, RESOLUTIONS, "dots per inch")
    if not 0 <= spec.columns <= MOST_PANELS:
        raise SpecError(f"columns: {spec.columns}; give 1 to {MOST_PANELS}, or 0 for what suits the page")
    for number, panel in enumerate(spec.panels):
        _check_panel(spec, number, panel)
    if spec.arranged is Arranged.STACK and not all(isinstance(panel, SlicePanel) for panel in spec.panels):
        raise SpecError("panels: a stack is of slices alone; leave the surface out, or arrange them as a grid")


def _check_panel(spec: FigureSpec, number: int, panel: Panel) -> None:
    where = f"panels[{number}]"
    if not 0 <= panel.checkpoint < max(1, len(spec.checkpoints) or MOST_PANELS):
        raise SpecError(f"{where}.checkpoint: there is no number {panel.checkpoint}; count from 0")
    if isinstance(panel, SurfacePanel):
        if not CLEAREST <= panel.opacity <= 100:
            raise SpecError(f"{where}.opacity: {panel.opacity}; give {CLEAREST} to 100 percent")
        if not any(panel.camera) or not any(panel.up):
            raise SpecError(f"{where}.camera, up: 0,0,0 is no direction; give three numbers that are not all zero")
        return
    if panel.rectangle is not None:
        left, low, right, high = panel.rectangle
        if not (left < right and low < high):
            raise SpecError(f"{where}.rectangle: it is empty; give left < right and low < high")
    if panel.depths is not None and not 0 <= panel.depths <= MOST_LAYERS:
        raise SpecError(f"{where}.depths: {panel.depths}; give how many of the first layers are drawn")
    if panel.zoom_of is not None:
        parent = spec.panels[panel.zoom_of] if 0 <= panel.zoom_of < len(spec.panels) else None
        if panel.rectangle is None or not isinstance(parent, SlicePanel) or panel.zoom_of == number:
            raise SpecError(f"{where}.zoom_of: {panel.zoom_of}; give the number of a slice, and a rectangle in it")


def _in_range(name: str, value: float, limits: tuple[float, float], unit: str) -> None:
    low, high = limits
    if not low <= value <= high:
        raise SpecError(f"{name}: {value:g}; give {low:g} to {high:g} {unit}")
