"""Bringing up windows: from the command line, from Python, and to take pictures of them."""

from __future__ import annotations

import ctypes
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

import platformdirs
from PySide6.QtCore import QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from app.control.file_opener import Problem
from app.control.settings import Settings
from app.display import draw_in_memory, draws_in_memory, has_display
from app.imports import load_triton
from app.jobs.log_file import LOG, start_log, stop_log
from app.jobs.opening import open_module
from app.jobs.versions import version_report
from app.modules import module_and_domain
from app.window.main_window import MainWindow
from app.window.parts.picture_file import write_png
from app.window.parts.theme import dress

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from torch import nn

    from app.jobs.opening import OpenFile
    from sdf_models import Checkpoint

Begin = Callable[[MainWindow], None]
_POLL_MILLISECONDS: Final = 40
_ARENA_MAX, _ARENAS = -8, 2  # of glibc's malloc.h
_ASKING_MILLISECONDS: Final = 150


def state_folder() -> Path:
    """Where the program keeps what it needs from one start to the next, besides settings."""
    return platformdirs.user_state_path("splinescope", appauthor=False)


def application() -> QApplication:
    """The process's one application, in the window's style.  Without a display it draws into memory."""
    if not has_display():
        draw_in_memory()
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    _share_arenas()
    if draws_in_memory():
        qInstallMessageHandler(_pass_on)
    made = QApplication(["splinescope"])
    made.setApplicationName("SplineScope")
    settings = Settings()
    dress(made, settings.theme, settings.white_paper)
    sys.excepthook = _tell
    return made


def _share_arenas() -> None:
    """glibc gives every thread an arena of its own, up to eight for each core, and each keeps what once was a picture:
    windows, whose threads come and go, would grow by two hundred megabytes."""
    allocator = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if allocator is not None:
        allocator(_ARENA_MAX, _ARENAS)


def _pass_on(kind: QtMsgType, context: object, message: str) -> None:
    """Qt's own messages, without the one about every window that is drawn into memory."""
    if message != "This plugin does not support propagateSizeHints()":
        print(message, file=sys.stderr)


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What goes wrong in a slot reaches no caller: say so in the window, with the traceback to copy."""
    detail = "".join(traceback.format_exception(kind, error, trace))
    print(detail, file=sys.stderr)
    LOG.error("%s", detail)
    window = next((found for found in QApplication.topLevelWidgets() if isinstance(found, MainWindow)), None)
    if window is not None and window.isVisible():
        message = "Something went wrong in SplineScope itself. Please report it with the detail below."
        window.file_dialogs.show_problem(Problem("That did not work", message, detail))


def run_window(begin: Begin, open_file: OpenFile, interrupted: Callable[[], bool]) -> None:
    """A window, until it is closed or interrupted; begin: opens the first files in it."""
    running = application()
    folder = platformdirs.user_log_path("splinescope", appauthor=False)
    with _log(folder) as problem, closing(MainWindow(open_file=open_file)) as window:
        window.layouts.keep()
        window.show()
        window.keeper.keep_autosaves(state_folder() / "autosave")
        if problem:
            window.notice.tell(problem)
        else:
            window.helper.log_folder = folder
        window.helper.hint_once()
        running.processEvents()  # it is seen before anything else takes time
        window.prepare()
        begin(window)
        window.leaving.asks = True
        _run(running, interrupted)
        window.leaving.asks = False  # an interruption asks nothing


@contextmanager
def _log(folder: Path) -> Iterator[str]:
    """What happens meanwhile is written to a file in a folder; why it is not, "" when it is."""
    problem, log = "", None
    try:
        log = start_log(folder)
        LOG.info("started: %s", version_report().replace("\n", "; "))
    except OSError as error:
        problem = f"No log is written: {folder}: {error.strerror or error}."
    try:
        yield problem
    finally:
        if log is not None:
            stop_log(log)


def photograph(
    begin: Begin, picture: Path, size: tuple[int, int], open_file: OpenFile, interrupted: Callable[[], bool]
) -> str | None:
    """Bring up the window, open files in it with `begin`, wait until all is exact and drawn, and save a picture as PNG.

    Returns why a file could not be opened, None when all went well.  Raises OSError when the picture cannot be
    written.
    """
    running = application()
    with closing(MainWindow(open_file=open_file)) as window:
        window.resize(*size)
        window.keeper.laid_out.connect(lambda _: window.resize(*size))  # whatever size a session had
        window.show()
        refusals: list[str] = []
        window.opener.refused.connect(refusals.append)
        running.processEvents()
        window.prepare()
        begin(window)
        poll = QTimer(window)
        poll.timeout.connect(lambda: running.exit() if window.settled or refusals else None)
        poll.start(_POLL_MILLISECONDS)
        _run(running, interrupted)
        poll.stop()
        complete = window.settled
        image = window.grab().toImage()
    if refusals:
        return refusals[0]
    if not complete:
        raise KeyboardInterrupt
    write_png(image, picture)
    return None


def show_module(module_or_checkpoint: nn.Module | Checkpoint, domain: ArrayLike | None) -> None:
    module, box = module_and_domain(module_or_checkpoint, domain)
    opened = open_module(module, box, type(module).__name__)
    load_triton()
    running = application()
    with closing(MainWindow()) as window:  # whatever happens: its threads would keep the process
        window.opener.show_network(opened)
        window.show()
        received: list[int] = []
        signal.signal(signal.SIGINT, lambda number, _: received.append(number))
        _run(running, lambda: bool(received))


def _run(running: QApplication, interrupted: Callable[[], bool]) -> None:
    """Until the last window is closed, or interrupted.

    That is asked now and then, which also lets Python see signals; an exception in the midst of Qt would reach nobody.
    """
    asking = QTimer(running)
    asking.timeout.connect(lambda: running.exit() if interrupted() else None)
    asking.start(_ASKING_MILLISECONDS)
    running.exec()
    asking.stop()
