"""Sessions of running windows, kept so that a crash loses little.

Each window has a file and a lock of its own.  A file whose lock is held by no running program was left by a crash, and
belongs to whoever takes its lock first.
"""

from __future__ import annotations

import os
import uuid
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLockFile

from app.files import temporary_prefix
from app.state.session_file import write_session

if TYPE_CHECKING:
    from app.state.saved_session import SavedSession

_SUFFIX: Final = ".session.json"


class Autosave:
    """One window's file, from its first saving until `remove`.  Raises OSError where the folder cannot be written."""

    def __init__(self, path: Path, lock: QLockFile) -> None:
        self.path, self._lock = path, lock

    @classmethod
    def start(cls, folder: Path) -> Autosave:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}{_SUFFIX}"
        lock = _lock_of(path)
        if not lock.tryLock(0):
            raise OSError(f"{path}: the lock cannot be taken")
        return cls(path, lock)

    def write(self, saved: SavedSession) -> None:
        write_session(self.path, saved)

    def remove(self) -> None:
        """The end went well: nothing is left to recover."""
        self.path.unlink(missing_ok=True)
        self._lock.unlock()

    def leave(self) -> None:
        """Let go of it, for another start."""
        self._lock.unlock()


def left_behind(folder: Path) -> Autosave | None:
    """The newest session that a crash left in a folder, now held by the caller; None when there is none."""
    found = sorted(folder.glob(f"*{_SUFFIX}"), key=_modified, reverse=True)
    for name in sorted({path.stem for path in folder.glob("*.lock")} - {_stem(path) for path in found}):
        _sweep(folder / f"{name}{_SUFFIX}")
    for path in found:
        lock = _lock_of(path)
        if lock.tryLock(0):
            if path.is_file():
                _remove_parts(path)
                return Autosave(path, lock)
            lock.unlock()
    return None


def _sweep(path: Path) -> None:
    """Remove what is left of a window that ended before its first session was whole."""
    lock = _lock_of(path)
    if lock.tryLock(0):
        if not path.exists():
            _remove_parts(path)
        lock.unlock()


def _remove_parts(path: Path) -> None:
    """What was being written as a program was killed; its lock is held."""
    for part in path.parent.glob(f"{escape(temporary_prefix(path))}*.part"):
        part.unlink(missing_ok=True)


def _stem(path: Path) -> str:
    return path.name.removesuffix(_SUFFIX)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # just removed by its window
        return 0.0


def _lock_of(path: Path) -> QLockFile:
    lock = QLockFile(str(path.with_name(_stem(path) + ".lock")))
    lock.setStaleLockTime(0)  # not by age: only when its program runs no more
    return lock
