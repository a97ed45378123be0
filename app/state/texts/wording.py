"""Texts of the command line as the window says them: without its options."""

from __future__ import annotations

import re

_MODULE = re.compile(r"--module package\.module:function")
_RELU_LIMIT = re.compile(r", or say --relu-limit to draw its ReLU limit, an approximation")
_COMMAND = re.compile(r"splinescope info (\S+) --latent (\S+)")
_BY = re.compile(r"\bby --[a-z-]+")
_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)(=?)")


def without_options(text: str) -> str:
    """The text with the names of choices in place of options, and what the window offers in place of commands."""
    text = _MODULE.sub("app.show(module) in Python", text)
    text = _RELU_LIMIT.sub("; its ReLU limit can be drawn, an approximation", text)
    text = _COMMAND.sub(r"open \1 and answer with \2", text)
    text = _BY.sub("as chosen", text)
    return _OPTION.sub(_named, text)


def _named(match: re.Match[str]) -> str:
    name, space = match[1].replace("-", " "), " " * len(match[2])
    return f"\N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK}{space}"
