"""Slices as files: figures and arrays, by the extensions of their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.export.data import write_npz
from app.export.figure import draw_slices, write_figure
from app.state.palette import Palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from app.state.slices import SliceResult

_DATA: Final = ".npz"


@dataclass(frozen=True, eq=False)
class SliceFiles:
    """Slices of one network, a panel of the figure each; dpi: of figures in pixels."""

    slices: Sequence[SliceResult]
    palette: Palette = Palette.TIDE
    dpi: float = 600.0

    @cached_property
    def _figure(self) -> Figure:
        return draw_slices(self.slices, self.palette)

    def write(self, path: Path, extension: str) -> None:
        """extension: .npz for the arrays of the first slice, else of a figure, as .svg.  Raises OSError."""
        if extension == _DATA:
            write_npz(self.slices[0], path)
        else:
            write_figure(self._figure, path, extension.removeprefix("."), self.dpi)
