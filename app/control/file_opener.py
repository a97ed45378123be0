"""Opening files: the work on its own thread, the questions that a file leaves open, what could not be opened."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.control.settings import Settings, parse_reading
from app.jobs.log_file import LOG
from app.jobs.opening import OpenFile, OpeningError, SmoothError, UnansweredError
from app.jobs.session_opening import LoadedSession, MissingFileError, open_session
from app.jobs.worker import Context, Job, Worker
from app.state import actions
from app.state.session import OpenNetwork
from app.state.session_file import is_session
from app.state.store import Store
from app.state.texts.numbers import counted
from app.state.texts.wording import without_options
from engine import Cancelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sdf_models import Reading


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure, for a dialog.  detail: to be copied; action: a button for what can be done about it."""

    heading: str
    message: str
    detail: str
    action: tuple[str, Callable[[], None]] | None = None


class FileOpener(QObject):
    """opened: a network is shown; refused(why): a file was not; busy_with(text): what is being opened, "" when nothing;
    remembered: the list of recent files changed; session_opened(LoadedSession, recovered).

    Of a file that was refused, first: failed(Problem); asked(path, UnansweredError, rest): it leaves a question open,
    `rest` is what was to be opened then; missing(path, MissingFileError, go_on): a session needs a file that is not
    there, call `go_on` with where it is, or with None to leave it out.

    folder(path): one was to be opened, not a file.

    leave(go_on, stay): called before another session takes the place of the one that is open.
    """

    opened = Signal()
    refused = Signal(str)
    busy_with = Signal(str)
    remembered = Signal()
    session_opened = Signal(object, bool)
    failed = Signal(object)
    asked = Signal(object, object, object)
    missing = Signal(object, object, object)
    folder = Signal(object)

    def __init__(self, store: Store, settings: Settings, open_file: OpenFile, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._settings, self._open_file = store, settings, open_file
        self._worker = Worker("opening", self)
        self._busy = False
        self.leave: Callable[[Callable[[], None], Callable[[], None]], None] = lambda go_on, _: go_on()
        self._queue: list[Callable[[], None]] = []  # what was asked for while something is being opened

    @property
    def busy(self) -> bool:
        return self._busy

    def _show_busy(self, text: str) -> None:
        self._busy = bool(text)
        self.busy_with.emit(text)

    def stop(self) -> None:
        """Leave what is being opened, and what was to follow."""
        self._queue.clear()
        self._worker.withdraw("open")
        self._show_busy("")

    def close(self) -> None:
        self._worker.close()

    def open_paths(self, paths: Sequence[Path], reading: Reading | None = None) -> None:
        """One after the other, until one is refused: its error names those that were not opened either."""
        self.open_path(paths[0], reading, rest=paths[1:])

    def open_path(
        self,
        path: Path,
        reading: Reading | None = None,
        moved: Mapping[Path, Path | None] | None = None,
        recovered: Callable[[], None] | None = None,
        rest: Sequence[Path] = (),
    ) -> None:
        """Open a checkpoint or a session; what is open now stays until it is read, and if it cannot be.

        reading: the choices made for it; without, those remembered.  What it leaves open is asked.  moved: where
        missing files of a session are, see `open_session`.  recovered: the session is one that a crash left; called
        when it is here.  rest: what to open then.  What is asked for while something is being opened waits for it.
        """
        if self._busy:
            self._queue.append(partial(self.open_path, path, reading, moved, recovered, rest))
            return
        if path.is_dir():
            self.folder.emit(path)
            if rest:
                self.open_paths(rest, reading)
            return
        stored = self._settings.recall(path) if reading is None else ""

        def work(context: Context) -> OpenNetwork | LoadedSession:
            if is_session(path):
                return open_session(path, context, moved or {}, self._open_file)
            return self._open_file(path, context.cancelled, parse_reading(stored) if reading is None else reading)

        def take(found: OpenNetwork | LoadedSession | str) -> None:
            if isinstance(found, str):  # how far it is
                self._show_busy(f"opening {path.name}: {found} …")
                return
            self._show_busy("")
            if isinstance(found, OpenNetwork):
                show(found)
            else:
                self.leave(partial(show, found), self._queue.clear)

        def show(found: OpenNetwork | LoadedSession) -> None:
            LOG.info("opened %s", path)
            if recovered is None:
                self._settings.remember(path, found.reading if isinstance(found, OpenNetwork) else None)
                self.remembered.emit()
            if isinstance(found, OpenNetwork):
                self.show_network(found)
            else:
                self._store.do(actions.Restore(found.session, f"Open session {path.name}"))
                self.session_opened.emit(found, recovered is not None)
                if recovered is not None:
                    recovered()
                self.opened.emit()
            if rest:
                self.open_paths(rest, reading)
            else:
                self._open_next()

        def fail(error: Exception) -> None:
            if isinstance(error, Cancelled):
                return
            self._show_busy("")
            if isinstance(error, MissingFileError):

                def go_on(where: Path | None) -> None:
                    self.open_path(path, None, {**(moved or {}), error.path: where}, recovered, rest)

                self.missing.emit(path, error, go_on)
            self._refuse(path, error, rest)
            self._open_next()

        more = f", then {counted(len(rest), 'more file')}" if rest else ""
        self._show_busy(f"opening {path.name}{_size_text(path)}{more} …")
        self._worker.submit(Job("open", work, take, fail, patient=True))

    def _open_next(self) -> None:
        if self._queue and not self._busy:
            self._queue.pop(0)()

    def show_network(self, opened: OpenNetwork) -> None:
        self._store.do(actions.Open(opened, middle_of(opened)))
        self.opened.emit()

    def _refuse(self, path: Path, error: Exception, rest: Sequence[Path]) -> None:
        if isinstance(error, MissingFileError):
            self.refused.emit(str(error))
            return
        if isinstance(error, UnansweredError):
            self.asked.emit(path, error, rest)
            self.refused.emit(str(error))
            return
        if not isinstance(error, OpeningError):
            raise error
        current = self._store.session.opened
        kept = "" if current is None else f" {current.name} stays open."
        if rest:
            kept = f" Not opened either: {', '.join(other.name for other in rest)}.{kept}"
        LOG.warning("not opened: %s", error)
        text = without_options(str(error))
        limit = None
        if isinstance(error, SmoothError) and error.reading is not None:
            reading = error.reading.answered("relu_limit", "yes")
            limit = ("Draw its ReLU limit", lambda: self.open_path(path, reading, rest=rest))
        self.failed.emit(Problem(f"{path.name} could not be opened", f"{text}.{kept}", text, limit))
        self.refused.emit(str(error))


def _size_text(path: Path) -> str:
    """Size of a file in brackets, such as " (1.3 MB)"; "" where it is not known."""
    try:
        size = path.stat().st_size
    except OSError:
        return ""
    return f" ({size / 1e6:,.1f} MB)" if size >= 1e5 else f" ({size / 1e3:,.1f} kB)"


def middle_of(opened: OpenNetwork) -> NDArray[np.float64]:
    """Round numbers near the middle of the surface's box, as far as it was seen; of the domain, when it was not."""
    box = opened.preview.vertices if len(opened.preview.vertices) else opened.domain
    low, high = box.min(axis=0), box.max(axis=0)
    size = float((high - low).min())
    if size <= 0.0:
        return np.asarray((low + high) / 2)
    decimals = -math.floor(math.log10(size / 5))  # so that rounding moves it by a tenth of the size at most
    return np.array([round(value, decimals) + 0.0 for value in ((low + high) / 2).tolist()])
