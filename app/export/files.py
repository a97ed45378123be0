"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_together(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Temporary files beside `paths`, moved into place together when the block ends well, removed when it does not.

    Raises OSError, naming the final path, when a folder cannot be written.
    """
    finals = [path.resolve() for path in paths]
    temporaries = [final.with_name(f".{os.getpid()}-{i}.part") for i, final in enumerate(finals)]
    try:
        for temporary, path in zip(temporaries, paths, strict=True):
            _create(temporary, path)
        yield temporaries
        for temporary, final in zip(temporaries, finals, strict=True):
            os.replace(temporary, final)
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)


def _create(temporary: Path, path: Path) -> None:
    try:
        temporary.touch()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
