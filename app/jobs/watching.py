"""Files that change on disk, also when they are replaced as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

_QUIET_MILLISECONDS: Final = 300  # a file is looked at once it has not changed for so long

_Stamp = tuple[int, int, int]


class FileWatch(QObject):
    """changed(path): the file has new content, and seems complete.

    Folders are watched too: a file that is written beside its place and moved there is a new file to the system.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watcher = QFileSystemWatcher(self)
        self._stamps: dict[Path, _Stamp | None] = {}
        self._seen: dict[Path, _Stamp | None] = {}
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(_QUIET_MILLISECONDS)
        self._quiet.timeout.connect(self._look)
        self._watcher.fileChanged.connect(lambda _: self._quiet.start())
        self._watcher.directoryChanged.connect(lambda _: self._quiet.start())

    def watch(self, paths: Iterable[Path]) -> None:
        """These files from now on, and no others."""
        wanted = set(paths)
        for path in self._stamps.keys() - wanted:
            del self._stamps[path]
            self._seen.pop(path, None)
        for path in wanted - self._stamps.keys():
            self._stamps[path] = _stamp(path)
        self._watch_again()

    def close(self) -> None:
        self._quiet.stop()
        self.watch(())

    def _watch_again(self) -> None:
        """A replaced file has dropped out of the watcher."""
        wanted = {str(path) for path in self._stamps} | {str(path.parent) for path in self._stamps}
        known = {*self._watcher.files(), *self._watcher.directories()}
        if known - wanted:
            self._watcher.removePaths(sorted(known - wanted))
        missing = [name for name in sorted(wanted - known) if Path(name).exists()]
        if missing:
            self._watcher.addPaths(missing)

    def _look(self) -> None:
        self._watch_again()
        for path, known in list(self._stamps.items()):
            now = _stamp(path)
            if now is None or now == known:
                continue
            if self._seen.get(path) != now:  # it may still be written
                self._seen[path] = now
                self._quiet.start()
                continue
            self._stamps[path] = now
            self._seen.pop(path, None)
            self.changed.emit(path)


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
