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
from app.commands import (
    again,
    animate,
    compare,
    completion,
    demos,
    figure,
    info,
    open,
    render,
    slice,
    stats,
    surface,
    sweep,
    timeline,
    train,
)  # fmt: skip
from app.commands.errors import CommandError
from app.commands.interrupt import Terminated, termination_raises
from app.demos import DEMOS, suggestion

_COMMANDS = {
    "open": open,
    "info": info,
    "slice": slice,
    "figure": figure,
    "animate": animate,
    "surface": surface,
    "render": render,
    "stats": stats,
    "compare": compare,
    "timeline": timeline,
    "again": again,
    "sweep": sweep,
    "train": train,
    "demos": demos,
    "completion": completion,
}
_OPEN_OPTIONS = ("--screenshot", "--size")
_EPILOG = """\
`splinescope FILE...` is `splinescope open FILE...`.
exit codes: 0 done, 2 an error, told in one line, 130 interrupted (Ctrl-C), 143 terminated
"""
_FAILED = 2
_INTERRUPTED = 130
_TERMINATED = 143


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns the exit code: 0, 2 after an error told in one line on stderr, 130 after Ctrl-C, 143 after SIGTERM."""
    try:
        with termination_raises():
            parser = _parser()
            if "_ARGCOMPLETE" in os.environ:
                _complete(parser)
            words = _with_command(sys.argv[1:] if arguments is None else list(arguments))
            parsed = parser.parse_args(words)
            parsed.words = words  # files that are written say how they were made
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

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as a subparser does, but name here what is unknown: later only the main parser's options are known."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            option = next((text for text in unknown if text.startswith("-")), unknown[0]).partition("=")[0]
            known = [name for name in self._option_string_actions if name.startswith("--")]
            self.error(f"unknown option or argument {option}{suggestion(option, known)}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        if message.endswith("expected one argument") and (option := re.search(r"--[a-z-]+", message)):
            message += f" (a value that starts with a minus needs the form {option[0]}=-1,0,0)"
        raise CommandError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="splinescope",
        description="Draws the exact partition into linear regions of slices of neural signed distance fields.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"splinescope {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS.values():
        command.add_parser(commands)
    return parser


def _complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell, which asks in the environment what may follow, and end the process."""
    import argcomplete

    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for command in commands.choices.values():
        for action in command._actions:
            if action.metavar == "FILE" and not action.option_strings:
                action.completer = _files_and_demos
    argcomplete.autocomplete(parser)


def _files_and_demos(prefix: str, **_: Any) -> list[str]:
    from argcomplete.completers import FilesCompleter

    return [*(name for name in DEMOS if name.startswith(prefix)), *FilesCompleter()(prefix)]


def _with_command(arguments: list[str]) -> list[str]:
    """`splinescope FILES...` is `splinescope open FILES...`; so is `splinescope` alone."""
    first = arguments[0] if arguments else ""
    if first in _COMMANDS or (first.startswith("-") and first not in _OPEN_OPTIONS):
        return arguments
    if first and first not in DEMOS and not os.path.lexists(first) and (meant := suggestion(first, list(_COMMANDS))):
        raise CommandError(f"{first}: no such file or command{meant}")
    return ["open", *arguments]


def _one_line(message: str) -> str:
    return " ".join(message.split())
