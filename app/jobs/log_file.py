"""The log: a file that does not grow for ever, for what a bug report needs."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

LOG: Final = logging.getLogger("splinescope")
LOG.addHandler(logging.NullHandler())  # without a file it is silent, on standard error too

_BYTES, _FILES = 512 << 10, 3


def start_log(folder: Path) -> RotatingFileHandler:
    """Write what is logged to splinescope.log in a folder, and keep older parts beside it.  Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        folder / "splinescope.log", maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8", errors="backslashreplace"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    return handler


def stop_log(handler: RotatingFileHandler) -> None:
    LOG.removeHandler(handler)
    handler.close()
