"""Opening files: the work on its own thread, the questions that a file leaves open, what could not be opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.control.settings import Settings, parse_reading
from app.jobs.log_file import LOG
from app.jobs.opening import OpenFile, OpeningError, SmoothError, UnansweredError
from app.jobs.session_opening import LoadedSession, MissingFileError, open_session
from app.jobs.worker import Context, Job, Worker
from app.state import actions
from app.state.session import OpenNetwork
from app.state.session_file import is_session
from app.state.store import Store
from app.state.texts.wording import without_options
from app.window.dialogs.error_dialog import ErrorDialog
from app.window.dialogs.question_dialog import QuestionDialog
from engine import Cancelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sdf_models import Reading


class FileOpener(QObject):
    """opened: a network is shown; refused(why): a file was not; busy_with(text): what is being opened, "" when nothing;
    remembered: the list of recent files changed; session_opened(LoadedSession, recovered); asked(text, choices): a
    question for the notice bar."""

    opened = Signal()
    refused = Signal(str)
    busy_with = Signal(str)
    remembered = Signal()
    session_opened = Signal(object, bool)
    asked = Signal(str, object)

    def __init__(self, store: Store, settings: Settings, open_file: OpenFile, window: QWidget) -> None:
        super().__init__(window)
        self._store, self._settings, self._open_file, self._window = store, settings, open_file, window
        self._worker = Worker("opening", self)
        self._busy = False
        self._queue: list[Callable[[], None]] = []  # what was asked for while something is being opened
        self.error_dialog: ErrorDialog | None = None
        self.question_dialog: QuestionDialog | None = None
        self._questions: list[tuple[Path, UnansweredError, Sequence[Path]]] = []  # the first is the dialog's

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
        stored = self._settings.recall(path) if reading is None else ""

        def work(context: Context) -> OpenNetwork | LoadedSession:
            if is_session(path):
                return open_session(path, context, moved or {}, self._open_file)
            return self._open_file(path, context.cancelled, parse_reading(stored) if reading is None else reading)

        def take(found: OpenNetwork | LoadedSession) -> None:
            self._show_busy("")
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
                self._ask_where(
                    path, error, moved or {}, lambda known: self.open_path(path, None, known, recovered, rest)
                )
            self._refuse(path, error, rest)
            self._open_next()

        self._show_busy(f"opening {path.name} …")
        self._worker.submit(Job("open", work, take, fail, patient=True))

    def _open_next(self) -> None:
        if self._queue and not self._busy:
            self._queue.pop(0)()

    def show_network(self, opened: OpenNetwork) -> None:
        self._store.do(actions.Open(opened, _middle(opened)))
        self.opened.emit()

    def choose(self) -> None:
        """Ask for a file, and open it."""
        kinds = "Checkpoints and sessions (*.npz *.safetensors *.pt *.pth *.onnx *.json);;All files (*)"
        folder = self._settings.folder
        name, _ = QFileDialog.getOpenFileName(self._window, "Open a checkpoint or a session", str(folder or ""), kinds)
        if name:
            self.open_path(Path(name))

    def choose_session(self) -> None:
        """Ask for a session, and open it."""
        folder = self._settings.folder
        kinds = "Sessions (*.json);;All files (*)"
        name, _ = QFileDialog.getOpenFileName(self._window, "Open a session", str(folder or ""), kinds)
        if name:
            self.open_path(Path(name))

    def show_error(
        self, heading: str, message: str, detail: str, action: tuple[str, Callable[[], None]] | None = None
    ) -> None:
        """A dialog that does not stop the program.  action: see `ErrorDialog`."""
        self.error_dialog = ErrorDialog(heading, message, detail, self._window, action)
        self.error_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.error_dialog.destroyed.connect(self._error_seen)
        self.error_dialog.open()

    def _error_seen(self) -> None:
        self.error_dialog = None

    def _refuse(self, path: Path, error: Exception, rest: Sequence[Path]) -> None:
        if isinstance(error, MissingFileError):
            self.refused.emit(str(error))
            return
        if isinstance(error, UnansweredError):
            self._ask(path, error, rest)
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
        self.show_error(f"{path.name} could not be opened", f"{text}.{kept}", text, limit)
        self.refused.emit(str(error))

    def _ask_where(
        self,
        path: Path,
        error: MissingFileError,
        moved: Mapping[Path, Path | None],
        reopen: Callable[[Mapping[Path, Path | None]], None],
    ) -> None:
        """A file of a session is missing: it is somewhere else, or left out.  reopen: with that known."""

        def go_on(where: Path | None) -> None:
            reopen({**moved, error.path: where})

        def find() -> None:
            name, _ = QFileDialog.getOpenFileName(self._window, f"Where is {error.path.name}?", str(path.parent))
            if name:
                go_on(Path(name))

        text = f"{path.name} needs {error.path.name}, which is not at {error.path}."
        self.asked.emit(text, (("Find…", find), ("Leave it out", lambda: go_on(None))))

    def _ask(self, path: Path, left_open: UnansweredError, rest: Sequence[Path]) -> None:
        """One question at a time, and one about a file."""
        if all(path != asked for asked, *_ in self._questions):
            self._questions.append((path, left_open, rest))
        if self.question_dialog is None:
            self._show_question()
        self.refused.emit(str(left_open))

    def _show_question(self) -> None:
        path, left_open, rest = self._questions[0]
        dialog = self.question_dialog = QuestionDialog(path.name, left_open.question, left_open.reading, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.open_path(path, dialog.reading, rest=rest))
        if rest:
            dialog.rejected.connect(lambda: self.open_paths(rest))
        dialog.finished.connect(self._question_gone)
        dialog.open()

    def _question_gone(self) -> None:
        self.question_dialog = None
        del self._questions[0]
        if self._questions:
            self._show_question()


def _middle(opened: OpenNetwork) -> NDArray[np.float64]:
    """The middle of the surface's box, as far as it was seen; of the domain, when it was not."""
    seen = opened.preview.vertices
    middle = (seen.min(axis=0) + seen.max(axis=0)) / 2 if len(seen) else opened.domain.mean(axis=0)
    return np.asarray(np.round(middle, 3)) if float(np.ptp(opened.domain, axis=0).min()) > 0.1 else middle
