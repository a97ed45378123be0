"""splinescope open: the window on checkpoints; or a picture of it."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands.errors import CommandError
from app.commands.interrupt import cancelled_by_interrupt
from app.commands.loading import add_reading_options, any_choice, reading_of
from app.commands.options import add_command
from app.commands.outputs import check_outputs, could_not_write
from app.demos import DEMOS, demo_checkpoint, suggestion
from app.display import draw_in_memory, window_problem
from app.imports import many_imports
from app.jobs.opening_process import OpeningProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.application import Begin
    from app.jobs.opening import OpenFile

_SMALLEST, _LARGEST = (1000, 640), 8192
_DEMO = "spot"


def add_parser(commands: Any) -> None:
    parser = add_command(commands, "open", run, "open the window; the command may be left out", __doc__)
    parser.add_argument(
        "files",
        type=Path,
        nargs="*",
        metavar="FILE",
        help="checkpoints, names of demos, a session saved by the window, or a folder with the steps of a training",
    )
    add_picture_options(parser)
    add_reading_options(parser)


def add_picture_options(parser: Any) -> None:
    """Declare a picture in the place of the window."""
    parser.add_argument(
        "--screenshot",
        type=Path,
        metavar="PNG",
        help="save a picture of the whole window once everything in it is exact and drawn, and end; needs no display",
    )
    parser.add_argument(
        "--size", type=_size, default=(1600, 1000), metavar="1600x1000", help="of the picture (default: 1600x1000)"
    )


def run(arguments: argparse.Namespace) -> None:
    files = [found_checkpoint(path) for path in arguments.files or [Path(_DEMO)]]
    reading = reading_of(arguments) if any_choice(arguments) else None  # without any, those remembered
    show_window(files, arguments, lambda window: window.opener.open_paths(files, reading))


def show_window(files: Sequence[Path], arguments: argparse.Namespace, begin: Begin) -> None:
    """Bring up the window, or make the picture of it that the arguments say; files: that the picture must not be."""
    picture: Path | None = arguments.screenshot
    if picture is not None:
        for file in files:
            check_outputs([picture], (".png",), source=file)
    files_process = OpeningProcess()
    try:
        files_process.start()  # its imports take as long as those of the window
        _show(files_process.open_file, picture, arguments.size, begin)
    finally:
        files_process.close()


def _show(open_file: OpenFile, picture: Path | None, size: tuple[int, int], begin: Begin) -> None:
    """An interruption is heard between the imports and in the window, not in the midst of an import."""
    try:
        with cancelled_by_interrupt() as interrupted:
            _check_display(seen=picture is None)
            with many_imports():
                from app.application import photograph, run_window
            if picture is None:
                run_window(begin, open_file, interrupted)
                return
            refusal = photograph(begin, picture, size, open_file, interrupted)
    except ImportError as error:
        raise CommandError(f"the window cannot be opened: {error}; install what is missing") from error
    except OSError as error:
        if picture is None:
            raise
        raise could_not_write(error, [picture]) from error
    if refusal is not None:
        raise CommandError(refusal)
    print(f"wrote {picture}")


def _check_display(seen: bool) -> None:
    """Raise CommandError where Qt would end the process.  A window that need not be seen is drawn in memory instead."""
    problem = window_problem()
    if problem is not None and seen:
        raise CommandError(f"{problem}; use --screenshot FILE.png for a picture of the window, or splinescope slice")
    if problem is not None:
        draw_in_memory()
        problem = window_problem()
    if problem is not None:
        raise CommandError(problem)


def found_checkpoint(path: Path) -> Path:
    """Return a file, or that of the demo of this name.  Raises CommandError."""
    found = path if path.exists() else demo_checkpoint(str(path))
    if found is None:
        meant = suggestion(str(path), list(DEMOS)) or "; see splinescope --help"
        raise CommandError(f"{path}: no such file, and no demo or command has this name{meant}")
    return found


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    sides = [int(side) for side in match.groups()] if match is not None else [0, 0]
    if not all(low <= side <= _LARGEST for low, side in zip(_SMALLEST, sides, strict=True)):
        low = "x".join(map(str, _SMALLEST))
        raise argparse.ArgumentTypeError(f"{text!r} is not a size from {low} to {_LARGEST}x{_LARGEST}")
    return sides[0], sides[1]
