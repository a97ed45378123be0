"""A figure from its spec and the slices that belong to it: the one way, for previews, SVG, PDF and PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from app.figures.arrangement import MM, SHEAR, SQUASH, Arrangement, Box, arrange
from app.figures.furniture import draw_color_bar, draw_coordinates, draw_legend, draw_scale_bar, frame
from app.figures.leaders import corners_of, draw_leaders
from app.figures.sheet import Sheet, add_area
from app.figures.slice_drawing import bar_fill, border_path, draw_slice, level_name, panel_words
from app.figures.spec import Arranged, Coordinates, FigureSpec, SlicePanel, SpecError, SurfacePanel, check
from app.figures.style import Style
from app.figures.writing import check_font
from app.state.texts.numbers import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from app.figures.surface_drawing import SurfacePainter
    from app.state.slices import SliceResult

Float = NDArray[np.float64]
_SHEET: Final = 20.0  # orders of drawing that a sheet of a stack takes
_COVERING: Final = 0.86  # of what is behind, by a sheet of a stack
_NAME: Final = 6.0  # points of a letter of the heading, in the mean, at the usual size


@dataclass(frozen=True, eq=False, slots=True)
class DrawnFigure:
    """height: in mm."""

    figure: Figure
    height: float


def draw_figure(
    spec: FigureSpec, slices: Sequence[SliceResult | None], painter: SurfacePainter | None = None, name: str = ""
) -> DrawnFigure:
    """Draw a figure; slices: one for each panel, None for those of surfaces, which a painter draws; name: of the
    checkpoint, where the spec has no title and no slice says it.  Raises SpecError."""
    check(spec)
    check_font(spec.font)
    with rc_context({"font.family": [spec.font, "DejaVu Sans"] if spec.font != "DejaVu Sans" else spec.font}):
        return _Drawing(spec, slices, painter, name).draw()


class _Drawing:
    """One figure on its way."""

    def __init__(
        self, spec: FigureSpec, slices: Sequence[SliceResult | None], painter: SurfacePainter | None, name: str
    ) -> None:
        self.spec, self.slices, self.painter = spec, slices, painter
        self.style = Style.of(spec)
        self.cut = [
            (panel, result)
            for panel, result in zip(spec.panels, slices, strict=True)
            if isinstance(panel, SlicePanel) and result is not None
        ]
        self.depths = max((len(result.partition.network.kinks) for _, result in self.cut), default=0)
        self.name = name or (self.cut[0][1].checkpoint if self.cut else "")
        self.fills = [
            bar_fill(result, panel) if isinstance(panel, SlicePanel) and result is not None and spec.color_bar else None
            for panel, result in zip(spec.panels, slices, strict=True)
        ]

    def draw(self) -> DrawnFigure:
        spec, style = self.spec, self.style
        words = [self._words(panel, result) for panel, result in zip(spec.panels, self.slices, strict=True)]
        page = arrange(spec, style, words, self._notes(), [fill is not None for fill in self.fills])
        figure = Figure(figsize=(page.width / 72, page.height / 72), facecolor=style.paper.ground)
        self._draw_heading(figure, page)
        sheets = self._draw_stack(figure, page) if spec.arranged is Arranged.STACK else self._draw_grid(figure, page)
        self._draw_leaders(figure, sheets)
        if page.legend is not None:
            legend = _axes(figure, page, page.legend)
            draw_legend(legend, self.cut, page.legend.width, style, level_name(self.cut[0][1]) if self.cut else "")
        return DrawnFigure(figure, page.height / MM)

    def _words(self, panel: SlicePanel | SurfacePanel, result: SliceResult | None) -> tuple[str, ...]:
        if isinstance(panel, SurfacePanel) or result is None:
            return tuple(filter(None, ["level surface" if panel.title is None else panel.title]))
        plane, regions = panel_words(result, panel)
        if panel.title is not None:
            whole = panel.title.replace("{plane}", plane).replace("{regions}", regions)
            return tuple(part for part in whole.split(" \N{MIDDLE DOT} ") if part)
        if panel.zoom_of is not None:
            return "detail", regions
        return plane, regions

    def _notes(self) -> list[str]:
        """Return what keeps the figure from being exact, in words; nothing when it is."""
        left = sum(result.partition.tie_counts.unexamined for _, result in self.cut)
        several = len({result.checkpoint for _, result in self.cut}) > 1
        approximations = list(
            dict.fromkeys(
                f"{result.checkpoint}: {result.approximation}" if several else result.approximation
                for _, result in self.cut
                if result.approximation
            )
        )
        rounding = f"{counted(left, 'decision')} left to rounding: regions thinner than it may be missing or in excess"
        return [*approximations, *([rounding] if left else [])]

    def _draw_heading(self, figure: Figure, page: Arrangement) -> None:
        spec, style = self.spec, self.style
        heading = self.name if spec.title is None else spec.title
        if heading:
            short = shortened(heading, int(page.width / (_NAME * style.heading / 8)))
            text = figure.text(page.margin / page.width, 1 - 5 * style.unit / page.height, short, va="top")
            text.set(fontsize=style.heading, fontweight="bold", parse_math=False, color=style.paper.ink)
        if page.notes:
            down = (15.0 * style.unit if heading else 4.0 * style.unit) / page.height
            label = figure.text(page.margin / page.width, 1 - down, "\n".join(page.notes), va="top")
            label.set(fontsize=style.text, gid="notes", parse_math=False, color=style.accent(0))

    def _draw_grid(self, figure: Figure, page: Arrangement) -> list[Sheet | None]:
        spec, style = self.spec, self.style
        sheets: list[Sheet | None] = []
        for number, (panel, result, box) in enumerate(zip(spec.panels, self.slices, page.panels, strict=True)):
            axes = _axes(figure, page, box)
            strip, fill = page.bars[number], self.fills[number]
            up = 5 * style.unit + (strip.height if strip is not None else 0.0)
            self._draw_title(axes, page.titles[number], number, up)
            if isinstance(panel, SurfacePanel):
                self._draw_surface(axes, panel, box)
                sheets.append(None)
                continue
            assert result is not None
            side = frame(axes, result.partition)
            sheet = square_sheet(axes, box, side)
            draw_slice(axes, sheet, result, panel, f"slice-{number}", style, spec.dpi, self.depths)
            axes.patch.set_visible(False)
            if spec.coordinates is Coordinates.AXES:
                draw_coordinates(axes, result.partition, style, box.width)
            else:
                axes.set_axis_off()
            if spec.coordinates is Coordinates.SCALE_BAR:
                draw_scale_bar(axes, box.width, style)
            if strip is not None and fill is not None:
                draw_color_bar(_axes(figure, page, strip), fill, strip.width, style)
            sheets.append(sheet)
        return sheets

    def _draw_title(self, axes: Axes, title: str, number: int, up: float) -> None:
        style = self.style
        aside = 0.0
        if self.spec.letters:
            letter = axes.annotate(_letter(number), (0, 1), (0, up), "axes fraction", "offset points", va="baseline")
            letter.set(fontsize=style.heading, fontweight="bold", color=style.paper.ink, gid=f"letter-{number}")
            aside = 12.0 * style.unit
            if "\n" in title:
                letter.set_position((0, up + title.count("\n") * 9.0 * style.unit))
        if title.strip():
            words = axes.annotate(title, (0, 1), (aside, up), "axes fraction", "offset points", va="baseline")
            place = "bottom" if "\n" in title else "baseline"
            words.set(fontsize=style.text, color=style.paper.ink, parse_math=False, va=place)

    def _draw_surface(self, axes: Axes, panel: SurfacePanel, box: Box) -> None:
        spec, style = self.spec, self.style
        if self.painter is None:
            raise SpecError("a panel is of the surface, and nothing draws it here; leave it out")
        cuts = [(cut, result) for cut, result in self.cut if cut.checkpoint == panel.checkpoint]
        picture = self.painter.paint(panel, cuts, (box.width, box.height), style, spec.dpi)
        axes.imshow(picture.pixels, extent=(0, box.width, 0, box.height), aspect="auto", interpolation="none",
                    gid="surface")  # fmt: skip
        axes.set(xlim=(0, box.width), ylim=(0, box.height))
        axes.set_axis_off()
        for words, (x, y), color in picture.names:
            text = axes.text(x * box.width, y * box.height, words, ha="center", va="center", color=color)
            ground = (*style.paper.ground, 0.78)
            text.set(fontsize=style.text, fontweight="bold", parse_math=False)
            text.set_bbox({"facecolor": ground, "edgecolor": "none", "pad": 1.2 * style.unit})
        if self.painter.solids[panel.checkpoint].mesh is None:
            text = axes.text(box.width / 2, 0.03 * box.height, "no level surface in this box", ha="center")
            text.set(fontsize=style.text, color=style.accent(0))

    def _draw_stack(self, figure: Figure, page: Arrangement) -> list[Sheet | None]:
        """Draw sheets from the lowest one upwards, on one area of the whole page."""
        style = self.style
        axes = _axes(figure, page, Box(0.0, 0.0, page.width, page.height))
        axes.set(xlim=(0, page.width), ylim=(0, page.height))
        axes.set_axis_off()
        sheets: list[Sheet | None] = []
        for number, ((panel, result), box) in enumerate(zip(self.cut, page.panels, strict=True)):
            sheet, order = _leaning_sheet(result, box), _SHEET * number
            outline = border_path(result.partition)
            ground = (*style.paper.ground, _COVERING)
            add_area(axes, sheet, outline, f"slice-{number}-ground", ground, order)
            draw_slice(axes, sheet, result, panel, f"slice-{number}", style, self.spec.dpi, self.depths, order + 1)
            corner = sheet.to_page(np.asarray(outline.vertices, np.float64))
            right = corner[np.argmax(corner @ np.array([1.0, -0.4]))]
            text = axes.text(right[0] + 5 * style.unit, right[1] + 1.0 * style.unit, page.titles[number], va="bottom")
            text.set(fontsize=style.text, color=style.paper.ink, parse_math=False, linespacing=1.3)
            if self.spec.letters:
                left = corner[np.argmin(corner @ np.array([1.0, 0.4]))]
                letter = axes.text(left[0], left[1] - 2 * style.unit, _letter(number), ha="right", va="top")
                letter.set(fontsize=style.heading, fontweight="bold", color=style.paper.ink)
            sheets.append(sheet)
        return sheets

    def _draw_leaders(self, figure: Figure, sheets: Sequence[Sheet | None]) -> None:
        for number, (panel, sheet) in enumerate(zip(self.spec.panels, sheets, strict=True)):
            if not isinstance(panel, SlicePanel) or panel.zoom_of is None or panel.rectangle is None:
                continue
            parent = sheets[panel.zoom_of]
            assert parent is not None
            assert sheet is not None
            left, low, right, high = panel.rectangle
            corners = corners_of(np.array([left, low]), np.array([right, high]))
            draw_leaders(figure, parent.to_page(corners), sheet.to_page(corners), f"zoom-{number}", self.style)


def _axes(figure: Figure, page: Arrangement, box: Box) -> Axes:
    made: Axes = figure.add_axes(
        (box.left / page.width, box.bottom / page.height, box.width / page.width, box.height / page.height)
    )
    return made


def square_sheet(axes: Axes, box: Box, side: float) -> Sheet:
    """Return the paper of a slice that fills a box, whose limits its axes have; side: of that square, in its unit."""
    (left, _), (low, _) = axes.get_xlim(), axes.get_ylim()
    scale = box.width / side
    return Sheet(scale * np.eye(2), np.array([box.left, box.bottom]) - scale * np.array([left, low]))


def _leaning_sheet(result: SliceResult, box: Box) -> Sheet:
    """A slice lies flat and is seen from above, aside."""
    vertices = result.partition.vertices
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    side = float((high - low).max())
    middle = (low + high) / 2
    scale = box.width / (side * (1 + SHEAR))
    matrix = scale * np.array([[1.0, SHEAR], [0.0, SQUASH]])
    centre = np.array([box.left + box.width / 2, box.bottom + box.height / 2])
    return Sheet(matrix, centre - matrix @ middle)


def _letter(number: int) -> str:
    """a to z, then aa, ab, ..."""
    return (chr(96 + number // 26) if number >= 26 else "") + chr(97 + number % 26)


def shortened(name: str, length: int) -> str:
    return name if len(name) <= length else f"{name[: length // 2]}…{name[-(length // 2) :]}"
