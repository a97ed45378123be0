"""splinescope compare without outputs: the window with the checkpoints beside each other."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands.errors import CommandError
from app.commands.loading import any_choice
from app.commands.open import add_picture_options, found_checkpoint, show_window
from app.state.comparison import MOST_COLUMNS, Between

if TYPE_CHECKING:
    from app.state.session import Session
    from app.window.main_window import MainWindow
    from engine import SlicePlane
    from sdf_models import Reading


def add_window_options(parser: Any) -> None:
    add_picture_options(parser)
    parser.add_argument(
        "--between",
        choices=[between.value for between in Between],
        help=f"what the window draws between checkpoints (default: {Between.SIDE.value})",
    )


def in_window(arguments: argparse.Namespace) -> bool:
    """Return whether no output is named.  Raises CommandError where the window lacks what is asked for."""
    outputs = bool(arguments.out) or arguments.json or arguments.table
    if outputs or arguments.surface or arguments.reference is not None:
        if arguments.screenshot is not None or arguments.between is not None:
            raise CommandError("--screenshot and --between are of the window, which opens without other outputs")
        return False
    for given, name in ((arguments.align, "--align"), (arguments.level != 0.0, "--level")):
        if given:
            raise CommandError(
                f"{name} is of tables and figures; give --table, --json or --out, or set it in the window"
            )
    return True


def compare_in_window(arguments: argparse.Namespace, planes: Sequence[SlicePlane], readings: Sequence[Reading]) -> None:
    """Open the window on checkpoints, compare them, and show the planes as slices."""
    files = [found_checkpoint(path) for path in arguments.files]
    if len({path.resolve() for path in files}) < len(files):
        raise CommandError(
            "the window has each file once in its list; give different ones, or --table, --json or --out"
        )
    if not 2 <= len(files) <= MOST_COLUMNS:
        raise CommandError(f"the window compares two to {MOST_COLUMNS} checkpoints; give --table, --json or --out")
    between = Between(arguments.between or Between.SIDE.value)
    chosen = any_choice(arguments) or bool(arguments.own)

    def begin(window: MainWindow) -> None:
        from app.state.actions import Restore

        paths = {Path(path).absolute() for path in files}

        def compare() -> None:
            session = window.store.session
            if paths <= {opened.path for opened in session.networks}:
                window.opener.opened.disconnect(compare)
                window.store.do(Restore(compared(session, planes, between), "Compare checkpoints"))

        window.opener.opened.connect(compare)
        for path, reading in zip(files, readings, strict=True):
            window.opener.open_path(path, reading if chosen else None)

    show_window(files, arguments, begin)


def compared(session: Session, planes: Sequence[SlicePlane], between: Between) -> Session:
    """Return a session with a comparison of its networks, and with these slices, its own where there are none."""
    from app.state.actions import AddSlice, Compare, RemoveSlice, applied
    from app.state.columns import compared_at_first

    if planes:
        for part in session.slices:
            session = applied(session, RemoveSlice(part.key))
        for plane in planes:
            axis, across, _ = plane.describe().partition(" = ")
            session = applied(session, AddSlice(plane, axis if across else None))
    return applied(session, Compare(compared_at_first(session, between)))
