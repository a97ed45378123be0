"""splinescope sweep: many planes through many checkpoints, as one table.

Each pair of a checkpoint and a plane is a task of its own with a file of its own beside the table. A sweep that was
interrupted goes on where it stopped when the same command is given again; jobs of an array share a folder by --part.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app import __version__
from app.commands.errors import CommandError
from app.commands.kernels import prepare_kernels
from app.commands.loading import add_reading_options, reading_of
from app.commands.options import add_command, add_level_option, numbers
from app.commands.outputs import check_outputs, could_not_write
from app.commands.planes import add_plane_options, poses_of
from app.demos import DEMOS, demo_checkpoint, suggestion
from app.state.texts.numbers import counted
from app.sweep.results import read_result, results_folder, write_result, write_table
from app.sweep.task import Row, Task, TaskError, content_of

if TYPE_CHECKING:
    from app.sweep.local import Outcome

_EPILOG = """\
planes.txt holds one plane on a line, as z=0.25 or as the window copies poses; what follows a # is a comment.
A task that fails has its reason in the column `error`, and is tried again by the next run.
"""


def add_parser(commands: Any) -> None:
    parser = add_command(
        commands, "sweep", run, "measure many slices of many checkpoints, as one table", __doc__, _EPILOG
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="checkpoints, or names of demos")
    planes = parser.add_argument_group("planes")
    planes.add_argument("--planes", type=Path, metavar="FILE", help="a text file with a plane on each line")
    add_plane_options(planes)
    parser.add_argument(
        "--bounds", type=numbers, metavar="LO,HI", help="the box, as for slice (default: each checkpoint's domain)"
    )
    add_level_option(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the table (.csv)")
    parser.add_argument("--workers", type=_count, metavar="N", help="processes here (default: one for each core)")
    parser.add_argument("--part", type=_part, metavar="K/N", help="do every N-th task only, from the K-th, from 1")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="run on the cluster of a Dask scheduler, as tcp://node:8786"
    )
    add_reading_options(parser, without=("bounds",))


def run(arguments: argparse.Namespace) -> None:
    table: Path = arguments.out
    check_outputs([table], (".csv",))
    if arguments.scheduler is not None and arguments.workers is not None:
        raise CommandError("--workers is for processes here, and a --scheduler has its own; leave one out")
    tasks = _tasks(arguments)
    folder = results_folder(table)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise could_not_write(error, [folder]) from error
    rows = {task: row for task in tasks if (row := read_result(folder, task)) is not None}
    first, step = arguments.part or (1, 1)
    mine = [task for task in tasks[first - 1 :: step] if task not in rows]
    before = len(rows)
    if mine:
        rows.update(_done(mine, folder, arguments))
    _report(tasks, rows, before, table, whole=arguments.part is None)


def _report(tasks: list[Task], rows: dict[Task, Row], before: int, table: Path, whole: bool) -> None:
    """Write the table once there is a row for each task, and say so, or what is missing."""
    folder = results_folder(table)
    others = [task for task in tasks if task not in rows]
    rows |= {task: row for task in others if (row := read_result(folder, task)) is not None}  # done meanwhile
    failed = [row for row in rows.values() if "error" in row]
    missing = len(tasks) - len(rows)
    if missing and not whole:
        print(f"{len(rows):,} of {counted(len(tasks), 'task')} done; the run that finds all of them writes {table}")
    else:
        try:
            write_table(table, tasks, [rows[task] for task in tasks])
        except OSError as error:
            raise could_not_write(error, [table]) from error
        again = f", {before:,} of them before" if before else ""
        print(f"{counted(len(tasks), 'task')}{again}\nwrote {table}; the tasks' own files are in {folder}")
    if failed:
        raise CommandError(
            f"{counted(len(failed), 'task')} of {len(tasks):,} failed, the first one: {failed[0]['error']} (the column "
            f"`error` of {table} has them all; run again to try those once more)"
        )


def _tasks(arguments: argparse.Namespace) -> list[Task]:
    """All pairs, those of a checkpoint one after the other."""
    poses = [str(pose) for pose in poses_of(arguments)]
    if arguments.planes is not None:
        poses += _read_planes(arguments.planes)
    if not poses:
        raise CommandError("no plane to slice along; give --planes planes.txt, or --plane z=0")
    reading = json.dumps(reading_of(arguments).to_json(), sort_keys=True)
    bounds = _bounds(arguments.bounds)
    tasks = []
    for name in arguments.files:
        file = Path(name) if os.path.lexists(name) else demo_checkpoint(name)
        try:
            content = "" if file is None else content_of(file)
        except OSError as error:
            raise CommandError(f"{name}: {error.strerror or error}; choose a file that can be read") from error
        if file is None:
            raise CommandError(f"{name}: there is no such file{suggestion(name, list(DEMOS))}")
        path = str(file.absolute())
        tasks += [Task(name, path, content, reading, pose, arguments.level, __version__, bounds) for pose in poses]
    if len(set(tasks)) < len(tasks):
        twice = next(task for n, task in enumerate(tasks) if task in tasks[:n])
        raise CommandError(f"{twice.name} with {twice.plane} is given twice; give every pair once")
    return tasks


def _read_planes(path: Path) -> list[str]:
    """The planes of a text file, as `Pose` writes them."""
    from app.state.geometry.poses import Pose, PoseError

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "this is not text in UTF-8"
        raise CommandError(f"{path}: {reason}; give a text file with a plane on each line") from error
    poses = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            poses.append(str(Pose.parse(text)))
        except PoseError as error:
            raise CommandError(f"{path}, line {number}: {error}") from error
    return poses


def _bounds(given: Any) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    if given is None:
        return None
    low, high = (given[:1].repeat(3), given[1:].repeat(3)) if len(given) == 2 else (given[:3], given[3:])
    if len(given) not in (2, 6) or not np.all(low < high):
        raise CommandError("--bounds takes a range for all axes, -1,1, or two corners, -1,-1,-1,1,1,1")
    return tuple(low.tolist()), tuple(high.tolist())


def _done(tasks: Sequence[Task], folder: Path, arguments: argparse.Namespace) -> Iterator[tuple[Task, Row]]:
    """Run tasks, keep the result of each in its file, and yield them."""
    from tqdm import tqdm

    with closing(_outcomes(tasks, arguments)) as outcomes:
        for task, found in tqdm(
            outcomes, total=len(tasks), unit=" tasks", leave=False, disable=not sys.stderr.isatty()
        ):
            if isinstance(found, TaskError):
                yield task, {"plane": task.plane, "level": task.level, "error": f"{task.name}: {found}"}
                continue
            try:
                write_result(folder, task, found)
            except OSError as error:
                raise could_not_write(error, [folder]) from error
            yield task, found


def _outcomes(tasks: Sequence[Task], arguments: argparse.Namespace) -> Generator[Outcome]:
    if arguments.scheduler is None:
        from app.sweep.local import run_here

        prepare_kernels()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = arguments.workers or min(cores, len(tasks))
        yield from run_here(tasks, workers, max(1, cores // workers))
        return
    from app.sweep.cluster import run_on_cluster

    try:
        yield from run_on_cluster(tasks, arguments.scheduler)
    except ImportError as error:
        raise CommandError("--scheduler needs the package distributed; install splinescope[cluster]") from error
    except (OSError, ValueError) as error:
        raise CommandError(
            f"--scheduler {arguments.scheduler}: {error}; give the address of a Dask scheduler"
        ) from error
    except TaskError as error:
        raise CommandError(f"--scheduler {arguments.scheduler}: {error}") from error


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1024")
    return int(text)


def _part(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is no part; write 1/8 to 8/8 for eight jobs")
    return int(match[1]), int(match[2])
