"""The command line: its parser, and the one place where an error becomes a line.

A module of `app.commands` has two functions: `add_parser(commands)` declares the command and names its `run(arguments)`
as the default `run`.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from app import __version__
from app.commands import info, open, render, slice, surface, train
from app.commands.errors import CommandError
from app.commands.interrupt import Terminated, termination_raises

_COMMANDS = {"open": open, "info": info, "slice": slice, "surface": surface, "render": render, "train": train}
_OPEN_OPTIONS = ("--screenshot", "--size")
_FAILED = 2
_INTERRUPTED = 130
_TERMINATED = 143


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns the exit code: 0, 2 after an error told in one line on stderr, 130 after Ctrl-C, 143 after SIGTERM."""
    try:
        with termination_raises():
            parsed = _parser().parse_args(_with_command(sys.argv[1:] if arguments is None else list(arguments)))
            parsed.run(parsed)
        if sys.stdout is not None:
            sys.stdout.flush()
    except CommandError as error:
        print(f"splinescope: {_one_line(str(error))}", file=sys.stderr)
        if error.recipe:
            print(textwrap.indent(error.recipe.rstrip(), "    "), file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt as interrupt:
        print(f"splinescope: {_one_line(str(interrupt)) or 'interrupted'}", file=sys.stderr)
        return _TERMINATED if isinstance(interrupt, Terminated) else _INTERRUPTED
    except BrokenPipeError:  # the reader of our output has left: no one to tell, and nothing more to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except OSError as error:
        print(f"splinescope: standard output: {error.strerror or error}; nothing could be printed", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    return 0


class _Parser(argparse.ArgumentParser):
    """Errors in one line, as everywhere else in the program; options only by their whole names."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        if message.endswith("expected one argument") and (option := re.search(r"--[a-z-]+", message)):
            message += f" (a value that starts with a minus needs the form {option[0]}=-1,0,0)"
        raise CommandError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="splinescope",
        description="Draws the exact partition into linear regions of slices of neural signed distance fields.",
    )
    parser.add_argument("--version", action="version", version=f"splinescope {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS.values():
        command.add_parser(commands)
    return parser


def _with_command(arguments: list[str]) -> list[str]:
    """`splinescope FILES...` is `splinescope open FILES...`; so is `splinescope` alone."""
    first = arguments[0] if arguments else ""
    named = first in _COMMANDS or (first.startswith("-") and first not in _OPEN_OPTIONS)
    return arguments if named else ["open", *arguments]


def _one_line(message: str) -> str:
    return " ".join(message.split())
