"""Dialogs about files: which to open, where to save, what a file leaves open, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.control.file_opener import FileOpener, Problem
from app.control.notices import Notices
from app.control.session_keeper import SessionKeeper
from app.control.settings import Settings
from app.files import why_not_written
from app.window.dialogs.error_dialog import ErrorDialog
from app.window.dialogs.question_dialog import QuestionDialog
from app.window.parts.picture_file import write_png

if TYPE_CHECKING:
    from app.jobs.opening import UnansweredError
    from app.jobs.session_opening import MissingFileError

_OPENED: Final = "Checkpoints and sessions (*.npz *.safetensors *.pt *.pth *.onnx *.json);;All files (*)"
_EXPORTS: Final = (
    ("PDF figure (*.pdf)", ".pdf"),
    ("SVG figure (*.svg)", ".svg"),
    ("PNG figure (*.png)", ".png"),
    ("Moving picture (*.webp)", ".webp"),
    ("Moving picture (*.gif)", ".gif"),
    ("Data of the active slice: arrays for NumPy (*.npz)", ".npz"),
    ("Data of the active slice: for ParaView (*.vtp)", ".vtp"),
    ("Data of the active slice: lines as a table (*.csv)", ".csv"),
    ("Data of the active slice: lines as GeoJSON (*.json)", ".json"),
)
_SESSIONS: Final = "Sessions (*.json)"


class FileDialogs:
    """None of them stops the program, besides those in which a file is chosen."""

    def __init__(
        self, opener: FileOpener, keeper: SessionKeeper, settings: Settings, notices: Notices, window: QWidget
    ) -> None:
        self._opener, self._keeper, self._settings = opener, keeper, settings
        self._notices, self._window = notices, window
        self.error_dialog: ErrorDialog | None = None
        self.question_dialog: QuestionDialog | None = None
        self._questions: list[tuple[Path, UnansweredError, Sequence[Path]]] = []  # the first is the dialog's
        opener.failed.connect(self.show_problem)
        opener.asked.connect(self._ask)
        opener.missing.connect(self._ask_where)
        keeper.failed.connect(self.show_problem)

    def choose(self) -> None:
        """Ask for a file, and open it."""
        self._choose("Open a checkpoint or a session", _OPENED)

    def choose_session(self) -> None:
        """Ask for a session, and open it."""
        self._choose("Open a session", f"{_SESSIONS};;All files (*)")

    def _choose(self, title: str, kinds: str) -> None:
        name, _ = QFileDialog.getOpenFileName(self._window, title, str(self._settings.folder or ""), kinds)
        if name:
            self._opener.open_path(Path(name))

    def save(self) -> None:
        """Save the session where it was saved or opened; without such a place ask for one."""
        if self._keeper.path is None:
            self.save_as()
        else:
            self._keeper.save_to(self._keeper.path)

    def save_as(self) -> None:
        proposed = self._keeper.proposed_path
        if proposed is None:
            return
        name, _ = QFileDialog.getSaveFileName(self._window, "Save the session", str(proposed), _SESSIONS)
        if name:
            self._keeper.save_to(Path(name if name.lower().endswith(".json") else f"{name}.json"))

    def save_picture(self, image: QImage, name: str) -> None:
        """Ask for a place, and save a picture there as PNG."""
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, "Save the picture", str(self._place_for(name)), "Pictures (*.png)"
        )
        if not chosen:
            return
        path = Path(chosen if chosen.lower().endswith(".png") else f"{chosen}.png")
        try:
            write_png(image, path)
        except OSError as error:
            self.show_problem(Problem("The picture was not saved", f"{path}: {why_not_written(error)}.", str(error)))

    def choose_export(self, name: str) -> Path | None:
        """Ask for a place for a figure or the data of a slice, whose extension says which; None: for none."""
        kinds = dict(_EXPORTS)
        chosen, kind = QFileDialog.getSaveFileName(
            self._window, "Save the figure", str(self._place_for(name)), ";;".join(kinds)
        )
        if not chosen:
            return None
        if chosen.lower().endswith(tuple(kinds.values())):
            return Path(chosen)
        path = Path(f"{chosen}{kinds.get(kind, '.pdf')}")
        return path if not path.exists() or self._may_replace(path) else None

    def _may_replace(self, path: Path) -> bool:
        """Ask, where the dialog for files has not: it knew another name."""
        text = f"{path.name} is there already. Replace it?"
        return QMessageBox.question(self._window, "Export", text) == QMessageBox.StandardButton.Yes

    def _place_for(self, name: str) -> Path:
        """Where a file of this name is proposed to be saved."""
        return (self._settings.folder or self._settings.session_folder) / name.replace("/", "_")

    def calls(self) -> dict[str, Callable[[], object]]:
        """By the names of the commands."""
        return {"open": self.choose, "open session": self.choose_session, "save": self.save, "save as": self.save_as}

    def show_problem(self, problem: Problem) -> None:
        self.error_dialog = ErrorDialog(problem.heading, problem.message, problem.detail, self._window, problem.action)
        self.error_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.error_dialog.destroyed.connect(self._error_seen)
        self.error_dialog.open()

    def _error_seen(self) -> None:
        self.error_dialog = None

    def _ask_where(self, path: Path, error: MissingFileError, go_on: Callable[[Path | None], None]) -> None:
        """A file of a session is missing: it is somewhere else, or left out."""

        def find() -> None:
            name, _ = QFileDialog.getOpenFileName(self._window, f"Where is {error.path.name}?", str(path.parent))
            if name:
                go_on(Path(name))

        text = f"{path.name} needs {error.path.name}, which is not at {error.path}."
        self._notices.tell(text, ("Find…", find), ("Leave it out", lambda: go_on(None)))

    def _ask(self, path: Path, left_open: UnansweredError, rest: Sequence[Path]) -> None:
        """One question at a time, and one about a file."""
        if all(path != asked for asked, *_ in self._questions):
            self._questions.append((path, left_open, rest))
        if self.question_dialog is None:
            self._show_question()

    def _show_question(self) -> None:
        path, left_open, rest = self._questions[0]
        dialog = self.question_dialog = QuestionDialog(path.name, left_open.question, left_open.reading, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._opener.open_path(path, dialog.reading, rest=rest))
        if rest:
            dialog.rejected.connect(lambda: self._opener.open_paths(rest))
        dialog.finished.connect(self._question_gone)
        dialog.open()

    def _question_gone(self) -> None:
        self.question_dialog = None
        del self._questions[0]
        if self._questions:
            self._show_question()
