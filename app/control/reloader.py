"""Reading files again that changed on disk, at once or on request; a broken one leaves what was read before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.jobs.opening import OpenFile, OpeningError, file_hash
from app.jobs.watching import FileWatch
from app.jobs.worker import Context, Job, Worker, unless_cancelled
from app.state import actions
from app.state.session import OpenNetwork
from app.state.store import Change, Store
from app.state.texts.wording import without_options
from engine import Cancelled

if TYPE_CHECKING:
    from app.control.notices import Notices


class Reloader(QObject):
    """reloaded(name): a file was read again.  automatic: whether that is done at once when a file changes."""

    reloaded = Signal(str)

    def __init__(
        self,
        store: Store,
        notices: Notices,
        open_file: OpenFile,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._notices, self._open_file = store, notices, open_file
        self.automatic = False
        self._watch = FileWatch(self)
        self._failures: dict[Path, str] = {}  # what was told of files that could not be read again
        self._worker = Worker("reading", self)
        self._watch.changed.connect(self._file_changed)
        store.listen(self._changed)

    @property
    def busy(self) -> bool:
        return self._worker.busy

    def close(self) -> None:
        self._watch.close()
        self._worker.close()

    def reload_shown(self) -> None:
        opened = self._store.session.opened
        if opened is not None:
            self.reload(opened)

    def reload(self, opened: OpenNetwork) -> None:
        path = opened.path
        if path is None:
            return

        def work(context: Context) -> OpenNetwork:
            return self._open_file(path, context.cancelled, opened.reading)

        def take(found: OpenNetwork) -> None:
            old = self._open_from(path)
            if old is None:
                return
            if found.sha256 != old.sha256:
                kept = found.in_frame(old.domain if old.framed else None, old.level)
                self._store.do(actions.ReloadNetwork(old, kept))
            self._notices.withdraw(_changed_text(path))
            self._notices.withdraw(self._failures.pop(path, ""))
            self.reloaded.emit(found.name)

        def fail(error: Exception) -> None:
            if isinstance(error, OpeningError):
                why = without_options(str(error))
                text = f"{path.name} was not read again, what was read before stays: {why}."
                self._failures[path] = text
                self._notices.tell(text)
            elif not isinstance(error, Cancelled):
                raise error

        self._worker.submit(Job(("reload", path), work, take, fail, patient=True))

    def _open_from(self, path: Path) -> OpenNetwork | None:
        return next((opened for opened in self._store.session.networks if opened.path == path), None)

    def _file_changed(self, path: Path) -> None:
        opened = self._open_from(path)
        if opened is None:
            return
        if self.automatic:
            self.reload(opened)
            return

        def take(digest: str) -> None:
            now = self._open_from(path)  # maybe the new content, opened in another way
            if now is not None and now.sha256 != digest:
                self._notices.tell(_changed_text(path), ("Reload", lambda: self._reload_from(path)))

        self._worker.submit(
            Job(("look", path), lambda context: file_hash(path, context.cancelled), take, unless_cancelled)
        )

    def _reload_from(self, path: Path) -> None:
        opened = self._open_from(path)
        if opened is not None:
            self.reload(opened)

    def _changed(self, change: Change) -> None:
        if change.before.networks is not change.after.networks:
            self._watch.watch(opened.path for opened in change.after.networks if opened.path is not None)


def _changed_text(path: Path) -> str:
    return f"{path.name} has changed on disk."
