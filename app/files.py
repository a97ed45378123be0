"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_together(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Temporary files beside `paths`, moved into place together when the block ends well, removed when it does not.

    A crash at any time leaves every file old or new, whole.  Raises OSError, naming the final path, when a folder
    cannot be written or when something else than an ordinary file is there.
    """
    finals = [final_path(path) for path in paths]
    temporaries = [final.with_name(f"{temporary_prefix(final)}{secrets.token_hex(4)}.part") for final in finals]
    try:
        for temporary, final, path in zip(temporaries, finals, paths, strict=True):
            _create(temporary, final, path)
        yield temporaries
        for temporary in temporaries:
            _force_to_disk(temporary)
        for temporary, final in zip(temporaries, finals, strict=True):
            os.replace(temporary, final)
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)


def final_path(path: Path) -> Path:
    """Where a path leads.  Raises OSError, naming it, where links lead in a circle."""
    try:
        return path.resolve()
    except RuntimeError as error:  # Python's name for it until 3.12
        raise OSError(errno.ELOOP, "links lead in a circle", str(path)) from error


def temporary_prefix(final: Path) -> str:
    """How the names of temporary files begin that `final` is made from; the end of a long name is left out."""
    return f".{final.name[:40]}-"


def why_not_written(error: OSError) -> str:
    """The reason and what to do, for what follows the name of the file."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        advice = "free some space or choose another folder"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        advice = "choose another folder, or allow writing there"
    elif error.errno in (errno.ENAMETOOLONG, errno.EINVAL, errno.EEXIST, errno.EISDIR, errno.ELOOP):
        advice = "choose another name"
    elif error.errno == errno.ENOMEM:
        advice = "take fewer dots per inch"
    else:
        advice = "choose another folder"
    return f"{error.strerror or error}; {advice}"


def _create(temporary: Path, final: Path, path: Path) -> None:
    try:
        before = final.stat() if final.exists() else None
        if before is not None and not final.is_file():
            raise OSError(errno.EEXIST, "this is not an ordinary file", str(path))
        temporary.touch(exist_ok=False)
        if before is not None:
            temporary.chmod(before.st_mode & 0o777)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _force_to_disk(path: Path) -> None:
    """A name must not come to the disk before what it names."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
