"""Reading the arrays of an untrusted .npz file in bounded memory, without unpickling.

numpy's own reader allocates what an array's header declares before it looks at how much there is; here sizes are
checked against the zip directory, and the directory against the limits, before anything is unpacked.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from sdf_models.formats.format import LARGEST_FILE, Damaged, Peek, Refused, first_line

MOST_MEMBERS = 8_192

_LOCAL_HEADER = b"PK\x03\x04"
_END = b"PK\x05\x06"
_DIRECTORY_ENTRY = b"PK\x01\x02"
_HEADER = re.compile(
    rb"\{'descr': '([<>|=]?(?:[biufc]\d{1,2}|[US]\d{1,6}))', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,12}, ?)*(?:\d{1,12})?)\), ?\} *\n"
)
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,  # methods and versions that zipfile does not know
    RuntimeError,  # encrypted members
    OSError,  # offsets before the start of the file
    EOFError,
    ValueError,
    OverflowError,
    struct.error,
    zlib.error,
)


def recognise(peek: Peek) -> bool:
    """Whether this is a zip archive whose first member is a .npy file, or one without members."""
    return first_member(peek).endswith(b".npy") or peek.head.startswith(_END)


def first_member(peek: Peek) -> bytes:
    """The name of a zip archive's first member; empty when it is none."""
    head = peek.head
    return head[30 : 30 + int.from_bytes(head[26:28], "little")] if head.startswith(_LOCAL_HEADER) else b""


def read(data: bytes) -> dict[str, NDArray[np.generic]]:
    """The arrays by name, read-only.  Raises Refused."""
    with directory(data) as archive:
        return {name.removesuffix(".npy"): _array(name, content) for name, content in _members(archive)}


@contextmanager
def directory(data: bytes) -> Iterator[zipfile.ZipFile]:
    """A zip archive of not too many members; its errors become Damaged."""
    if data.count(_DIRECTORY_ENTRY) > MOST_MEMBERS:
        raise Refused(f"the archive has more than {MOST_MEMBERS} members", "no network looks like that")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield archive
    except _ZIP_ERRORS as error:
        raise Damaged(f"the zip archive cannot be read ({first_line(error)})") from error


def _members(archive: zipfile.ZipFile) -> list[tuple[str, bytes]]:
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > LARGEST_FILE:
        raise Refused(
            f"the archive would unpack to {size:,} bytes", f"networks of at most {LARGEST_FILE:,} can be opened"
        )
    if len({member.filename for member in members}) < len(members):
        raise Damaged("two members of the archive have the same name")
    contents: list[tuple[str, bytes]] = []
    for member in members:
        if not member.filename.endswith(".npy"):
            raise Refused(
                f"the archive's member {member.filename!r:.60} is not an array", "open an .npz file of arrays alone"
            )
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused(f"{member.filename!r:.60} is compressed in an unusual way", "save it with numpy.savez")
        with archive.open(member) as stream:
            # Without a size, zipfile unpacks all that there is before it compares with the declared size.
            contents.append((member.filename, stream.read(member.file_size)))
    return contents


def _array(name: str, content: bytes) -> NDArray[np.generic]:
    """The array of an .npy file (numpy.lib.format, version 1.0), a view on its bytes."""
    if content[:8] != b"\x93NUMPY\x01\x00":
        raise Damaged(f"{name!r:.60} is not an array of version 1.0")
    start = 10 + int.from_bytes(content[8:10], "little")
    header = content[10:start]
    match = _HEADER.fullmatch(header)
    if match is None:
        if b"'descr': '|O'" in header:
            raise Refused(
                f"{name!r:.60} holds pickled objects, which can run code when opened", "save plain arrays only"
            )
        raise Damaged(f"the header of {name!r:.60} is not that of a plain array of numbers or text")
    try:
        dtype = np.dtype(match[1].decode())
    except TypeError as error:
        raise Damaged(f"{name!r:.60} is of the unknown type {match[1].decode()}") from error
    shape = tuple(int(size) for size in match[3].replace(b",", b" ").split())
    if math.prod(shape) * dtype.itemsize != len(content) - start:
        raise Damaged(
            f"{name!r:.60} declares the shape {shape!s:.60} of {dtype} but holds {len(content) - start} bytes"
        )
    flat: NDArray[np.generic] = np.frombuffer(content, dtype, offset=start)
    return flat.reshape(shape[::-1]).T if match[2] == b"True" else flat.reshape(shape)
