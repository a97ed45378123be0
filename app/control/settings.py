"""What the program remembers from one start to the next, of files and of the window."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QByteArray, QSettings, QStandardPaths
from PySide6.QtWidgets import QMainWindow, QSplitter

from app.jobs.slicing import LIVE_SECONDS
from app.state.line_style import NARROWEST, WIDEST, LineStyle
from app.state.palette import Palette

if TYPE_CHECKING:
    from sdf_models import Reading

_RECENT: Final = 8
_PREFERENCES: Final = (
    "theme", "white_paper", "frame_milliseconds", "surface_threads", "palette", "line_width", "level_width",
)  # fmt: skip
THEMES: Final = ("system", "light", "dark")


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
        path = Path(os.path.realpath(path))
        if reading is not None:
            self._stored.setValue(_reading_key(path), json.dumps(reading.to_json()))
        known = [path, *(other for other in self.recent() if other != path)][:_RECENT]
        self._stored.setValue("recent", [str(other) for other in known])
        self.folder = path.parent

    def recall(self, path: Path) -> str:
        """The choices with which a file was opened before, for `parse_reading`; "" when there were none."""
        return str(self._stored.value(_reading_key(path), ""))

    @property
    def folder(self) -> Path | None:
        """Where the last file was chosen; None when it is gone."""
        stored = self._stored.value("folder", "")
        folder = Path(str(stored)) if stored else None
        return folder if folder is not None and folder.is_dir() else None

    @folder.setter
    def folder(self, folder: Path) -> None:
        self._stored.setValue("folder", str(folder))

    @property
    def session_folder(self) -> Path:
        """Return the folder of the last saved session; the person's documents when there was none, or it is gone."""
        stored = str(self._stored.value("session folder", ""))
        if stored and Path(stored).is_dir():
            return Path(stored)
        return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))

    @session_folder.setter
    def session_folder(self, folder: Path) -> None:
        self._stored.setValue("session folder", str(folder))

    @property
    def theme(self) -> str:
        """light, dark, or system."""
        stored = str(self._stored.value("theme", "system"))
        return stored if stored in THEMES else "system"

    @theme.setter
    def theme(self, theme: str) -> None:
        self._stored.setValue("theme", theme)

    @property
    def white_paper(self) -> bool:
        """Views draw on white, whatever the theme."""
        return self._flag("white_paper")

    @white_paper.setter
    def white_paper(self, on: bool) -> None:
        self._keep_flag("white_paper", on)

    @property
    def frame_seconds(self) -> float:
        """How long a slice that follows the hand may take before its first layers must do."""
        return self._number("frame_milliseconds", round(1000 * LIVE_SECONDS), 20, 1000) / 1000

    @frame_seconds.setter
    def frame_seconds(self, seconds: float) -> None:
        self._stored.setValue("frame_milliseconds", round(1000 * seconds))

    @property
    def surface_threads(self) -> int:
        """Of the extraction of the surface; the rest of the machine is left to slices that follow the hand."""
        return self._number("surface_threads", 1, 1, 64)

    @surface_threads.setter
    def surface_threads(self, threads: int) -> None:
        self._stored.setValue("surface_threads", threads)

    @property
    def style(self) -> LineStyle:
        """With which windows start."""
        stored = str(self._stored.value("palette", ""))
        palette = next((palette for palette in Palette if palette.value == stored), Palette.TIDE)
        lines, level = (self._number(name, 100, NARROWEST, WIDEST) for name in ("line_width", "level_width"))
        return LineStyle(palette, lines, level)

    @style.setter
    def style(self, style: LineStyle) -> None:
        self._stored.setValue("palette", style.palette.value)
        self._stored.setValue("line_width", style.lines)
        self._stored.setValue("level_width", style.level)

    @property
    def figure(self) -> str:
        """What was chosen of the last figure."""
        return str(self._stored.value("figure", ""))

    @figure.setter
    def figure(self, choices: str) -> None:
        self._stored.setValue("figure", choices)

    def forget_preferences(self) -> None:
        for name in _PREFERENCES:
            self._stored.remove(name)

    @property
    def greeted(self) -> bool:
        """Whether the hint of the first start was seen."""
        return self._flag("greeted")

    @greeted.setter
    def greeted(self, seen: bool) -> None:
        self._keep_flag("greeted", seen)

    def _number(self, name: str, usual: int, low: int, high: int) -> int:
        try:
            return min(max(int(str(self._stored.value(name, usual))), low), high)
        except ValueError:
            return usual

    @property
    def reloads(self) -> bool:
        """Whether files that change on disk are read again at once."""
        return self._flag("reloads")

    @reloads.setter
    def reloads(self, on: bool) -> None:
        self._keep_flag("reloads", on)

    @property
    def links(self) -> bool:
        """2D views are linked."""
        return self._flag("links")

    @links.setter
    def links(self, on: bool) -> None:
        self._keep_flag("links", on)

    @property
    def flat(self) -> tuple[int, int] | None:
        """Widths that the 3D view, which is hidden, and the slices had before; None: it is shown."""
        left, right = (self._number(name, 0, 0, 100_000) for name in ("space_width", "slices_width"))
        return (left, right) if left and right else None

    @flat.setter
    def flat(self, widths: tuple[int, int] | None) -> None:
        for name, width in zip(("space_width", "slices_width"), widths or (0, 0), strict=True):
            self._stored.setValue(name, width)

    def _flag(self, name: str) -> bool:
        return str(self._stored.value(name, "no")) == "yes"

    def _keep_flag(self, name: str, on: bool) -> None:
        self._stored.setValue(name, "yes" if on else "no")

    @property
    def side(self) -> str:
        """The panel at the right of the views; empty when there was none."""
        return str(self._stored.value("side", ""))

    @side.setter
    def side(self, name: str) -> None:
        self._stored.setValue("side", name)

    def store(self, window: QMainWindow, splitters: Mapping[str, QSplitter]) -> None:
        """Where the window is, and how its parts share it; splitters: by what their state is called."""
        self._stored.setValue("geometry", window.saveGeometry())
        for name, splitter in splitters.items():
            self._stored.setValue(name, splitter.saveState())

    def restore(self, window: QMainWindow, splitters: Mapping[str, QSplitter]) -> None:
        """Qt leaves the window as it is where what was stored makes no sense."""
        geometry = self._stored.value("geometry")
        if isinstance(geometry, QByteArray):
            window.restoreGeometry(geometry)
        for name, splitter in splitters.items():
            shares = self._stored.value(name)
            if isinstance(shares, QByteArray):
                splitter.restoreState(shares)


def parse_reading(stored: str) -> Reading | None:
    """Choices as they are stored, None where they make no sense any more.

    Not for the window's thread: sdf_models imports torch, which takes seconds.
    """
    if not stored:
        return None
    from sdf_models import Reading

    try:
        return Reading.from_json(json.loads(stored))
    except ValueError:
        return None


def _reading_key(path: Path) -> str:
    """Where the choices for a file are remembered: slashes in a key would make groups."""
    return f"readings/{hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:32]}"
