"""Pictures as files, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QImage, QImageWriter

from app.files import written_together


def write_png(image: QImage, path: Path) -> None:
    """Raises OSError, naming the path, when it cannot be written."""
    with written_together([path]) as (temporary,):
        writer = QImageWriter(str(temporary))
        writer.setFormat(b"png")
        if not writer.write(image):
            raise OSError(0, writer.errorString(), str(path))
