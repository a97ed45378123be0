"""Output files named on the command line: checked before anything is computed."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.errors import CommandError
from app.files import why_not_written

if TYPE_CHECKING:
    from engine import Network

_LONGEST_NAME = 255


def check_outputs(outputs: Sequence[Path], extensions: Sequence[str], source: Path | None = None) -> None:
    """Raise CommandError unless every output can be written and none of them is `source` or named twice."""
    seen: set[Path] = set()
    for path in outputs:
        final = Path(os.path.realpath(path))
        if len(os.fsencode(final.name)) > _LONGEST_NAME:
            raise CommandError(f"{path}: the name is too long; choose a shorter one")
        if path.suffix.lower() not in extensions:
            raise CommandError(f"{path}: unknown kind of output; end the name with {' or '.join(extensions)}")
        if final in seen:
            raise CommandError(f"{path}: named twice as an output; give every output its own name")
        if source is not None and final == Path(os.path.realpath(source)):
            raise CommandError(f"{path}: this is the input; choose another name for the output")
        if final.exists() and not final.is_file():
            raise CommandError(f"{path}: this is not an ordinary file; choose another name")
        if not final.parent.is_dir():
            raise CommandError(f"{path}: there is no folder {path.parent}; make it first")
        if not os.access(final.parent, os.W_OK | os.X_OK):
            raise CommandError(f"{path}: the folder {path.parent} cannot be written; choose another")
        seen.add(final)


def check_parquet(option: str) -> None:
    """Raise CommandError unless Parquet can be written."""
    if importlib.util.find_spec("pyarrow") is None:
        raise CommandError(f"{option}: .parquet needs the package pyarrow; install splinescope[parquet], or write .csv")


def check_one_output(file: Path, network: Network) -> None:
    """Raise CommandError for a network with several outputs, whose regions have a map for each."""
    if network.output_size != 1:
        raise CommandError(f"{file}: the network has {network.output_size} outputs; choose one with --output")


def could_not_write(error: OSError, outputs: Sequence[Path]) -> CommandError:
    where = ", ".join(str(path) for path in outputs)
    return CommandError(f"{where}: could not be written, and nothing was: {why_not_written(error)}")


def written_one_by_one(outputs: Sequence[Path], temporaries: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield outputs with the files that are to become them, and show on a terminal which one is being written."""
    from tqdm import tqdm

    hidden = not sys.stderr.isatty()
    with tqdm(total=len(outputs), unit=" files", leave=False, disable=hidden) as bar:
        for path, temporary in zip(outputs, temporaries, strict=False):
            bar.set_description(f"writing {path.name}")
            yield path, temporary
            bar.update()
