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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdf_models.formats.format import Damaged, Peek, Refused, first_line

MOST_MEMBERS = 8_192
LARGEST_UNPACKED = 1 << 27
"""Bytes of all arrays together: what a network makes of them, copies and float64 included, stays below a gibibyte."""
_MOST_DEFLATED = 20
"""Times that trained weights are shorter when compressed; they hardly are.  Only beyond _ALWAYS bytes."""
_ALWAYS = 1 << 24

_PREFIX = 10  # bytes before the header of an .npy file: magic, version, the length of the header
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
    """Return whether this is a zip archive whose first member is a .npy file, or one without members."""
    return first_member(peek).endswith(b".npy") or peek.head.startswith(_END)


def first_member(peek: Peek) -> bytes:
    """The name of a zip archive's first member; empty when it is none."""
    head = peek.head
    return head[30 : 30 + int.from_bytes(head[26:28], "little")] if head.startswith(_LOCAL_HEADER) else b""


def read(data: bytes) -> dict[str, NDArray[np.generic]]:
    """The arrays by name, read-only.  Raises Refused."""
    with directory(data) as archive:
        members = _members(archive)
        for member in members:  # all headers before anything is unpacked
            with archive.open(member) as stream:
                start = stream.read(_PREFIX)
                _declared(member, start + stream.read(int.from_bytes(start[8:10], "little")))
        return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}


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


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The members of an archive, once it is certain that their sizes are sensible."""
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > LARGEST_UNPACKED:
        raise Refused(
            f"the archive would unpack to {size:,} bytes", f"networks of at most {LARGEST_UNPACKED:,} can be opened"
        )
    packed = sum(member.compress_size for member in members)
    if size > max(_ALWAYS, _MOST_DEFLATED * packed):
        raise Refused(
            f"the archive would unpack from {packed:,} to {size:,} bytes, as no trained weights do",
            "save them with numpy.savez",
        )
    if len({member.filename for member in members}) < len(members):
        raise Damaged("two members of the archive have the same name")
    for member in members:
        if not member.filename.endswith(".npy"):
            raise Refused(
                f"the archive's member {member.filename!r:.60} is not an array", "open an .npz file of arrays alone"
            )
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused(f"{member.filename!r:.60} is compressed in an unusual way", "save it with numpy.savez")
    return members


@dataclass(frozen=True, slots=True)
class _Declared:
    """The statements of an array's header; start: the bytes before its content."""

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    column_major: bool
    start: int


def _declared(member: zipfile.ZipInfo, content: bytes) -> _Declared:
    """The header of an .npy file (numpy.lib.format, version 1.0), which must agree with the size of the member."""
    name = member.filename
    if content[:8] != b"\x93NUMPY\x01\x00":
        raise Damaged(f"{name!r:.60} is not an array of version 1.0")
    start = _PREFIX + int.from_bytes(content[8:10], "little")
    header = content[_PREFIX:start]
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
    _check_size(name, dtype, shape, member.file_size - start)
    return _Declared(dtype, shape, match[2] == b"True", start)


def _check_size(name: str, dtype: np.dtype[np.generic], shape: tuple[int, ...], size: int) -> None:
    if math.prod(shape) * dtype.itemsize != size:
        raise Damaged(f"{name!r:.60} declares the shape {shape!s:.60} of {dtype} but holds {size} bytes")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[np.generic]:
    """The array of a member, a view on its bytes."""
    with archive.open(member) as stream:
        # Without a size, zipfile unpacks all that there is before it compares with the declared size.
        content = stream.read(member.file_size)
    declared = _declared(member, content)
    _check_size(member.filename, declared.dtype, declared.shape, len(content) - declared.start)
    flat: NDArray[np.generic] = np.frombuffer(content, declared.dtype, offset=declared.start)
    return flat.reshape(declared.shape[::-1]).T if declared.column_major else flat.reshape(declared.shape)
