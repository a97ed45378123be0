"""splinescope timeline: the checkpoints of a training one after the other, as curves, a table and a moving picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.commands.compare import FIGURES, open_subjects
from app.commands.errors import CommandError
from app.commands.interrupt import cancelled_by_interrupt
from app.commands.kernels import prepare_kernels
from app.commands.loading import add_reading_options, reading_of
from app.commands.options import (
    add_command,
    add_level_option,
    add_outputs_option,
    add_palette_option,
    numbers,
    positive,
)
from app.commands.outputs import check_outputs, could_not_write, written_one_by_one
from app.commands.planes import add_plane_options, planes_of
from app.state.palette import Palette
from app.state.texts.numbers import counted

if TYPE_CHECKING:
    from PIL.Image import Image

    from app.comparison.subjects import Subject
    from app.comparison.timeline import Moment

_MOVIES: Final = (".webp", ".gif")
_EXTENSIONS: Final = (*FIGURES, ".csv", *_MOVIES)
_VIDEO: Final = (".mp4", ".mov", ".mkv", ".avi", ".webm")
_DPI: Final = 150.0
_EPILOG: Final = """\
Checkpoints follow each other by the steps that safetensors files tell, else by their names, numbers in these by value:
step-900 before step-1000. What cannot be read is a gap in the curves, told with its reason. There is no .mp4, as the
codec libraries at hand contain GPL code; a program of yours can make one of the pictures of --frames:
  ffmpeg -i FOLDER/%04d.png movie.mp4
"""


def add_parser(commands: Any) -> None:
    parser = add_command(commands, "timeline", run, "follow a training through its checkpoints", __doc__, _EPILOG)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with a checkpoint in each file")
    add_plane_options(parser.add_argument_group("planes, a curve and a panel each"))
    add_level_option(parser)
    parser.add_argument(
        "--bounds", type=numbers, metavar="LO,HI", help="the box, as for slice (default: the first one's domain)"
    )
    add_outputs_option(parser, "curves (.svg, .pdf, .png), table (.csv), movie (.webp, .gif)")
    parser.add_argument("--frames", type=Path, metavar="FOLDER", help="a picture of each checkpoint: 0001.png, ...")
    parser.add_argument(
        "--frame-seconds", type=positive, default=0.5, metavar="S", help="each picture of a movie (default: 0.5)"
    )
    add_palette_option(parser.add_argument)
    add_reading_options(parser, without=("bounds",))


def run(arguments: argparse.Namespace) -> None:
    outputs: list[Path] = arguments.out
    video = next((path for path in outputs if path.suffix.lower() in _VIDEO), None)
    if video is not None:
        raise CommandError(f"{video}: no codec for it comes without GPL code; use .webp or .gif, or --frames")
    check_outputs(outputs, _EXTENSIONS)
    planes = planes_of(arguments)
    if not planes:
        raise CommandError("no plane to slice along; give --plane z=0, or --origin and --normal")
    paths = _checkpoints_in(arguments.folder)
    pictures = _pictures(arguments.frames, len(paths))
    reading = reading_of(arguments)

    def open_one(path: Path) -> Subject:
        return open_subjects([path], [reading], arguments.level)[0]

    from tqdm import tqdm

    from app.comparison.timeline import moments
    from engine import Cancelled

    found: list[Moment] = []
    frames: list[Image] = []
    shown = bool(pictures) or any(path.suffix.lower() in _MOVIES for path in outputs)
    hidden = not sys.stderr.isatty()
    prepare_kernels()
    with cancelled_by_interrupt() as cancel:
        try:
            following = moments(paths, open_one, planes, CommandError, cancel)
            for moment in tqdm(following, "timeline", len(paths), unit=" checkpoints", leave=False, disable=hidden):
                found.append(replace(moment, slices=()))  # large, and drawn
                if moment.gap:
                    tqdm.write(f"splinescope: left out: {moment.gap}", file=sys.stderr)
                elif shown:
                    frames.append(_frame(moment, Palette(arguments.palette)))
        except Cancelled as error:
            raise KeyboardInterrupt from error
    if all(moment.gap for moment in found):
        raise CommandError(f"{arguments.folder}: no checkpoint in it could be read; the reasons are above")
    _write(found, frames, outputs, pictures[: len(frames)], arguments)
    written = [*outputs, *([arguments.frames] if pictures else [])]
    print("\n".join([*_lines(found), *(f"wrote {path}" for path in written)]))


def _checkpoints_in(folder: Path) -> list[Path]:
    """Return the files of a folder in the order of their names, but for hidden ones and side files of readings."""
    from app.comparison.timeline import checkpoints_in

    try:
        paths = checkpoints_in(folder)
    except OSError as error:
        raise CommandError(f"{folder}: {error.strerror or error}; give a folder with checkpoints") from error
    if not paths:
        raise CommandError(f"{folder}: there is no file in it; give a folder with checkpoints")
    return paths


def _pictures(folder: Path | None, count: int) -> list[Path]:
    """Return the files of a folder, made if it is missing, that the pictures become."""
    if folder is None:
        return []
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise CommandError(f"{folder}: {error.strerror or error}; choose another folder") from error
    paths = [folder / f"{number:04d}.png" for number in range(1, count + 1)]
    check_outputs(paths, (".png",))
    return paths


def _frame(moment: Moment, palette: Palette) -> Image:
    from app.figures.animation import frame_of
    from app.figures.slice_files import draw_slices

    return frame_of(draw_slices(moment.slices, palette), _DPI)


def _write(
    found: Sequence[Moment], frames: Sequence[Image], outputs: list[Path], pictures: list[Path],
    arguments: argparse.Namespace,
) -> None:  # fmt: skip
    from app.comparison.table import write_csv
    from app.export.curves import draw_curves
    from app.figures.animation import write_animation
    from app.figures.writing import write_figure
    from app.files import written_together

    places = list(dict.fromkeys(row.place for moment in found for row in moment.rows))
    figure = None
    try:
        with written_together([*outputs, *pictures]) as temporaries:
            for path, temporary in written_one_by_one(outputs, temporaries):
                kind = path.suffix.lower()
                if kind == ".csv":
                    write_csv([row for moment in found for row in moment.rows], temporary)
                elif kind in _MOVIES:
                    write_animation(frames, temporary, kind[1:], arguments.frame_seconds)
                else:
                    figure = figure or draw_curves(found, places, arguments.folder.resolve().name)
                    write_figure(figure, temporary, kind[1:])
            for frame, temporary in zip(frames, temporaries[len(outputs) :], strict=False):
                frame.save(temporary, format="png")
    except OSError as error:
        raise could_not_write(error, [*outputs, *pictures]) from error


def _lines(found: Sequence[Moment]) -> list[str]:
    """Return a line for each checkpoint and place."""
    lines = []
    for moment in found:
        for row in moment.rows:
            values = row.values
            change = f", rms change {values['rms']:.4g}" if "rms" in values else ""
            regions = counted(values["regions"], "region")
            lines.append(f"{moment.name}, {row.place}: {regions}, level set {values['level_length']:.4g} long{change}")
        if moment.gap:
            lines.append(f"{moment.name}: left out")
    return lines
