"""splinescope again: a file made anew by the record that it carries.

The command in the record is read like one that is typed: nothing in the file is run, and nothing is written but FILE,
or --out. A file that comes out the same to the byte is left as it is; else what differs is named.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import shlex
from collections.abc import Mapping
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from app.commands.errors import CommandError
from app.commands.options import add_command
from app.commands.outputs import check_outputs, could_not_write
from app.demos import demo_checkpoint
from app.provenance.carriers import read_carried
from app.provenance.record import Provenance, ProvenanceError, differences

_COMMANDS: Final = ("slice", "figure", "compare", "surface", "render", "stats")
_OUTPUTS: Final = ("--out", "--regions", "--creases")

Parsers = Mapping[str, argparse.ArgumentParser]


def add_parser(commands: Any) -> None:
    parser = add_command(
        commands, "again", partial(run, commands.choices), "make a file anew by the record that it carries", __doc__
    )
    parser.add_argument("made", type=Path, metavar="FILE", help="a figure, data or mesh that this program wrote")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there, and leave FILE as it is")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 2 when something differs")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="where the checkpoint is now")
    parser.add_argument(
        "--module",
        metavar="MODULE:FUNCTION",
        help="RUNS YOUR CODE: allow the function that the record names, which must be this one",
    )


def run(parsers: Parsers, arguments: argparse.Namespace) -> None:
    made: Path = arguments.made
    if arguments.check and arguments.out is not None:
        raise CommandError("--check writes nothing; leave --out out")
    recorded = _record(made)
    target: Path = arguments.out or made
    suffix = made.suffix.lower()
    if arguments.out is not None and target.suffix.lower() != suffix:
        raise CommandError(f"--out {target}: the file is made anew in its own format; end the name with {suffix}")
    command = _parsed(parsers, recorded, arguments)
    command.located = _located(recorded, arguments)
    if not arguments.check:
        check_outputs([target], (suffix,), source=command.located)
    final = Path(os.path.realpath(target))
    try:
        # beside the target, so that it takes its place in one step
        with TemporaryDirectory(prefix=".again-", dir=None if arguments.check else final.parent) as folder:
            anew = Path(folder) / f"anew{suffix}"
            _name_output(command, recorded, anew)
            with redirect_stdout(io.StringIO()):
                command.run(command)
            same = _same(made, anew)
            lines = [] if same else differences(recorded, _record(anew))
            if not arguments.check and not (same and final.exists() and os.path.samefile(made, final)):
                if final.exists():
                    anew.chmod(final.stat().st_mode & 0o777)
                os.replace(anew, final)
    except OSError as error:
        raise could_not_write(error, [target]) from error
    _tell(arguments, target, same, lines)


def _tell(arguments: argparse.Namespace, target: Path, same: bool, lines: list[str]) -> None:
    from sdf_models.formats.format import printable

    made: Path = arguments.made
    if same:
        print(f"{made}: the same to the byte" + (f"\nwrote {target}" if target != made else ""))
        return
    lines = [printable(line) for line in lines] or [
        "the record is the same, and the content is not: the file was changed, or the libraries were"
    ]
    if arguments.check:
        raise CommandError(f"{made}: differs; {'; '.join(lines)}")
    print("\n".join([f"{made}: differs", *(f"  {line}" for line in lines), f"wrote {target}"]))


def _record(path: Path) -> Provenance:
    try:
        if path.suffix.lower() == ".stl":
            raise ProvenanceError(
                "STL has no room for a record; its header begins the SHA-256 of the checkpoint; write .ply besides"
            )
        return Provenance.from_text(read_carried(path))
    except ProvenanceError as error:
        raise CommandError(f"{path}: {error}") from error
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}; choose a file that can be read") from error


def _name_output(command: argparse.Namespace, recorded: Provenance, path: Path) -> None:
    """Let a command write its one output to a path; an option that can be repeated has a list."""
    name = recorded.words()[-2].removeprefix("--")
    setattr(command, name, [path] if isinstance(getattr(command, name), list) else path)


def _parsed(parsers: Parsers, recorded: Provenance, arguments: argparse.Namespace) -> argparse.Namespace:
    """Return the arguments of the recorded command, checked as typed ones are.  Raises CommandError."""
    from sdf_models.formats.format import printable

    made = arguments.made
    damaged = f"{made}: the command in its record is none that makes such a file; make it anew by hand"
    try:
        *words, option, name = recorded.words()
    except ProvenanceError as error:
        raise CommandError(f"{made}: {error}") from error
    if words[0] not in _COMMANDS or option not in _OUTPUTS or Path(name).suffix != made.suffix.lower():
        raise CommandError(damaged)
    try:
        with redirect_stdout(io.StringIO()):
            command: argparse.Namespace = parsers[words[0]].parse_args([option, name, *words[1:]])
    except SystemExit as error:  # of options that print something and leave
        raise CommandError(damaged) from error
    command.words = words
    given = [value for key in _OUTPUTS for value in _values(getattr(command, key.removeprefix("--"), None))]
    if given != [Path(name)]:
        raise CommandError(damaged)
    if command.module != arguments.module:
        if command.module is None:
            raise CommandError(f"--module: {made} was made without one; leave it out")
        module = shlex.quote(printable(command.module))
        raise CommandError(f"{made}: it was made by running code of yours; allow that with --module {module}")
    return command


def _values(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, Path) else []


def _located(recorded: Provenance, arguments: argparse.Namespace) -> Path | None:
    """Return where the checkpoint is: of the places where it may be one with the same content, or else the first.

    None when the record names no file.  Raises CommandError when there is none.
    """
    from sdf_models.formats.format import printable

    if not recorded.sha256:
        return None
    name = Path(recorded.checkpoint)
    if arguments.checkpoint is not None:
        places: list[Path] = [arguments.checkpoint]
    else:
        places = list(dict.fromkeys([name, arguments.made.parent / name, arguments.made.parent / name.name]))
        demo = demo_checkpoint(recorded.checkpoint)
        places += [] if demo is None else [demo]
    there = [place for place in places if os.path.isfile(place)]
    if not there:
        looked = printable(", ".join(str(place) for place in places))
        raise CommandError(
            f"{arguments.made}: its checkpoint is at none of {looked}; say where it is with --checkpoint FILE"
        )
    return next((place for place in there if _sha256(place) == recorded.sha256), there[0])


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}; choose a file that can be read") from error


def _same(first: Path, second: Path) -> bool:
    return first.stat().st_size == second.stat().st_size and _sha256(first) == _sha256(second)
