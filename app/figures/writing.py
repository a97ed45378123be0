"""Figures as files: SVG, PDF, PNG."""

from __future__ import annotations

import errno
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from matplotlib import font_manager, rc_context

from app.figures.spec import Letters, SpecError
from app.provenance.carriers import figure_metadata
from engine import available_memory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS: Final = ("svg", "pdf", "png")
_MOST_PIXELS: Final = 65_000  # along a side, of matplotlib's renderer
_BYTES: Final = 16.0  # for each pixel until it is in its file


def write_figure(
    figure: Figure, path: Path | BinaryIO, format: str, dpi: float = 600.0, provenance: str = "",
    words: Letters = Letters.TEXT,
) -> None:  # fmt: skip
    """Write a figure; `format` is one of FORMATS, `dpi` counts for pixels, provenance: what the file carries of how it
    was made, words: of SVG.  No time and no random number gets into the file.  Raises OSError, also where pixels need
    more memory than there is.
    """
    if format == "png":
        _check_pixels(figure, dpi)
    fonts = "none" if words is Letters.TEXT else "path"
    with (
        rc_context({"pdf.fonttype": 42, "svg.fonttype": fonts, "svg.hashsalt": "splinescope"}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # in a checkpoint's name
        figure.savefig(
            path, format=format, dpi=dpi, metadata=figure_metadata(format, provenance),
            facecolor=figure.get_facecolor(),
        )  # fmt: skip


def _check_pixels(figure: Figure, dpi: float) -> None:
    width, height = (float(side) * dpi for side in figure.get_size_inches())
    if max(width, height) > _MOST_PIXELS or _BYTES * width * height > available_memory():
        raise OSError(errno.ENOMEM, f"a picture of {width:.0f} x {height:.0f} pixels needs more memory than there is")


def check_font(name: str) -> None:
    """Raise SpecError when there is no font of this name."""
    try:
        font_manager.findfont(name, fallback_to_default=False)
    except ValueError as error:
        raise SpecError(f"font: there is no {name:.60}; take DejaVu Sans, or install it") from error
