"""Output where the encoding lacks a character: written in ASCII instead, so that no command ends because of it."""

from __future__ import annotations

import codecs
import io
import sys
from typing import Final

_NAME: Final = "splinescope"
_WRITTEN: Final = {
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{MINUS SIGN}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{SUPERSCRIPT THREE}": "^3",
    "\N{HORIZONTAL ELLIPSIS}": "...",
}


def write_in_any_encoding() -> None:
    """Let standard output and standard error take any text from now on."""
    codecs.register_error(_NAME, _in_ascii)
    for stream in (sys.stdout, sys.stderr):  # None without a console on Windows
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NAME)


def _in_ascii(error: UnicodeError) -> tuple[str | bytes, int]:
    """The codecs' way to ask for a replacement of error.object[error.start:error.end]: it, and where to go on.

    Other characters, and bytes of file names that are no text, become the escapes of Python's literals.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    return _WRITTEN.get(character, character.encode("ascii", "backslashreplace").decode()), error.start + 1
