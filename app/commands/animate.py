"""splinescope animate: a figure that moves: a plane that travels, a camera that turns, or both.

Everything but --travel, --turn, --count and --seconds is said as for splinescope figure.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.commands.errors import CommandError
from app.commands.figure import add_figure_options, open_figure
from app.commands.interrupt import cancelled_by_interrupt
from app.commands.options import add_command, add_outputs_option, positive
from app.commands.outputs import check_outputs, could_not_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

    from app.comparison.subjects import Subject
    from app.figures.spec import FigureSpec

_MOVIES: Final = (".webp", ".gif")
_VIDEO: Final = (".mp4", ".mov", ".mkv", ".avi", ".webm")
_MOST: Final = 2000
_DPI: Final = 110.0
_EPILOG: Final = """\
A plane travels from one end of the box to the other and back, a camera turns once around: the end is the beginning.
There is no .mp4, as the codec libraries at hand contain GPL code; a program of yours can make one of the pictures of
--frames: ffmpeg -i FOLDER/%04d.png movie.mp4
"""


def add_parser(commands: Any) -> None:
    parser = add_command(commands, "animate", run, "make a moving picture of a figure", __doc__, _EPILOG)
    add_figure_options(parser)
    movement = parser.add_argument_group("the movement")
    movement.add_argument("--travel", action="store_true", help="the first plane goes through the box and back")
    movement.add_argument("--turn", action="store_true", help="the camera goes once around the surface")
    movement.add_argument("--count", type=int, default=48, metavar="N", help="pictures (default: 48)")
    movement.add_argument("--seconds", type=positive, default=6.0, help="that it takes (default: 6)")
    add_outputs_option(parser, "movie (.webp, .gif)")
    parser.add_argument("--frames", type=Path, metavar="FOLDER", help="each picture as a file: 0001.png, ...")


def run(arguments: argparse.Namespace) -> None:
    from app.figures.motion import moments_of
    from app.figures.spec import SpecError

    outputs: list[Path] = arguments.out
    video = next((path for path in outputs if path.suffix.lower() in _VIDEO), None)
    if video is not None:
        raise CommandError(f"{video}: no codec for it comes without GPL code; use .webp or .gif, or --frames")
    check_outputs(outputs, _MOVIES)
    if not 2 <= arguments.count <= _MOST:
        raise CommandError(f"--count {arguments.count}: give 2 to {_MOST} pictures")
    if not outputs and arguments.frames is None:
        raise CommandError("nothing would be written; give --out movie.webp, or --frames and a folder")
    pictures = _pictures(arguments.frames, arguments.count)
    arguments.dpi = arguments.dpi or _DPI
    try:
        found = open_figure(arguments)
        moments = moments_of(
            found.spec, found.subjects[0].domain, arguments.count, arguments.travel, arguments.turn
        )  # fmt: skip
        frames = _frames(moments, found.subjects)
    except SpecError as error:
        raise CommandError(str(error)) from error
    _write(frames, outputs, pictures, arguments)
    written = [*outputs, *([arguments.frames] if pictures else [])]
    width, height = frames[0].size
    print("\n".join([f"{len(frames)} pictures, {width} x {height} pixels", *(f"wrote {path}" for path in written)]))


def _pictures(folder: Path | None, count: int) -> list[Path]:
    """Return the files that the pictures become; their folder is made once they are drawn."""
    if folder is None:
        return []
    paths = [folder / f"{number:04d}.png" for number in range(1, count + 1)]
    if folder.is_dir():
        check_outputs(paths, (".png",))
    elif not folder.parent.is_dir() or folder.exists():
        raise CommandError(f"--frames {folder}: no folder can be made there; choose another name")
    return paths


def _frames(moments: Sequence[FigureSpec], subjects: Sequence[Subject]) -> list[Image]:
    """Draw each moment; what stays the same is computed once."""
    from tqdm import tqdm

    from app.figures.animation import frame_of
    from app.figures.cutting import ingredients
    from app.figures.making import Drawer
    from engine import Cancelled, EngineError

    frames: list[Image] = []
    solids: dict[int, Any] = {}
    hidden = not sys.stderr.isatty()
    try:
        with cancelled_by_interrupt() as cancel, Drawer() as drawer:
            for spec in tqdm(moments, "animate", unit=" pictures", leave=False, disable=hidden):
                if cancel():
                    raise KeyboardInterrupt
                found = ingredients(spec, subjects, solids=solids, cancelled=cancel)
                solids.update(found.solids)
                frames.append(frame_of(drawer.draw(spec, found).figure, spec.dpi))
    except Cancelled as error:
        raise KeyboardInterrupt from error
    except EngineError as error:
        raise CommandError(f"{subjects[0].name}: {error}") from error
    return frames


def _write(frames: list[Image], outputs: list[Path], pictures: list[Path], arguments: argparse.Namespace) -> None:
    from app.figures.animation import write_animation
    from app.files import written_together

    try:
        if pictures:
            pictures[0].parent.mkdir(exist_ok=True)
        with written_together([*outputs, *pictures]) as temporaries:
            for path, temporary in zip(outputs, temporaries, strict=False):
                write_animation(frames, temporary, path.suffix.lower()[1:], arguments.seconds / len(frames))
            for frame, temporary in zip(frames, temporaries[len(outputs) :], strict=False):
                frame.save(temporary, format="png")
    except OSError as error:
        raise could_not_write(error, [*outputs, *pictures[:1]]) from error
