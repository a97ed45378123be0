"""Slices as files: figures and arrays, by the extensions of their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.export.data import write_npz
from app.export.lines import write_lines_csv, write_lines_json, write_slice_vtp
from app.figures.drawing import draw_figure
from app.figures.layouts import lay_out
from app.figures.spec import FigureSpec, SlicePanel
from app.figures.writing import write_figure
from app.state.geometry.poses import Pose
from app.state.palette import Palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from app.state.slices import SliceResult

_DATA: Final = {".npz": write_npz, ".vtp": write_slice_vtp, ".csv": write_lines_csv, ".json": write_lines_json}


def figure_of_slices(slices: Sequence[SliceResult], palette: Palette = Palette.TIDE) -> FigureSpec:
    """Return the figure with a panel for each slice of one network: a column wide, or a page."""
    planes = [result.partition.plane for result in slices]
    texts = [str(Pose(plane)) if plane.dimension == 3 else "" for plane in planes]
    panels = [SlicePanel(text, colour=number) for number, text in enumerate(texts)]
    return replace(lay_out("grid", panels, 0), palette=palette)


def draw_slices(slices: Sequence[SliceResult], palette: Palette = Palette.TIDE) -> Figure:
    """Draw that figure."""
    return draw_figure(figure_of_slices(slices, palette), slices).figure


@dataclass(frozen=True, eq=False)
class SliceFiles:
    """Slices of one network, a panel of the figure each; dpi: of figures in pixels."""

    slices: Sequence[SliceResult]
    palette: Palette = Palette.TIDE
    dpi: float = 600.0

    @cached_property
    def _figure(self) -> Figure:
        return draw_slices(self.slices, self.palette)

    def write(self, path: Path, extension: str, provenance: str = "") -> None:
        """Write what an extension stands for: data of the first slice, or a figure.

        provenance: what the file carries of how it was made.  Raises OSError, of data EngineError.
        """
        if extension in _DATA:
            _DATA[extension](self.slices[0], path, provenance)
        else:
            write_figure(self._figure, path, extension.removeprefix("."), self.dpi, provenance)
