"""Slices as files: figures and arrays, by the extensions of their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.export.data import write_npz
from app.export.figure import draw_slices, write_figure
from app.export.lines import write_lines_csv, write_lines_json, write_slice_vtp
from app.state.palette import Palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from app.state.slices import SliceResult

_DATA: Final = {".npz": write_npz, ".vtp": write_slice_vtp, ".csv": write_lines_csv, ".json": write_lines_json}


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
