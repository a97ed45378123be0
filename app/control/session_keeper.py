"""Saving sessions, by hand and by itself, and offering what a crash left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, QTimer, Signal

from app.control.file_opener import FileOpener, Problem
from app.control.notices import Notices
from app.control.settings import Settings
from app.files import why_not_written
from app.jobs.autosave import Autosave, left_behind
from app.jobs.log_file import LOG
from app.jobs.worker import Job, Worker
from app.state import actions
from app.state.saved_session import Layout, SavedSession, SessionFileError, saved_session
from app.state.session import Lineage, Session, same_picture
from app.state.session_file import write_session
from app.state.store import Change, Store
from app.views.camera import in_sight
from engine import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.jobs.session_opening import LoadedSession
    from app.views.scene.scene_view import SceneView

_NOT_SAVED: Final = "The session was not saved"
_AUTOSAVE_MILLISECONDS: Final = 1500  # after a change


@dataclass(frozen=True, eq=False, slots=True)
class _Named:
    """The name of a session, and what is in its file, in a lineage of its own: it is forgotten with its sessions."""

    path: Path
    content: Session


class SessionKeeper(QObject):
    """saved(path): a session was saved by hand; failed(Problem): it was not; laid_out(Layout): one was opened that
    had this layout; named: `path` or `changed` may be another now.

    path: where the session was saved or opened; a step back over the opening of another one leads back to its name.
    layout: that of the window now.
    """

    saved = Signal(str)
    failed = Signal(object)
    laid_out = Signal(object)
    named = Signal()

    def __init__(
        self,
        store: Store,
        view: SceneView,
        opener: FileOpener,
        settings: Settings,
        notices: Notices,
        layout: Callable[[], Layout],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._view, self._opener = store, view, opener
        self._settings, self._notices, self._layout = settings, notices, layout
        self._worker = Worker("saving", self)
        self._autosave: Autosave | None = None
        self._left: Autosave | None = None
        self._taken_over = False  # what a crash left is open here
        self._unsaved: tuple[Path, SavedSession] | None = None
        self._names: WeakKeyDictionary[Lineage, _Named] = WeakKeyDictionary()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_AUTOSAVE_MILLISECONDS)
        self._soon.timeout.connect(self._save_by_itself)
        store.listen(self._session_changed)
        view.camera_moved.connect(self._changed)

    def close(self) -> None:
        """The window closes well: there is nothing to recover."""
        self._soon.stop()
        self._worker.close()
        if self._unsaved is not None:  # the window went before its turn came
            try:
                write_session(*self._unsaved)
            except (OSError, SessionFileError) as error:
                LOG.error("not saved: %s: %s", self._unsaved[0], error)
        if self._autosave is not None:
            self._autosave.remove()
        if self._taken_over:
            self._discard()
        elif self._left is not None:
            self._left.leave()

    @property
    def _name(self) -> _Named | None:
        return self._names.get(self._store.session.lineage)

    @property
    def path(self) -> Path | None:
        return None if self._name is None else self._name.path

    @property
    def proposed_path(self) -> Path | None:
        """Path that a dialog proposes to save the session at; None while there is nothing to save."""
        opened = self._store.session.opened
        if opened is None:
            return None
        return self.path or self._settings.session_folder / f"{Path(opened.name).stem}.session.json"

    @property
    def changed(self) -> bool:
        """The session has a name, and shows something else than its file; from where it is seen does not count."""
        return self._name is not None and not same_picture(self._name.content, self._store.session)

    def _give_name(self, path: Path, session: Session) -> None:
        """The session has this name from now on, and so is in its file."""
        self._names[session.lineage] = _Named(path, replace(session, lineage=Lineage()))
        self.named.emit()

    def save_to(
        self,
        path: Path,
        go_on: Callable[[], object] = lambda: None,
        stay: Callable[[], object] = lambda: None,
    ) -> None:
        """go_on: called once it is saved; stay: when it cannot be, after `failed`."""
        session = self._store.session
        try:
            saved = self._present()
        except ValueError as error:
            self.failed.emit(Problem(_NOT_SAVED, f"{error}.", str(error)))
            stay()
            return

        def take(_: None) -> None:
            self._unsaved = None
            self._settings.remember(path)
            self._settings.session_folder = path.parent
            self._give_name(path, session)
            self.saved.emit(str(path))
            go_on()

        def fail(error: Exception) -> None:
            if isinstance(error, Cancelled):
                return
            self._unsaved = None
            if isinstance(error, SessionFileError):
                why = f"{path}: it could not be opened again: {error}; what was there before stays."
            elif isinstance(error, OSError):
                why = f"{path}: {why_not_written(error)}."
            else:
                raise error
            self.failed.emit(Problem(_NOT_SAVED, why, str(error)))
            stay()

        self._unsaved = path, saved
        self._worker.submit(Job("save", lambda _: write_session(path, saved), take, fail))

    def show(self, loaded: LoadedSession, recovered: bool) -> None:
        """What the session does not hold: camera, layout; and what is to be told of it."""
        view = self._view
        if not recovered:
            self._give_name(loaded.path, self._store.session)
        notices = loaded.notices
        if loaded.viewpoint is not None and view.scene is not None:
            if in_sight(loaded.viewpoint, view.scene.domain):
                view.see_from(loaded.viewpoint)
            else:
                notices = (*notices, "The camera was too far from the box, or too near; it looks from the start again.")
        if loaded.layout is not None:
            self.laid_out.emit(loaded.layout)
        if notices:
            self._notices.tell(" ".join(notices))

    def keep_autosaves(self, folder: Path) -> None:
        """From now on every change is saved, and what a crash left in the folder is offered."""
        try:
            self._autosave = Autosave.start(folder)
        except OSError as error:
            self._notices.tell(f"Sessions are not saved by themselves: {error.strerror or error}.")
            return
        self._left = left_behind(folder)
        if self._left is not None:
            when = datetime.fromtimestamp(self._left.path.stat().st_mtime).strftime("%d %b, %H:%M")
            self._notices.tell(
                f"SplineScope did not end well last time. Its session of {when} can be restored.",
                ("Restore", self._restore),
                ("Discard", self._discard),
            )

    def _restore(self) -> None:
        assert self._left is not None
        self._opener.open_path(self._left.path, recovered=self._take_over)

    def _take_over(self) -> None:
        """What a crash left goes once this window has saved it: the session may be what crashes."""
        self._taken_over = True
        self._soon.stop()
        self._save_by_itself()

    def _discard(self) -> None:
        if self._left is not None:
            self._left.remove()
            self._left = None

    def _session_changed(self, change: Change) -> None:
        action = change.action
        if isinstance(action, actions.ReloadNetwork):  # no change of a person's
            for lineage, name in list(self._names.items()):
                self._names[lineage] = replace(name, content=actions.reloaded(name.content, action.old, action.new))
        self._changed()
        self.named.emit()

    def _changed(self) -> None:
        """The session, or from where it is seen."""
        if self._autosave is not None and not self._soon.isActive():
            self._soon.start()

    def _present(self) -> SavedSession:
        scene = self._view.scene
        viewpoint = None if scene is None else scene.viewpoint
        return saved_session(self._store.session, viewpoint, self._layout())

    def _save_by_itself(self) -> None:
        autosave = self._autosave
        if autosave is None:
            return
        try:
            saved = self._present()
        except ValueError:  # nothing is open, or something that comes from no file
            return

        def take(_: None) -> None:
            if self._taken_over:
                self._discard()

        def fail(error: Exception) -> None:
            if isinstance(error, OSError | SessionFileError):
                why = error.strerror or error if isinstance(error, OSError) else error
                self._notices.tell(f"The session could not be saved by itself: {why}.")
            elif not isinstance(error, Cancelled):
                raise error

        self._worker.submit(Job("autosave", lambda _: autosave.write(saved), take, fail))
