"""Commands, options and numbers that several commands share."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from app.commands.errors import CommandError
from app.state.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_RESOLUTIONS: Final = (10.0, 4800.0)
_SIZES: Final = (1e-9, 1e9)  # of a domain: beyond them rounding leaves little of a network


def add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], None], about: str, description: str | None,
    epilog: str = "",
) -> argparse.ArgumentParser:  # fmt: skip
    """Declare a command; about: for the list of commands; description, epilog: above and below its options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=about,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_outputs_option(parser: argparse.ArgumentParser, kinds: str) -> None:
    """--out, a list of paths; kinds: what may be written, with extensions."""
    parser.add_argument("--out", type=Path, action="append", default=[], metavar="FILE", help=f"{kinds}; repeatable")


def add_level_option(parser: argparse.ArgumentParser) -> None:
    """--level, a float."""
    parser.add_argument("--level", type=finite, default=0.0, metavar="F", help="the level (default: 0)")


def add_palette_option(add_argument: Callable[..., Any]) -> None:
    """--palette, the value of a `Palette`."""
    names = [palette.value for palette in Palette]
    add_argument(
        "--palette", choices=names, default=names[0], help=f"colours of the depths in pictures (default: {names[0]})"
    )


def add_dpi_option(parser: argparse.ArgumentParser) -> None:
    """--dpi, a float."""
    parser.add_argument("--dpi", type=_resolution, default=600.0, help="resolution of .png figures (default: 600)")


def numbers(text: str) -> NDArray[np.float64]:
    return np.array([finite(part) for part in text.split(",")])


def finite(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def check_size(size: float, option: str) -> None:
    low, high = _SIZES
    if not low <= size <= high:
        raise CommandError(f"{option}: a domain of size {size:g} is not sensible; choose one from {low:g} to {high:g}")


def positive(text: str) -> float:
    if (value := finite(text)) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not positive")
    return value


def _resolution(text: str) -> float:
    low, high = _RESOLUTIONS
    if not low <= (value := finite(text)) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a resolution from {low:g} to {high:g}")
    return value
