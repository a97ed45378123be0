"""What the program remembers from one start to the next, of files and of the window."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSettings

if TYPE_CHECKING:
    from sdf_models import Reading

_RECENT: Final = 8


class Settings:
    """Kept by Qt in the platform's place for settings; values that make no sense any more count as absent."""

    def __init__(self) -> None:
        self._stored = QSettings("SplineScope", "SplineScope")

    def recent(self) -> list[Path]:
        """The files opened last, the newest first."""
        stored = self._stored.value("recent", [])
        names = stored if isinstance(stored, list) else [stored]
        return [Path(str(name)) for name in names if name][:_RECENT]

    def remember(self, path: Path, reading: Reading | None = None) -> None:
        """A file was opened, with the choices made for it."""
        path = path.resolve()
        if reading is not None:
            self._stored.setValue(_reading_key(path), json.dumps(reading.to_json()))
        known = [path, *(other for other in self.recent() if other != path)][:_RECENT]
        self._stored.setValue("recent", [str(other) for other in known])
        self.folder = path.parent

    def recall(self, path: Path) -> Reading | None:
        """The choices with which a file was opened before, when there were any that still make sense."""
        from sdf_models import Reading

        stored = self._stored.value(_reading_key(path), "")
        try:
            return Reading.from_json(json.loads(str(stored))) if stored else None
        except ValueError:
            return None

    @property
    def folder(self) -> Path | None:
        """Where the last file was chosen; None when it is gone."""
        stored = self._stored.value("folder", "")
        folder = Path(str(stored)) if stored else None
        return folder if folder is not None and folder.is_dir() else None

    @folder.setter
    def folder(self, folder: Path) -> None:
        self._stored.setValue("folder", str(folder))


def _reading_key(path: Path) -> str:
    """Where the choices for a file are remembered: slashes in a key would make groups."""
    return f"readings/{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}"
