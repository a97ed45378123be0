"""Figures one after the other as a moving picture: WebP and GIF; or as numbered PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.figures.writing import write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image as Picture

FORMATS: Final = ("webp", "gif")


def frame_of(figure: Figure, dpi: float) -> Picture:
    """Return a figure as a picture."""
    from PIL import Image

    stream = BytesIO()
    write_figure(figure, stream, "png", dpi)
    stream.seek(0)
    return Image.open(stream).convert("RGB")


def write_animation(frames: Sequence[Picture], path: Path, format_: str, seconds: float) -> None:
    """Write frames, which are made as large as the largest by white at the right and below; it repeats for ever.

    format_: one of FORMATS; seconds: that each frame is shown.
    """
    from PIL import Image

    size = tuple(max(frame.size[k] for frame in frames) for k in range(2))
    whole = []
    for frame in frames:
        page = Image.new("RGB", (size[0], size[1]), "white")
        page.paste(frame, (0, 0))
        whole.append(page)
    options = {"lossless": True, "method": 4} if format_ == "webp" else {"optimize": True}
    whole[0].save(
        path, format=format_.upper(), save_all=True, append_images=whole[1:], duration=round(1000 * seconds), loop=0,
        **options,
    )  # fmt: skip
