"""The menu of the files opened last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QMenu

from app.window.parts.controls import as_tip, in_menu

_MOST_OF_PATH: Final = 90  # characters


def show_recent(menu: QMenu, paths: Sequence[Path], open_path: Callable[[Path], None]) -> None:
    """Fill a menu with files, each an entry that opens it."""
    menu.clear()
    menu.setToolTipsVisible(True)  # paths are shown shortened
    for path in paths:
        entry = menu.addAction(in_menu(str(path), _MOST_OF_PATH))
        entry.setToolTip(as_tip(str(path)))
        entry.triggered.connect(lambda _=False, path=path: open_path(path))
    menu.setEnabled(bool(paths))
