"""Session files: recognised by content, read within bounds, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from app.files import final_path, written_together
from app.state.saved_session import SavedSession, SessionFileError
from app.state.session_text import MARK, MOST_BYTES, from_text, to_text

_HEAD = 4096


def is_session(path: Path) -> bool:
    """Whether a file says that it is a session; False also when it cannot be read."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and f'"{MARK}"'.encode() in head


def read_session(path: Path) -> SavedSession:
    """Raises OSError, and SessionFileError for what is no session."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise SessionFileError(f"it is larger than {MOST_BYTES >> 20} MiB, which no session is")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SessionFileError("it is not text in UTF-8") from error
    return from_text(text, Path(os.path.abspath(path)).parent)


def write_session(path: Path, saved: SavedSession) -> None:
    """A crash at any time leaves the old file or the new one, whole.

    Raises OSError, and SessionFileError for what could not be read again; the old file stays then.
    """
    final = final_path(path)
    text = to_text(saved, final.parent)
    from_text(text, final.parent)
    content = text.encode(errors="backslashreplace")  # bytes of a path that are no text: JSON's own escapes of them
    with written_together([path]) as (temporary,):
        temporary.write_bytes(content)
