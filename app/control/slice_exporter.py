"""Writing slices of the window to files, off the GUI thread, as the command line does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from app.control.file_opener import Problem
from app.files import why_not_written, written_together
from app.jobs.worker import Context, Job, Worker
from app.state.slices import SliceResult
from engine import Cancelled

if TYPE_CHECKING:
    from pathlib import Path

    from app.control.live_slices import LiveSlices
    from app.state.store import Store

_NOT_EXPORTED: Final = "The slice was not exported"


class SliceExporter(QObject):
    """told(text): what is being done, or was; failed(Problem)."""

    told = Signal(str)
    failed = Signal(object)

    def __init__(self, store: Store, slices: LiveSlices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._slices = store, slices
        self._worker = Worker("export", self)

    def close(self) -> None:
        self._worker.close()

    def write(self, key: int, path: Path) -> None:
        """Write slice `key` as the extension of the path says."""
        opened, drawn = self._store.session.opened, self._slices.result(key)
        if opened is None or drawn is None or drawn.answer.level_set is None or not drawn.answer.complete:
            self.told.emit("The slice is not whole yet: export it once it is.")
            return
        inputs = [known.path for known in self._store.session.networks if known.path is not None]
        if os.path.realpath(path) in map(os.path.realpath, inputs):
            text = f"{path}: this is a checkpoint that is open; choose another name."
            self.failed.emit(Problem(_NOT_EXPORTED, text, text))
            return
        result = SliceResult(opened.name, drawn.answer.partition, drawn.answer.level_set, opened.approximation)
        palette = self._store.session.look.style.palette

        def work(_: Context) -> None:
            from app.figures.slice_files import SliceFiles  # matplotlib takes a while

            with written_together([path]) as (temporary,):
                SliceFiles([result], palette).write(temporary, path.suffix.lower())

        def fail(error: Exception) -> None:
            if isinstance(error, Cancelled):
                return
            if not isinstance(error, OSError):
                raise error
            self.failed.emit(Problem(_NOT_EXPORTED, f"{path}: {why_not_written(error)}.", str(error)))

        self.told.emit(f"writing {path} …")
        self._worker.submit(Job(path, work, lambda _: self.told.emit(f"saved {path}"), fail))
